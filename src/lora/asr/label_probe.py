"""The label audit: what the base model says about training labels, built by the very code that trains on them.

Structure of labels; the model's agreement with labels made of its own texts; the trainer's loss against a cross entropy
by hand; likelihood of references, of own texts and of references rewritten in the model's style; what the tokenizer
cannot write. Moonshine and Whisper shift labels right inside forward, so logits[t] predicts labels[t]: shift 0 is
right. Facts only, nothing is judged here. Imports torch.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lora.asr.families import SpeechModel
from lora.asr.label_structure import label_structure, lost_characters
from lora.asr.labels import IGNORED, Collator, label_ids, label_limit
from lora.asr.own_texts import OwnText, own_agreement, own_texts, own_transcripts
from lora.asr.trainer import SpeechTrainer, training_arguments
from lora.asr.training_data import SpeechRows, batches_in_order
from lora.provenance import version
from lora.records import LabelFacts, LossComparison, Transcript
from lora.scoring.style import restyled, style_profile

AUDIT_SETTINGS: dict[str, Any] = {
    "max_steps": 1, "batch_size": 8, "gradient_accumulation": 1, "learning_rate": 0.0, "scheduler": "constant",
    "warmup_steps": 0, "weight_decay": 0.0, "label_smoothing": 0.0, "seed": 0, "eval_steps": 1, "select": "loss",
}  # fmt: skip


@dataclass(frozen=True)
class Labelled:
    """Rows with the texts they are labelled with, in batches of one padding step."""

    rows: SpeechRows
    texts: list[str]
    batches: list[list[int]]

    def with_texts(self, texts: Sequence[str]) -> Labelled:
        return Labelled(self.rows, list(texts), self.batches)

    def collated(self, collator: Collator, indices: list[int]) -> dict[str, Tensor]:
        return collator([{"audio": self.rows[i]["audio"], "text": self.texts[i]} for i in indices])


def audit_labels(
    speech: SpeechModel,
    rows: SpeechRows,
    batch_size: int,
    decode: dict[str, Any],
    hand_out: Callable[[list[Transcript]], None] = lambda own: None,
) -> LabelFacts:
    """All facts about the labels of these rows (a sample); `speech` is the base model, in evaluation mode.

    Rows whose label the decoder cannot hold are named and left out of everything the model has to see. `hand_out` is
    called with the model's own greedy texts, if any row is left.
    """
    texts = [row.text for row in rows.rows]
    lengths = [len(ids) for ids in label_ids(speech, texts)]
    limit, window = label_limit(speech), speech.files.identity.window_seconds
    fitting = [index for index, length in enumerate(lengths) if limit is None or length <= limit]
    facts: dict[str, Any] = {
        "sampled": len(texts),
        "unwritable": lost_characters(speech, texts),
        "longest_label": max(lengths),
        "label_limit": limit,
        "too_long_ids": [rows.rows[i].id for i, length in enumerate(lengths) if limit is not None and length > limit],
        "beyond_window_ids": [row.id for row in rows.rows if window is not None and row.duration > window],
        "transformers": version("transformers"),
        "reference_style": style_profile(texts),
        "structure": label_structure(speech, texts, decode),
    }
    if not fitting:
        return LabelFacts(**facts)
    kept = rows.only(fitting)
    steps = kept.steps(speech.sampling_rate, speech.grid_seconds)
    references = Labelled(kept, [row.text for row in kept.rows], batches_in_order(steps, batch_size))
    heard = own_texts(speech, kept, references.batches, decode)
    own = [heard[index].text for index in range(len(kept))]
    hand_out(own_transcripts(kept, heard))
    own_style, reference_style = style_profile(own), facts["reference_style"]
    rewritten = [restyled(text, reference_style, own_style) for text in references.texts]
    whole = _only_whole(speech, references, heard)
    return LabelFacts(
        **facts,
        own=own_agreement(speech, kept, heard, batch_size, decode),
        loss=compare_loss(speech, references),
        reference_nll=mean_nll(speech, references),
        hypothesis_nll=mean_nll(speech, whole) if whole.texts else None,
        restyled_nll=mean_nll(speech, references.with_texts(rewritten)) if own_style.texts else None,
        hypothesis_style=own_style,
    )


def _only_whole(speech: SpeechModel, references: Labelled, heard: dict[int, OwnText]) -> Labelled:
    """Own texts as labels, without those the token cap cut: they end where the model would have gone on."""
    whole = [index for index in range(len(references.rows)) if not heard[index].truncated]
    numbers = {old: new for new, old in enumerate(whole)}
    batches = [[numbers[i] for i in batch if i in numbers] for batch in references.batches]
    texts = [heard[index].text for index in whole]
    return Labelled(references.rows.only(whole), texts, [batch for batch in batches if batch])


def mean_nll(speech: SpeechModel, labelled: Labelled) -> float | None:
    """Negative log-likelihood in nats a token of labels, teacher-forced; null without a token or where not finite."""
    collator, total, tokens = Collator(speech), 0.0, 0
    for indices in labelled.batches:
        batch = labelled.collated(collator, indices)
        with torch.inference_mode():
            logits = speech.model(**batch).logits
        total += float(cross_entropy(logits, batch["labels"], shift=0)[0])
        tokens += int(batch["labels"].ne(IGNORED).sum())
    return _finite(total / tokens) if tokens else None


def cross_entropy(logits: Tensor, labels: Tensor, shift: int) -> tuple[Tensor, Tensor]:
    """By hand: sum of -log p(labels[t + shift] | logits[t]) over labels that count, and their number."""
    width = labels.shape[1] - shift
    log_probability = logits[:, :width].double().log_softmax(-1)
    targets = labels[:, shift:]
    counted = targets.ne(IGNORED)
    taken = log_probability.gather(-1, targets.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return -(taken * counted).sum(), counted.sum()


def compare_loss(speech: SpeechModel, labelled: Labelled) -> LossComparison:
    """The trainer's own loss on the largest batch (its token count and all, smoothing off) against both by hand."""
    indices = max(labelled.batches, key=len)
    batch = labelled.collated(Collator(speech), indices)
    with tempfile.TemporaryDirectory() as folder:
        arguments = training_arguments(AUDIT_SETTINGS, Path(folder), speech, validate=False)
        trainer = SpeechTrainer(speech, arguments, (labelled.rows, labelled.batches))
        speech.model.eval()
        batches, tokens = trainer.get_batch_samples(iter([batch]), 1, torch.device(speech.device))
        with torch.no_grad(), trainer.compute_loss_context_manager():
            loss: Any = trainer.compute_loss(speech.model, dict(batches[0]), num_items_in_batch=tokens)
    with torch.inference_mode():
        logits = speech.model(**batch).logits
        by_hand = [cross_entropy(logits, batch["labels"], shift) for shift in (0, 1)]
    return LossComparison(
        trainer=_finite(float(loss)),
        shift_0=_finite(float(by_hand[0][0] / by_hand[0][1])),
        shift_1=_finite(float(by_hand[1][0] / by_hand[1][1])) if int(by_hand[1][1]) else None,
    )


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
