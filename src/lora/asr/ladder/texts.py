"""Stage 5 of the effect ladder: hypotheses with the adapter enabled, disabled and merged, and its calls in `generate`.

Imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from lora.asr.adapter.attach import ADAPTER, adapted_modules
from lora.asr.encode_once import encode_anew
from lora.asr.families.speech_model import SpeechModel
from lora.asr.ladder.logits import ValidationBatch
from lora.records.base import UserError
from lora.records.effect import TextStage

Texts = list[str]


def all_texts(speech: SpeechModel, batches: list[ValidationBatch], decode: dict[str, Any]) -> Texts:
    return [text for batch in batches for text in speech.generate(speech.inputs(batch.audio), decode).texts]


@dataclass(frozen=True)
class CountedTexts:
    """Hypotheses, and the calls of each adapted module while they were generated."""

    texts: Texts
    calls: dict[str, int]


def counted_texts(speech: SpeechModel, batches: list[ValidationBatch], decode: dict[str, Any]) -> CountedTexts:
    """Generate hypotheses and count the adapter's calls, of which remembered encoder outputs cause none."""
    with counted_calls(speech) as calls:
        return CountedTexts(all_texts(speech, batches, decode), calls)


def text_stage(
    speech: SpeechModel,
    batches: list[ValidationBatch],
    base: Texts,
    on: CountedTexts,
    off: CountedTexts,
    decode: dict[str, Any],
) -> TextStage:
    """Compare hypotheses with those of the base model. The model is merged and cast: it cannot be used afterwards.

    Args:
        speech: The model with its adapter.
        batches: Validation utterances.
        base: Hypotheses of the freshly loaded base model.
        on: Hypotheses with the adapter.
        off: Hypotheses with the adapter disabled.
        decode: Decoding settings.
    """
    largest = max(range(len(batches)), key=lambda number: len(batches[number].texts))
    first = sum(len(batch.texts) for batch in batches[:largest])
    with encode_anew(speech):
        again = all_texts(speech, [batches[largest]], decode)
    return TextStage(
        utterances=len(on.texts),
        changed=_differences(on.texts, base),
        adapter_calls=sum(on.calls.values()),
        adapter_calls_off=sum(off.calls.values()),
        calls_by_module=on.calls,
        never_called=[name for name, calls in on.calls.items() if not calls],
        off_changed=_differences(off.texts, base),
        repeated=len(again),
        repeat_changed=_differences(again, on.texts[first : first + len(again)]),
        merged_changed=_merged_changes(speech, on.texts, lambda: all_texts(speech, batches, decode)),
        generates=speech.files.family.generates,
        merged_changed_bf16=_merged_changes_bf16(speech, lambda: all_texts(speech, batches, decode)),
    )


def _merged_changes(speech: SpeechModel, unmerged: Texts, texts: Callable[[], Texts]) -> int | None:
    """Number of hypotheses that merging the adapter into the weights changes; None if it cannot be merged."""
    try:
        speech.model.merge_adapter()
    except (ValueError, NotImplementedError, RuntimeError):
        return None
    return _differences(unmerged, texts())


def _merged_changes_bf16(speech: SpeechModel, texts: Callable[[], Texts]) -> int | None:
    """The same in bfloat16, whose eight bits may round a small delta away; None if the cast or merge fails.

    The rounding error of merging and unmerging in the model's own data type is far below that of the cast.
    """
    dtype = speech.dtype
    try:
        speech.model.unmerge_adapter()
        speech.model.to(torch.bfloat16)
        speech.dtype = torch.bfloat16
        return _merged_changes(speech, texts(), texts)
    except (UserError, ValueError, NotImplementedError, RuntimeError):
        return None
    finally:
        speech.dtype = dtype


def _differences(first: Texts, second: Texts) -> int:
    return sum(a != b for a, b in zip(first, second, strict=True))


@contextmanager
def counted_calls(speech: SpeechModel) -> Iterator[dict[str, int]]:
    """Count forward calls of the adapter's matrices, by adapted module (sorted by name).

    Calls of the base layer would prove nothing: it runs with and without an adapter. The matrices of embeddings are not
    modules and cannot be hooked, so there a call of the layer counts while the adapter is active.
    """
    layers = adapted_modules(speech.model)
    calls = dict.fromkeys(layers, 0)

    def count(name: str, layer: Any) -> Callable[..., None]:
        def hook(*_: Any) -> None:
            matrix = ADAPTER in layer.lora_B
            calls[name] += matrix or (ADAPTER in layer.active_adapters and not layer.disable_adapters)

        return hook

    handles = []
    for name, layer in layers.items():
        hooked = layer.lora_B[ADAPTER] if ADAPTER in layer.lora_B else layer  # noqa: SIM401 (no dictionary)
        handles.append(hooked.register_forward_hook(count(name, layer)))
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()
