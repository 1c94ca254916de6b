"""Facts of the label audit: what the base model says about training labels before anything is trained."""

from __future__ import annotations

from typing import Literal

from lora.records.base import Fact, Record


class LabelStructure(Record):
    """Shares of sampled rows, 1.0 is right everywhere, null where it has no part in the model's family.

    Tokens are those that the trainer's own collator built.

    `single_start`: no second decoder start where the model adds its own. `single_eos`: nothing but the last token
    is an end mark. `same_decoder_start`: forward shifts labels behind the token that generation starts with.
    `prompt_ignored`: the prompt of a speech language model is that of generation and counts in no loss, all behind it
    does. `only_text`: a label of CTC holds neither blank nor marks.
    """

    padding_ignored: float
    ends_with_eos: float | None = None
    single_start: float | None = None
    prefix_matches_generation: float | None = None
    single_eos: float | None = None
    same_decoder_start: bool | None = None
    prompt_ignored: float | None = None
    only_text: float | None = None


class LabelVariant(Record):
    """Another way of making labels of the model's own texts, and how well the model agrees with these."""

    name: str
    argmax_agreement: float
    log_probability_gap: float | None


class GreedyHypotheses(Record):
    """The model's own greedy texts, labelled as training labels are: built rightly, the model agrees with itself.

    `log_probability_gap` is the largest difference, in nats a token, between a text's summed log-probability as a label
    and that of its generation (its own logits, step by step). `replay` is what remains of both where the very tokens
    that were generated are teacher-forced behind generation's own start: numerical noise, nothing of labels. `variants`
    are scored where labels disagree with the model at all. Left out are texts that the token cap cut, texts that the
    tokenizer spells in other pieces than the model did (`respelt`, of which `retokenized_leading_space` only want a blank in
    front), and texts that do not survive the tokenizer (`unwritable`).

    `compared`: `predictions`, or for CTC, where no token depends on the one before, the `tokens` of labels with those
    that were written.
    """

    utterances: int
    positions: int
    argmax_agreement: float
    log_probability_gap: float | None
    replay: LabelVariant | None = None
    variants: list[LabelVariant] = []
    truncated: int = 0
    retokenized: int = 0
    retokenized_leading_space: int = 0
    changed_by_tokenizer: int = 0
    compared: Literal["predictions", "tokens"] = "predictions"


class LossComparison(Record):
    """Loss of one optimiser step as the trainer computes it, against the same by hand at shift 0 and 1.

    The step adds up `gradient_accumulation` batches of unequal numbers of tokens (`tokens`). By hand it is a mean over
    all their tokens, smoothed where `label_smoothing` is above 0; `mean_of_batches` weighs batches alike instead.
    """

    trainer: float | None
    shift_0: float | None
    shift_1: float | None
    label_smoothing: float = 0.0
    gradient_accumulation: int = 1
    tokens: list[int] = []
    mean_of_batches: float | None = None


class StyleProfile(Record):
    """How texts are written: shares over texts (0..1), marks and digits per 100 words, and histograms over texts.

    `cases` counts texts in upper, lower, sentence, other and no case; `final_punctuation` by the mark that ends them (empty
    where none does); `marks` by their number of marks (`5+` from five on).
    """

    texts: int
    upper_case: float
    lower_case: float
    sentence_case: float
    with_final_punctuation: float
    punctuation_per_100_words: float
    digits_per_100_words: float
    cases: dict[str, int] = {}
    final_punctuation: dict[str, int] = {}
    punctuation: dict[str, int] = {}


class NumberStyle(Record):
    """Rows whose reference, own text, or both write a number in digits; `rows` are all that were compared."""

    rows: int
    only_reference: int
    only_hypothesis: int
    both: int


class ChangedText(Record):
    """A row whose text is another one after tokenizing and decoding."""

    id: str
    line: int | None
    text: str
    decoded: str


class LabelFacts(Fact):
    """`results/labels.json`: the audit of a seeded sample of training labels by the base model in evaluation mode.

    `*_nll` are negative log-likelihoods in nats a token; `restyled_nll` is that of references rewritten in the model's
    own style (case, punctuation, numbers). `unwritable` maps a character the tokenizer loses to the number of rows that
    hold it; `label_capacity` is what a label may be too long for: the decoder (`label_limit` tokens), or for CTC the frames
    of its own audio; `lost` lists rows that do not survive the tokenizer, white space aside; `unknown_tokens` is the
    share of label tokens that stand for nothing (tokens of the text only), `unknown_rows` the rows that hold one.
    `losses` has an entry for each combination of label smoothing and accumulation that a training of the study uses.
    """

    sampled: int = 0
    structure: LabelStructure | None = None
    greedy: GreedyHypotheses | None = None
    losses: list[LossComparison] = []
    reference_nll: float | None = None
    hypothesis_nll: float | None = None
    restyled_nll: float | None = None
    reference_style: StyleProfile | None = None
    hypothesis_style: StyleProfile | None = None
    numbers: NumberStyle | None = None
    lost_characters: dict[str, int] = {}
    changed_texts: list[ChangedText] = []
    unknown_tokens: float = 0.0
    unknown_rows: int = 0
    longest_label: int = 0
    label_limit: int | None = None
    label_capacity: Literal["decoder", "frames"] = "decoder"
    too_long_ids: list[str] = []
    beyond_window_ids: list[str] = []
    transformers: str | None = None
