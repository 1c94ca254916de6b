"""Errors by their probable reason, and references that all runs contradict."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping

import pytest

from lora.records.manifests import Utterance
from lora.records.reachable import ReachableFacts
from lora.records.transcripts import Transcript
from lora.scoring.alignment import utterance_errors, word_edits
from lora.scoring.normalizers import normalizer
from lora.scoring.reachable_errors import (
    is_english,
    regions,
    same_spelling,
    spelling_forms,
    split_errors,
)

BASIC = normalizer("basic")
TEXT = "the boat is at harbour and we saw it kettle window garden river"
COMMON = frozenset(TEXT.split())


def split(
    texts: list[tuple[str, str]], tuned: Mapping[str, list[str]], vocabulary: frozenset[str] | None = COMMON
) -> ReachableFacts:
    """Facts of (reference, hypothesis) pairs and the texts of candidates."""
    rows = [Utterance(id=f"u{i:03d}", text=reference, duration=1, audio="a") for i, (reference, _) in enumerate(texts)]
    transcripts = {
        row.id: Transcript(id=row.id, reference=row.text, hypothesis=text, duration=1, truncated=False)
        for row, (_, text) in zip(rows, texts, strict=True)
    }
    errors = utterance_errors(rows, transcripts, BASIC)
    references = [BASIC.words(reference) for reference, _ in texts]
    edits = {
        run: {
            entry.id: word_edits(reference, BASIC.words(text))
            for entry, reference, text in zip(errors, references, results, strict=True)
        }
        for run, results in tuned.items()
    }
    word_counts = Counter(word for reference in references for word in reference)
    return split_errors("domain", errors, word_counts, edits, list(tuned), vocabulary)


def test_every_error_has_one_reason() -> None:
    texts = [
        ("we saw the ice cream at the harbour", "we saw the icecream at the harbour"),  # spelling: 2 errors
        ("we saw the walrus", "we saw the wall"),  # not in the training transcripts
        ("the kettle is at the window", "the cattle is at the window"),  # all agree
        ("the boat is at the river", "the goat is at the liver"),  # one of two was fixed
    ]
    facts = split(texts, {"lora": [texts[0][1], texts[1][1], texts[2][1], "the boat is at the liver"]})
    assert (facts.errors, facts.style, facts.out_of_vocabulary, facts.agreed, facts.rest) == (6, 2, 1, 2, 1)
    assert [(r.reference, r.hypothesis, r.errors) for r in facts.respelled] == [("ice cream", "icecream", 2)]
    assert [(w.word, w.count) for w in facts.out_of_vocabulary_words] == [("walrus", 1)]
    assert facts.suspected_errors == 0


def test_unknown_parts_are_none() -> None:
    texts = [("the boat is at the river", "the goat is at the river")]
    assert split(texts, {}).agreed is None
    assert split(texts, {}).suspected_errors is None
    alike = split(texts, {"copy": [texts[0][1]]})
    assert (alike.agreed, alike.suspected_errors, alike.candidates[0].independent) == (None, None, False)
    without_vocabulary = split(texts, {"lora": ["the boat is at the river"]}, None)
    assert (
        without_vocabulary.out_of_vocabulary,
        without_vocabulary.out_of_vocabulary_words,
        without_vocabulary.suspected_errors,
        without_vocabulary.agreed,
    ) == (
        None,
        [],
        None,
        0,
    )
    assert split([("the boat", "the goat")], {}).candidates == []


def test_empty_references_and_no_rows() -> None:
    facts = split([("...", "the boat")], {"lora": ["the"]})
    assert (facts.words, facts.errors, facts.rest, facts.agreed) == (0, 2, 1, 1)
    assert split([], {"lora": []}).errors == 0


def study(seed: int, wrong_references: float) -> ReachableFacts:
    """Accented speech: half of the rows have similar-looking errors, most of which the candidate corrects."""
    dice = random.Random(seed)
    words = [f"{a}{b}{c}" for a in ("bran", "stol", "fick", "gum") for b in ("der", "ta", "le", "pos") for c in "nmktr"]
    texts, tuned = [], []
    for _ in range(100):
        spoken = [dice.choice(words) for _ in range(8)]
        base, after = list(spoken), list(spoken)
        if dice.random() < 0.5:
            for at in dice.sample(range(8), dice.choice((1, 2, 5))):
                base[at] = after[at] = spoken[at][:-2] + "xx"
                if dice.random() < 0.7:
                    after[at] = spoken[at]
        reference = list(spoken)
        if dice.random() < wrong_references:
            reference[dice.randrange(8)] = dice.choice(words)
        texts.append((" ".join(reference), " ".join(base)))
        tuned.append(" ".join(after))
    return split(texts, {"lora": tuned}, frozenset(words))


@pytest.mark.parametrize("seed", range(5))
def test_wrong_references_are_suspected_and_recognition_errors_are_not(seed: int) -> None:
    healthy, noisy = study(seed, 0.0), study(seed, 0.25)
    assert healthy.agreed
    assert healthy.suspected_rows == 0
    assert (noisy.suspected_rows or 0) >= 5
    assert (noisy.repeated_share or 1) < 0.5 < (noisy.confirmed_places or 0) / (noisy.questionable_places or 1)


def test_a_candidate_close_to_the_baseline_is_not_independent() -> None:
    """It repeats every error of the baseline, so that its agreement is uninformative."""
    texts = [("the kettle is at the window we saw", f"garden river kettle {i}") for i in range(10)]
    facts = split(texts, {"weak": [*(text for _, text in texts[:9]), "the kettle"]})
    assert facts.candidates[0].changed == 1
    assert not facts.candidates[0].independent
    assert facts.suspected_errors is None


@pytest.mark.parametrize(
    "hypothesis",
    [
        "the cattle is at the window",  # looks alike: a mishearing
        "the blorq is at the window",  # no word that occurs in any text
        "garden river and it window",  # the rest is wrong
        "the 1234 is at the window",  # a number in another spelling
    ],
)
def test_errors_that_do_not_make_a_reference_suspected(hypothesis: str) -> None:
    texts = [("the kettle is at the window", hypothesis), ("we saw it", "we saw at")]
    assert split(texts, {"lora": [hypothesis, "we saw it"]}).suspected_errors == 0


def test_regions_join_neighbouring_edits() -> None:
    (entry,) = utterance_errors(
        [Utterance(id="u", text="a b c d e", duration=1, audio="a")],
        {"u": Transcript(id="u", reference="", hypothesis="x y c d", duration=1, truncated=False)},
        BASIC,
    )
    assert [len(region) for region in regions(entry.edits)] == [2, 1]


@pytest.mark.parametrize(
    ("reference", "hypothesis", "english", "other"),
    [
        ("ice cream", "icecream", True, True),
        ("don't", "dont", True, True),
        ("twenty one", "21", True, False),
        ("do not", "don't", True, False),
        ("colour", "color", True, False),
        ("um", "", True, False),
        ("boat", "goat", False, False),
        ("kettle", "", False, False),
    ],
)
def test_spellings(reference: str, hypothesis: str, english: bool, other: bool) -> None:
    assert same_spelling(reference, hypothesis, spelling_forms(True)) is english
    assert same_spelling(reference, hypothesis, spelling_forms(False)) is other


def test_english_is_recognised() -> None:
    assert is_english(Counter(BASIC.words("The boat was at the harbour, and we saw it.")))
    assert not is_english(
        Counter(BASIC.words("Das Boot lag um zehn im Hafen, und wir sahen es. Das war in der Nacht."))
    )
    assert not is_english(
        Counter(BASIC.words("De boot lag in de haven of het was de wind; dat is de vraag van de man.")[:0])
    )
