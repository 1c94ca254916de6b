"""Run a small program for a few seconds at most: Python cannot interrupt an expression or a template of a file."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

PATIENCE = 60.0  # seconds that a busy machine may take in addition
# Where the system has no such limit, only that of real time counts.
LIMIT_OF_PROCESSOR = """
import contextlib
with contextlib.suppress(ImportError, OSError, ValueError):
    import resource
    resource.setrlimit(resource.RLIMIT_CPU, ({0}, {0}))
"""


def output_within(limit: int, program: str, content: object) -> tuple[str, bool]:
    """What a Python program printed, and whether it ended within a limit.

    Args:
        limit: Seconds of processor time.
        program: Python code.
        content: Its input, as JSON.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", LIMIT_OF_PROCESSOR.format(limit) + program],
            input=json.dumps(content),
            capture_output=True,
            text=True,
            timeout=limit + PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as expired:
        written = expired.stdout or b""
        return (written if isinstance(written, str) else written.decode()), False
    return done.stdout, done.returncode not in {-signal.SIGXCPU, -signal.SIGKILL}
