"""The baseline's word errors by origin, and so how many of them tuning could fix."""

from __future__ import annotations

from pydantic import Field

from lora.records.base import Fact, Record


class WordCount(Record):
    """A reference word and its number of errors."""

    word: str = Field(description="Word of the reference.")
    count: int = Field(description="Errors at this word.")


class Respelling(Record):
    """Reference words that the hypothesis spells in another way."""

    reference: str = Field(description="Words of the reference.")
    hypothesis: str = Field(description="Words of the hypothesis.")
    errors: int = Field(description="Errors that this spelling makes.")


class CandidateChange(Record):
    """How far a candidate's normalised hypotheses differ from the baseline's."""

    run: str = Field(description="Name of the candidate.")
    utterances: int = Field(description="Utterances of both; 0 for a candidate without usable transcripts.")
    changed: int = Field(description="Utterances whose hypothesis differs.")
    poor_hypotheses: int = Field(
        description="Hypotheses of the baseline that have fewer than 60 % of the reference words right."
    )
    poor_changed: int = Field(description="Poor hypotheses that the candidate changed.")
    independent: bool = Field(
        description="Whether the agreement of this candidate with the baseline counts as evidence: it changed "
        "something, and at least half of the poor hypotheses (or all but two)."
    )


class SuspectedReference(Record):
    """A suspected reference error: baseline and every independent candidate agree against the reference."""

    id: str = Field(description="Id of the row.")
    at: int = Field(description="Index of the first reference word of the place, from 0.")
    reference: str = Field(description="Words of the reference.")
    hypothesis: str = Field(description="Words that all runs have instead.")


class ReachableFacts(Fact):
    """The baseline's word errors within `max_seconds` by origin.

    `errors` = `style` + `out_of_vocabulary` + `agreed` + `rest`. Where an origin is not known (null), its errors count
    in the next one.
    """

    manifest: str = Field(description="Name of the manifest.")
    utterances: int = Field(default=0, description="Utterances within `max_seconds`.")
    words: int = Field(default=0, description="Their reference words.")
    errors: int = Field(default=0, description="Their word errors.")
    english: bool = Field(default=False, description="Whether English spelling variants and numbers were recognised.")
    style: int = Field(default=0, description="Errors that are only another spelling of the same words.")
    respelled: list[Respelling] = Field(default=[], description="The most frequent spellings, at most 30.")
    training_words: int | None = Field(
        default=None, description="Distinct words of the training transcripts; null without training transcripts."
    )
    out_of_vocabulary: int | None = Field(
        default=None,
        description="Errors at words that are not in the training transcripts; null without training transcripts.",
    )
    out_of_vocabulary_words: list[WordCount] = Field(default=[], description="The most frequent of them, at most 30.")
    out_of_vocabulary_word_count: int = Field(default=0, description="Number of distinct words among them.")
    candidates: list[CandidateChange] = Field(default=[], description="How far each candidate differs.")
    agreed: int | None = Field(
        default=None,
        description="Errors that every independent candidate makes too; null without an independent candidate.",
    )
    rest: int = Field(default=0, description="All other errors.")
    suspected_errors: int | None = Field(
        default=None,
        description="Errors (of any origin) at suspected reference errors; null without training transcripts or an "
        "independent candidate.",
    )
    suspected_rows: int | None = Field(
        default=None, description="Rows with a suspected reference error; null as above."
    )
    suspected_references: list[SuspectedReference] = Field(default=[], description="Every suspected reference error.")
    questionable_places: int | None = Field(
        default=None,
        description="Places at which the baseline alone gives reason to doubt the reference; null as above.",
    )
    confirmed_places: int | None = Field(
        default=None,
        description="Questionable places that every independent candidate confirms: all suspected reference errors; "
        "null as above.",
    )
    repeated_share: float | None = Field(
        default=None,
        description="Share of the baseline's other errors that every independent candidate repeats (0..1): how often "
        "runs agree by chance; null as above.",
    )
