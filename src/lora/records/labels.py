"""The label audit: a sample of training labels, checked with the base model before anything is trained."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lora.records.base import Fact, Record


class LabelStructure(Record):
    """How the trainer's collator builds labels: shares of sampled rows (1.0: right everywhere).

    A share is null where it does not apply to the model's family.
    """

    padding_ignored: float = Field(description="Share of rows whose padding does not count in the loss.")
    ends_with_eos: float | None = Field(default=None, description="Share of labels that end with EOS.")
    single_start: float | None = Field(
        default=None, description="Share of labels without a second decoder start token where the model adds its own."
    )
    prefix_matches_generation: float | None = Field(
        default=None, description="Share of labels whose prefix is the one that generation starts with."
    )
    single_eos: float | None = Field(default=None, description="Share of labels in which only the last token is EOS.")
    same_decoder_start: bool | None = Field(
        default=None, description="Whether the forward pass shifts labels behind generation's decoder start token."
    )
    prompt_ignored: float | None = Field(
        default=None,
        description="Of a speech language model: share of rows whose prompt is that of generation and does not count "
        "in "
        "the loss, while everything behind it does.",
    )
    only_text: float | None = Field(
        default=None, description="Of a CTC model: share of labels without blank, BOS and EOS tokens."
    )
    tokenizer_eos: int | None = Field(default=None, description="Token id that the tokenizer writes as EOS.")
    generation_eos: list[int] = Field(default=[], description="Token ids at which generation ends a hypothesis.")


class LabelVariant(Record):
    """Another way to build labels from the greedy hypotheses, and how well the model agrees with these."""

    name: str = Field(description="What is done differently.")
    argmax_agreement: float = Field(description="Share of positions whose most likely token is the label (0..1).")
    log_probability_gap: float | None = Field(description="As in `greedy`.")


class GreedyHypotheses(Record):
    """The base model's greedy hypotheses, labelled as training transcripts are.

    With correct labels the model agrees with its own hypotheses.
    """

    utterances: int = Field(description="Hypotheses that were compared.")
    positions: int = Field(description="Label positions that were compared.")
    argmax_agreement: float = Field(description="Share of positions whose most likely token is the label (0..1).")
    log_probability_gap: float | None = Field(
        description="Largest difference, in nats per token, between the log-probability of a hypothesis as a label and "
        "that of its generation."
    )
    replay: LabelVariant | None = Field(
        default=None,
        description="The generated tokens themselves, teacher-forced: what remains is numerical noise.",
    )
    variants: list[LabelVariant] = Field(
        default=[], description="Other ways to build labels; measured where labels and model disagree."
    )
    truncated: int = Field(default=0, description="Hypotheses left out because they end at the token limit.")
    retokenized: int = Field(
        default=0, description="Hypotheses left out because the tokenizer splits their text into other tokens."
    )
    retokenized_leading_space: int = Field(
        default=0, description="Those of `retokenized` that only need a space in front."
    )
    changed_by_tokenizer: int = Field(
        default=0, description="Hypotheses left out because encoding and decoding changes their text."
    )
    compared: Literal["predictions", "tokens"] = Field(
        default="predictions",
        description="`predictions` of the model, or for CTC, whose tokens do not depend on each other, the `tokens` of "
        "labels with those of the hypotheses.",
    )


class LossComparison(Record):
    """Loss of one optimiser step as the trainer computes it and as computed by hand, in nats per token."""

    trainer: float | None = Field(description="Loss of the trainer.")
    shift_0: float | None = Field(description="Loss by hand over all tokens, labels aligned as built.")
    shift_1: float | None = Field(description="Loss by hand over all tokens, labels shifted by one.")
    label_smoothing: float = Field(default=0.0, description="Label smoothing of the comparison.")
    gradient_accumulation: int = Field(default=1, description="Batches that the step accumulates.")
    tokens: list[int] = Field(default=[], description="Label tokens of each batch.")
    mean_of_batches: float | None = Field(
        default=None, description="Loss by hand if every batch weighs the same, whatever its number of tokens."
    )


class StyleProfile(Record):
    """How texts are written: shares of texts (0..1), rates per 100 words and histograms over texts."""

    texts: int = Field(description="Number of texts.")
    upper_case: float = Field(description="Share of texts in upper case.")
    lower_case: float = Field(description="Share of texts in lower case.")
    sentence_case: float = Field(description="Share of texts in sentence case.")
    with_final_punctuation: float = Field(description="Share of texts that end with punctuation.")
    punctuation_per_100_words: float = Field(description="Punctuation marks per 100 words.")
    digits_per_100_words: float = Field(description="Digits per 100 words.")
    cases: dict[str, int] = Field(default={}, description="Texts in upper, lower, sentence, other and no case.")
    final_punctuation: dict[str, int] = Field(
        default={}, description="Texts by the punctuation mark at their end; empty key: none."
    )
    punctuation: dict[str, int] = Field(
        default={}, description="Texts by their number of punctuation marks; `5+` is five or more."
    )


class NumberStyle(Record):
    """Rows whose reference or greedy hypothesis writes a number in digits."""

    rows: int = Field(description="Rows that were compared.")
    only_reference: int = Field(description="Rows with digits in the reference only.")
    only_hypothesis: int = Field(description="Rows with digits in the hypothesis only.")
    both: int = Field(description="Rows with digits in both.")


class ChangedText(Record):
    """A row whose text changes when it is encoded and decoded."""

    id: str = Field(description="Id of the row.")
    line: int | None = Field(description="Line of the original manifest.")
    text: str = Field(description="Text of the row.")
    decoded: str = Field(description="Text after encoding and decoding.")


class LabelFacts(Fact):
    """Audit of a seeded sample of training labels with the base model in evaluation mode."""

    sampled: int = Field(default=0, description="Rows in the sample.")
    structure: LabelStructure | None = Field(default=None, description="How labels are built.")
    greedy: GreedyHypotheses | None = Field(
        default=None, description="Agreement of the model with its own greedy hypotheses as labels."
    )
    losses: list[LossComparison] = Field(
        default=[],
        description="One entry per combination of label smoothing and accumulation that a training of the study uses.",
    )
    reference_nll: float | None = Field(
        default=None, description="Negative log-likelihood of the references in nats per token."
    )
    hypothesis_nll: float | None = Field(
        default=None, description="Negative log-likelihood of the greedy hypotheses in nats per token."
    )
    restyled_nll: float | None = Field(
        default=None,
        description="Negative log-likelihood, in nats per token, of the references rewritten in the model's style "
        "(case, "
        "punctuation, numbers).",
    )
    reference_style: StyleProfile | None = Field(default=None, description="Style of the references.")
    hypothesis_style: StyleProfile | None = Field(default=None, description="Style of the greedy hypotheses.")
    numbers: NumberStyle | None = Field(default=None, description="Numbers in digits.")
    lost_characters: dict[str, int] = Field(
        default={}, description="Characters that the tokenizer loses, each with the number of rows that have it."
    )
    changed_texts: list[ChangedText] = Field(
        default=[],
        description="Rows whose text changes when it is encoded and decoded, white space around marks aside.",
    )
    unknown_tokens: float = Field(default=0.0, description="Share of text tokens that are the unknown token (0..1).")
    unknown_rows: int = Field(default=0, description="Rows with an unknown token.")
    longest_label: int = Field(default=0, description="Tokens of the longest label.")
    label_limit: int | None = Field(default=None, description="Tokens that the decoder allows; null for CTC.")
    label_capacity: Literal["decoder", "frames"] = Field(
        default="decoder", description="What limits a label: the decoder, or for CTC the frames of its own audio."
    )
    too_long_ids: list[str] = Field(default=[], description="Rows whose label is too long.")
    beyond_window_ids: list[str] = Field(default=[], description="Rows whose audio is longer than the model takes.")
    transformers: str | None = Field(default=None, description="Version of transformers.")
