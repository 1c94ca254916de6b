"""Where a difference of errors comes from, by hand."""

from lora.records.comparisons import WordPair
from lora.records.scores import UtteranceErrors
from lora.scoring.alignment import counts_of, word_edits
from lora.scoring.budget import PAIRS, error_budget


def scored_pair(id, reference, hypothesis, duration=1.0, speaker=None):
    words = reference.split()
    edits = word_edits(words, hypothesis.split())
    counts = counts_of(len(words), edits)._asdict()
    return UtteranceErrors(id=id, duration=duration, speaker_id=speaker, words=len(words), edits=edits, **counts)


BASELINE = [
    scored_pair("1", "a b c d", "a x c d", 2.0, "s1"),
    scored_pair("2", "a b c d", "a x c d", 2.1, "s2"),
    scored_pair("3", "a b c d", "a b c", 31.0, "s2"),
    scored_pair("4", "", "i", 4.0),
]
TUNED = [
    scored_pair("1", "a b c d", "a b c d", 2.0, "s1"),
    scored_pair("2", "a b c d", "a x c d e e", 2.1, "s2"),
    scored_pair("3", "a b c d", "a b c y", 31.0, "s2"),
    scored_pair("4", "", "", 4.0),
]


def test_speakers_are_sorted_by_change():
    lines = error_budget(BASELINE, TUNED).by_speaker
    assert [line.name for line in lines] == ["s2", None, "s1"]
    second, none, first = lines
    assert (second.utterances, second.words, second.baseline_errors, second.tuned_errors) == (2, 8, 2, 4)
    assert (second.substitutions_delta, second.deletions_delta, second.insertions_delta) == (1, -1, 2)
    assert (first.baseline_errors, first.tuned_errors, first.substitutions_delta) == (1, 0, -1)
    assert (none.words, none.insertions_delta) == (0, -1)


def test_a_duration_equal_to_an_edge_is_in_the_lower_bin():
    lines = error_budget(BASELINE, TUNED).by_duration
    assert [(line.name, line.utterances) for line in lines] == [("up to 2 s", 1), ("2 to 5 s", 2), ("over 30 s", 1)]
    assert [line.tuned_errors - line.baseline_errors for line in lines] == [-1, 1, 0]


def test_word_pairs_gained_and_lost():
    budget = error_budget(BASELINE, TUNED)
    assert budget.gained == [
        WordPair(reference=None, hypothesis="e", baseline=0, tuned=2),
        WordPair(reference="d", hypothesis="y", baseline=0, tuned=1),
    ]
    assert budget.lost == [
        WordPair(reference=None, hypothesis="i", baseline=1, tuned=0),
        WordPair(reference="b", hypothesis="x", baseline=2, tuned=1),
        WordPair(reference="d", hypothesis=None, baseline=1, tuned=0),
    ]


def test_at_most_twenty_pairs_and_nothing_for_equal_runs():
    many = [scored_pair(str(i), f"w{i}", f"v{i}") for i in range(30)]
    none = [scored_pair(str(i), f"w{i}", f"w{i}") for i in range(30)]
    assert len(error_budget(many, none).lost) == PAIRS
    assert error_budget(many, none).gained == error_budget(many, many).lost == []
