"""The one interface that transcription, training, audit and ladder know a speech model by. Imports torch.

Three kinds of model implement it: encoder and decoder (`encoder_decoder`), language models that hear (`speech_llm`),
and connectionist temporal classification (`ctc`); families differ from their kind in little.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from lora.asr.decoding.effective_decode import effective_decode, token_limit
from lora.asr.decoding.generation import Generated, log_probabilities_of, until_end
from lora.asr.decoding.padding import Samples, padded_samples
from lora.asr.model_files import ModelFiles
from lora.records.base import UserError

IGNORED = -100  # labels that no loss counts
AUDIO_NAMES = ("input_values", "input_features", "attention_mask")


@dataclass(frozen=True)
class Scored:
    """Logits (rows, width, vocabulary), and targets (rows, width) that they predict position by position.

    Targets of -100 do not count. CTC predicts frames, not labels: there `targets` are the frames' own best tokens.
    """

    logits: Tensor
    targets: Tensor


class SpeechModel:
    """A loaded model in evaluation mode with its processor.

    `input_names` are the audio keys its forward takes; `grid_seconds` is the padding step. `teacher_forced`: logits
    predict the tokens of a label one by one.
    `averages_batches`: the model's loss is a plain mean, whatever number of tokens the trainer says a step has.
    """

    auto_class: ClassVar[str]
    teacher_forced: ClassVar[bool] = True
    averages_batches: ClassVar[bool] = False

    def __init__(self, files: ModelFiles, model: Any, processor: Any, device: str, dtype: torch.dtype) -> None:
        self.files = files
        self.family = files.identity.family
        self.model = model
        self.processor = processor
        self.tokenizer = processor.tokenizer
        self.feature_extractor = processor.feature_extractor
        self.sampling_rate = files.sampling_rate
        self.device = device
        self.dtype = dtype
        self.grid_seconds = files.family.padding_seconds
        accepted = inspect.signature(model.forward).parameters
        self.input_names = tuple(name for name in AUDIO_NAMES if name in accepted)

    @classmethod
    def load(cls, files: ModelFiles, folder: Path, **options: Any) -> tuple[Any, Any]:
        """Model and processor from a folder in hub shape; `options` are those of every `from_pretrained`."""
        import transformers

        processor = transformers.AutoProcessor.from_pretrained(
            files.path, trust_remote_code=False, local_files_only=True
        )
        return getattr(transformers, cls.auto_class).from_pretrained(folder, **options), processor

    # Audio.

    def padded_seconds(self, samples: int) -> float:
        """Seconds an utterance of so many samples is padded to."""
        return padded_samples(samples, self.sampling_rate, self.grid_seconds) / self.sampling_rate

    def inputs(self, audio: Sequence[Samples]) -> dict[str, Tensor]:
        """Padded inputs (on the model's device, in its dtype) of utterances that share one grid step.

        Raises ValueError when they do not: their texts would depend on each other.
        """
        steps = {padded_samples(len(samples), self.sampling_rate, self.grid_seconds) for samples in audio}
        if len(steps) != 1:
            raise ValueError(f"a batch holds one padding step, got {sorted(steps)} samples")
        features = self._features([np.asarray(samples, np.float32) for samples in audio], steps.pop())
        return {name: self._place(features[name]) for name in self.input_names if name in features}

    # Texts.

    def token_limit(self, seconds: float, decode: dict[str, Any] | None = None) -> int | None:
        """Most new tokens for an utterance of so many seconds, null where only the model's own limit is."""
        step = self.padded_seconds(round(seconds * self.sampling_rate))
        return token_limit(self._effective(decode or {}), step)

    def generate(
        self, inputs: dict[str, Tensor], decode: dict[str, Any] | None = None, log_probabilities: bool = False
    ) -> Generated:
        """Decode a batch from `inputs()`. `decode` holds a person's arguments or an effective decode.

        Calls the current `self.model`, so an attached adapter takes part. Restores training mode afterwards.
        """
        effective = self._effective(decode or {})
        limit = self._limit(effective, inputs)
        owner = self.base
        own, training = owner.generation_config, self.model.training
        # Handed over as the model's own settings: `generate` fills an argument of null from those, so
        # that only so a null of a person (suppress nothing) means null.
        owner.generation_config = settled = _settled(own, effective, limit)
        settled.return_dict_in_generate = settled.output_logits = log_probabilities
        self.model.eval()
        try:
            with torch.inference_mode():
                made = self._generate(inputs, effective)
        except (ValueError, TypeError) as error:
            raise UserError(f"decode: {self.family} generate refuses it: {first_line(error)}") from None
        finally:
            owner.generation_config = own
            self.model.train(training)
        generated = self._read(made if isinstance(made, Tensor) else made["sequences"], effective, inputs)
        steps = None if isinstance(made, Tensor) else made.get("logits")
        if not steps:
            return generated
        ends = set(eos_tokens(effective))
        new = [until_end(row, ends) for row in made["sequences"][:, -len(steps) :].tolist()]
        return replace(generated, log_probabilities=log_probabilities_of(steps, new))

    def text_of(self, ids: list[int]) -> str:
        """The text that tokens stand for, special ones left out."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=True))

    # Labels.

    @property
    def base(self) -> Any:
        """The model itself, beneath an adapter that was attached to it."""
        return self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model

    @property
    def decoder_start(self) -> int | None:
        """The token that forward itself puts in front of a label, null where it puts none."""
        start: int | None = getattr(self.base.config, "decoder_start_token_id", None)
        return start

    def label_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text as they are trained on, without padding."""
        raise NotImplementedError

    def label_limit(self) -> int | None:
        """Most label tokens the model takes, null where nothing names a limit."""
        raise NotImplementedError

    def label_capacity(self, seconds: float) -> int | None:
        """Most label tokens that an utterance of so many seconds has room for."""
        return self.label_limit()

    def label_length(self, ids: Sequence[int]) -> int:
        """How much of that room a label takes."""
        return len(ids)

    def with_labels(self, inputs: dict[str, Tensor], labels: Tensor, smoothed: bool = False) -> dict[str, Tensor]:
        """A batch to train on: `inputs()` and labels (rows, width; -100 is padding) of the same utterances.

        `smoothed`: for the library's label smoothing, which keeps the labels from the model and holds them against its
        logits position by position.
        """
        raise NotImplementedError

    def score(self, batch: dict[str, Tensor]) -> Scored:
        """Logits of a batch of `with_labels`, and the targets they predict."""
        raise NotImplementedError

    def force(self, inputs: dict[str, Tensor], targets: Tensor, decoder_inputs: Tensor) -> Tensor:
        """Logits (rows, width, vocabulary) that predict `targets` (rows, width) from given decoder inputs.

        Raises NotImplementedError where no token depends on the one before.
        """
        raise NotImplementedError

    def summed_loss(self, batch: dict[str, Tensor]) -> tuple[float, int]:
        """By hand: negative log-likelihood (nats) of a batch's labels, and their number of tokens."""
        scored = self.score(batch)
        return sum_cross_entropy(scored.logits, scored.targets)

    def validation_loss(self, batch: dict[str, Tensor]) -> tuple[float, int]:
        """The same by the model's own loss, which training sees."""
        count = int(batch["labels"].ne(IGNORED).sum())
        return float(self.model(**batch).loss) * count, count

    def loss_share(self, part: dict[str, Tensor], whole: dict[str, Tensor]) -> float:
        """What the model's own loss of some rows weighs in that of their batch, where it is a mean: over tokens."""
        counted = [int(batch["labels"].ne(IGNORED).sum()) for batch in (part, whole)]
        return counted[0] / max(counted[1], 1)

    # What families differ in.

    def _features(self, audio: list[Samples], padded: int) -> dict[str, Tensor]:
        raise NotImplementedError

    def _generate(self, inputs: dict[str, Tensor], effective: dict[str, Any]) -> Any:
        """Sequences, what they were started with included; with all logits where the settings ask for them."""
        return self.model.generate(**inputs)

    def _limit(self, effective: dict[str, Any], inputs: dict[str, Tensor]) -> int | None:
        """Most new tokens of this batch, null to leave `max_length` as it is."""
        raise NotImplementedError

    def _new_tokens(self, row: list[int], inputs: dict[str, Tensor]) -> list[int]:
        """A row of `_generate` without what it was started with."""
        return row[1:]

    # Shared.

    def _effective(self, decode: dict[str, Any]) -> dict[str, Any]:
        return decode if "tokens_per_second" in decode else effective_decode(self.files, decode)

    def _place(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.device, self.dtype if tensor.is_floating_point() else None)

    def _read(self, sequences: Tensor, effective: dict[str, Any], inputs: dict[str, Tensor]) -> Generated:
        ends = set(eos_tokens(effective))
        rows = [self._new_tokens(row, inputs) for row in sequences.tolist()]
        texts = self.tokenizer.batch_decode(rows, skip_special_tokens=True)
        return Generated(
            texts=[text.strip() for text in texts],
            token_ids=[until_end(row, ends) for row in rows],
            truncated=[not ends & set(row) for row in rows],
        )


def sum_cross_entropy(logits: Tensor, targets: Tensor, shift: int = 0, smoothing: float = 0.0) -> tuple[float, int]:
    """By hand: sum of -log p(targets[t + shift] | logits[t]) over targets that count, and their number.

    With smoothing e it is (1 - e) of that and e of the mean over the vocabulary.
    """
    width = targets.shape[1] - shift
    log_probability = logits[:, :width].double().log_softmax(-1)
    later = targets[:, shift:]
    counted = later.ne(IGNORED)
    loss = -log_probability.gather(-1, later.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    if smoothing:
        loss = (1 - smoothing) * loss - smoothing * log_probability.mean(-1)
    return float((loss * counted).sum()), int(counted.sum())


def keep_statistics(model: nn.Module) -> None:
    """Batch normalisation by the statistics that came with the model: those a training gathers are in no adapter."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()


def eos_tokens(effective: dict[str, Any]) -> list[int]:
    ends = effective["eos_token_id"]
    return list(ends) if isinstance(ends, list | tuple) else [] if ends is None else [ends]


def _settled(own: Any, effective: dict[str, Any], limit: int | None) -> Any:
    """A generation configuration in which everything that can change the text is what `effective` says."""
    config = copy.deepcopy(own)
    for key, value in effective.items():
        if key not in {"tokens_per_second", "prompt"}:
            setattr(config, key, value)
    if limit is not None:
        config.max_new_tokens, config.max_length = limit, None
    return config


def first_line(error: Exception) -> str:
    """What a library says first, or the kind of its error where it says nothing."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
