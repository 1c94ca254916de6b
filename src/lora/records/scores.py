"""Word and character errors of one run, with confidence intervals and power."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from lora.records.base import Fact, ManyRecord, Record, many_record
from lora.records.markup import MarkupFacts


class Edit(NamedTuple):
    """One word error; a list `[at, reference, hypothesis]` in files.

    Attributes:
        at: Index of the reference word from 0; of an insertion, of the word that it precedes (the number of words at
            the end).
        reference: Word of the reference; None for an insertion.
        hypothesis: Word of the hypothesis; None for a deletion.
    """

    at: int
    reference: str | None
    hypothesis: str | None


@many_record
class UtteranceErrors(ManyRecord):
    """Errors of one utterance after normalisation."""

    id: Annotated[str, Field(description="Id of the row.")]
    duration: Annotated[float, Field(description="Duration of the row in seconds.")]
    speaker_id: Annotated[str | None, Field(description="Speaker; null if not known.")]
    words: Annotated[int, Field(description="Words of the reference.")]
    hits: Annotated[int, Field(description="Reference words that the hypothesis has right.")]
    substitutions: Annotated[int, Field(description="Substituted words.")]
    deletions: Annotated[int, Field(description="Deleted words.")]
    insertions: Annotated[int, Field(description="Inserted words.")]
    characters: Annotated[int, Field(description="Characters of the reference.")] = 0
    character_errors: Annotated[int, Field(description="Character errors.")] = 0
    edits: Annotated[
        list[Edit],
        Field(
            description="Every word error as `[index of the reference word, reference word, hypothesis word]`, in the "
            "order of the reference; the reference word of an insertion and the hypothesis word of a deletion are null."
        ),
    ] = field(default_factory=list)

    @property
    def errors(self) -> int:
        return self.substitutions + self.deletions + self.insertions


class Interval(Record):
    """A two-sided confidence interval."""

    low: float | None = Field(description="Lower end; null where it cannot be estimated.")
    high: float | None = Field(description="Upper end; null where it cannot be estimated.")
    confidence: float = Field(description="Confidence level, e.g. 0.95.")
    method: str = Field(description="Estimator and the unit that it resamples or clusters by.")
    scope: Literal["speakers", "these_speakers", "none"] = Field(
        description="What the interval generalises to: new speakers, new utterances of these speakers, or nothing."
    )


class WerScore(Record):
    """Corpus WER and CER of a set of utterances: all errors over all reference words or characters."""

    utterances: int = Field(description="Number of utterances.")
    speakers: int | None = Field(description="Known speakers; null where no row names one.")
    words: int = Field(description="Reference words.")
    errors: int = Field(description="Word errors.")
    substitutions: int = Field(description="Substituted words.")
    deletions: int = Field(description="Deleted words.")
    insertions: int = Field(description="Inserted words.")
    wer: float | None = Field(description="WER as a fraction; null without a reference word.")
    characters: int = Field(default=0, description="Reference characters.")
    character_errors: int = Field(default=0, description="Character errors.")
    cer: float | None = Field(default=None, description="CER as a fraction; null without a reference character.")
    interval: Interval = Field(description="Interval of the WER by the linearised ratio estimator.")
    bootstrap: Interval | None = Field(default=None, description="Interval of the WER by percentile bootstrap.")
    empty_references: list[str] = Field(description="Ids of utterances whose reference is empty after normalisation.")
    truncated: int = Field(description="Hypotheses that end at the token limit.")


class Loop(Record):
    """A hypothesis that repeats words in a row which its reference does not repeat."""

    id: str = Field(description="Id of the row.")
    words: str = Field(description="The repeated words.")
    times: int = Field(description="Number of repetitions.")


FaultKind = Literal[
    "one_token",
    "empty",
    "same_text",
    "prompt",
    "ending",
    "other_script",
    "other_language",
    "other_text",
    "no_end",
    "no_beginning",
]


class HypothesisFault(Record):
    """Hypotheses that are no transcript of their recordings, all of one kind."""

    kind: FaultKind = Field(
        description="`one_token` (one character or token repeated), `empty` (no letter or digit), `same_text` (one "
        "text for unrelated references), `prompt` and `ending` (many hypotheses begin or end with the same words, "
        "which their references do not have), `other_script`, `other_language` (usual length, hardly a word of the "
        "reference or of any other reference), `other_text` (hardly a word of its own reference, but words of the "
        "others), `no_end` and `no_beginning` (many hypotheses lack words there)."
    )
    rows: int = Field(description="Number of such hypotheses; rows whose reference has no word do not count.")
    ids: list[str] = Field(description="Ids of their rows.")
    example: str = Field(description="The most frequent of them, cut to 60 characters; for `prompt` the beginning.")


class CopiedTexts(Record):
    """Hypotheses that equal their reference to the character, case and punctuation included."""

    rows: int = Field(
        description="Rows whose reference has at least five words (without spaces, two characters count as a word)."
    )
    words: int = Field(description="Words of these references.")
    equal: int = Field(description="Rows among them whose hypothesis is equal.")
    styled: int = Field(description="Rows among them whose reference has capitals, digits or punctuation.")
    equal_styled: int = Field(description="Rows among `styled` whose hypothesis is equal.")


# Times the set that somebody may collect; beyond, this set is no way to decide (docs/methods.md).
MOST_TIMES = 20


class Power(Record):
    """Smallest difference that an evaluation can detect (80 % power, two-sided), and what `target_gain` would need."""

    assumed_shared_errors: float | None = Field(
        description="Share of the baseline's errors that both runs are assumed to make; null: observed from two runs."
    )
    standard_error: float = Field(description="Standard error of the difference in WER (fraction).")
    detectable_difference: float = Field(description="Smallest difference in WER (fraction) that would be detected.")
    target_gain: float = Field(description="`statistics.target_gain` of the configuration (fraction).")
    utterances: int = Field(description="Utterances of the evaluation.")
    utterances_needed: int = Field(description="Utterances in all that `target_gain` needs.")
    hours: float | None = Field(default=None, description="Duration in hours; null where durations are not known.")
    hours_needed: float | None = Field(default=None, description="Hours in all that `target_gain` needs.")
    speakers: int | None = Field(default=None, description="Known speakers; null where `units` is `utterances`.")
    speakers_needed: int | None = Field(default=None, description="Speakers in all that `target_gain` needs.")
    design_effect: float = Field(
        default=1.0, description="Variance with speakers as units over that with utterances as units; at least 1."
    )
    units: Literal["speakers", "utterances"] = Field(
        default="utterances", description="What the standard error takes as sampled independently."
    )

    @property
    def out_of_reach(self) -> bool:
        """Whether `target_gain` needs so many times the set that a number of rows would be no advice."""
        return self.utterances_needed > MOST_TIMES * self.utterances


UnitSetting = Literal["auto", "words", "characters"]
Unit = Literal["words", "characters", "mixed"]
BLOCK = 5_000  # utterances that are written together


class NormalizerIdentity(Record):
    """A text normaliser."""

    name: str = Field(description="Name of the normaliser.")
    version: str = Field(description="Version of the code that implements it.")
    unit: UnitSetting = Field(default="auto", description="`text.unit`: the unit that texts are split into.")
    strip: list[str] = Field(default=[], description="Kinds of markup that are removed first (`text.strip`).")


class NotationScore(Record):
    """Errors in another notation of the same words."""

    notation: str = Field(
        description="A value of `normalizer`, or `word_division`: the study's normaliser, where words that differ in "
        "spaces, hyphens and apostrophes only are the same, or `letters`: the same, where letters that only one side "
        "writes are read as what the other side writes in their place."
    )
    errors: int = Field(description="Word errors in this notation.")
    words: int = Field(description="Reference words in this notation.")
    wer: float | None = Field(description="WER (fraction) in this notation; null without a reference word.")
    letters: dict[str, str] = Field(
        default={},
        description="Of `letters` only: each letter that only one side writes, and what the other side writes there.",
    )

    @model_serializer(mode="wrap")
    def _only_of_letters(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Other notations have no `letters`."""
        value: dict[str, Any] = written(self)
        return value if self.letters else {key: value[key] for key in value if key != "letters"}


