"""Sentences of the data checks: the deciding number first, and a remedy that can be carried out."""

from __future__ import annotations

from healthy import HealthyStudy, cause_of, check_of, option
from healthy_data import leakage, measures, mismatched, mismatches, retention, shared, stability


def starve(study: HealthyStudy, rows: int) -> None:
    study.change("max_seconds.json", {"max_seconds": 8.0})
    study.set_sizes(train=rows, val=14, too_long=200)


def test_a_starving_filter(study: HealthyStudy) -> None:
    starve(study, 130)
    cause = cause_of(study.verdict(), "data.filter_starves_training")
    assert cause.because == ("130 of the 200 training rows needed remain at `max_seconds` 8; 10 s would leave 230.")
    assert cause.remedy == "Set `durations.max_seconds` to 10, or to `auto`, which chooses it."


def test_too_few_rows_after_fixing_rejected_ones(study: HealthyStudy) -> None:
    starve(study, 150)
    study.change("durations/decision.json", {"sufficient": None, "options": [option(8, 150)]})
    study.set_rows("train", 167, rejected=("missing file: a.ogg",) * 10)
    cause = cause_of(study.verdict(), "data.too_few_samples")
    assert cause.because == ("50 rows of the 200 needed are missing: the training split has 150 rows even at 8 s.")
    assert cause.remedy == (
        "Fix the 10 rejected rows of the training manifest (`train.rejected.tsv` lists every line). Add at least 56 "
        "recordings of at most 8 s to the training manifest (about 9 min at the present mean length, including the "
        "rows that the split takes for validation)."
    )
    study.set_rows("train", 167, rejected=("missing file: a.ogg",) * 50)
    remedy = cause_of(study.verdict(), "data.too_few_samples").remedy
    assert remedy.startswith("Fix the 50 rejected rows")
    assert "Add" not in remedy


def test_filtered_rows(study: HealthyStudy) -> None:
    study.files["durations/retention.json"] = retention(lost_speakers=["ann", "bob"], dropped_words_per_second=1.5)
    cause = cause_of(study.verdict(), "data.filter_biased")
    assert cause.because == (
        "Without rows longer than 10 s, training loses 2 of 40 speakers (ann and bob; 0.1 by chance); it loses slower "
        "speech (1.50 words per second against 2.70 in the rows that remain)."
    )
    assert cause.remedy.startswith("Cut the 85 rows longer than 10 s")


def test_split_seeds(study: HealthyStudy) -> None:
    study.files["splits/stability.json"] = stability(train_rows=199, train_speakers=20)
    study.change("durations/decision.json", {"stable": 15.0})
    cause = cause_of(study.verdict(), "data.unstable_split")
    assert cause.because == (
        "1 of 20 split seeds leave fewer than the 200 training rows needed (seed 32 leaves 199); seed 32 keeps 50.0 % "
        "of the 40 speakers out of training (tolerated: 34 %)."
    )
    assert cause.remedy.startswith("Set `durations.max_seconds` to 15")


def test_rejected_rows_and_audio_faults(study: HealthyStudy) -> None:
    study.set_rows("domain", 198, rejected=("empty text", "empty text"))
    study.set_audio("test", measures(12, manifest_duration=4000.0, clipped=0.01))
    verdict = study.verdict()
    assert cause_of(verdict, "data.empty_transcripts").because == (
        "2 of 200 rows of domain (1.0 %; lines 199 and 200) have no transcript."
    )
    assert check_of(verdict, "data.audio", manifest="test").summary == (
        "1 of 12 recordings of test look wrong: 1 row with another duration than the manifest claims (line 3: 4000 s "
        "in "
        "the manifest, 4 s of audio), apparently in milliseconds; 1 row with clipped peaks."
    )
    assert cause_of(verdict, "data.wrong_durations").remedy.startswith("Write `duration` in seconds")


def test_overlap_with_training(study: HealthyStudy) -> None:
    study.files["leakage/domain.json"] = leakage("domain", 200, same_audio=shared(3), same_sentence=shared(11))
    assert cause_of(study.verdict(), "data.leakage").because == (
        "Training contains 3 recordings (line 1 is line 7 of training, line 2 is line 7 of training and 1 more) and "
        "the "
        "sentences of 11 (5.5 %; tolerated: 5 %) of the 200 rows of domain."
    )


def test_shifted_transcripts(study: HealthyStudy) -> None:
    study.files["mismatches/domain.json"] = mismatches(
        "domain", 200, 200, *(mismatched(i, i - 1) for i in range(2, 180))
    )
    cause = cause_of(study.verdict(), "data.transcript_mismatch")
    assert "178 of the 178 match the transcript 1 line above: the transcripts are shifted" in cause.because
    assert "between lines 2 and 179, each row's transcript is 1 line above" in cause.remedy


def test_mismatched_training_rows_are_a_sample(study: HealthyStudy) -> None:
    rows = [mismatched(5 * i, 7 * i + 1) for i in range(1, 30)]
    study.files["mismatches/train.json"] = mismatches("train", 360, 64, *rows)
    remedy = cause_of(study.verdict(), "data.transcript_mismatch").remedy
    assert "line 5 (audio of line 8)" in remedy
    assert "and 21 more" in remedy
    assert remedy.endswith("Only 64 of its 360 rows were transcribed: check the others too.")
