"""Stage 4 of the effect ladder: logits with the adapter enabled, compared with the freshly loaded base model's.

Logits of a large vocabulary are large (32 labels of 200 tokens: 1.3 GB for 50,000 entries), so the base model's are
stored on disk, at labelled positions only, and compared a few hundred positions at a time. Imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from lora.asr.decoding.padding import Samples
from lora.asr.families.speech_model import IGNORED, SpeechModel
from lora.asr.labels.build import Collator
from lora.records.effect import LogitsStage

POSITIONS = 256  # compared at a time, in double precision


@dataclass(frozen=True)
class ValidationBatch:
    """Samples of one padding step with their reference texts."""

    audio: list[Samples]
    texts: list[str]


@dataclass
class _Sums:
    """Running sums over labelled positions."""

    positions: int = 0
    divergence: float = 0.0
    flips: int = 0
    not_finite: int = 0
    largest: float = 0.0

    def add(self, on: Tensor, base: Tensor) -> None:
        """Add logits of shape (positions, vocabulary), with the adapter and of the base model."""
        log_on = on.log_softmax(-1)
        log_base = base.log_softmax(-1)
        self.positions += len(on)
        self.divergence += float((log_on.exp() * (log_on - log_base)).sum())
        self.flips += int(on.argmax(-1).ne(base.argmax(-1)).sum())
        self.not_finite += int((~on.isfinite()).any(-1).sum())
        self.largest = max(self.largest, float((on - base).abs().nan_to_num(nan=torch.inf).max()))


def keep_base_logits(speech: SpeechModel, batches: list[ValidationBatch], folder: Path) -> None:
    """Write the logits of a freshly loaded base model, one file per batch."""
    for number, batch in enumerate(batches):
        save_file({"logits": _logits(speech, batch)}, folder / f"{number}.safetensors")


def equal_logits(speech: SpeechModel, batches: list[ValidationBatch], folder: Path) -> bool:
    """Whether the logits are bit by bit those that `keep_base_logits` wrote to `folder`."""
    return all(torch.equal(_logits(speech, batch), _base(folder, number)) for number, batch in enumerate(batches))


def logits_stage(
    speech: SpeechModel,
    batches: list[ValidationBatch],
    folder: Path,
    off_equals_base: bool,
    off_differs_by: list[str],
) -> LogitsStage:
    """Compare the logits with those that `keep_base_logits` wrote to `folder`.

    Args:
        speech: The model with its adapter.
        batches: The batches that `keep_base_logits` had.
        folder: Folder with the base model's logits.
        off_equals_base: Whether the logits with the adapter disabled are those of the base model.
        off_differs_by: Reasons why these may differ (for the record).
    """
    sums = _Sums()
    for number, batch in enumerate(batches):
        base = _base(folder, number)
        on = _logits(speech, batch)
        for first in range(0, len(on), POSITIONS):
            sums.add(on[first : first + POSITIONS].double(), base[first : first + POSITIONS].double())
    finite = sums.positions > 0 and sums.divergence == sums.divergence and sums.largest != float("inf")
    return LogitsStage(
        utterances=sum(len(batch.texts) for batch in batches),
        positions=sums.positions,
        kl_mean=max(sums.divergence / sums.positions, 0.0) if finite else None,  # rounding can give -1e-17
        argmax_flips=sums.flips / max(sums.positions, 1),
        largest_difference=sums.largest if finite else None,
        off_equals_base=off_equals_base,
        off_differs_by=off_differs_by,
        not_finite=sums.not_finite / max(sums.positions, 1),
    )


def _base(folder: Path, number: int) -> Tensor:
    return load_file(folder / f"{number}.safetensors")["logits"]


def _logits(speech: SpeechModel, batch: ValidationBatch) -> Tensor:
    """Logits of all labelled positions (CTC: of frames), shape (positions, vocabulary), float32 on the CPU."""
    rows = [{"audio": audio, "text": text} for audio, text in zip(batch.audio, batch.texts, strict=True)]
    with torch.inference_mode():
        scored = speech.score(Collator(speech)(rows))
        logits: Tensor = scored.logits[scored.targets.ne(IGNORED)].float().cpu()
    return logits.contiguous()
