"""WER on the validation split inside a training, for candidates that choose their best step by it. Imports torch."""

from __future__ import annotations

from typing import Any

from lora.asr.families import SpeechModel
from lora.asr.training_data import SpeechRows
from lora.scoring.alignment import count_errors
from lora.scoring.normalizers import normalizer

NORMALIZER = "basic"  # any language; the study's own normaliser must not retrain an adapter when it changes


def validation_wer(
    speech: SpeechModel, rows: SpeechRows, batches: list[list[int]], decode: dict[str, Any]
) -> float | None:
    """Corpus WER (fraction) of the current weights; null without a reference word."""
    normal = normalizer(NORMALIZER)
    errors = words = 0
    for indices in batches:
        items = [rows[index] for index in indices]
        texts = speech.generate(speech.inputs([item["audio"] for item in items]), decode).texts
        for item, text in zip(items, texts, strict=True):
            reference = normal.words(item["text"])
            counts = count_errors(reference, normal.words(text))
            errors += counts.substitutions + counts.deletions + counts.insertions
            words += len(reference)
    return errors / words if words else None
