"""All facts of a study, read from its results folder. `lora.layout` lists the files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from lora import layout
from lora.configuration.study import StudyConfig
from lora.layout import BASE, REPLAY, TRAIN, ResultFile
from lora.records.base import ManyRecord, Record
from lora.records.comparisons import PairedFacts
from lora.records.durations import DurationDecision, RetentionFacts
from lora.records.effect import EffectFacts
from lora.records.hardening import HardenedFacts
from lora.records.integrity import AudioMeasure, LeakageFacts, MismatchFacts
from lora.records.labels import LabelFacts
from lora.records.manifests import ManifestFacts, RejectedRow
from lora.records.parity import ParityFacts
from lora.records.reachable import ReachableFacts
from lora.records.reviews import RejectedJudgement, ReviewFacts
from lora.records.scores import Unit, WerFacts
from lora.records.settings import RunSettings
from lora.records.splits import SplitSizes, StabilityFacts
from lora.records.training import TrainFacts
from lora.records.transcripts import ImportFacts
from lora.results import read_result, read_rows

R = TypeVar("R", bound=Record)
L = TypeVar("L", bound=Record | ManyRecord)


@dataclass(frozen=True)
class StudyFacts:
    """Facts by run, by manifest, or by (run, manifest); a fact whose file is missing is None or absent.

    Attributes:
        root: Results folder as evidence paths start with it (relative to the study).
        rows: Number of usable rows of each manifest.
        replay_leakage: What evaluation manifests share with `replay`; `leakage` is what they share with training.
        mismatches: By hypotheses of the base model.
        hypotheses: Mismatches by the hypotheses of imported candidates.
    """

    config: StudyConfig
    root: str = "results"
    rows: dict[str, int] = field(default_factory=dict)
    manifests: dict[str, ManifestFacts] = field(default_factory=dict)
    rejected: dict[str, list[RejectedRow]] = field(default_factory=dict)
    audio: dict[str, list[AudioMeasure]] = field(default_factory=dict)
    decision: DurationDecision | None = None
    max_seconds: float | None = None
    retention: RetentionFacts | None = None
    leakage: dict[str, LeakageFacts] = field(default_factory=dict)
    replay_leakage: dict[str, LeakageFacts] = field(default_factory=dict)
    mismatches: dict[str, MismatchFacts] = field(default_factory=dict)
    hypotheses: dict[tuple[str, str], MismatchFacts] = field(default_factory=dict)
    sizes: dict[str, SplitSizes] = field(default_factory=dict)
    stability: StabilityFacts | None = None
    wer: dict[tuple[str, str], WerFacts] = field(default_factory=dict)
    settings: dict[tuple[str, str], RunSettings] = field(default_factory=dict)
    imported: dict[tuple[str, str], ImportFacts] = field(default_factory=dict)
    reachable: dict[str, ReachableFacts] = field(default_factory=dict)
    reviews: dict[str, ReviewFacts] = field(default_factory=dict)
    rejected_judgements: list[RejectedJudgement] = field(default_factory=list)
    labels: LabelFacts | None = None
    hardened: HardenedFacts | None = None
    training: dict[str, TrainFacts] = field(default_factory=dict)
    effect: dict[str, EffectFacts] = field(default_factory=dict)
    paired: dict[tuple[str, str], PairedFacts] = field(default_factory=dict)
    parity: dict[str, ParityFacts] = field(default_factory=dict)

    def unit(self, manifest: str) -> Unit:
        """What the error rate of a manifest counts."""
        wer = self.wer.get((BASE, manifest))
        return wer.unit if wer else "words"

    def path(self, kind: ResultFile[Any], **wildcards: str) -> str:
        """Path of a result file as evidence: `facts.path(layout.PAIRED, run=run, manifest=manifest)`."""
        return f"{self.root}/{kind.path(**wildcards)}"


def load_facts(results: Path, config_path: Path) -> StudyFacts:
    """Read every fact file that exists.

    Raises:
        UserError: Names a file that does not contain the record that it should.
    """
    config = StudyConfig.read(config_path)
    runs = list(config.candidates)
    manifests = config.evaluations

    def one(kind: ResultFile[R]) -> R | None:
        return read_result(results, kind).readable()

    def by_run(kind: ResultFile[R]) -> dict[str, R]:
        facts = {run: read_result(results, kind, run=run).readable() for run in runs}
        return {run: fact for run, fact in facts.items() if fact is not None}

    def by_manifest(kind: ResultFile[R], names: list[str]) -> dict[str, R]:
        facts = {name: read_result(results, kind, manifest=name).readable() for name in names}
        return {name: fact for name, fact in facts.items() if fact is not None}

    def by_pair(kind: ResultFile[R], names: list[str]) -> dict[tuple[str, str], R]:
        pairs = [(run, manifest) for run in names for manifest in manifests]
        facts = {(r, m): read_result(results, kind, run=r, manifest=m).readable() for r, m in pairs}
        return {pair: fact for pair, fact in facts.items() if fact is not None}

    def tables(kind: ResultFile[L]) -> dict[str, list[L]]:
        rows = {m: read_rows(results, kind, manifest=m).readable() for m in config.manifests}
        return {m: table for m, table in rows.items() if table is not None}

    limit = one(layout.MAX_SECONDS)
    sizes = read_rows(results, layout.SPLIT_SIZES).readable() or []
    numbers = {m: _count_lines(results / layout.ROWS.path(manifest=m)) for m in config.manifests}
    return StudyFacts(
        config=config,
        root=results.name if results.is_absolute() else results.as_posix(),
        rows={manifest: number for manifest, number in numbers.items() if number is not None},
        manifests=by_manifest(layout.MANIFEST_FACTS, list(config.manifests)),
        rejected=tables(layout.REJECTED),
        audio=tables(layout.INTEGRITY),
        decision=one(layout.DECISION),
        max_seconds=None if limit is None else limit.max_seconds,
        retention=one(layout.RETENTION),
        leakage=by_manifest(layout.LEAKAGE, manifests),
        replay_leakage=by_manifest(layout.REPLAY_LEAKAGE, manifests),
        mismatches=by_manifest(layout.MISMATCHES, list(config.manifests)),
        hypotheses=by_pair(layout.RUN_MISMATCHES, runs),
        sizes={part.part: part for part in sizes},
        stability=one(layout.STABILITY),
        wer=by_pair(layout.WER, [BASE, *runs]),
        settings=by_pair(layout.SETTINGS, [BASE, *runs]),
        imported=by_pair(layout.IMPORT, [BASE, *runs]),
        reachable=by_manifest(layout.REACHABLE, manifests),
        reviews=by_manifest(layout.REVIEW, manifests) if config.reviews else {},
        rejected_judgements=read_rows(results, layout.REJECTED_JUDGEMENTS).readable() or [] if config.reviews else [],
        labels=one(layout.LABELS),
        hardened=one(layout.HARDENED),
        training=by_run(layout.TRAINING),
        effect=by_run(layout.EFFECT),
        paired=by_pair(layout.PAIRED, runs),
        parity=by_run(layout.PARITY),
    )


def _count_lines(path: Path) -> int | None:
    if not path.is_file():
        return None
    with path.open("rb") as lines:
        return sum(1 for line in lines if line.strip())


__all__ = ["BASE", "REPLAY", "TRAIN", "RejectedRow", "StudyFacts", "load_facts"]
