"""Command lines: arguments, user errors as one line and an exit code, and the command to type again."""

from __future__ import annotations

import argparse
import gc
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from lora.provenance.command_parser import CommandParser
from lora.provenance.disk_problem import disk_problem
from lora.records.base import UserError
from lora.terminal import visible_output

# Containers that Python creates before it searches for reference cycles: the default of 700 doubled the time of
# scoring. Commands without a model create tables of records, which have no cycles, and do not search at all.
COLLECT_AFTER = 50_000

LONGEST_MESSAGE = 4_000  # characters

Execute = Callable[[argparse.Namespace], object]


def command(
    doc: str | None, add_arguments: Callable[[argparse.ArgumentParser], None], execute: Execute
) -> Callable[..., int]:
    """Build the `main` of a script.

    Args:
        doc: The script's docstring, shown by `--help`.
        add_arguments: Adds the script's arguments to a parser.
        execute: Does the work; an integer that it returns is the exit code.

    Returns:
        `main(argv=None)`, which parses, executes and returns an exit code: 0, or 2 for an error that a user can fix.
    """

    def main(argv: Sequence[str] | None = None) -> int:
        parser = CommandParser(description=doc)
        add_arguments(parser)
        args = parser.parse_args(argv)

        def run() -> int:
            code = execute(args)
            return code if isinstance(code, int) else 0

        return run_command(run, collect=False)

    return main


def command_line() -> str:
    """Return the command of this process as it would be typed again, quoted for a shell."""
    main = sys.modules.get("__main__")
    module = getattr(main, "__spec__", None)
    program = ["-m", module.name.removesuffix(".__main__")] if module is not None else [_script()]
    return shlex.join(["python", *program, *sys.argv[1:]])


def _script() -> str:
    """Path of the running script, relative if it is below the current folder, so that others can type it too."""
    script, here = Path(sys.argv[0]), Path.cwd()
    return str(script.relative_to(here)) if script.is_relative_to(here) else str(script)


def run_command(function: Callable[[], int], collect: bool = True) -> int:
    """Run a command line and return its exit code; `collect` says whether reference cycles are searched for.

    An error that a person can fix (files and disks included) is printed as one line and has exit code 2. Control
    characters in what is printed are shown, never sent to a terminal.
    """
    thresholds = gc.get_threshold()
    gc.set_threshold(COLLECT_AFTER if collect else 0)
    try:
        with visible_output():
            return _exit_code(function)
    finally:
        gc.set_threshold(*thresholds)


def _in_short(message: str) -> str:
    """The message without its middle, if names or values of somebody's file make it longer than a person reads."""
    rest = len(message) - LONGEST_MESSAGE
    half = LONGEST_MESSAGE // 2
    return message if rest <= 0 else f"{message[:half]} [... {rest:,} characters ...] {message[-half:]}"


def _exit_code(function: Callable[[], int]) -> int:
    try:
        return function()
    except UserError as error:
        print(f"error: {_in_short(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("error: interrupted; run the same command again to resume", file=sys.stderr)
        return 130
    except MemoryError:
        print("error: not enough memory; give this command more, or less to do at once", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader of stdout has gone (`| head`); closing stdout again at exit must not fail either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        problem = disk_problem(error)
        if problem is None and not isinstance(error, OSError):  # such as a file that vanished
            raise
        named = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else error
        print(f"error: {problem or named}", file=sys.stderr)
        return 2
