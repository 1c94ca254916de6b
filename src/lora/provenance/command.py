"""Run a command line with errors as one line and an exit code, and state the command as it would be typed again."""

from __future__ import annotations

import gc
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from lora.records.base import UserError

# Allocations after which Python looks for reference cycles. Tables of 100,000 records have none, and the default of 700
# doubles the time of scoring.
COLLECT_AFTER = 50_000

_acting: ContextVar[list[str] | None] = ContextVar("acting", default=None)


@contextmanager
def acting_as(command: Sequence[str]) -> Iterator[None]:
    """Record what runs inside as done by this command: a step of a longer one that could be run by itself."""
    token = _acting.set(list(command))
    try:
        yield
    finally:
        _acting.reset(token)


def command_line() -> str:
    """Return the command of this process as it would be typed again, quoted for a shell."""
    acting = _acting.get()
    if acting is not None:
        return shlex.join(["python", *acting])
    main = sys.modules.get("__main__")
    module = getattr(main, "__spec__", None)
    program = ["-m", module.name.removesuffix(".__main__")] if module is not None else [_script()]
    return shlex.join(["python", *program, *sys.argv[1:]])


def _script() -> str:
    """Path of the running script, relative if it is below the working directory, so that others can run it too."""
    script, here = Path(sys.argv[0]), Path.cwd()
    return str(script.relative_to(here)) if script.is_relative_to(here) else str(script)


def run_command(function: Callable[[], int]) -> int:
    """Run a command line and return its exit code.

    An error that a person can fix (files and disks included) is printed as one line and has exit code 2.
    """
    gc.set_threshold(COLLECT_AFTER)
    try:
        return function()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("error: interrupted; run the same command again to resume", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of stdout has closed it (`| head`); flushing it at exit must not fail either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:  # disk full, no permission, a file that vanished
        print(f"error: {error}", file=sys.stderr)
        return 2
