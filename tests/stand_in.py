"""A stand-in for Snakemake, for commands that have to end with it."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

# Leaves a file where it starts, and one where a SIGTERM ends it.
WORKFLOW = """
import pathlib, signal, sys, time

def end(*_):
    pathlib.Path("ended").touch()
    sys.exit(1)

signal.signal(signal.SIGTERM, end)
pathlib.Path("started").touch()
time.sleep(60)
"""


def terminated(command: subprocess.Popen[str], folder: Path) -> str:
    """Send SIGTERM to a command whose stand-in runs in `folder`; what it wrote to stderr."""
    deadline = time.monotonic() + 30
    while not (folder / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    command.terminate()
    return command.communicate(timeout=30)[1]
