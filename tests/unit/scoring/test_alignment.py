"""Alignment of words, by hand and against jiwer."""

import random

import jiwer
import pytest

from lora.records.manifests import Utterance
from lora.records.transcripts import Transcript
from lora.scoring.alignment import count_errors, utterance_errors, word_edits
from lora.scoring.corpus_wer import wer_score
from lora.scoring.normalizers import normalizer


def jiwer_edits(pairs):
    """Edits of (reference, hypothesis) word lists from the AlignmentChunks of one jiwer.process_words call."""
    references, hypotheses = zip(*pairs, strict=True)
    output = jiwer.process_words(
        list(references), list(hypotheses), reference_transform=list, hypothesis_transform=list
    )
    for (reference, hypothesis), chunks in zip(pairs, output.alignments, strict=True):
        edits = []
        for chunk in chunks:
            at = range(chunk.ref_start_idx, chunk.ref_end_idx)
            words = hypothesis[chunk.hyp_start_idx : chunk.hyp_end_idx]
            if chunk.type == "substitute":
                edits += [(place, reference[place], word) for place, word in zip(at, words, strict=True)]
            elif chunk.type == "delete":
                edits += [(place, reference[place], None) for place in at]
            elif chunk.type == "insert":
                edits += [(chunk.ref_start_idx, None, word) for word in words]
        yield edits


@pytest.mark.parametrize("vocabulary", [4, 40])
def test_the_same_edits_as_jiwer_on_random_pairs(vocabulary):
    """5,000 pairs each: few words leave many alignments of equal cost, many words few."""
    draw = random.Random(vocabulary)
    words = [f"w{number}" for number in range(vocabulary)]
    pairs = []
    for _ in range(5000):
        reference = draw.choices(words, k=draw.randint(1, 25))
        hypothesis = [
            draw.choice(words) if draw.random() < 0.15 else word for word in reference if draw.random() > 0.08
        ]
        for _ in range(draw.randint(0, 3)):
            hypothesis.insert(draw.randint(0, len(hypothesis)), draw.choice(words))
        pairs.append((reference, hypothesis))
    assert [word_edits(*pair) for pair in pairs] == list(jiwer_edits(pairs))


@pytest.mark.parametrize(
    ("reference", "hypothesis", "counts"),
    [
        ("a b c", "a b c", (3, 0, 0, 0)),
        ("a b c", "a x c", (2, 1, 0, 0)),
        ("a b c", "a c", (2, 0, 1, 0)),
        ("a c", "a b c", (2, 0, 0, 1)),
        ("", "a b", (0, 0, 0, 2)),
        ("", "", (0, 0, 0, 0)),
        ("a b", "", (0, 0, 2, 0)),
    ],
)
def test_counts_by_hand(reference, hypothesis, counts):
    assert count_errors(reference.split(), hypothesis.split()) == counts


def test_the_same_counts_as_jiwer():
    draw = random.Random(7)
    for _ in range(200):
        reference = draw.choices("abcde", k=draw.randint(1, 12))
        hypothesis = draw.choices("abcde", k=draw.randint(0, 12))
        theirs = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
        assert count_errors(reference, hypothesis) == (
            theirs.hits,
            theirs.substitutions,
            theirs.deletions,
            theirs.insertions,
        )


def test_references_and_order_are_those_of_the_rows():
    rows = [Utterance(id=i, text="Yes, a!", duration=1, audio="a") for i in ("b", "a")]
    texts = {
        i: Transcript(id=i, reference="?", hypothesis=h, duration=1, truncated=False)
        for i, h in (("a", "yes a"), ("b", "yes"))
    }
    first, second = utterance_errors(rows, texts, normalizer("basic"))
    assert (first.id, first.deletions, first.words) == ("b", 1, 2)
    assert (second.id, second.errors, second.hits) == ("a", 0, 2)
    assert (first.edits, second.edits) == ([(1, "a", None)], [])
    # "yes a" against "yes": the space and the letter are missing
    assert (first.characters, first.character_errors) == (5, 2)
    assert (second.characters, second.character_errors) == (5, 0)


def test_edits_by_hand():
    assert word_edits(list("abcd"), list("xabedy")) == [(0, None, "x"), (2, "c", "e"), (4, None, "y")]
    assert word_edits(list("abc"), ["c"]) == [(0, "a", None), (1, "b", None)]
    assert word_edits([], ["a"]) == [(0, None, "a")]


def test_the_same_characters_as_jiwer():
    draw = random.Random(8)
    pairs = [tuple(" ".join(draw.choices(["ab", "b", "cde"], k=draw.randint(1, 9))) for _ in "12") for _ in range(50)]
    rows = [Utterance(id=str(i), text=reference, duration=1, audio="a") for i, (reference, _) in enumerate(pairs)]
    texts = {
        str(i): Transcript(id=str(i), reference="", hypothesis=hypothesis, duration=1, truncated=False)
        for i, (_, hypothesis) in enumerate(pairs)
    }
    scored = utterance_errors(rows, texts, normalizer("none"))
    theirs = jiwer.cer([reference for reference, _ in pairs], [hypothesis for _, hypothesis in pairs])
    assert wer_score(scored, texts, 0.95, 0).cer == pytest.approx(theirs)
