"""Facts about the errors of one run: of every utterance, WER and CER with their intervals, and power."""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import Field

from lora.records.base import Fact, Record


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


class Loop(Record):
    """A hypothesis in which the words `words` stand `times` in a row, and in its reference do not."""

    id: str
    words: str
    times: int


class Power(Record):
    """What difference an evaluation could show (80 % power, two-sided), and how much of its kind `target_gain` needs.

    `standard_error` is of the WER difference of two runs: foreseen from the baseline's own errors if they share
    `assumed_shared_errors` of them, or observed where that is null. The `*_needed` are totals, not additions; hours are
    null where durations are not known, speakers where utterances are the `units` that the standard error takes as drawn
    independently. `design_effect` is the variance by speakers over that by utterances, at least 1.
    """

    assumed_shared_errors: float | None
    standard_error: float
    detectable_difference: float
    target_gain: float
    utterances: int
    utterances_needed: int
    hours: float | None = None
    hours_needed: float | None = None
    speakers: int | None = None
    speakers_needed: int | None = None
    design_effect: float = 1.0
    units: Literal["speakers", "utterances"] = "utterances"


class NormalizerIdentity(Record):
    """A text normaliser by name and the version of the code that does it."""

    name: str
    version: str


class WerFacts(Fact):
    """`results/wer/<run>/<m>.json`. `within` counts rows of at most `max_seconds` (primary), `all` every row.

    `raw` is scored from the texts as written (over `within` rows), so that style errors show beside word errors.
    `loops` are the looping hypotheses of `within` rows.
    """

    run: str
    manifest: str
    normalizer: NormalizerIdentity
    max_seconds: float | None
    within: WerScore | None = None
    all: WerScore | None = None
    raw: WerScore | None = None
    power: Power | None = None
    loops: list[Loop] = []
    utterances: list[UtteranceErrors] = []


class SweepRow(Record):
    """One entry of the sweep on one manifest; a row of `results/sweep.tsv`. Empty where it could not be measured."""

    manifest: str = Field(description="Name of the evaluation manifest.")
    run: str = Field(description="Name of the entry of the sweep.")
    baseline_wer: float | None = Field(description="WER of the baseline (fraction), rows within `max_seconds`.")
    tuned_wer: float | None = Field(description="WER of the entry (fraction), rows within `max_seconds`.")
    delta: float | None = Field(description="`tuned_wer` - `baseline_wer`; negative is better.")
    ci_low: float | None = Field(description="Lower end of the confidence interval of `delta`.")
    ci_high: float | None = Field(description="Upper end of the confidence interval of `delta`.")
    outcome: str = Field(description="Outcome of the comparison, or the cause code of an impossible one.")
