"""What listeners found: judgements of single rows, and what they say about references, WER and comparisons."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from lora.records.base import Fact, Record
from lora.records.comparisons import PairedScore
from lora.records.scores import Interval, NormalizerIdentity, WerScore

Judgement = Literal["reference_right", "reference_wrong", "cannot_tell", "audio_unusable"]
JUDGEMENTS: tuple[Judgement, ...] = get_args(Judgement)


class ReviewedRow(Record):
    """What all listeners together found about one row."""

    manifest: str = Field(description="Name of the manifest.")
    id: str = Field(description="Id of the row.")
    judgement: Judgement = Field(
        description="The judgement on which all listeners agree; `cannot_tell` where they do not."
    )
    corrected_text: str | None = Field(
        default=None,
        description="What is really said, where the reference is wrong; null where nobody wrote it, or where listeners "
        "wrote different words.",
    )
    sample: bool = Field(description="Whether the row is in the random sample of the listening page.")
    notes: list[str] = Field(default=[], description="Notes of the listeners.")
    places: list[str] = Field(description="File and line of each judgement.")
    disagreement: list[Judgement] = Field(
        default=[], description="The different judgements, in the order of `places`; empty where listeners agree."
    )
    texts_differ: bool = Field(default=False, description="Whether listeners wrote corrected texts of different words.")


class RejectedJudgement(Record):
    """A line of a review file that cannot be used."""

    file: str = Field(description="Path of the review file.")
    line: int = Field(description="Line of the file, from 1.")
    manifest: str | None = Field(default=None, description="Manifest that the line names.")
    id: str | None = Field(default=None, description="Id that the line names.")
    reason: str = Field(description="What is wrong, and what to do.")


class ReviewCounts(Record):
    """Number of rows by judgement."""

    judged: int = Field(default=0, description="Rows with any judgement.")
    reference_right: int = Field(default=0, description="Rows whose reference is right.")
    reference_wrong: int = Field(default=0, description="Rows whose reference is wrong.")
    cannot_tell: int = Field(default=0, description="Rows on which listeners could not decide, or disagree.")
    audio_unusable: int = Field(default=0, description="Rows whose audio nobody could transcribe.")
    corrected: int = Field(default=0, description="Rows whose reference is wrong and whose corrected text is known.")


class ReferenceNoise(Record):
    """Wrong references in the random sample: the only rows from which the whole manifest is estimated.

    Rows judged `cannot_tell` or `audio_unusable` are left out. The errors of a wrong reference are those that the
    baseline has against it and not against the corrected text; without a corrected text, all errors of the row.
    """

    counts: ReviewCounts = Field(description="Judgements of the random sample.")
    rows: int = Field(description="Rows judged `reference_right` or `reference_wrong`.")
    share: float = Field(description="Share of them whose reference is wrong (0..1).")
    interval: Interval = Field(description="Exact binomial interval of `share` (Clopper & Pearson 1934).")
    words: int = Field(description="Reference words of these rows.")
    errors: int = Field(description="Word errors of the baseline in these rows.")
    reference_errors: int = Field(description="Word errors that wrong references cause.")
    wer: float | None = Field(description="WER of the baseline in these rows (fraction); null without a word.")
    reference_wer: float | None = Field(description="Part of `wer` that wrong references cause (fraction).")
    reference_interval: Interval = Field(description="Interval of `reference_wer` by the linearised ratio estimator.")


class ErrorsOfReferences(Record):
    """Word errors of the baseline in the rows whose reference listeners found wrong, in any queue."""

    errors: int = Field(description="Word errors of the baseline in all rows of the manifest that are scored.")
    in_wrong_rows: int = Field(description="Of these, errors in rows whose reference is wrong.")
    caused: int = Field(
        description="Errors that corrected texts remove: those against the references as given minus those against the "
        "corrected texts."
    )
    uncorrected: int = Field(description="Errors in rows whose reference is wrong and has no corrected text.")


class Suspicion(Record):
    """What listeners said about the suspected reference errors of this manifest (`reachable/<manifest>.json`)."""

    suspected: int = Field(description="Rows among the listed suspected reference errors.")
    confirmed: int = Field(description="Of these, rows whose reference listeners found wrong.")
    refuted: int = Field(description="Of these, rows whose reference listeners found right.")
    precision: float | None = Field(description="`confirmed` / (`confirmed` + `refuted`); null where neither.")
    interval: Interval = Field(description="Exact binomial interval of `precision`.")


class JudgedChanges(Record):
    """How many of the rows that a run made worse or better were judged: one side alone favours or harms the run."""

    run: str = Field(description="Name of the candidate.")
    worse: int = Field(description="Rows with more errors than the baseline.")
    worse_judged: int = Field(description="Of these, rows with any judgement.")
    better: int = Field(description="Rows with fewer errors than the baseline.")
    better_judged: int = Field(description="Of these, rows with any judgement.")


References = Literal["given", "without_wrong", "corrected"]


class ReviewedScore(Record):
    """Baseline and runs scored with one set of references."""

    references: References = Field(
        description="`given`: the manifest as it is. `without_wrong`: without rows whose reference is wrong. "
        "`corrected`: with corrected texts; rows whose reference is wrong and has none are left out."
    )
    usable_audio: bool = Field(description="Whether rows judged `audio_unusable` are left out.")
    baseline: WerScore = Field(description="Score of the baseline.")
    runs: dict[str, PairedScore] = Field(description="Comparison of every candidate with the baseline.")


class ReviewFacts(Fact):
    """What listeners found in one evaluation manifest, and the WERs with and without it.

    Only the random sample (`noise`) says something about rows that nobody judged. Rows of other queues, such as those
    that got worse, were chosen for their errors: they correct single rows, and estimate nothing.
    """

    manifest: str = Field(description="Name of the manifest.")
    max_seconds: float | None = Field(
        default=None, description="Longest row that is scored here, in seconds; null is no limit (`headroom.rows`)."
    )
    normalizer: NormalizerIdentity | None = Field(
        default=None, description="Normaliser that everything here is scored with: that of the baseline's WER."
    )
    rows: int = Field(default=0, description="Rows that are scored here.")
    counts: ReviewCounts = Field(default=ReviewCounts(), description="Judgements of these rows.")
    beyond_limit: int = Field(default=0, description="Judged rows that are longer than `max_seconds`.")
    disagreements: list[str] = Field(
        default=[], description="Ids of the rows on which listeners disagree, all rows of the manifest."
    )
    different_texts: list[str] = Field(
        default=[], description="Ids of the rows for which listeners wrote different corrected texts."
    )
    noise: ReferenceNoise | None = Field(
        default=None, description="Estimate from the random sample; null where none of its rows was decided."
    )
    errors: ErrorsOfReferences | None = Field(default=None, description="Errors in rows with a wrong reference.")
    suspicion: Suspicion | None = Field(
        default=None, description="Suspected reference errors that were judged; null where nothing was suspected."
    )
    changes: list[JudgedChanges] = Field(default=[], description="Judged rows among those that each run changed.")
    scores: list[ReviewedScore] = Field(
        default=[], description="Scores with each set of references, with and without rows of unusable audio."
    )
    left_out: list[str] = Field(default=[], description="Candidates whose transcripts cover other rows.")

    def score(self, references: References, *, usable_audio: bool = False) -> ReviewedScore | None:
        """The scores with one set of references."""
        found = (s for s in self.scores if s.references == references and s.usable_audio == usable_audio)
        return next(found, None)
