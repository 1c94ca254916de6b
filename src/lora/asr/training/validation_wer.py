"""WER on the validation split inside a training, for candidates that choose their best step by it. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lora.asr.device_memory import BatchHalving, Report
from lora.asr.families.speech_model import SpeechModel
from lora.asr.training.data import SpeechRows
from lora.scoring.alignment import count_errors
from lora.scoring.normalizers import normalizer

NORMALIZER = "basic"  # any language; the study's own normaliser must not retrain an adapter when it changes


def validation_wer(
    speech: SpeechModel, rows: SpeechRows, batches: list[list[int]], decode: dict[str, Any], tell: Report
) -> float | None:
    """Corpus WER (fraction) of the current weights; null without a reference word. `tell` hears of halved batches."""
    normal = normalizer(NORMALIZER)
    errors = words = 0
    shrinking = BatchHalving(tell)

    def texts_of(indices: Sequence[int]) -> list[str]:
        return speech.generate(speech.inputs([rows[index]["audio"] for index in indices]), decode).texts

    for indices in batches:
        texts = [text for _, part in shrinking.run(indices, texts_of) for text in part]
        for index, text in zip(indices, texts, strict=True):
            reference = normal.words(rows[index]["text"])
            counts = count_errors(reference, normal.words(text))
            errors += counts.substitutions + counts.deletions + counts.insertions
            words += len(reference)
    return errors / words if words else None
