"""The command that writes the listening page, as somebody types it who started the study in the same way."""

from __future__ import annotations

import os

VARIABLE = "LORA_LISTEN_COMMAND"  # set by the Makefile and by `lora-diagnose`


def listen_command() -> str:
    """`make listen`, `lora-diagnose listen -d my-study`, or what works in the folder of any study."""
    return os.environ.get(VARIABLE, "lora-diagnose listen")
