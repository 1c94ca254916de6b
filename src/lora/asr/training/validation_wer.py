"""Word errors during training: of the validation split, and of evaluation manifests. Imports torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lora.asr.device_memory import BatchHalving, Report
from lora.asr.families.speech_model import SpeechModel
from lora.asr.training.data import SpeechRows
from lora.scoring.alignment import count_errors
from lora.scoring.normalizers import normalizer

NORMALIZER = "basic"  # for any language; a change of the study's normalizer must not retrain adapters


def word_errors(texts: Iterable[tuple[str, str]]) -> tuple[int, int]:
    """Word errors and reference words of pairs of reference and hypothesis."""
    normal = normalizer(NORMALIZER)
    errors = words = 0
    for written, hypothesis in texts:
        reference = normal.words(written)
        counts = count_errors(reference, normal.words(hypothesis))
        errors += counts.substitutions + counts.deletions + counts.insertions
        words += len(reference)
    return errors, words


def validation_wer(
    speech: SpeechModel, rows: SpeechRows, batches: list[list[int]], decode: dict[str, Any], report: Report
) -> float | None:
    """Corpus WER (a fraction) of the current weights; None without reference words. `report` receives messages."""
    texts: list[tuple[str, str]] = []
    halving = BatchHalving(report)

    def texts_of(indices: Sequence[int]) -> list[str]:
        return speech.generate(speech.inputs([rows[index]["audio"] for index in indices]), decode).texts

    for indices in batches:
        hypotheses = [text for _, split in halving.run(indices, texts_of) for text in split]
        texts += [(rows[index]["text"], text) for index, text in zip(indices, hypotheses, strict=True)]
    errors, words = word_errors(texts)
    return errors / words if words else None
