"""The effect ladder: does an adapter change its file, the loaded weights, the logits, the texts? WER is another stage.

Nothing is assumed: adapter calls inside `generate` are counted by hooks, "off" is compared bit by bit with a freshly
loaded base model, deltas are those that take effect (DoRA's magnitudes included). A rung that breaks does not stop the
climb where the next can still be reached; facts say which are null. Imports torch.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lora.asr.adapter_files import AdapterProblem
from lora.asr.adapters import ADAPTER, adapted_modules, load_adapter
from lora.asr.families import SpeechModel
from lora.asr.labels import IGNORED, Collator
from lora.asr.padding import Samples
from lora.asr.weight_deltas import original_weights, weight_deltas
from lora.records import EffectFacts, LogitsRung, TextRung


@dataclass(frozen=True)
class ValidationBatch:
    """Samples of one padding step with their reference texts."""

    audio: list[Samples]
    texts: list[str]


def climb(
    speech: SpeechModel, run: str, adapter: str, batches: list[ValidationBatch], decode: dict[str, Any]
) -> EffectFacts:
    """All rungs but WER. `speech` is a freshly loaded base model, and is of no further use afterwards.

    Raises UserError where the adapter folder does not exist; problems with a cause code are in the facts.
    """
    base_logits = [_logits(speech, batch) for batch in batches]
    base_texts = [_texts(speech, batch, decode) for batch in batches]
    facts: dict[str, Any] = {"run": run, "adapter": adapter}
    before = original_weights(speech.model, adapter)
    try:
        loaded = load_adapter(speech, adapter)
    except AdapterProblem as problem:
        told = {"status": "impossible", "code": problem.code, "message": problem.message}
        return EffectFacts(**facts, **told, file=problem.file_rung)
    weights = weight_deltas(loaded.model, before)
    relative = [delta.relative_norm for delta in weights if delta.relative_norm is not None]
    off = loaded.model.disable_adapter
    return EffectFacts(
        **facts,
        file=loaded.file_rung,
        load=loaded.load_rung,
        weights=weights,
        median_relative_norm=statistics.median(relative) if relative else None,
        logits=_logits_rung(speech, batches, base_logits, off) if batches else None,
        text=_text_rung(speech, batches, base_texts, decode, off) if batches else None,
    )


def _logits_rung(
    speech: SpeechModel,
    batches: list[ValidationBatch],
    base: list[tuple[Tensor, Tensor]],
    off: Callable[[], AbstractContextManager[Any]],
) -> LogitsRung:
    """On against the freshly loaded base; that is "off" bit for bit unless the adapter changed base weights."""
    divergence = flips = 0.0
    positions = 0
    largest = 0.0
    off_equals_base = True
    for batch, (without, labels) in zip(batches, base, strict=True):
        with off():
            disabled, _ = _logits(speech, batch)
        off_equals_base = off_equals_base and torch.equal(disabled, without)
        with_adapter, _ = _logits(speech, batch)
        counted = labels.ne(IGNORED)
        on, reference = with_adapter[counted].double(), without[counted].double()
        log_on, log_reference = on.log_softmax(-1), reference.log_softmax(-1)
        divergence += float((log_on.exp() * (log_on - log_reference)).sum())
        flips += float(on.argmax(-1).ne(reference.argmax(-1)).sum())
        largest = max(largest, float((on - reference).abs().max()))
        positions += int(counted.sum())
    finite = positions > 0 and divergence == divergence and abs(largest) != float("inf")
    return LogitsRung(
        utterances=sum(len(batch.texts) for batch in batches),
        positions=positions,
        kl_mean=max(divergence / positions, 0.0) if finite else None,  # rounding can leave it at -1e-17
        argmax_flips=flips / max(positions, 1),
        largest_difference=largest if finite else None,
        off_equals_base=off_equals_base,
    )


def _logits(speech: SpeechModel, batch: ValidationBatch) -> tuple[Tensor, Tensor]:
    """Teacher-forced logits (rows, width, vocabulary) and labels (rows, width), on the CPU."""
    rows = [{"audio": audio, "text": text} for audio, text in zip(batch.audio, batch.texts, strict=True)]
    inputs = Collator(speech)(rows)
    with torch.inference_mode():
        return speech.model(**inputs).logits.float().cpu(), inputs["labels"].cpu()


def _text_rung(
    speech: SpeechModel,
    batches: list[ValidationBatch],
    base: list[list[str]],
    decode: dict[str, Any],
    off: Callable[[], AbstractContextManager[Any]],
) -> TextRung:
    texts_without = [text for texts in base for text in texts]

    def all_texts(context: AbstractContextManager[Any]) -> tuple[list[str], int]:
        with context, counted_calls(speech) as calls:
            texts = [text for batch in batches for text in _texts(speech, batch, decode)]
        return texts, calls[0]

    on, calls_on = all_texts(nullcontext())
    _, calls_off = all_texts(off())
    return TextRung(
        utterances=len(on),
        changed=_differences(on, texts_without),
        adapter_calls=calls_on,
        adapter_calls_off=calls_off,
        merged_changed=_merged_changes(speech, on, lambda: all_texts(nullcontext())[0]),
    )


def _merged_changes(speech: SpeechModel, unmerged: list[str], texts: Callable[[], list[str]]) -> int | None:
    """Texts that merging the adapter into the weights changes; null where it cannot be merged."""
    try:
        speech.model.merge_adapter()
    except (ValueError, NotImplementedError, RuntimeError):
        return None
    return _differences(unmerged, texts())


def _texts(speech: SpeechModel, batch: ValidationBatch, decode: dict[str, Any]) -> list[str]:
    return speech.generate(speech.inputs(batch.audio), decode).texts


def _differences(first: list[str], second: list[str]) -> int:
    return sum(a != b for a, b in zip(first, second, strict=True))


@contextmanager
def counted_calls(speech: SpeechModel) -> Iterator[list[int]]:
    """Counts forward calls of the adapter's own matrices: the base layer beneath runs with and without an adapter."""
    calls = [0]

    def count(*_: Any) -> None:
        calls[0] += 1

    matrices = [layer.lora_B[ADAPTER] for layer in adapted_modules(speech.model).values() if ADAPTER in layer.lora_B]
    handles = [matrix.register_forward_hook(count) for matrix in matrices]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()
