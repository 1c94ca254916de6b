"""One case: files with something damaged, the command that reads them, and what has to hold afterwards."""

from __future__ import annotations

import contextlib
import io
import random
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from lora.provenance.command import run_command

SECONDS = 5.0  # of processor time that one file may take
PATIENCE = 60.0  # seconds for a reader that waits, as for a pipe, even on a busy machine
KINDS = (
    "tracebacks",
    "hangs",
    "good rows lost",
    "good rows read otherwise",
    "rejections without a reason",
    "control characters printed",
)


@dataclass
class Outcome:
    """What a command left behind.

    Attributes:
        kept: Texts of the rows that can be used, with what else is read of a row: its audio, duration or id.
        rejected: Reasons of the others.
        silent: Rows that are in neither.
    """

    kept: Mapping[str, object] = field(default_factory=dict)
    rejected: list[str] = field(default_factory=list)
    silent: int = 0


@dataclass(frozen=True)
class Case:
    """What is read, and what has to survive.

    Attributes:
        command: Reads the files, as a stage of the workflow does.
        outcome: Reads what the command wrote; called where it succeeded.
        good: Texts of the rows that are not damaged, with what else must be read of them.
        refusable: Whether one error about the whole file is right, because the damage is not within rows.
        rows: Number of rows.
        files: Number of damaged files.
    """

    command: Callable[[], object]
    outcome: Callable[[], Outcome] = Outcome
    good: Mapping[str, object] = field(default_factory=dict)
    refusable: bool = True
    rows: int = 0
    files: int = 1

    def read(self) -> int:
        """Run the command; the exit code of its success."""
        self.command()
        return 0


@dataclass(frozen=True)
class Reader:
    """A reader of other people's files; `make` writes a case into a folder."""

    name: str
    make: Callable[[Path, random.Random], Case]


@dataclass(frozen=True)
class Finding:
    """Something that must not happen."""

    reader: str
    number: int
    kind: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reader} {self.number}: {self.kind}: {self.detail}"


class _Hang(BaseException):
    """Raised by the alarm; no reader may catch it."""


@dataclass
class Tried:
    """A case, whether its files were read (and not refused with one error), and what went wrong."""

    case: Case
    was_read: bool = False
    findings: list[Finding] = field(default_factory=list)


def run_case(reader: Reader, seed: int, number: int, keep: Path | None = None) -> Tried:
    """Write, read and judge one case; equal seeds and numbers give equal files. `keep` is a folder for the files."""
    choice = random.Random(f"{seed} {reader.name} {number}")
    with contextlib.ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fuzz ")))
        tried = Tried(reader.make(folder, choice))
        tried.findings = [Finding(reader.name, number, kind, detail) for kind, detail in _judge(tried)]
    return tried


def _judge(tried: Tried) -> Iterator[tuple[str, str]]:
    case = tried.case
    printed = io.StringIO()
    started = time.monotonic()
    try:
        with (
            _time_limit(SECONDS * case.files),
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
        ):
            code = run_command(case.read)
            tried.was_read = code == 0
            outcome = case.outcome() if code == 0 else Outcome()
    except _Hang:
        yield "hangs", f"stopped after {time.monotonic() - started:.0f} s"
        return
    except BaseException as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if "/src/lora/" in frame.filename]
        place = own[-1] if own else last
        yield "tracebacks", f"{type(error).__name__}: {str(error)[:200]!r} ({Path(place.filename).name}:{place.lineno})"
        return
    text = printed.getvalue()
    for words in (text, *outcome.rejected):
        if odd := [character for character in words if not character.isprintable() and character not in "\n\t"]:
            yield "control characters printed", f"{odd[0]!r} in {words[-200:]!r}"
            break
    if code != 0:
        if not text.partition("error: ")[2].strip():
            yield "rejections without a reason", repr(text[-200:])
        if not case.refusable:
            yield "good rows lost", f"all, because of one row: {text.partition('error: ')[2][:300]!r}"
        return
    if lost := sorted(case.good.keys() - outcome.kept):
        yield "good rows lost", f"{len(lost)} of {len(case.good)}: {lost[:3]}; {outcome.rejected[:3]}"
    for words, expected in case.good.items():
        if words in outcome.kept and outcome.kept[words] != expected:
            yield "good rows read otherwise", f"{words!r}: {outcome.kept[words]} instead of {expected}"
            break
    if outcome.silent:
        yield "rejections without a reason", f"{outcome.silent} rows are neither kept nor rejected"
    if not all(reason.strip() for reason in outcome.rejected):
        yield "rejections without a reason", "an empty reason"


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise `_Hang` inside after these seconds of processor time, or after `PATIENCE`."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise _Hang

    timers = {signal.SIGPROF: (signal.ITIMER_PROF, seconds), signal.SIGALRM: (signal.ITIMER_REAL, PATIENCE)}
    before = {number: signal.signal(number, stop) for number in timers}
    for timer, limit in timers.values():
        signal.setitimer(timer, limit)
    try:
        yield
    finally:
        for timer, _ in timers.values():
            signal.setitimer(timer, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
