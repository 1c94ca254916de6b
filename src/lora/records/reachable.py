"""Facts about what stands behind a baseline's errors, and so how many of them tuning could mend."""

from __future__ import annotations

from lora.records.base import Fact, Record


class WordCount(Record):
    """How many errors fell on a word of the reference."""

    word: str
    count: int


class Respelling(Record):
    """Words of the reference that were written in another way, and how many errors that made."""

    reference: str
    hypothesis: str
    errors: int


class CandidateChange(Record):
    """How far a candidate's hypotheses differ from the baseline's (after normalisation).

    `misheard` are hypotheses of which fewer than 60 % of the words are right, `poor_changed` those of them that the
    candidate changed. Only the agreement of an `independent` candidate, one that changed at least half of them or all
    but two, counts. A candidate without usable transcripts has no utterances.
    """

    run: str
    utterances: int
    changed: int
    poor_hypotheses: int
    poor_changed: int
    independent: bool


class SuspectedReference(Record):
    """Reference words (from word `at` of the reference, counted from 0) against which all runs wrote the same."""

    id: str
    at: int
    reference: str
    hypothesis: str


class ReachableFacts(Fact):
    """`results/reachable/<m>.json`: the baseline's word errors within max_seconds, by what stands behind them.

    Counts of errors: `errors` = `style` + `unheard` + `agreed` + `rest`. `unheard` (with its number of distinct words
    and the most frequent of them) is null without training texts; `agreed` is null without an independent candidate;
    such errors then stand in the next part. `doubtful` counts errors in places whose reference is to be doubted, which
    may lie in any part; `suspected_rows` the rows that hold them; null where either is missing. Lists hold at most 30.
    `suspected` counts the places that the baseline alone gives reason to doubt, `contradicted` those of them that are
    doubtful, listed or not; `repeated` is the share of its other errors that every independent candidate makes again,
    and so how often agreement comes about by itself.
    """

    manifest: str
    utterances: int = 0
    words: int = 0
    errors: int = 0
    english: bool = False
    style: int = 0
    respelled: list[Respelling] = []
    training_words: int | None = None
    out_of_vocabulary: int | None = None
    out_of_vocabulary_words: list[WordCount] = []
    out_of_vocabulary_word_count: int = 0
    candidates: list[CandidateChange] = []
    agreed: int | None = None
    rest: int = 0
    suspected_errors: int | None = None
    suspected_rows: int | None = None
    suspected_references: list[SuspectedReference] = []
    questionable_places: int | None = None
    confirmed_places: int | None = None
    repeated_share: float | None = None
