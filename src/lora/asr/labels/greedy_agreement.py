"""Compare labels of the model's greedy hypotheses with what the model generated. Imports torch.

Labels are built and batched by the trainer's own collator. A model that is teacher-forced with its own greedy
hypothesis predicts each of its tokens; a position where it does not points to a fault in how labels are built. The
log-probability of a hypothesis as a label is compared with that of its generation; teacher-forcing the generated tokens
themselves measures how much of the difference is numerical noise.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from lora.asr.families.ctc import CtcModel
from lora.asr.families.speech_model import IGNORED, Scored, SpeechModel
from lora.asr.labels.build import build_labels, filled_up, label_ids
from lora.asr.labels.greedy_hypotheses import GreedyHypothesis
from lora.asr.labels.structure import same_text
from lora.asr.labels.variants import SHIFTED, Forced, content_of, label_variants, replay
from lora.asr.training.data import SpeechRows, batches_in_order
from lora.records.labels import GreedyHypotheses, LabelVariant

NOTEWORTHY_GAP = 1e-4  # nats per token above the noise of a replay; other labels are then tried


@dataclass
class _Agreement:
    """Number of positions, how many predict the target, and differences from generation (nats per token)."""

    agreeing: int = 0
    positions: int = 0
    gaps: list[float] = field(default_factory=list)

    def add(self, logits: Tensor, targets: Tensor, own: Sequence[GreedyHypothesis]) -> None:
        counted = targets.ne(IGNORED)
        self.agreeing += int((logits.argmax(-1).eq(targets) & counted).sum())
        self.positions += int(counted.sum())
        taken = logits.double().log_softmax(-1).gather(-1, targets.clamp(min=0).unsqueeze(-1)).squeeze(-1)
        for value, text in zip((taken * counted).sum(-1).tolist(), own, strict=True):
            if text.log_probability is not None:
                self.gaps.append(abs(value - text.log_probability) / max(len(text.tokens), 1))

    @property
    def share(self) -> float:
        return self.agreeing / max(self.positions, 1)

    @property
    def gap(self) -> float | None:
        largest = max(self.gaps, default=float("inf"))
        return largest if largest < float("inf") else None

    def of(self, name: str) -> LabelVariant:
        return LabelVariant(name=name, argmax_agreement=self.share, log_probability_gap=self.gap)


@dataclass(frozen=True)
class _Batch:
    """Inputs, labels as built (the first ones of a forced prompt ignored) with the logits that predict them."""

    inputs: dict[str, Tensor]
    labels: Tensor
    logits: Tensor
    own: list[GreedyHypothesis]


def greedy_agreement(
    speech: SpeechModel,
    rows: SpeechRows,
    hypotheses: dict[int, GreedyHypothesis],
    batch_size: int,
    decode: dict[str, Any],
) -> GreedyHypotheses | None:
    """Agreement of the model with labels of its greedy hypotheses, or None if no hypothesis is usable.

    The model does not predict a forced prompt, so its positions are not counted (and gaps are None if the prompt is
    not known beforehand). See GreedyHypotheses.
    """
    if isinstance(speech, CtcModel):
        return _by_tokens(speech, rows, hypotheses)
    reasons_by_row = {index: _unusable(speech, hypotheses[index]) for index in range(len(rows))}
    reasons = list(reasons_by_row.values())
    left_out = {
        "truncated": reasons.count("cut"),
        "retokenized": reasons.count("respelt") + reasons.count("respelt by space"),
        "retokenized_leading_space": reasons.count("respelt by space"),
        "changed_by_tokenizer": reasons.count("unwritable"),
    }
    usable = [index for index, reason in reasons_by_row.items() if reason is None]
    if not usable:
        if not any(left_out.values()):
            return None
        return GreedyHypotheses(utterances=0, positions=0, argmax_agreement=0.0, log_probability_gap=None, **left_out)
    prompt = speech.forced_prefix(decode)
    used_rows, own = rows.only(usable), [hypotheses[index] for index in usable]
    steps = used_rows.steps(speech.sampling_rate, speech.grid_seconds)
    plan = batches_in_order(steps, batch_size)
    as_built, again = _Agreement(), _Agreement()
    for indices in plan:
        batch = _batch(speech, used_rows, own, indices, skipped=len(prompt or []))
        as_built.add(batch.logits, batch.labels, batch.own)
        if prompt is not None:
            forced = [replay(speech, prompt, text.tokens) for text in batch.own]
            again.add(*_logits(speech, batch.inputs, forced), batch.own)
    noise = None if prompt is None else again.of("the generated tokens themselves")
    variants: list[LabelVariant] = []
    if prompt is not None and _worth_trying(speech, prompt, own, as_built, again):
        variants = _variants(speech, used_rows, own, plan, prompt)
    return GreedyHypotheses(
        utterances=len(usable),
        positions=as_built.positions,
        argmax_agreement=as_built.share,
        log_probability_gap=None if prompt is None else as_built.gap,
        replay=noise,
        variants=variants,
        **left_out,
    )


def _batch(
    speech: SpeechModel, rows: SpeechRows, own: list[GreedyHypothesis], indices: list[int], skipped: int
) -> _Batch:
    texts = [own[index] for index in indices]
    inputs = speech.inputs([rows[index]["audio"] for index in indices])
    built = build_labels(speech, [text.text for text in texts])
    with torch.inference_mode():
        scored: Scored = speech.score(speech.with_labels(inputs, built))
    labels = scored.targets.clone()
    labels[:, :skipped] = IGNORED
    return _Batch(inputs, labels, scored.logits, texts)


def _worth_trying(
    speech: SpeechModel, prompt: list[int], own: list[GreedyHypothesis], as_built: _Agreement, again: _Agreement
) -> bool:
    """Whether labels disagree with the model, or contain more or less than prompt, text and EOS."""
    noise = again.gap or 0.0
    tried = label_variants(speech, prompt, own)
    plain = any(name != "with a BOS in front" for name in tried)
    return plain or as_built.share < 1 or (as_built.gap or 0.0) > noise + NOTEWORTHY_GAP


def _variants(
    speech: SpeechModel, rows: SpeechRows, own: list[GreedyHypothesis], plan: list[list[int]], prompt: list[int]
) -> list[LabelVariant]:
    """Agreement with labels that are built in other ways, and with labels one token later."""
    tried = label_variants(speech, prompt, own)
    measured = {name: _Agreement() for name in [*tried, SHIFTED]}
    for indices in plan:
        batch = _batch(speech, rows, own, indices, skipped=len(prompt))
        later = [
            GreedyHypothesis(text.text, text.tokens, text.truncated) for text in batch.own
        ]  # without log-probabilities, which do not apply to shifted labels
        measured[SHIFTED].add(batch.logits[:, :-1], batch.labels[:, 1:], later)
        for name, forced in tried.items():
            measured[name].add(*_logits(speech, batch.inputs, [forced[i] for i in indices]), batch.own)
    return [agreement.of(name) for name, agreement in measured.items()]


def _logits(speech: SpeechModel, inputs: dict[str, Tensor], forced: Sequence[Forced]) -> tuple[Tensor, Tensor]:
    """Logits (rows, width, vocabulary) of given decoder inputs, and the targets (rows, width) that count."""
    width = max(len(row.targets) for row in forced)
    targets = filled_up([row.targets for row in forced], width)
    decoder = filled_up([row.inputs for row in forced], width).masked_fill(targets.eq(IGNORED), forced[0].inputs[0])
    with torch.inference_mode():
        logits = speech.force(inputs, targets, decoder)
    for number, row in enumerate(forced):
        targets[number, : row.skipped] = IGNORED
    return logits, targets.to(logits.device)


def _by_tokens(speech: CtcModel, rows: SpeechRows, hypotheses: dict[int, GreedyHypothesis]) -> GreedyHypotheses:
    """Compare labels of CTC hypotheses with the generated tokens, because CTC is not teacher-forced.

    Different tokens that decode to the same text are no label fault.
    """
    in_order = [hypotheses[index] for index in range(len(rows))]
    labels = label_ids(speech, [text.text for text in in_order])
    special = set(speech.tokenizer.all_special_ids)
    respelt = [
        ids != text.tokens and speech.text_of(ids).strip() == text.text and not special & set(ids)
        for ids, text in zip(labels, in_order, strict=True)
    ]
    compared = [
        list(itertools.zip_longest(ids, text.tokens))
        for ids, text, other in zip(labels, in_order, respelt, strict=True)
        if not other
    ]
    positions = sum(map(len, compared))
    same = sum(one == other for pairs in compared for one, other in pairs)
    return GreedyHypotheses(
        utterances=len(compared),
        positions=positions,
        argmax_agreement=same / max(positions, 1),
        log_probability_gap=None,
        retokenized=sum(respelt),
        compared="tokens",
    )


def _unusable(speech: SpeechModel, own: GreedyHypothesis) -> str | None:
    """Why a hypothesis cannot test labels (truncated, changed by the tokenizer, or tokenized differently), or None."""
    if own.truncated:
        return "cut"
    label = label_ids(speech, [own.text])[0]
    if not same_text(speech.text_of(label), own.text):
        return "unwritable"
    generated = content_of(speech, own.tokens)
    if content_of(speech, label) == generated:
        return None
    with_space = content_of(speech, label_ids(speech, [f" {own.text}"])[0])
    return "respelt by space" if with_space == generated else "respelt"
