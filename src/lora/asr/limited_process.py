"""Run a small program for a few seconds at most: Python cannot interrupt an expression or a template of a file."""

from __future__ import annotations

import json
import subprocess
import sys


def output_within(limit: float, program: str, content: object) -> tuple[str, bool]:
    """What a Python program printed, and whether it ended within `limit` seconds; its input is `content` as JSON."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", program],
            input=json.dumps(content),
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired as expired:
        written = expired.stdout or b""
        return (written if isinstance(written, str) else written.decode()), False
    return done.stdout, True
