"""Jobs of a run as people see them: names, how long they take, what their logs and run records say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lora.progress import latest_progress
from lora.workflow.files import PUBLISHED

TAIL_BYTES = 4096
LINE_LENGTH = 600  # of the end of a failed job's log: its command may be long
# What the record of a model job counts, and the noun.
WORK = {"utterances_decoded": "decoded", "utterances_reused": "reused", "optimizer_steps": "steps"}


@dataclass(frozen=True)
class Job:
    """A running job."""

    rule: str
    values: str  # its wildcards
    outputs: Sequence[str]
    logs: Sequence[str]
    is_checkpoint: bool
    began: float
    began_at: float  # seconds since the epoch

    @property
    def is_target(self) -> bool:
        """Whether its log is a result in words: it has no outputs, or is `update_documents`."""
        return not self.outputs or PUBLISHED in self.outputs

    @property
    def name(self) -> str:
        words = self.rule.replace("_", " ")
        return f"{words} ({self.values})" if self.values else words


def elapsed(seconds: float) -> str:
    """How long something took: `0.4 s`, `31 s`, `1 min 53 s`, `2 h 5 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def progress_of(job: Job) -> str | None:
    """The latest line of progress in a job's log; None where this execution has not written one."""
    for log in map(Path, job.logs):
        try:
            if log.stat().st_mtime >= job.began_at - 1:
                line = latest_progress(read_log(log, TAIL_BYTES))
                if line is not None:
                    return line
        except OSError:
            continue
    return None


def model_work(outputs: Sequence[str]) -> str:
    """What the run record of a job counts, and its fallbacks: `374 decoded, 100 steps`; empty without model work."""
    first = Path(outputs[0])
    for path in (Path(f"{first}.run.json"), *sorted(first.parent.glob("*.run.json"))):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if str(first) in record["outputs"]:
                done = [f"{record[key]:,} {noun}" for key, noun in WORK.items() if record[key]]
                return ", ".join([*done, *(f"fallback: {fallback}" for fallback in record["fallbacks"])])
        except (OSError, ValueError, KeyError):
            continue
    return ""


def cut(line: str) -> str:
    """A line of a log, without the end of a very long one."""
    return line if len(line) <= LINE_LENGTH else f"{line[:LINE_LENGTH]} ..."


def read_log(path: Path, last_bytes: int | None = None) -> str:
    """The end of a text file; empty where it cannot be read."""
    try:
        with path.open("rb") as file:
            if last_bytes is not None:
                file.seek(max(0, path.stat().st_size - last_bytes))
            return file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
