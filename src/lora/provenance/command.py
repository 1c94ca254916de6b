"""Run a command line: user errors become one line and an exit code; the command as a person would type it again."""

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

# Containers made before Python looks for cycles among them. Tables of 100,000 records hold none, and its usual 700 made
# scoring take twice as long.
COLLECT_AFTER = 50_000

_acting: ContextVar[list[str] | None] = ContextVar("acting", default=None)


@contextmanager
def acting_as(command: Sequence[str]) -> Iterator[None]:
    """Record what happens inside as done by this command: a step of a longer one that could be typed by itself."""
    token = _acting.set(list(command))
    try:
        yield
    finally:
        _acting.reset(token)


def command_line() -> str:
    """The command of this process as a person would type it again, quoted for a shell."""
    acting = _acting.get()
    if acting is not None:
        return shlex.join(["python", *acting])
    main = sys.modules.get("__main__")
    module = getattr(main, "__spec__", None)
    program = ["-m", module.name.removesuffix(".__main__")] if module is not None else [_script()]
    return shlex.join(["python", *program, *sys.argv[1:]])


def _script() -> str:
    """Path of the running script; relative where it lies below this folder, so that others can type it too."""
    script, here = Path(sys.argv[0]), Path.cwd()
    return str(script.relative_to(here)) if script.is_relative_to(here) else str(script)


def run_command(function: Callable[[], int]) -> int:
    """Run a command line; what a person can mend (files and disks included) becomes one line and exit code 2."""
    gc.set_threshold(COLLECT_AFTER)
    try:
        return function()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("error: interrupted; the same command goes on where it stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of stdout left (`| head`); closing it again at exit must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:  # disk full, no permission, a file that vanished
        print(f"error: {error}", file=sys.stderr)
        return 2
