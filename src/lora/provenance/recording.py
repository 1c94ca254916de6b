"""Write run records: command, seed, versions, device, fallbacks and counts, as `<first output>.run.json`.

Example:
    with recording(outputs=["results/wer/base/domain.json"]) as run:
        run.adjust("scored without rows 3 and 4: empty references")

Reads: package metadata, the git commit of this code where there is one. Writes: the run record. Everything that
changes from one execution to the next (times, hosts, absolute paths) is in run records and nowhere else in `results/`.
"""

from __future__ import annotations

import os
import platform
import resource
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from lora.provenance.command import command_line
from lora.provenance.hashes import sampled_hash
from lora.provenance.versions import code_commit, versions
from lora.records.base import UserError
from lora.records.provenance import RunRecord


def peak_memory_mb() -> float:
    """Largest resident set of this process so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3  # bytes on macOS, kilobytes on Linux


class Recording:
    """Collects what the run record of an execution states."""

    def __init__(self, outputs: Sequence[Path | str], seed: int | None, within: Sequence[Path | str] = ()) -> None:
        self.command = command_line()
        self.outputs = [str(path) for path in outputs]
        self.files = [*self.outputs, *map(str, within)]
        self.started = datetime.now(UTC)
        self.begun = time.monotonic()
        self.seed = seed
        self.fallbacks: list[str] = []
        self.adjustments: list[str] = []
        self.device_type: str | None = None
        self.dtype: str | None = None
        self.decoded: int | None = None
        self.reused: int | None = None
        self.optimizer_steps: int | None = None

    def fallback(self, text: str) -> None:
        """Record a device or dtype other than the requested one."""
        if text not in self.fallbacks:
            self.fallbacks.append(text)
            print(f"fallback: {text}", file=sys.stderr, flush=True)

    def adjust(self, text: str) -> None:
        """Record anything else that was adjusted and that a reader of the result should know."""
        self.adjustments.append(text)
        print(f"adjusted: {text}", file=sys.stderr, flush=True)

    def device(self, type: str, dtype: str) -> None:
        self.device_type = type
        self.dtype = dtype

    def count(self, decoded: int = 0, reused: int = 0, optimizer_steps: int | None = None) -> None:
        """Add to the counts of decoded and reused utterances and of optimiser steps."""
        self.decoded = (self.decoded or 0) + decoded
        self.reused = (self.reused or 0) + reused
        if optimizer_steps is not None:
            self.optimizer_steps = (self.optimizer_steps or 0) + optimizer_steps

    def record(self) -> RunRecord:
        """The run record of what happened so far."""
        return RunRecord(
            command=self.command,
            started=self.started.isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - self.begun, 3),
            peak_memory_mb=round(peak_memory_mb(), 1),
            host=socket.gethostname(),
            platform=platform.platform(),
            python=platform.python_version(),
            versions=versions(),
            commit=code_commit(),
            seed=self.seed,
            device=self.device_type,
            dtype=self.dtype,
            fallbacks=self.fallbacks,
            adjustments=self.adjustments,
            utterances_decoded=self.decoded,
            utterances_reused=self.reused,
            optimizer_steps=self.optimizer_steps,
            outputs=self.outputs,
            contents={path: sampled_hash(path) for path in self.files if Path(path).is_file()},
        )


def _require_one_name(outputs: Sequence[Path | str]) -> None:
    """Raise UserError for an output that this command line names twice: an input would be lost once it is written."""
    named = [word for argument in sys.argv[1:] for word in {argument, argument.partition("=")[2]}]
    for output in filter(os.path.isfile, outputs):
        if sum(os.path.isfile(word) and os.path.samefile(word, output) for word in named) > 1:  # noqa: PTH113, PTH121
            raise UserError(f"{output}: this command reads it, and would replace it; name another file to write")


@contextmanager
def recording(
    outputs: Sequence[Path | str],
    seed: int | None = None,
    record_path: Path | str | None = None,
    within: Sequence[Path | str] = (),
) -> Iterator[Recording]:
    """Write a run record when the block ends; a block that fails or is killed leaves none.

    Args:
        outputs: Files that the execution writes; the record is `<first output>.run.json`.
        seed: Seed of the execution, None without one.
        record_path: Path of the record instead, for commands that fill a folder with files.
        within: Files inside folders among the outputs whose later change should be noticed as well.
    """
    _require_one_name(outputs)
    run = Recording(outputs, seed, within)
    path = Path(record_path if record_path is not None else f"{outputs[0]}.run.json")
    path.unlink(missing_ok=True)  # it describes files that are written anew
    print(f"command: {run.command}", file=sys.stderr, flush=True)
    yield run
    run.record().write(path)
