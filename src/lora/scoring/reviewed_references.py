"""WERs and comparisons with what listeners found about references, and how many references are wrong.

Every score is computed from raw texts by the estimators of `corpus_wer` and `paired`, as in the study without reviews.
The share of wrong references is estimated from the random sample alone, with the exact binomial interval (Clopper &
Pearson 1934). Rows of other queues were chosen for their errors and would make references look worse than they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from lora.records.manifests import Utterance
from lora.records.reviews import (
    ErrorsOfReferences,
    JudgedChanges,
    Judgement,
    ReferenceNoise,
    References,
    ReviewCounts,
    ReviewedRow,
    ReviewedScore,
    Suspicion,
)
from lora.records.scores import Interval, UtteranceErrors
from lora.records.transcripts import Transcript
from lora.scoring.alignment import utterance_errors
from lora.scoring.corpus_wer import no_interval, ratio_interval, sampling_units, wer_score
from lora.scoring.normalizers import Normalizer
from lora.scoring.paired import paired_score
from lora.scoring.shares import share_interval

Errors = Mapping[str, UtteranceErrors]
Transcripts = Mapping[str, Transcript]
REFERENCES: tuple[References, ...] = ("given", "without_wrong", "corrected")


@dataclass(frozen=True)
class Claims:
    """What a claim needs: confidence of intervals, equivalence margin and target gain (WER as fractions)."""

    confidence: float
    margin: float
    target_gain: float


@dataclass(frozen=True)
class RunErrors:
    """Errors of one run by row id: against the references as given, and against the corrected texts."""

    transcripts: Transcripts
    given: Errors
    corrected: Errors

    def with_corrections(self) -> Errors:
        return {**self.given, **self.corrected}


def run_errors(
    rows: Sequence[Utterance], judged: Mapping[str, ReviewedRow], transcripts: Transcripts, words: Normalizer
) -> RunErrors:
    """Errors of a run.

    Args:
        rows: the rows to score.
        judged: judgements by row id.
        transcripts: of the run, with every row.
        words: the study's normaliser.
    """
    texts = {row.id: judged[row.id].corrected_text for row in rows if row.id in judged}
    corrected = [replace(row, text=text) for row in rows if (text := texts.get(row.id)) is not None]
    return RunErrors(
        transcripts=transcripts,
        given={entry.id: entry for entry in utterance_errors(rows, transcripts, words)},
        corrected={entry.id: entry for entry in utterance_errors(corrected, transcripts, words)},
    )


def count_judgements(rows: Iterable[ReviewedRow]) -> ReviewCounts:
    rows = list(rows)
    return ReviewCounts(
        judged=len(rows),
        reference_right=len(_ids(rows, "reference_right")),
        reference_wrong=len(_ids(rows, "reference_wrong")),
        cannot_tell=len(_ids(rows, "cannot_tell")),
        audio_unusable=len(_ids(rows, "audio_unusable")),
        corrected=sum(row.corrected_text is not None for row in rows),
    )


def reviewed_scores(
    judged: Sequence[ReviewedRow], base: RunErrors, runs: Mapping[str, RunErrors], claims: Claims
) -> list[ReviewedScore]:
    """Scores with each set of references; also without rows of unusable audio where there are any."""
    unusable = _ids(judged, "audio_unusable")
    wrong = _ids(judged, "reference_wrong")
    left_out: dict[References, Set[str]] = {
        "given": set(),
        "without_wrong": wrong,
        "corrected": wrong - set(base.corrected),
    }
    return [
        _score(
            references, left_out[references] | (unusable if usable_audio else set()), usable_audio, base, runs, claims
        )
        for usable_audio in ([False, True] if unusable else [False])
        for references in REFERENCES
    ]


def _score(
    references: References,
    left_out: Set[str],
    usable_audio: bool,
    base: RunErrors,
    runs: Mapping[str, RunErrors],
    claims: Claims,
) -> ReviewedScore:
    ids = [name for name in base.given if name not in left_out]

    def errors(run: RunErrors) -> list[UtteranceErrors]:
        by_id = run.with_corrections() if references == "corrected" else run.given
        return [by_id[name] for name in ids]

    before = errors(base)
    paired = {}
    for name, run in runs.items():
        changed = sum(base.transcripts[key].hypothesis != run.transcripts[key].hypothesis for key in ids)
        paired[name] = paired_score(
            before, errors(run), changed, claims.margin, claims.confidence, 0, claims.target_gain
        )
    return ReviewedScore(
        references=references,
        usable_audio=usable_audio,
        baseline=wer_score(before, base.transcripts, claims.confidence, 0),
        runs=paired,
    )


def reference_noise(judged: Iterable[ReviewedRow], base: RunErrors, confidence: float) -> ReferenceNoise | None:
    """The estimate of wrong references from the random sample; None where none of its rows was decided."""
    sample = [row for row in judged if row.sample]
    decided = [row for row in sample if row.judgement in {"reference_right", "reference_wrong"}]
    if not decided:
        return None
    entries = [base.given[row.id] for row in decided]
    words = [entry.words for entry in entries]
    caused = [_caused(row, base) for row in decided]
    wrong = len(_ids(decided, "reference_wrong"))
    total = sum(words)
    errors = sum(entry.errors for entry in entries)
    drawn = sampling_units(caused, words, [entry.speaker_id for entry in entries])
    no_error = no_interval(confidence, "no wrong reference: no interval")
    return ReferenceNoise(
        counts=count_judgements(sample),
        rows=len(decided),
        share=wrong / len(decided),
        interval=binomial_interval(wrong, len(decided), confidence),
        words=total,
        errors=errors,
        reference_errors=sum(caused),
        wer=errors / total if total else None,
        reference_wer=sum(caused) / total if total else None,
        reference_interval=ratio_interval(drawn, confidence) if wrong else no_error,
    )


def _caused(row: ReviewedRow, base: RunErrors) -> int:
    """Errors that a row's reference causes: none if it is right, all that may be where no corrected text is known."""
    if row.judgement != "reference_wrong":
        return 0
    given = base.given[row.id].errors
    return given - base.corrected[row.id].errors if row.id in base.corrected else given


