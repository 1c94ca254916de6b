"""Colour where it is welcome only, and nothing in a text that could change what a terminal shows."""

from __future__ import annotations

import io
import sys

import pytest

from lora.terminal import Screen, coloured, has_colour, printable, visible_output, write_coloured


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_closed_streams_are_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)  # as Python does for `>&-`
    with visible_output():
        print("nobody reads this")
        print("nor this", file=sys.stderr)


def test_control_characters_are_shown_however_they_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with visible_output():
        print("a\x1b[2Jb", file=sys.stderr)
        sys.stderr.writelines(["a\x1b[2Jb\n", "\rc\x9bd\n"])  # a progress bar begins with a carriage return
        sys.stderr.write("\x7f\n")
    assert capsys.readouterr().err == "a\\u001b[2Jb\na\\u001b[2Jb\n\rc\\u009bd\n\\u007f\n"


def test_colour_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert has_colour(Terminal())
    assert not has_colour(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not has_colour(Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not has_colour(Terminal())


@pytest.mark.parametrize(
    ("text", "painted"),
    [
        ("READY FOR THE SWEEP: WER", "\x1b[1;32mREADY FOR THE SWEEP\x1b[0m: WER"),
        ("NOT READY FOR THE SWEEP", "\x1b[1;31mNOT READY FOR THE SWEEP\x1b[0m"),
        ("x\n  parity        FAIL    On", "x\n  parity        \x1b[31mFAIL\x1b[0m    On"),
        ("x\n  headroom      PASS    WER", "x\n  headroom      \x1b[32mPASS\x1b[0m    WER"),
        ("x\n  short run     -1 points: better", "x\n  short run     -1 points: \x1b[32mbetter\x1b[0m"),
        ("x\nREADY FOR THE SWEEP", "x\nREADY FOR THE SWEEP"),
        ("plain FAILURE", "plain FAILURE"),
    ],
)
def test_what_is_coloured(text: str, painted: str) -> None:
    assert coloured(text) == painted


def test_text_is_plain_where_colour_is_unwelcome() -> None:
    stream = io.StringIO()
    write_coloured("READY FOR THE SWEEP\n", stream)
    assert stream.getvalue() == "READY FOR THE SWEEP\n"


def test_control_characters_are_removed() -> None:
    assert printable("a\x1b[2J\x07b\n\tc\u202e") == "a[2Jb\n\tc"


def test_a_live_line_fits_and_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("NO_COLOR", "1")
    lines = Terminal()
    screen = Screen(lines, io.StringIO())
    screen.live("x" * 50)
    assert lines.getvalue() == "\r\x1b[K" + "x" * 19
    screen.line("done")
    assert lines.getvalue().endswith("x\r\x1b[Kdone\n")


def test_a_file_has_no_live_line() -> None:
    lines = io.StringIO()
    Screen(lines, io.StringIO()).live("progress")
    assert lines.getvalue() == ""
