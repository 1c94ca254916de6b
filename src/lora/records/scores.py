"""Facts about errors: WER of one run, the paired difference of two, and whether their settings allow the comparison."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from lora.records.base import Fact, Record

Outcome = Literal["unchanged", "better", "worse", "equivalent", "underpowered"]


class Edit(NamedTuple):
    """One word error: `reference` is null for an insertion, `hypothesis` for a deletion.

    `at` counts reference words from 0: the word concerned, or the one an insertion stands before (the number of words
    at the end). In files it is the list `[at, reference, hypothesis]`.
    """

    at: int
    reference: str | None
    hypothesis: str | None


class UtteranceErrors(Record):
    """Errors of one utterance after normalisation; `words` and `characters` are those of the reference.

    `edits` holds every word error, in the order of the reference.
    """

    id: str
    duration: float
    speaker_id: str | None
    words: int
    hits: int
    substitutions: int
    deletions: int
    insertions: int
    characters: int = 0
    character_errors: int = 0
    edits: list[Edit] = []

    @property
    def errors(self) -> int:
        return self.substitutions + self.deletions + self.insertions


class Interval(Record):
    """A two-sided confidence interval; `method` names estimator and unit, `scope` what it generalises to."""

    low: float | None
    high: float | None
    confidence: float
    method: str
    scope: Literal["speakers", "these_speakers", "none"]


class WerScore(Record):
    """Corpus WER and CER of a set of utterances; `wer` and `cer` are null where there is no reference word.

    `interval` is the linearised ratio estimator's, `bootstrap` the percentile bootstrap beside it.
    """

    utterances: int
    speakers: int | None
    words: int
    errors: int
    substitutions: int
    deletions: int
    insertions: int
    wer: float | None
    characters: int = 0
    character_errors: int = 0
    cer: float | None = None
    interval: Interval
    bootstrap: Interval | None = None
    empty_references: list[str]
    truncated: int


class Power(Record):
    """What difference this evaluation could show, foreseen from the baseline's own errors (80 % power, two-sided).

    `standard_error` is of the WER difference of two runs that share `assumed_shared_errors` of their errors.
    `utterances_needed` is the number that would show `target_gain`. `design_effect` is the variance by speakers over
    that by utterances, at least 1; `units` are what the standard error takes as drawn independently.
    """

    assumed_shared_errors: float
    standard_error: float
    detectable_difference: float
    target_gain: float
    utterances: int
    utterances_needed: int
    design_effect: float = 1.0
    units: Literal["speakers", "utterances"] = "utterances"


class NormalizerIdentity(Record):
    """A text normaliser by name and the version of the code that does it."""

    name: str
    version: str


class WerFacts(Fact):
    """`results/wer/<run>/<m>.json`. `within` counts rows of at most `max_seconds` (primary), `all` every row.

    `raw` is scored from the texts as written (over `within` rows), so that style errors show beside word errors.
    """

    run: str
    manifest: str
    normalizer: NormalizerIdentity
    max_seconds: float | None
    within: WerScore | None = None
    all: WerScore | None = None
    raw: WerScore | None = None
    power: Power | None = None
    utterances: list[UtteranceErrors] = []


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
    The `*_delta` fields are counts of errors, tuned minus baseline.
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
    detectable_difference: float | None
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

    `budget` is of the difference `within`.
    """

    run: str
    manifest: str
    max_seconds: float | None
    equivalence_margin: float
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


class ParityFacts(Fact):
    """`results/parity/<run>.json`: every setting that must be equal, compared field by field, for every manifest."""

    run: str
    settings: list[SettingDifference] = []
