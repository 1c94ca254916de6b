"""Texts that a program wrote as bytes of Python, `b'hello'`: TensorFlow returns them, and `str` keeps their form."""

from __future__ import annotations

import re

WRITTEN_AS_BYTES = re.compile(r"b'.*'|b\".*\"", re.DOTALL)
DECODE = "written as bytes of Python; write it with `.decode()`, as text"


def is_written_as_bytes(text: str) -> bool:
    """Whether a text is one of `b'...'`, which no person or model writes."""
    return text.startswith("b") and WRITTEN_AS_BYTES.fullmatch(text) is not None