class WerFacts(Fact):
    """Word error rate of one run on one manifest."""

    run: str = Field(description="Name of the run.")
    manifest: str = Field(description="Name of the manifest.")
    normalizer: NormalizerIdentity = Field(description="Text normaliser that references and hypotheses went through.")
    max_seconds: float | None = Field(description="`max_seconds` of the study in seconds; null is no limit.")
    unit: Unit = Field(
        default="words",
        description="What the error rate counts: words (WER), characters (CER; scripts without spaces), or characters "
        "of such scripts and words of others (mixed error rate, MER). `words` and `wer` below count this unit.",
    )
    within: WerScore | None = Field(
        default=None, description="Score of the rows within `max_seconds`: the primary one."
    )
    all: WerScore | None = Field(default=None, description="Score of all rows.")
    raw: WerScore | None = Field(
        default=None, description="Score of the texts as written (no normaliser), rows within `max_seconds`."
    )
    power: Power | None = Field(default=None, description="Power of a comparison on the rows within `max_seconds`.")
    power_all: Power | None = Field(default=None, description="Power of a comparison on all rows.")
    loops: list[Loop] = Field(default=[], description="Looping hypotheses of the rows within `max_seconds`.")
    faults: list[HypothesisFault] = Field(
        default=[],
        description="Faulty hypotheses of the rows within `max_seconds` by kind, the most frequent first; a hypothesis "
        "has at most one kind.",
    )
    copied: CopiedTexts | None = Field(
        default=None, description="Hypotheses that equal their reference, rows within `max_seconds`."
    )
    markup: MarkupFacts | None = Field(
        default=None,
        description="Markup in references and hypotheses within `max_seconds`, and the WER without it; null where no "
        "text has any.",
    )
    notations: list[NotationScore] = Field(
        default=[],
        description="Score of the rows within `max_seconds`, markup removed, in every other fair notation that lowers "
        "the WER (by at least 2 % of it).",
    )
    utterances: list[UtteranceErrors] = Field(default=[], description="Errors of every row.")

    def _json_parts(self) -> Iterator[bytes]:
        """In blocks of utterances, whose JSON as a whole takes as much memory as the utterances."""
        if not self.utterances:
            yield self._indented()
            return
        before, after = self.model_copy(update={"utterances": []})._indented().rsplit(b"[]", 1)
        yield before + b"["
        for start in range(0, len(self.utterances), BLOCK):
            block = self.model_copy(update={"utterances": self.utterances[start : start + BLOCK]})
            entries = block._indented("utterances").removeprefix(b'{\n  "utterances": [').removesuffix(b"\n  ]\n}")
            yield b"," + entries if start else entries
        yield b"\n  ]" + after
