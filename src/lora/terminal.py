"""Writing for people at a terminal: colour where it is welcome, and one live line that is written over.

Colour is added when text is printed, never when it is made, so that files and pipes get plain text. `NO_COLOR`
(https://no-color.org) and `TERM=dumb` turn it off.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO, cast

GREEN, RED, YELLOW, DIM, BOLD = "32", "31", "33", "2", "1"
CLEAR = "\r\x1b[K"
DELETE = "\x7f"
HARMLESS = "\n\t\u200c\u200d"  # the zero-width joiners of Persian, Hindi and others
# What is coloured, in the first line and below it. A pattern colours its first group.
HEADLINES = (
    (re.compile(r"^(READY FOR THE SWEEP|GATE OPEN)"), f"{BOLD};{GREEN}"),
    (re.compile(r"^(NOT READY FOR THE SWEEP|GATE CLOSED|FAILED)"), f"{BOLD};{RED}"),
    (re.compile(r"^(VERDICT UNKNOWN|NO VERDICT)"), f"{BOLD};{YELLOW}"),
)
WORDS = (
    (re.compile(r"(?<= )(PASS)(?=  )"), GREEN),
    (re.compile(r"(?<= )(WARN|UNKNOWN)(?=  | {1}\S)"), YELLOW),
    (re.compile(r"(?<= )(FAIL)(?=  )"), RED),
    (re.compile(r"(?<=: )(better)$"), GREEN),
    (re.compile(r"(?<=: )(worse)$"), RED),
)


def is_terminal(stream: TextIO) -> bool:
    """Whether a line on this stream can be written over."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def has_colour(stream: TextIO) -> bool:
    """Whether text on this stream may be coloured."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def coloured(text: str) -> str:
    """The text with its headline, statuses and outcomes coloured."""
    lines = text.split("\n")
    return "\n".join(_painted(line, (*HEADLINES, *WORDS) if not n else WORDS) for n, line in enumerate(lines))


def printable(text: str) -> str:
    """The text without control characters, which could change what a terminal shows; line ends and tabs stay."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t")


def visible(text: str) -> str:
    """The text with control characters as JSON escapes them (`\\u001b`), so that a terminal shows them.

    Line ends, tabs, and the joiners that some scripts need stay.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in HARMLESS else _escape(c) for c in text)


def _escape(character: str) -> str:
    return "\\u007f" if character == DELETE else json.dumps(character)[1:-1]  # JSON leaves that one as it is


class VisibleStream:
    """A text stream that shows the control characters of what is written to it."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        # A carriage return at the start is that of a progress bar, which writes over its line.
        bar = text.startswith("\r")
        return self.stream.write("\r" + visible(text[1:]) if bar else visible(text))

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextlib.contextmanager
def visible_output() -> Iterator[None]:
    """Whatever is printed inside shows its control characters: names and texts of others may contain any.

    A stream that is closed (`>&-`), for which Python has None, is one that nobody reads.
    """
    with contextlib.ExitStack() as stack:
        nowhere = stack.enter_context(Path(os.devnull).open("w", encoding="utf-8"))
        streams = VisibleStream(sys.stdout or nowhere), VisibleStream(sys.stderr or nowhere)
        stack.enter_context(contextlib.redirect_stdout(cast(TextIO, streams[0])))
        stack.enter_context(contextlib.redirect_stderr(cast(TextIO, streams[1])))
        yield


def write_coloured(text: str, stream: TextIO) -> None:
    """Write text as this stream shows it best."""
    if isinstance(stream, VisibleStream):
        text, stream = visible(text), stream.stream
    stream.write(coloured(text) if has_colour(stream) else text)
    stream.flush()


class Screen:
    """Lines, one live line below them, and results. Lines go to one stream (stderr), results to another (stdout)."""

    def __init__(self, lines: TextIO, results: TextIO) -> None:
        self._lines = lines
        self._results = results
        self._live = ""
        self.is_live = is_terminal(lines)

    def line(self, text: str) -> None:
        """Print a line."""
        self.live("")
        write_coloured(f"{printable(text)}\n", self._lines)

    def result(self, text: str) -> None:
        """Print what a run found."""
        self.live("")
        write_coloured(f"{printable(text.rstrip())}\n", self._results)

    def live(self, text: str) -> None:
        """Show a live line instead of the one before; empty for none. Only a terminal has one."""
        if not self.is_live or (not text and not self._live):
            return
        shown = printable(text)[: shutil.get_terminal_size().columns - 1]
        self._lines.write(CLEAR + (f"\x1b[{DIM}m{shown}\x1b[0m" if has_colour(self._lines) and shown else shown))
        self._lines.flush()
        self._live = shown


def _painted(line: str, styles: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    for pattern, style in styles:
        line = pattern.sub(lambda match, style=style: f"\x1b[{style}m{match[1]}\x1b[0m", line)  # type: ignore[misc]
    return line
