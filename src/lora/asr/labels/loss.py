"""Compare the trainer's loss of one optimiser step with the same loss computed by hand. Imports torch.

The trainer's own `training_step` runs on each accumulated batch as in training (label smoothing, token counts, scaling
by accumulation), but without dropout and without gradients. By hand: cross entropy over all tokens of the step; with
label smoothing e, (1 - e) of it plus e of the mean over the vocabulary, as in Szegedy et al. 2016 (arXiv 1512.00567)
and the LabelSmoother of transformers.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from lora.asr.families.ctc import CtcModel
from lora.asr.families.speech_model import SpeechModel, sum_cross_entropy
from lora.asr.labels.build import Collator, Labelled, finite
from lora.asr.training.step_callback import LossNotFinite
from lora.asr.training.trainer import SpeechTrainer, training_arguments
from lora.records.labels import LossComparison

SETTINGS: dict[str, Any] = {
    "max_steps": 1,
    "batch_size": 8,
    "learning_rate": 0.0,
    "scheduler": "constant",
    "warmup_steps": 0,
    "weight_decay": 0.0,
    "seed": 0,
    "eval_steps": 1,
    "select": "loss",
}


class _LossOnly(SpeechTrainer):
    """A trainer whose step computes the loss and changes nothing."""

    def compute_loss(self, model: nn.Module, *arguments: Any, **keywords: Any) -> Tensor:
        """Disable dropout, which the loss by hand does not have, and return a leaf, so that backward does nothing."""
        model.eval()
        with torch.no_grad():
            loss = cast(Tensor, super().compute_loss(model, *arguments, **keywords))
        return loss.requires_grad_()


def compare_loss(
    speech: SpeechModel, labelled: Labelled, label_smoothing: float = 0.0, gradient_accumulation: int = 1
) -> LossComparison | None:
    """Compare the loss of one step of `gradient_accumulation` batches with unequal numbers of tokens.

    Returns:
        None if there are not enough rows for this number of batches, or for label smoothing with CTC.
    """
    chosen = _batches(labelled, gradient_accumulation)
    if len(chosen) < gradient_accumulation or (label_smoothing and not speech.teacher_forced):
        return None
    collator = Collator(speech, smoothed=label_smoothing > 0)
    trainer_loss = _trainer_loss(
        speech, labelled, [labelled.collated(collator, indices) for indices in chosen], label_smoothing
    )
    plain = Collator(speech)
    if isinstance(speech, CtcModel):
        return _compare_ctc(speech, [labelled.collated(plain, indices) for indices in chosen], trainer_loss)
    sums = [_loss_by_hand(speech, labelled.collated(plain, indices), label_smoothing) for indices in chosen]
    tokens = [aligned[1] for aligned, _ in sums]
    return LossComparison(
        label_smoothing=label_smoothing,
        gradient_accumulation=gradient_accumulation,
        tokens=tokens,
        trainer=trainer_loss,
        shift_0=_mean([aligned for aligned, _ in sums]),
        shift_1=_mean([shifted for _, shifted in sums]),
        mean_of_batches=finite(sum(loss / max(count, 1) for (loss, count), _ in sums) / len(sums)),
    )


def _compare_ctc(speech: CtcModel, batches: list[dict[str, Tensor]], trainer_loss: float | None) -> LossComparison:
    """Compare the loss of a CTC model, whose labels have no alignment that could be off by one.

    Its loss is the mean over utterances of each one's loss per token, and a step averages batches. Both losses are
    recorded in nats per token of the step.
    """
    totals, reduced = 0.0, 0.0
    tokens: list[int] = []
    with torch.inference_mode():
        for batch in batches:
            losses, lengths = speech.losses(batch)
            totals, tokens = totals + float(losses.sum()), [*tokens, int(lengths.sum())]
            reduced += float((losses / lengths.clamp(min=1)).mean()) / len(batches)
    by_hand = totals / max(sum(tokens), 1)
    trainer = None if trainer_loss is None or not reduced else trainer_loss * by_hand / reduced
    return LossComparison(
        gradient_accumulation=len(batches), tokens=tokens, trainer=trainer, shift_0=finite(by_hand), shift_1=None
    )


def _trainer_loss(
    speech: SpeechModel, labelled: Labelled, batches: list[dict[str, Tensor]], label_smoothing: float
) -> float | None:
    """Loss of the step as the trainer passes it to the backward pass, summed over its batches."""
    settings = SETTINGS | {"label_smoothing": label_smoothing, "gradient_accumulation": len(batches)}
    with tempfile.TemporaryDirectory() as folder:
        arguments = training_arguments(settings, Path(folder), speech, validate=False)
        trainer = _LossOnly(speech, arguments, (labelled.rows, labelled.batches))
        samples, tokens = trainer.get_batch_samples(iter(batches), len(batches), torch.device(speech.device))
        trainer.current_gradient_accumulation_steps = len(samples)
        try:
            return finite(sum(float(trainer.training_step(speech.model, dict(batch), tokens)) for batch in samples))
        except LossNotFinite:
            return None


def _loss_by_hand(
    speech: SpeechModel, batch: dict[str, Tensor], smoothing: float
) -> tuple[tuple[float, int], tuple[float, int]]:
    """Summed loss and number of tokens of one batch, for labels as built and for labels shifted by one."""
    with torch.inference_mode():
        scored = speech.score(batch)
        aligned, shifted = (sum_cross_entropy(scored.logits, scored.targets, shift, smoothing) for shift in (0, 1))
    return aligned, shifted


def _mean(sums: list[tuple[float, int]]) -> float | None:
    tokens = sum(count for _, count in sums)
    return finite(sum(loss for loss, _ in sums) / tokens) if tokens else None


def _batches(labelled: Labelled, count: int) -> list[list[int]]:
    """Choose the largest batch, or several from the fewest characters to the most; splits batches if there are few."""
    if count == 1:
        return [max(labelled.batches, key=len)]
    batches = [list(batch) for batch in labelled.batches]
    while len(batches) < count and max(map(len, batches)) > 1:
        largest = max(batches, key=len)
        batches.remove(largest)
        cut = max(1, len(largest) // 4)  # unequal sizes, so that an error in counting tokens shows
        batches += [largest[:cut], largest[cut:]]
    by_size = sorted(batches, key=lambda batch: (sum(len(labelled.texts[i]) for i in batch), batch))
    if len(by_size) < count:
        return by_size
    return [by_size[round(place * (len(by_size) - 1) / (count - 1))] for place in range(count)]
