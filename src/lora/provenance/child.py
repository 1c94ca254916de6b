"""A child process that does the work of a command, and ends with it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from lora.records.base import UserError


@contextmanager
def signals_passed_on(child: subprocess.Popen[str], name: str) -> Iterator[None]:
    """Wait for the end of a child within it, also after a signal to this process (of `timeout`, of CI) or Ctrl-C.

    Args:
        child: A child that was just started.
        name: What it is, for the message.

    Raises:
        UserError: Such a signal ended it.
    """
    received: list[int] = []

    def pass_on(number: int, _: object) -> None:
        received.append(number)
        if number != signal.SIGINT:  # a terminal sends that to the child, too
            child.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if received and child.returncode != 0:
        raise UserError(f"{name} was ended by {signal.Signals(received[0]).name}; run the same command again to resume")
