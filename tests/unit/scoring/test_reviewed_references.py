"""Scores with and without wrong references, by hand; the estimate of reference noise from the random sample."""

from __future__ import annotations

import pytest

from lora.records.manifests import Utterance
from lora.records.reviews import ReviewedRow, ReviewedScore
from lora.records.transcripts import Transcript
from lora.scoring.normalizers import normalizer
from lora.scoring.reviewed_references import (
    Claims,
    RunErrors,
    errors_of_references,
    judged_changes,
    judged_suspicion,
    reference_noise,
    reviewed_scores,
    run_errors,
)

CLAIMS = Claims(confidence=0.95, margin=0.005, target_gain=0.05)
SPOKEN = "one two three four five six seven eight nine ten"
MISHEARD = SPOKEN.replace("four", "for")
# Ten rows whose reference has two other words than what is spoken.
WRONG = SPOKEN.replace("two", "too").replace("nine", "none")
ROWS = [Utterance(id=f"r{n:02}", text=WRONG if n < 10 else SPOKEN, duration=2.0) for n in range(40)]


def transcripts(texts: list[str]) -> dict[str, Transcript]:
    return {
        row.id: Transcript(id=row.id, reference=row.text, hypothesis=text, duration=2.0, truncated=False)
        for row, text in zip(ROWS, texts, strict=True)
    }


def review(number: int, judgement: str, text: str | None = None, sample: bool = False) -> ReviewedRow:
    return ReviewedRow.from_json(
        {
            "manifest": "domain",
            "id": f"r{number:02}",
            "judgement": judgement,
            "corrected_text": text,
            "sample": sample,
            "places": ["a:2"],
        }
    )


def runs(judged: list[ReviewedRow]) -> tuple[RunErrors, RunErrors]:
    """The baseline mishears every fourth row; the tuned run writes wrong references as they are written."""
    words, by_id = normalizer("none"), {row.id: row for row in judged}
    base = [MISHEARD if n % 4 == 3 else SPOKEN for n in range(40)]
    tuned = [WRONG if n < 10 else text for n, text in enumerate(base)]
    return (
        run_errors(ROWS, by_id, transcripts(base), words),
        run_errors(ROWS, by_id, transcripts(tuned), words),
    )


def found(scores: list[ReviewedScore], references: str, usable_audio: bool = False) -> ReviewedScore:
    (score,) = [s for s in scores if (s.references, s.usable_audio) == (references, usable_audio)]
    return score


def test_three_sets_of_references_by_hand() -> None:
    judged = [review(n, "reference_wrong", SPOKEN if n < 8 else None) for n in range(10)]
    base, tuned = runs(judged)
    scores = reviewed_scores(judged, base, {"lora": tuned}, CLAIMS)
    assert len(scores) == 3
    # Given: 10 misheard words and 20 of wrong references; the tuned run has none of them in the first ten rows.
    given = found(scores, "given")
    assert (given.baseline.utterances, given.baseline.errors, given.runs["lora"].outcome) == (40, 30, "better")
    assert given.runs["lora"].tuned_wer == pytest.approx(8 / 400)
    without = found(scores, "without_wrong")
    assert (without.baseline.utterances, without.baseline.errors) == (30, 8)
    assert without.runs["lora"].outcome == "unchanged"
    # Corrected: eight of ten texts are known, and what was a gain is a loss.
    corrected = found(scores, "corrected")
    assert (corrected.baseline.utterances, corrected.baseline.errors) == (38, 10)
    assert corrected.runs["lora"].delta == pytest.approx((24 - 10) / 380)
    assert corrected.runs["lora"].outcome == "worse"
    errors = errors_of_references(judged, base)
    assert (errors.errors, errors.in_wrong_rows, errors.caused, errors.uncorrected) == (30, 22, 16, 4)


def test_unusable_audio_is_reported_with_and_without() -> None:
    judged = [review(0, "reference_wrong", SPOKEN), review(3, "audio_unusable"), review(11, "audio_unusable")]
    base, tuned = runs(judged)
    scores = reviewed_scores(judged, base, {"lora": tuned}, CLAIMS)
    assert [(s.references, s.usable_audio, s.baseline.utterances) for s in scores] == [
        ("given", False, 40),
        ("without_wrong", False, 39),
        ("corrected", False, 40),
        ("given", True, 38),
        ("without_wrong", True, 37),
        ("corrected", True, 38),
    ]


def test_noise_is_estimated_from_the_random_sample_alone() -> None:
    sample = [review(n, "reference_right", sample=True) for n in range(20, 34)]
    sample += [review(0, "reference_wrong", SPOKEN, sample=True), review(1, "reference_wrong", sample=True)]
    sample += [review(34, "cannot_tell", sample=True), review(35, "audio_unusable", sample=True)]
    chosen = [review(n, "reference_wrong", SPOKEN) for n in range(2, 10)]
    base, _ = runs([*sample, *chosen])
    noise = reference_noise([*sample, *chosen], base, 0.95)
    assert noise is not None
    assert (noise.rows, noise.counts.judged, noise.share) == (16, 18, 2 / 16)
    # Clopper and Pearson for 2 of 16, from published tables.
    assert (noise.interval.low, noise.interval.high) == (
        pytest.approx(0.0155, abs=5e-5),
        pytest.approx(0.3835, abs=5e-5),
    )
    # Two errors of the corrected reference, and both of the one without a text.
    assert (noise.words, noise.errors, noise.reference_errors) == (160, 7, 4)
    assert noise.reference_wer == pytest.approx(4 / 160)
    assert noise.reference_interval.low is not None
    assert reference_noise(chosen, base, 0.95) is None


def test_a_sample_without_a_wrong_reference_has_an_upper_bound() -> None:
    judged = [review(n, "reference_right", sample=True) for n in range(20, 40)]
    noise = reference_noise(judged, runs(judged)[0], 0.95)
    assert noise is not None
    assert (noise.share, noise.interval.low) == (0, 0)
    assert noise.interval.high == pytest.approx(1 - 0.025 ** (1 / 20))
    assert (noise.reference_errors, noise.reference_interval.low) == (0, None)


def test_precision_of_the_suspicion() -> None:
    judged = [
        review(0, "reference_wrong"),
        review(1, "reference_right"),
        review(2, "cannot_tell"),
        review(3, "reference_wrong"),
    ]
    suspicion = judged_suspicion(judged, {"r00", "r01", "r02", "r03", "r30"}, 0.95)
    assert suspicion is not None
    assert (suspicion.suspected, suspicion.confirmed, suspicion.refuted) == (5, 2, 1)
    assert suspicion.precision == pytest.approx(2 / 3)
    assert judged_suspicion(judged, set(), 0.95) is None
    unanswered = judged_suspicion(judged, {"r30"}, 0.95)
    assert unanswered is not None
    assert unanswered.precision is None


def test_judged_rows_on_both_sides_of_a_change() -> None:
    judged = [review(n, "reference_right") for n in (0, 1, 20)]
    base, tuned = runs(judged)
    changes = judged_changes("lora", judged, base, tuned)
    assert (changes.better, changes.better_judged, changes.worse, changes.worse_judged) == (10, 2, 0, 0)
    reverse = judged_changes("lora", judged, tuned, base)
    assert (reverse.worse, reverse.worse_judged) == (10, 2)
