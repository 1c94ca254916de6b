"""Compute features and encoder output of each utterance once, although several measurements need them.

Within `encode_once(speech)` the model remembers its inputs for each batch of audio, and its encoder the output for each
utterance, as long as no weight changes. `generate` and the forward pass call the encoder as always. Whisper's takes
30 s of audio however short the utterance is, and is most of the cost of transcribing it. Imports torch.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils.other import AuxiliaryTrainingWrapper
from torch import Tensor, nn

from lora.asr.decoding.padding import Samples
from lora.asr.families.speech_model import SpeechModel

# Limit for features and for encoder outputs: 65 utterances of Whisper large in float32 (1,500 frames of 1,280 values),
# 215 of Whisper tiny. Those of more utterances are computed again.
KEPT_BYTES = 500_000_000

Tensors = dict[str, Tensor]


@contextmanager
def encode_once(speech: SpeechModel) -> Iterator[None]:
    """Remember features, and outputs of the encoder if the family has a separate one, until the context ends."""
    inputs = _Inputs(speech)
    speech.inputs = inputs.of  # type: ignore[method-assign]
    encoder = speech.encoder
    if encoder is not None:
        outputs = _Outputs(encoder, speech.encoder_ignores)

        @functools.wraps(encoder.forward)  # `generate` chooses arguments by the signature
        def remembered(*values: Any, **named: Any) -> Any:
            return outputs.of(*values, **named)

        encoder.forward = remembered
    try:
        yield
    finally:
        del speech.inputs  # the methods of the classes are visible again
        if encoder is not None:
            del encoder.forward


@contextmanager
def encode_anew(speech: SpeechModel) -> Iterator[None]:
    """Within `encode_once`, use and keep no encoder output: to find out whether the model repeats its results."""
    encoder = speech.encoder
    if encoder is None:
        yield
        return
    remembered = encoder.forward
    del encoder.forward
    try:
        yield
    finally:
        encoder.forward = remembered


class _Kept:
    """Named tensors by key, as many as fit."""

    def __init__(self) -> None:
        self.tensors: dict[str, Tensors] = {}
        self._bytes = 0

    def keep(self, key: str, tensors: Tensors) -> None:
        size = sum(tensor.nbytes for tensor in tensors.values())
        if self._bytes + size <= KEPT_BYTES:
            self.tensors[key] = tensors
            self._bytes += size

    def clear(self) -> None:
        self.tensors.clear()
        self._bytes = 0


class _Inputs:
    """Results of `SpeechModel.inputs` by the samples of a batch and the dtype of the model."""

    def __init__(self, speech: SpeechModel) -> None:
        self._speech = speech
        self._compute = speech.inputs
        self._kept = _Kept()

    def of(self, audio: Sequence[Samples]) -> Tensors:
        digest = hashlib.sha256(str(self._speech.dtype).encode())
        for samples in audio:
            digest.update(len(samples).to_bytes(8))
            digest.update(np.asarray(samples, np.float32).tobytes())
        key = digest.hexdigest()
        if key in self._kept.tensors:
            return dict(self._kept.tensors[key])
        inputs = self._compute(audio)
        self._kept.keep(key, inputs)
        return inputs


class _Outputs:
    """Outputs of an encoder by the inputs of an utterance, in the current state of its weights."""

    def __init__(self, encoder: Any, ignored: tuple[str, ...]) -> None:
        self._encoder = encoder
        self._forward = encoder.forward
        self._names = list(inspect.signature(encoder.forward).parameters)
        self._used = [name for name in self._names if name not in ignored]
        self._state: tuple[Any, ...] = ()
        self._kept = _Kept()

    def of(self, *values: Any, **named: Any) -> Any:
        """The output for a batch, of which only new utterances are encoded."""
        named |= zip(self._names, values, strict=False)
        options = {name for name, value in named.items() if not isinstance(value, Tensor) and value}
        if options - {"return_dict"} or self._encoder.training:  # attention weights are requested, or dropout is active
            return self._forward(**named)
        state = _state(self._encoder)
        if state != self._state:
            self._state = state
            self._kept.clear()
        inputs = {name: named[name] for name in self._used if isinstance(named.get(name), Tensor)}
        keys = [_row_hash(inputs, row) for row in range(len(inputs[self._used[0]]))]
        rows = {key: row for row, key in enumerate(keys) if key not in self._kept.tensors}
        known = {key: self._kept.tensors[key] for key in keys if key not in rows}
        if rows:
            known |= self._encoded({name: value[list(rows.values())] for name, value in inputs.items()}, list(rows))
        outputs = [known[key] for key in keys]
        return self._kind(**{name: torch.cat([output[name] for output in outputs]) for name in outputs[0]})

    def _encoded(self, inputs: Tensors, keys: list[str]) -> dict[str, Tensors]:
        """Encode utterances, and return and keep their outputs by key."""
        encoded = self._forward(**inputs)
        self._kind = type(encoded)
        # Utterances of a batch have one padding step, and equal shares of an output in which they follow each other.
        shares = {name: value.tensor_split(len(keys)) for name, value in encoded.items() if isinstance(value, Tensor)}
        new = {key: {name: share[number] for name, share in shares.items()} for number, key in enumerate(keys)}
        for key, output in new.items():
            self._kept.keep(key, output)
        return new


def _row_hash(inputs: Tensors, row: int) -> str:
    """Hash of one utterance's inputs; the same audio, padded alike, has the same hash."""
    digest = hashlib.sha256()
    for name in sorted(inputs):
        digest.update(inputs[name][row].cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _state(encoder: nn.Module) -> tuple[Any, ...]:
    """Everything but the input that determines an encoder's output.

    A tensor is known by its place and its version, which counts changes in place. peft merges without counting one, so
    its layers' states are part.
    """
    weights = tuple((weight.data_ptr(), weight.dtype, weight._version) for weight in encoder.parameters())
    adapters = tuple(
        (layer.disable_adapters, tuple(layer.active_adapters), tuple(layer.merged_adapters))
        for layer in encoder.modules()
        if isinstance(layer, BaseTunerLayer | AuxiliaryTrainingWrapper)
    )
    return weights, adapters
