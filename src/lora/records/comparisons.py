"""Facts about two runs: the paired difference of their errors, and whether their settings allow the comparison."""

from __future__ import annotations

from typing import Any, Literal

from lora.records.base import Fact, Record
from lora.records.scores import Interval, NormalizerIdentity, Power

Outcome = Literal["unchanged", "better", "worse", "equivalent", "underpowered"]


class Mapsswe(Record):
    """Matched-pairs sentence-segment word error test (two-sided normal), beside the interval; it decides nothing.

    `mean_difference` is in errors a segment, tuned minus baseline. `z` and `p` are null where segments do not differ
    in their difference.
    """

    segments: int
    mean_difference: float | None
    z: float | None
    p: float | None


class PairedScore(Record):
    """Two runs over the same utterances; delta = tuned - baseline, negative is better.

    `changed_errors` counts utterances whose number of errors differs; fewer than 6 can show nothing (sign test).
    The `*_delta` fields are counts of errors, tuned minus baseline. `harm_bound` is what "not worse" is judged by: the
    upper end of the interval, or with fewer than 6 changed utterances an exact bound that may lie above it. `power` is
    from the observed standard error.
    """

    utterances: int
    words: int
    baseline_wer: float | None
    tuned_wer: float | None
    delta: float | None
    interval: Interval
    bootstrap: Interval | None = None
    changed_hypotheses: int
    changed_errors: int
    substitutions_delta: int
    deletions_delta: int
    insertions_delta: int
    outcome: Outcome
    within_margin: bool
    harm_bound: float | None = None
    detectable_difference: float | None
    power: Power | None = None
    mapsswe: Mapsswe | None = None


class BudgetLine(Record):
    """Errors of both runs in one part of the utterances; the `*_delta` fields are counts, tuned minus baseline.

    `name` is a speaker (null: utterances without one) or a range of durations.
    """

    name: str | None
    utterances: int
    words: int
    baseline_errors: int
    tuned_errors: int
    substitutions_delta: int
    deletions_delta: int
    insertions_delta: int


class WordPair(Record):
    """How often each run wrote `hypothesis` for `reference`; null is no word (an insertion or a deletion)."""

    reference: str | None
    hypothesis: str | None
    baseline: int
    tuned: int

    @property
    def change(self) -> int:
        return self.tuned - self.baseline


class ErrorBudget(Record):
    """Where a difference comes from: every speaker (most changed first), every range of durations, and the word pairs
    whose number of errors rose (`gained`) and fell (`lost`) most, at most 20 of each.
    """

    by_speaker: list[BudgetLine]
    by_duration: list[BudgetLine]
    gained: list[WordPair]
    lost: list[WordPair]


class PairedFacts(Fact):
    """`results/paired/<run>/<m>.json`: a candidate against `base` on one manifest, matched by utterance id.

    `budget` is of the difference `within`. `normalizer` is the one that both runs are scored with here: where the two
    were scored with different ones, their raw texts are scored again with one of them, so that both count the same
    words.
    """

    run: str
    manifest: str
    max_seconds: float | None
    equivalence_margin: float
    normalizer: NormalizerIdentity | None = None
    within: PairedScore | None = None
    all: PairedScore | None = None
    budget: ErrorBudget | None = None
    missing_ids: list[str] = []
    extra_ids: list[str] = []


class SettingDifference(Record):
    """One recorded setting of baseline and candidate; `same` is null where either is unknown."""

    manifest: str
    field: str
    baseline: Any
    candidate: Any
    same: bool | None
    code: str


class SameNormalizerScore(Record):
    """Corpus WER of both runs under one normaliser; delta = tuned - baseline."""

    baseline_wer: float | None
    tuned_wer: float | None
    delta: float | None


class Rescored(Record):
    """Two runs that were scored with different normalisers, their raw texts scored again with either of them.

    All of it over the utterances within `max_seconds`. `reported_delta` is the difference of the two WERs as each was
    scored. A normaliser that is not installed in the recorded version is null. `explained` is the part of the reported
    difference that is the normaliser's: reported minus the delta under the baseline's (else the candidate's).
    """

    manifest: str
    baseline: NormalizerIdentity
    candidate: NormalizerIdentity
    utterances: int
    reported_delta: float | None
    under_baseline: SameNormalizerScore | None
    under_candidate: SameNormalizerScore | None
    explained_by_normalizer: float | None


class ReferenceDifference(Record):
    """An utterance whose reference text differs between the two runs."""

    id: str
    baseline: str
    candidate: str


class DifferingRows(Record):
    """How the rows of two runs differ on one manifest: ids that only one of them has, and other reference texts.

    `restyled` counts references that differ in writing only (one text under some normaliser). `different_audio` says that
    ids and texts agree to the letter while the recorded content differs, which leaves the audio.
    """

    manifest: str
    missing_ids: list[str]
    extra_ids: list[str]
    different_references: list[ReferenceDifference]
    style_only: int
    different_audio: bool


class ParityFacts(Fact):
    """`results/parity/<run>.json`: every setting that must be equal, compared field by field, for every manifest.

    `rows` and `rescored` hold only the manifests on which rows or normalisers differ.
    """

    run: str
    settings: list[SettingDifference] = []
    rows: list[DifferingRows] = []
    rescored: list[Rescored] = []
