"""Validation WER during training, for candidates that select their best step by WER. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lora.asr.device_memory import BatchHalving, Report
from lora.asr.families.speech_model import SpeechModel
from lora.asr.training.data import SpeechRows
from lora.scoring.alignment import count_errors
from lora.scoring.normalizers import normalizer

NORMALIZER = "basic"  # for any language; a change of the study's normalizer must not retrain adapters


def validation_wer(
    speech: SpeechModel, rows: SpeechRows, batches: list[list[int]], decode: dict[str, Any], report: Report
) -> float | None:
    """Corpus WER (a fraction) of the current weights; None without reference words. `report` receives messages."""
    normal = normalizer(NORMALIZER)
    errors = words = 0
    halving = BatchHalving(report)

    def texts_of(indices: Sequence[int]) -> list[str]:
        return speech.generate(speech.inputs([rows[index]["audio"] for index in indices]), decode).texts

    for indices in batches:
        texts = [text for _, split in halving.run(indices, texts_of) for text in split]
        for index, text in zip(indices, texts, strict=True):
            reference = normal.words(rows[index]["text"])
            counts = count_errors(reference, normal.words(text))
            errors += counts.substitutions + counts.deletions + counts.insertions
            words += len(reference)
    return errors / words if words else None
