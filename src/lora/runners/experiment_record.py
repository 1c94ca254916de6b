"""Write `experiment.json` of a training: while it runs, when it ends, and apart from the result if it does not finish.

Reads and writes: `<output-dir>/experiment.json`. Writes: `<work-dir>/experiments/<run>/<n>.json` for every attempt that
failed or was cancelled. A killed process cannot write: the next attempt finds its record and files it as cancelled.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from lora.asr.decoding.audio_store import Rows
from lora.asr.training.data import rows_hash
from lora.asr.training.state import Training
from lora.asr.training.train import Outcome
from lora.asr.work_lock import locked
from lora.provenance.hardware import hardware
from lora.provenance.recording import Recording
from lora.records.base import UserError
from lora.records.experiment import DataIdentity, Experiment, Status

FILE = "experiment.json"


class Attempt:
    """An attempt at a training, and its outcome once there is one."""

    def __init__(self) -> None:
        self.outcome: Outcome | None = None


@contextmanager
def experiment(
    training: Training, data: dict[str, Path], output: Path, work: Path, run: Recording
) -> Iterator[Attempt]:
    """Record a training; the block sets `outcome`.

    Args:
        training: The training.
        data: Paths of the rows for `train`, `validation` and, where rows are replayed, `replay`.
        output: Folder of the record.
        work: Folder of caches, which receives attempts that did not finish.
        run: Recording of the command.
    """
    path, kept = output / FILE, work / "experiments" / training.run
    with locked(kept):
        earlier = _read(path)
        if earlier is not None and earlier.status != "finished":
            _keep(earlier, kept, "cancelled", "the process ended without a record")
        current = _described(training, data, kept, run)
        current.write(path)
        attempt = Attempt()
        try:
            yield attempt
        except BaseException as error:
            interrupted = isinstance(error, KeyboardInterrupt | SystemExit)
            path.unlink(missing_ok=True)
            ended = current.model_copy(update={"ended": _now(), "execution": run.record()})
            _keep(ended, kept, "cancelled" if interrupted else "failed", str(error) or type(error).__name__)
            raise
        _finished(current, earlier, attempt.outcome, run).write(path)


def _described(training: Training, data: dict[str, Path], kept: Path, run: Recording) -> Experiment:
    key = training.key()
    rows = {"train": training.train, "validation": training.validation, "replay": training.replay}
    return Experiment(
        run=training.run,
        status="running",
        attempt=1 + sum(record.training == key for record in _kept(kept)),
        ended=None,
        error=None,
        code=None,
        optimizer_steps=None,
        training=key,
        settings=training.settings,
        data={name: _identity(path, used) for name, path in data.items() if (used := rows[name]) is not None},
        model=training.files.identity,
        processes=training.processes,
        hardware=hardware(),
        execution=run.record(),
    )


def _identity(path: Path, rows: Rows) -> DataIdentity:
    return DataIdentity(path=str(path), rows=len(rows.rows), hash=rows_hash(rows.rows, rows.folder))


def _finished(current: Experiment, earlier: Experiment | None, outcome: Outcome | None, run: Recording) -> Experiment:
    copied = outcome is not None and outcome.steps_taken == 0
    if copied and earlier is not None and earlier.status == "finished" and earlier.training == current.training:
        return earlier  # the result was only copied again: what is recorded is how it was trained
    facts = None if outcome is None else outcome.facts
    return current.model_copy(
        update={
            "status": "finished",
            "ended": _now(),
            "code": None if facts is None else facts.code,
            "optimizer_steps": None if facts is None else facts.optimizer_steps,
            "execution": run.record(),
        }
    )


def _keep(record: Experiment, kept: Path, status: Status, error: str) -> None:
    numbers = [int(path.stem) for path in kept.glob("*.json") if path.stem.isdecimal()]
    ended = record.model_copy(update={"status": status, "error": error})
    ended.write(kept / f"{1 + max(numbers, default=0)}.json")


def _kept(folder: Path) -> list[Experiment]:
    return [record for path in sorted(folder.glob("*.json")) if (record := _read(path)) is not None]


def _read(path: Path) -> Experiment | None:
    """The record at `path`; None without one, or where another version of this software wrote it."""
    try:
        return Experiment.read(path)
    except UserError:
        return None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
