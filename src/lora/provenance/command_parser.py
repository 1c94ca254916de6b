"""Parsers of command lines: `--version`, and suggestions for misspelt options and subcommands."""

from __future__ import annotations

import argparse
import difflib
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from lora.provenance.versions import code_commit, version
from lora.terminal import visible

PACKAGE = "lora-tuning-diagnostics"


def suggest(word: str, known: Sequence[str]) -> str:
    """The end of a sentence on an unknown name: the closest known one, else all of them."""
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; expected one of {', '.join(known)}"


def is_utf8(text: str) -> bool:
    """Whether a text can be written as UTF-8: a name with bytes that Python could not decode cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def path_argument(text: str) -> Path:
    """A path as an argument. An empty one is that of a variable without a value, and not the current folder."""
    if not text:
        raise argparse.ArgumentTypeError("an empty text is not a path")
    return Path(text)


def finite_number(text: str) -> float:
    """A number as an argument. `nan` and `inf` would pass every comparison, or none, and end in a traceback later."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number")
    return value


def described_version() -> str:
    """Version of this software and the commit of the code, as far as they are known."""
    commit = code_commit()
    number = version(PACKAGE) or "(not installed)"
    return f"{PACKAGE} {number}" + (f", commit {commit}" if commit else "")


class PrintVersion(argparse.Action):
    """Print the version and end. The commit is looked up when it is asked for only."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> None:
        print(described_version())
        parser.exit()


class CommandParser(argparse.ArgumentParser):
    """A parser that names an unknown option or subcommand before it looks for missing ones, with the closest known.

    Attributes:
        elsewhere: Options that people expect of this command, and what to use instead.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        keywords.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*arguments, **keywords)
        self.register("type", Path, path_argument)
        self.register("type", float, finite_number)
        self.elsewhere: Mapping[str, str] = {}
        nothing: Any = argparse.SUPPRESS  # parsed arguments have no `version`
        self.add_argument(
            "--version", action=PrintVersion, nargs=0, dest=nothing, default=nothing, help="print the version and end"
        )

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        given = list(sys.argv[1:] if args is None else args)
        for argument in given:
            if not is_utf8(argument):
                self.error(f"{argument}: this name is not UTF-8, as results are; rename the file or folder")
        self._name_unknown(given)
        return super().parse_known_args(given, namespace)

    def error(self, message: str) -> NoReturn:
        """End with a usage error, in which the control characters of arguments are shown."""
        super().error(visible(message))

    def _name_unknown(self, given: Sequence[str]) -> None:
        """End with a usage error at the first option or subcommand that this command does not have."""
        known = [name for action in self._actions for name in action.option_strings if name.startswith("--")]
        subcommands = next((a.choices for a in self._actions if isinstance(a, argparse._SubParsersAction)), None)
        takes_value = {name for action in self._actions if action.nargs != 0 for name in action.option_strings}
        for before, argument in zip(["", *given], given, strict=False):
            if argument == "--":
                return
            if not argument.startswith("-"):
                if subcommands is None or before in takes_value:
                    continue
                if argument not in subcommands:
                    self.error(f"unknown subcommand {argument}{suggest(argument, list(subcommands))}")
                return  # what follows belongs to the subcommand
            name = argument.partition("=")[0]
            if not name.startswith("--") or any(option.startswith(name) for option in known):
                continue
            if name in self.elsewhere:
                self.error(f"{name}: {self.elsewhere[name]}")
            self.error(f"unknown option {name}{suggest(name, known)}")
