"""All facts of a study in one record, read from its results folder (layout: docs of the contracts, "Results")."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from lora.diagnosis.study_config import TRAIN, StudyConfig
from lora.records.audio import AudioMeasure
from lora.records.base import Record, UserError
from lora.records.comparisons import PairedFacts, ParityFacts
from lora.records.data import (
    DurationDecision,
    LeakageFacts,
    MaxSeconds,
    MismatchFacts,
    RetentionFacts,
    SplitSizes,
    StabilityFacts,
)
from lora.records.effect import EffectFacts
from lora.records.imports import ImportFacts
from lora.records.labels import LabelFacts
from lora.records.reachable import ReachableFacts
from lora.records.scores import WerFacts
from lora.records.tuning import HardenedFacts, TrainFacts
from lora.records.utterances import RunSettings

R = TypeVar("R", bound=Record)
BASE = "base"


@dataclass(frozen=True)
class RejectedRow:
    """A manifest line that cannot be used; `reason` starts with the kind of fault."""

    line: int
    reason: str


@dataclass(frozen=True)
class StudyFacts:
    """Facts by run, by manifest, or by (run, manifest); what is not there is None or absent.

    `rows` counts usable rows of a manifest. `mismatches` is by what the base model heard, `hypotheses` by what brought
    candidates did. `root` is how evidence paths begin (relative to the study).
    """

    config: StudyConfig
    root: str = "results"
    rows: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, list[RejectedRow]] = field(default_factory=dict)
    audio: dict[str, list[AudioMeasure]] = field(default_factory=dict)
    decision: DurationDecision | None = None
    max_seconds: float | None = None
    retention: RetentionFacts | None = None
    leakage: dict[str, LeakageFacts] = field(default_factory=dict)
    mismatches: dict[str, MismatchFacts] = field(default_factory=dict)
    hypotheses: dict[tuple[str, str], MismatchFacts] = field(default_factory=dict)
    sizes: dict[str, SplitSizes] = field(default_factory=dict)
    stability: StabilityFacts | None = None
    wer: dict[tuple[str, str], WerFacts] = field(default_factory=dict)
    settings: dict[tuple[str, str], RunSettings] = field(default_factory=dict)
    imported: dict[tuple[str, str], ImportFacts] = field(default_factory=dict)
    reachable: dict[str, ReachableFacts] = field(default_factory=dict)
    labels: LabelFacts | None = None
    hardened: HardenedFacts | None = None
    training: dict[str, TrainFacts] = field(default_factory=dict)
    effect: dict[str, EffectFacts] = field(default_factory=dict)
    paired: dict[tuple[str, str], PairedFacts] = field(default_factory=dict)
    parity: dict[str, ParityFacts] = field(default_factory=dict)

    def at(self, *parts: str) -> str:
        """An evidence path."""
        return "/".join((self.root, *parts))


def load_facts(results: Path, config_path: Path) -> StudyFacts:
    """Read every fact file that exists. Raises UserError naming a file that does not hold what its name says."""
    config = StudyConfig.read(config_path)
    runs, manifests = list(config.candidates), config.evaluations
    pairs = [(run, m) for run in runs for m in manifests]
    with_base = [(BASE, m) for m in manifests] + pairs
    limit = _read(results / "max_seconds.json", MaxSeconds)
    return StudyFacts(
        config=config,
        root=results.name if results.is_absolute() else results.as_posix(),
        rows={m: n for m in config.manifests if (n := _count_lines(results / f"manifests/{m}.jsonl")) is not None},
        rejected={m: _rejected(results / f"manifests/{m}.rejected.tsv") for m in config.manifests},
        audio={m: _audio(path) for m in config.manifests if (path := results / f"integrity/{m}.tsv").is_file()},
        decision=_read(results / "durations/decision.json", DurationDecision),
        max_seconds=None if limit is None else limit.max_seconds,
        retention=_read(results / "durations/retention.json", RetentionFacts),
        leakage=_by({m: results / f"leakage/{m}.json" for m in manifests}, LeakageFacts),
        mismatches=_by({m: results / f"mismatches/{m}.json" for m in config.manifests}, MismatchFacts),
        hypotheses=_by({(r, m): results / f"mismatches/{r}/{m}.json" for r, m in pairs}, MismatchFacts),
        sizes=_sizes(results / "splits/sizes.tsv"),
        stability=_read(results / "splits/stability.json", StabilityFacts),
        wer=_by({(r, m): results / f"wer/{r}/{m}.json" for r, m in with_base}, WerFacts),
        settings=_by({(r, m): results / f"transcripts/{r}/{m}.settings.json" for r, m in with_base}, RunSettings),
        imported=_by({(r, m): results / f"transcripts/{r}/{m}.import.json" for r, m in with_base}, ImportFacts),
        reachable=_by({m: results / f"reachable/{m}.json" for m in manifests}, ReachableFacts),
        labels=_read(results / "labels.json", LabelFacts),
        hardened=_read(results / "hardened.json", HardenedFacts),
        training=_by({r: results / f"adapters/{r}/train.json" for r in runs}, TrainFacts),
        effect=_by({r: results / f"effect/{r}.json" for r in runs}, EffectFacts),
        paired=_by({(r, m): results / f"paired/{r}/{m}.json" for r, m in pairs}, PairedFacts),
        parity=_by({r: results / f"parity/{r}.json" for r in runs}, ParityFacts),
    )


K = TypeVar("K")


def _read(path: Path, kind: type[R]) -> R | None:
    return kind.read(path) if path.is_file() else None


def _by(paths: dict[K, Path], kind: type[R]) -> dict[K, R]:
    return {key: kind.read(path) for key, path in paths.items() if path.is_file()}


def _count_lines(path: Path) -> int | None:
    if not path.is_file():
        return None
    with path.open("rb") as lines:
        return sum(1 for line in lines if line.strip())


def _rejected(path: Path) -> list[RejectedRow]:
    return [RejectedRow(int(row["line"]), row["reason"]) for row in _table(path, ("line", "id", "reason"))]


def _audio(path: Path) -> list[AudioMeasure]:
    rows = _table(path, tuple(AudioMeasure.model_fields))
    return [AudioMeasure.from_json({k: v or None for k, v in row.items()}) for row in rows]


def _sizes(path: Path) -> dict[str, SplitSizes]:
    rows = _table(path, ("part", "rows", "hours", "speakers"))
    return {row["part"]: SplitSizes.from_json({k: v or None for k, v in row.items()}) for row in rows}


def _table(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        if not set(columns) <= set(reader.fieldnames or ()):
            raise UserError(f"{path}:1: expected the columns {', '.join(columns)}")
        return [{column: row[column] or "" for column in columns} for row in reader]


__all__ = ["BASE", "TRAIN", "RejectedRow", "StudyFacts", "load_facts"]
