"""Mismatched transcripts are found from hypotheses; weak models, loops, truncation and hallucinations are not."""

from __future__ import annotations

import random
import time

import pytest

from lora.records.integrity import MismatchFacts
from lora.records.manifests import Utterance
from lora.records.transcripts import Transcript
from lora.scoring import transcript_mismatches
from lora.scoring.transcript_mismatches import mismatches

DICE = random.Random(11)
WORDS = ["".join(DICE.choices("abcdefghijklmnoprstuvwxyz", k=DICE.randint(2, 9))) for _ in range(400)]
TEXTS = [" ".join(DICE.choices(WORDS, k=DICE.randint(5, 14))) for _ in range(120)]


def compared(texts: list[str], recognised: dict[int, str]) -> MismatchFacts:
    rows = [
        Utterance(id=f"r{i}", text=text, duration=2.0, audio=f"{i}.wav", line=i + 1) for i, text in enumerate(texts)
    ]
    transcripts = {
        f"r{i}": Transcript(id=f"r{i}", reference="", hypothesis=h, duration=2.0, truncated=False)
        for i, h in recognised.items()
    }
    return mismatches("domain", rows, transcripts)


def hypotheses(texts: list[str], wrong: float = 0.0) -> dict[int, str]:
    """Hypotheses of a model that gets this share of words wrong, each beyond recognition."""
    dice = random.Random(3)

    def word(right: str) -> str:
        return right if dice.random() >= wrong else "".join(dice.choices("aeioutrnsl", k=len(right)))

    return {i: " ".join(map(word, text.split())) for i, text in enumerate(texts)}


@pytest.mark.parametrize("wrong", [0.0, 0.2, 0.5, 0.8, 1.0])
def test_a_weak_model_gives_no_mismatch(wrong: float) -> None:
    facts = compared(TEXTS, hypotheses(TEXTS, wrong))
    assert (facts.compared, facts.mismatched) == (120, [])
    assert (facts.suspects > 60) == (wrong > 0.7)


def test_two_swapped_texts_by_a_weak_model() -> None:
    texts = list(TEXTS)
    texts[4], texts[50] = TEXTS[50], TEXTS[4]
    facts = compared(texts, hypotheses(TEXTS, 0.25))
    assert [(row.line, row.other_line) for row in facts.mismatched] == [(5, 51), (51, 5)]
    assert all(row.own_distance > 0.6 > 0.5 > row.other_distance for row in facts.mismatched)


def test_transcripts_shifted_by_one_row() -> None:
    facts = compared([*TEXTS[1:], "the last text is missing here"], hypotheses(TEXTS, 0.2))
    assert len(facts.mismatched) > 100
    assert {(row.other_line or 0) - (row.line or 0) for row in facts.mismatched} == {-1}


def test_a_sample_is_compared_with_every_text() -> None:
    texts = list(reversed(TEXTS))
    facts = compared(texts, {i: text for i, text in hypotheses(TEXTS).items() if i % 10 == 0})
    assert (facts.rows, facts.compared, len(facts.mismatched)) == (120, 12, 12)
    assert [(row.line, row.other_line) for row in facts.mismatched][:2] == [(1, 120), (11, 110)]


def test_generic_hypotheses_are_not_mismatches() -> None:
    repeating = hypotheses(TEXTS) | dict.fromkeys(range(10, 20), TEXTS[0])
    facts = compared(TEXTS, repeating)
    assert (facts.suspects, facts.generic_hypotheses, facts.mismatched) == (10, 10, [])


def test_a_repeated_sentence_explains_as_many_mismatches_as_rows_have_it() -> None:
    texts = [TEXTS[0], TEXTS[0], *TEXTS[2:]]
    written = [TEXTS[2], TEXTS[3], TEXTS[0], TEXTS[0], *TEXTS[4:]]
    facts = compared(written, hypotheses(texts))
    assert [(row.line, row.other_line) for row in facts.mismatched] == [(1, 3), (2, 3), (3, 1), (4, 2)]
    assert compared(texts, hypotheses(texts)).suspects == 0


@pytest.mark.parametrize(
    "other_hypothesis", ["", "yes", TEXTS[3][:12], " ".join([TEXTS[3]] * 4), f"{TEXTS[3]} {TEXTS[9]}"]
)
def test_truncation_loops_and_silence_are_not_mismatches(other_hypothesis: str) -> None:
    facts = compared([*TEXTS, TEXTS[3][:12]], hypotheses(TEXTS) | {3: other_hypothesis})
    assert facts.mismatched == []


def test_texts_without_a_word_and_missing_transcripts() -> None:
    facts = compared(["...", *TEXTS[1:5]], {0: TEXTS[2], 1: TEXTS[1]})
    assert (facts.rows, facts.compared, facts.too_short, facts.mismatched) == (5, 1, 1, [])
    nothing = compared([], {})
    assert (nothing.rows, nothing.comparisons) == (0, 0)


def test_other_scripts() -> None:
    letters = "日本語音声認識研究会今天気雨海山川空花鳥風月道明暗人心"
    texts = ["".join(random.Random(i).choices(letters, k=18)) for i in range(40)]
    written = [texts[1], texts[0], *texts[2:]]
    assert [row.line for row in compared(written, dict(enumerate(texts))).mismatched] == [1, 2]
    assert compared(texts, dict(enumerate(texts))).mismatched == []


@pytest.mark.parametrize("wrong", [0.1, 0.3, 0.6])
def test_a_short_list_finds_the_same_rows_as_all_texts(monkeypatch: pytest.MonkeyPatch, wrong: float) -> None:
    texts = [*TEXTS[1:], TEXTS[0]]
    every = compared(texts, hypotheses(TEXTS, wrong))
    monkeypatch.setattr(transcript_mismatches, "MOST_PAIRS", 0)
    listed = compared(texts, hypotheses(TEXTS, wrong))
    assert every.mismatched == listed.mismatched
    assert every.comparisons == every.compared + every.suspects * (len(texts) - 1)
    assert listed.comparisons <= listed.compared + 25 * listed.suspects


def test_many_rows_take_seconds() -> None:
    dice = random.Random(5)
    texts = [" ".join(dice.choices(WORDS, k=12)) for _ in range(3000)]
    started = time.process_time()
    facts = compared([*texts[1:], texts[0]], dict(enumerate(texts)))
    assert time.process_time() - started < 20
    assert len(facts.mismatched) > 2900
    assert facts.comparisons <= 26 * 3000


def test_whole_recordings_are_compared_in_seconds() -> None:
    dice = random.Random(5)
    texts = [" ".join(dice.choices(WORDS, k=3_000)) for _ in range(4)]  # 20,000 characters each
    recognised = hypotheses(texts, 0.15)
    recognised[0] = " ".join(recognised[0].split()[:1_000])  # a third of its own text
    recognised[1], recognised[2] = recognised[2], recognised[1]
    started = time.process_time()
    facts = compared(texts, recognised)
    assert time.process_time() - started < 30  # comparing one pair as a whole takes minutes
    assert [(row.line, row.other_line) for row in facts.mismatched] == [(2, 3), (3, 2)]
    assert facts.suspects == 2
