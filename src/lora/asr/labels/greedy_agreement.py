"""Check whether the model agrees with labels of its own greedy hypotheses, or with labels built in other ways.

Labels are built and batched by the trainer's collator. A model that is fed its own greedy hypothesis predicts each of
its tokens, so that a position at which it does not is an error in how labels are built. The log-probability of a
hypothesis as a label is compared with that of its generation; teacher-forcing the generated tokens themselves shows how
much of the difference is numerical noise. Imports torch.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from lora.asr.families.ctc import CtcModel
from lora.asr.families.speech_model import IGNORED, Scored, SpeechModel
from lora.asr.labels.build import build_labels, label_ids, padded
from lora.asr.labels.greedy_hypotheses import GreedyHypothesis
from lora.asr.labels.structure import same_text
from lora.asr.labels.variants import SHIFTED, WITH_BOS, Forced, content_of, label_variants, replay
from lora.asr.training.data import SpeechRows, batches_in_order
from lora.records.labels import GreedyHypotheses, LabelVariant

NOTEWORTHY_GAP = 1e-4  # nats per token above the noise of the replay, from which on other labels are tried

# Why a hypothesis cannot be compared as a label.
Unusable = Literal["truncated", "changed_by_tokenizer", "retokenized", "retokenized_leading_space"]


@dataclass
class _Agreement:
    """Agreement of predictions and targets.

    Attributes:
        agreeing: Positions at which the model predicts the target.
        positions: All positions that count.
        gaps: Differences between the log-probabilities as label and in generation, in nats per token, by hypothesis.
    """

    agreeing: int = 0
    positions: int = 0
    gaps: list[float] = field(default_factory=list)

    def add(self, logits: Tensor, targets: Tensor, hypotheses: Sequence[GreedyHypothesis]) -> None:
        """Add logits (rows, width, vocabulary) that predict targets (rows, width)."""
        counted = targets.ne(IGNORED)
        self.agreeing += int((logits.argmax(-1).eq(targets) & counted).sum())
        self.positions += int(counted.sum())
        for row, hypothesis in enumerate(hypotheses):
            if hypothesis.log_probability is not None:
                log_probability = logits[row][counted[row]].double().log_softmax(-1)
                value = float(log_probability.gather(-1, targets[row][counted[row]].unsqueeze(-1)).sum())
                self.gaps.append(abs(value - hypothesis.log_probability) / max(len(hypothesis.tokens), 1))

    @property
    def share(self) -> float:
        return self.agreeing / max(self.positions, 1)

    @property
    def gap(self) -> float | None:
        largest = max(self.gaps, default=float("inf"))
        return largest if largest < float("inf") else None

    def as_variant(self, name: str) -> LabelVariant:
        return LabelVariant(name=name, argmax_agreement=self.share, log_probability_gap=self.gap)


@dataclass(frozen=True)
class _Batch:
    """Inputs, labels as built (without a forced prefix), the logits that predict them, and the hypotheses."""

    inputs: dict[str, Tensor]
    labels: Tensor
    logits: Tensor
    hypotheses: list[GreedyHypothesis]


def greedy_agreement(
    speech: SpeechModel,
    rows: SpeechRows,
    hypotheses: dict[int, GreedyHypothesis],
    batch_size: int,
    decode: dict[str, Any],
) -> GreedyHypotheses | None:
    """Measure the model's agreement with its own hypotheses as labels.

    The model does not predict a prefix that generation forces: its positions do not count. Where the prefix depends on
    the audio, gaps are None.

    Args:
        speech: The base model.
        rows: Rows of the hypotheses.
        hypotheses: Greedy hypothesis by row number.
        batch_size: Utterances per batch.
        decode: The study's decode settings.

    Returns:
        None if there is no hypothesis.
    """
    if isinstance(speech, CtcModel):
        return _compare_tokens(speech, rows, hypotheses)
    reasons = {index: _unusable(speech, hypotheses[index]) for index in range(len(rows))}
    left_out = _count_left_out([reason for reason in reasons.values() if reason is not None])
    usable = [index for index, reason in reasons.items() if reason is None]
    if not usable:
        if not any(left_out.values()):
            return None
        return GreedyHypotheses(utterances=0, positions=0, argmax_agreement=0.0, log_probability_gap=None, **left_out)
    prompt = speech.forced_prefix(decode)
    usable_rows = rows.only(usable)
    compared = [hypotheses[index] for index in usable]
    plan = batches_in_order(usable_rows.steps(speech.sampling_rate, speech.grid_seconds), batch_size)
    as_built = _Agreement()
    replayed = _Agreement()
    for indices in plan:
        batch = _batch(speech, usable_rows, compared, indices, skipped=len(prompt or []))
        as_built.add(batch.logits, batch.labels, batch.hypotheses)
        if prompt is not None:
            forced = [replay(speech, prompt, hypothesis.tokens) for hypothesis in batch.hypotheses]
            replayed.add(*_logits(speech, batch.inputs, forced), batch.hypotheses)
    variants: list[LabelVariant] = []
    if prompt is not None and _worth_trying(speech, prompt, compared, as_built, replayed):
        variants = _variants(speech, usable_rows, compared, plan, prompt)
    return GreedyHypotheses(
        utterances=len(usable),
        positions=as_built.positions,
        argmax_agreement=as_built.share,
        log_probability_gap=None if prompt is None else as_built.gap,
        replay=None if prompt is None else replayed.as_variant("the generated tokens themselves"),
        variants=variants,
        **left_out,
    )


def _unusable(speech: SpeechModel, hypothesis: GreedyHypothesis) -> Unusable | None:
    """Why a hypothesis shows nothing about labels, None if it does."""
    if hypothesis.truncated:
        return "truncated"
    label = label_ids(speech, [hypothesis.text])[0]
    if not same_text(speech.text_of(label), hypothesis.text):
        return "changed_by_tokenizer"
    generated = content_of(speech, hypothesis.tokens)
    if content_of(speech, label) == generated:
        return None
    with_space = content_of(speech, label_ids(speech, [f" {hypothesis.text}"])[0])
    return "retokenized_leading_space" if with_space == generated else "retokenized"


def _count_left_out(reasons: list[Unusable]) -> dict[str, int]:
    leading_space = reasons.count("retokenized_leading_space")
    return {
        "truncated": reasons.count("truncated"),
        "retokenized": reasons.count("retokenized") + leading_space,
        "retokenized_leading_space": leading_space,
        "changed_by_tokenizer": reasons.count("changed_by_tokenizer"),
    }


def _batch(
    speech: SpeechModel, rows: SpeechRows, hypotheses: list[GreedyHypothesis], indices: list[int], skipped: int
) -> _Batch:
    chosen = [hypotheses[index] for index in indices]
    inputs = speech.inputs([rows[index]["audio"] for index in indices])
    built = build_labels(speech, [hypothesis.text for hypothesis in chosen])
    with torch.inference_mode():
        scored: Scored = speech.score(speech.with_labels(inputs, built))
    labels = scored.targets.clone()
    labels[:, :skipped] = IGNORED
    return _Batch(inputs, labels, scored.logits, chosen)


def _worth_trying(
    speech: SpeechModel,
    prompt: list[int],
    hypotheses: list[GreedyHypothesis],
    as_built: _Agreement,
    replayed: _Agreement,
) -> bool:
    """Whether labels disagree with the model, or do not consist of prefix, text and EOS."""
    noise = replayed.gap or 0.0
    other_structure = any(name != WITH_BOS for name in label_variants(speech, prompt, hypotheses))
    return other_structure or as_built.share < 1 or (as_built.gap or 0.0) > noise + NOTEWORTHY_GAP


def _variants(
    speech: SpeechModel,
    rows: SpeechRows,
    hypotheses: list[GreedyHypothesis],
    plan: list[list[int]],
    prompt: list[int],
) -> list[LabelVariant]:
    """Agreement with labels that are built in other ways, and with labels shifted by one token."""
    variants = label_variants(speech, prompt, hypotheses)
    measured = {name: _Agreement() for name in [*variants, SHIFTED]}
    for indices in plan:
        batch = _batch(speech, rows, hypotheses, indices, skipped=len(prompt))
        # Without log-probabilities: those of shifted labels cannot be compared with the generation.
        shifted = [GreedyHypothesis(item.text, item.tokens, item.truncated) for item in batch.hypotheses]
        measured[SHIFTED].add(batch.logits[:, :-1], batch.labels[:, 1:], shifted)
        for name, forced in variants.items():
            measured[name].add(*_logits(speech, batch.inputs, [forced[i] for i in indices]), batch.hypotheses)
    return [agreement.as_variant(name) for name, agreement in measured.items()]


def _logits(speech: SpeechModel, inputs: dict[str, Tensor], forced: Sequence[Forced]) -> tuple[Tensor, Tensor]:
    """Logits (rows, width, vocabulary) for given decoder inputs, and the targets (rows, width) that count."""
    width = max(len(row.targets) for row in forced)
    targets = padded([row.targets for row in forced], width)
    decoder_inputs = padded([row.inputs for row in forced], width)
    decoder_inputs = decoder_inputs.masked_fill(targets.eq(IGNORED), forced[0].inputs[0])
    with torch.inference_mode():
        logits = speech.force(inputs, targets, decoder_inputs)
    for number, row in enumerate(forced):
        targets[number, : row.skipped] = IGNORED
    return logits, targets.to(logits.device)


def _compare_tokens(speech: CtcModel, rows: SpeechRows, hypotheses: dict[int, GreedyHypothesis]) -> GreedyHypotheses:
    """Compare labels of hypotheses with the generated tokens, for CTC, where nothing is teacher-forced.

    Other tokens that decode to the same text are no error of labels.
    """
    ordered = [hypotheses[index] for index in range(len(rows))]
    labels = label_ids(speech, [hypothesis.text for hypothesis in ordered])
    special = set(speech.tokenizer.all_special_ids)
    retokenized = [
        ids != item.tokens and speech.text_of(ids).strip() == item.text and not special & set(ids)
        for ids, item in zip(labels, ordered, strict=True)
    ]
    compared = [
        list(itertools.zip_longest(ids, item.tokens))
        for ids, item, other in zip(labels, ordered, retokenized, strict=True)
        if not other
    ]
    positions = sum(map(len, compared))
    same = sum(one == other for pairs in compared for one, other in pairs)
    return GreedyHypotheses(
        utterances=len(compared),
        positions=positions,
        argmax_agreement=same / max(positions, 1),
        log_probability_gap=None,
        retokenized=sum(retokenized),
        compared="tokens",
    )
