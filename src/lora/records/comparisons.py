"""A candidate against the baseline: the paired difference of their word errors."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lora.records.base import Fact, Record
from lora.records.scores import Interval, NormalizerIdentity, Power

Outcome = Literal["unchanged", "same_words", "better", "worse", "equivalent", "underpowered"]


class Mapsswe(Record):
    """Matched-pairs sentence-segment word error test (two-sided, normal); reported, but decides nothing."""

    segments: int = Field(description="Number of segments.")
    mean_difference: float | None = Field(description="Mean difference in errors per segment, tuned - baseline.")
    z: float | None = Field(description="Test statistic; null where the difference is the same in all segments.")
    p: float | None = Field(description="Two-sided p-value; null where `z` is.")


class PairedScore(Record):
    """Two runs over the same utterances. Differences are tuned - baseline: negative is better."""

    utterances: int = Field(description="Number of utterances.")
    words: int = Field(description="Reference words.")
    baseline_wer: float | None = Field(description="WER of the baseline (fraction); null without a reference word.")
    tuned_wer: float | None = Field(description="WER of the candidate (fraction); null without a reference word.")
    delta: float | None = Field(description="`tuned_wer` - `baseline_wer`.")
    interval: Interval = Field(description="Interval of `delta` by the linearised ratio estimator.")
    bootstrap: Interval | None = Field(default=None, description="Interval of `delta` by percentile bootstrap.")
    changed_hypotheses: int = Field(description="Utterances whose hypothesis differs as written.")
    changed_texts: int | None = Field(
        default=None, description="Utterances whose hypothesis differs after normalisation, not only in case or such."
    )
    changed_errors: int = Field(
        description="Utterances whose number of errors differs; fewer than 6 can show nothing (sign test)."
    )
    substitutions_delta: int = Field(description="Change in the number of substitutions.")
    deletions_delta: int = Field(description="Change in the number of deletions.")
    insertions_delta: int = Field(description="Change in the number of insertions.")
    outcome: Outcome = Field(description="Outcome of the comparison.")
    within_margin: bool = Field(description="Whether the whole interval is within the equivalence margin.")
    harm_bound: float | None = Field(
        default=None,
        description="Largest plausible `delta`, which decides 'not worse': the upper end of the interval, or, with "
        "fewer "
        "than 6 changed utterances, an exact bound that may be higher; null without an interval.",
    )
    detectable_difference: float | None = Field(description="Smallest difference in WER (fraction) that is detected.")
    power: Power | None = Field(default=None, description="Power by the observed standard error.")
    mapsswe: Mapsswe | None = Field(default=None, description="Matched-pairs test, for comparison with other tools.")


class BudgetLine(Record):
    """Errors of both runs in one group of utterances."""

    name: str | None = Field(description="Speaker (null: utterances without a known speaker) or range of durations.")
    utterances: int = Field(description="Number of utterances.")
    words: int = Field(description="Reference words.")
    baseline_errors: int = Field(description="Word errors of the baseline.")
    tuned_errors: int = Field(description="Word errors of the candidate.")
    substitutions_delta: int = Field(description="Change in the number of substitutions.")
    deletions_delta: int = Field(description="Change in the number of deletions.")
    insertions_delta: int = Field(description="Change in the number of insertions.")


class WordPair(Record):
    """How often each run made one word error."""

    reference: str | None = Field(description="Word of the reference; null for an insertion.")
    hypothesis: str | None = Field(description="Word of the hypothesis; null for a deletion.")
    baseline: int = Field(description="Times in the baseline.")
    tuned: int = Field(description="Times in the candidate.")

    @property
    def change(self) -> int:
        return self.tuned - self.baseline


class ErrorBudget(Record):
    """Where a difference in errors comes from."""

    by_speaker: list[BudgetLine] = Field(description="Every speaker, most changed first.")
    by_duration: list[BudgetLine] = Field(description="Every range of durations.")
    gained: list[WordPair] = Field(description="Word errors that became more frequent, most first, at most 20.")
    lost: list[WordPair] = Field(description="Word errors that became less frequent, most first, at most 20.")


class PairedFacts(Fact):
    """Difference in WER between a candidate and the baseline on one manifest, matched by utterance id."""

    run: str = Field(description="Name of the candidate.")
    manifest: str = Field(description="Name of the manifest.")
    max_seconds: float | None = Field(description="`max_seconds` of the study in seconds; null is no limit.")
    equivalence_margin: float = Field(description="`statistics.equivalence_margin` of the configuration (fraction).")
    normalizer: NormalizerIdentity | None = Field(
        default=None,
        description="Normaliser that both runs are scored with here. Where the runs have different ones, their raw "
        "texts are scored again with one of them.",
    )
    within: PairedScore | None = Field(
        default=None, description="Comparison over the rows within `max_seconds`: the primary one."
    )
    all: PairedScore | None = Field(default=None, description="Comparison over all rows.")
    budget: ErrorBudget | None = Field(default=None, description="Where the difference `within` comes from.")
    missing_ids: list[str] = Field(default=[], description="Utterances that only the baseline has.")
    extra_ids: list[str] = Field(default=[], description="Utterances that only the candidate has.")


class SweepRow(Record):
    """One entry of the sweep on one manifest; empty cells where it could not be measured."""

    manifest: str = Field(description="Name of the evaluation manifest.")
    run: str = Field(description="Name of the entry of the sweep.")
    baseline_wer: float | None = Field(description="WER of the baseline (fraction), rows within `max_seconds`.")
    tuned_wer: float | None = Field(description="WER of the entry (fraction), rows within `max_seconds`.")
    delta: float | None = Field(description="`tuned_wer` - `baseline_wer`; negative is better.")
    ci_low: float | None = Field(description="Lower end of the confidence interval of `delta`.")
    ci_high: float | None = Field(description="Upper end of the confidence interval of `delta`.")
    outcome: str = Field(description="Outcome of the comparison, or the cause code of an impossible one.")