def binomial_interval(hits: int, rows: int, confidence: float) -> Interval:
    """Exact interval of a share of rows, which are taken as independent."""
    low, high = share_interval(hits, rows, confidence)
    method = "exact binomial (Clopper & Pearson 1934)"
    return Interval(low=low, high=high, confidence=confidence, method=method, scope="these_speakers")


def errors_of_references(judged: Sequence[ReviewedRow], base: RunErrors) -> ErrorsOfReferences:
    """Errors of the baseline in rows whose reference is wrong, in any queue."""
    wrong = _ids(judged, "reference_wrong")
    return ErrorsOfReferences(
        errors=sum(entry.errors for entry in base.given.values()),
        in_wrong_rows=sum(base.given[name].errors for name in wrong),
        caused=sum(base.given[name].errors - entry.errors for name, entry in base.corrected.items()),
        uncorrected=sum(base.given[name].errors for name in wrong - set(base.corrected)),
    )


def judged_suspicion(judged: Sequence[ReviewedRow], suspected: Set[str], confidence: float) -> Suspicion | None:
    """What listeners said about suspected rows; None where nothing was suspected."""
    if not suspected:
        return None
    confirmed = len(suspected & _ids(judged, "reference_wrong"))
    refuted = len(suspected & _ids(judged, "reference_right"))
    answered = confirmed + refuted
    return Suspicion(
        suspected=len(suspected),
        confirmed=confirmed,
        refuted=refuted,
        precision=confirmed / answered if answered else None,
        interval=binomial_interval(confirmed, answered, confidence)
        if answered
        else no_interval(confidence, "no suspected row was judged"),
    )


def judged_changes(name: str, judged: Iterable[ReviewedRow], base: RunErrors, run: RunErrors) -> JudgedChanges:
    """How many of the rows that a run changed for the worse and for the better were judged."""
    ids = {row.id for row in judged}

    def changed(direction: Callable[[int], bool]) -> set[str]:
        return {key for key, entry in run.given.items() if direction(entry.errors - base.given[key].errors)}

    worse = changed(lambda difference: difference > 0)
    better = changed(lambda difference: difference < 0)
    return JudgedChanges(
        run=name,
        worse=len(worse),
        worse_judged=len(worse & ids),
        better=len(better),
        better_judged=len(better & ids),
    )


def _ids(rows: Iterable[ReviewedRow], judgement: Judgement) -> set[str]:
    return {row.id for row in rows if row.judgement == judgement}
