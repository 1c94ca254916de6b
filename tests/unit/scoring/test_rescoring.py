"""Runs with different normalisers, scored again: how much of their difference is due to the normaliser."""

import pytest

from lora.records.manifests import Utterance
from lora.records.scores import NormalizerIdentity, WerFacts
from lora.records.transcripts import Transcript
from lora.scoring.alignment import utterance_errors
from lora.scoring.corpus_wer import wer_score
from lora.scoring.normalizers import normalizer
from lora.scoring.rescoring import common_normalizer, errors_with_normalizer, installed_normalizer, rescored, same_text

TEXT = "Well, I do not know."
ROWS = [Utterance(id=f"u{i}", text=TEXT, duration=1.0 + i, speaker_id=f"s{i}") for i in range(4)]


def transcripts(*hypotheses):
    return {
        row.id: Transcript(id=row.id, reference=row.text, hypothesis=text, duration=row.duration, truncated=False)
        for row, text in zip(ROWS, hypotheses, strict=True)
    }


BASE = transcripts(*["well i do not know"] * 4)  # right but for case and punctuation
TUNED = transcripts(*["well i do not know"] * 3, "well i do not grow")


def facts(run, texts, name, **more):
    words = normalizer(name)
    scored = utterance_errors(ROWS, texts, words)
    within = wer_score(scored[:3], texts, 0.95, 0)
    return WerFacts(
        run=run, manifest="domain", normalizer=words.identity, max_seconds=3.0, within=within, utterances=scored
    ).model_copy(update=more)


def test_a_difference_that_is_due_to_the_normaliser_only():
    base, tuned = facts("base", BASE, "none"), facts("lora", TUNED, "basic")
    result = rescored(base, tuned, BASE, TUNED, {"u0", "u1", "u2"})
    assert result.reported_delta == pytest.approx(0.0 - 3 / 5)
    assert (result.under_baseline.baseline_wer, result.under_baseline.tuned_wer) == (3 / 5, 3 / 5)
    assert (result.under_candidate.baseline_wer, result.under_candidate.delta) == (0.0, 0.0)
    assert result.explained_by_normalizer == result.reported_delta
    assert (result.baseline.name, result.candidate.name, result.utterances) == ("none", "basic", 3)


def test_a_real_difference_remains_under_either_normaliser():
    everyone = {row.id for row in ROWS}
    base, tuned = facts("base", BASE, "none"), facts("lora", TUNED, "basic")
    result = rescored(base, tuned, BASE, TUNED, everyone)
    assert result.under_baseline.delta == pytest.approx(0.0)  # "know." was wrong under it already
    assert result.under_candidate.delta == pytest.approx(1 / 20)


def test_runs_that_need_or_allow_no_rescoring():
    base = facts("base", BASE, "basic")
    assert rescored(base, facts("lora", TUNED, "basic"), BASE, TUNED, set()) is None
    broken = facts("lora", TUNED, "none", status="impossible")
    assert rescored(base, broken, BASE, TUNED, set()) is None
    assert rescored(base, facts("lora", TUNED, "none", utterances=[]), BASE, TUNED, set()) is None


def test_a_version_that_is_not_installed_is_not_used():
    old = NormalizerIdentity(name="basic", version="0")
    assert installed_normalizer(old) is None
    assert installed_normalizer(NormalizerIdentity(name="elsewhere", version="1")) is None
    base, tuned = facts("base", BASE, "basic", normalizer=old), facts("lora", TUNED, "basic")
    result = rescored(base, tuned, BASE, TUNED, {"u0"})
    assert result.under_baseline is None
    assert result.under_candidate is not None
    assert common_normalizer(base, tuned).identity == tuned.normalizer
    assert common_normalizer(base, tuned.model_copy(update={"normalizer": old})) is None
    assert errors_with_normalizer(normalizer("basic"), base, BASE) == facts("base", BASE, "basic").utterances


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("Twenty dogs.", "20 dogs", True),
        ("A dog.", "a dog", True),
        ("a dog", "a hog", False),
        ("", "a", False),
        ("", "", True),
    ],
)
def test_references_in_two_notations(first, second, same):
    assert same_text(first, second) is same
