"""The common interface of speech models for transcription, training, label audit and effect ladder. Imports torch.

Three kinds of models implement it: encoder-decoder models (`encoder_decoder`), speech language models (`speech_llm`)
and connectionist temporal classification (`ctc`). A family overrides only what differs from its kind.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from transformers import StoppingCriteriaList

from lora.asr.decoding.effective_decode import effective_decode, token_limit
from lora.asr.decoding.generation import Generated, NanWatch, TokenScores, eos_token_ids, generation_config, until_eos
from lora.asr.decoding.padding import Samples, padded_samples
from lora.asr.device_memory import is_out_of_memory
from lora.asr.families.complete_weights import complete_model
from lora.asr.model_files import ModelFiles
from lora.asr.model_json import UnusableModel
from lora.records.base import UserError

IGNORED = -100  # label value that the loss ignores
# What libraries raise for settings that contradict each other: whatever they lead to.
FAILURES = (ArithmeticError, AttributeError, LookupError, NameError, RuntimeError, TypeError, ValueError)
AUDIO_NAMES = ("input_values", "input_features", "attention_mask")


@dataclass(frozen=True)
class Scored:
    """Logits (rows, width, vocabulary) and the targets (rows, width) that they predict position by position.

    Targets of -100 do not count. CTC predicts frames, not labels: `targets` are then the best token of each frame.
    """

    logits: Tensor
    targets: Tensor


class SpeechModel:
    """A loaded model in evaluation mode with its processor.

    Attributes:
        auto_class: Class of transformers that loads the model.
        processor_class: Class of transformers that loads tokenizer and feature extractor.
        teacher_forced: Whether logits predict the tokens of a label one by one.
        averages_batches: Whether the model's loss is a plain mean, even if the trainer passes the step's token count.
        encoder_ignores: Inputs that `generate` passes to the encoder, which does not use them.
        input_names: Inputs of the forward pass that depend on the audio.
        grid_seconds: Step of the padding grid.
    """

    auto_class: ClassVar[str]
    processor_class: ClassVar[str] = "AutoProcessor"
    teacher_forced: ClassVar[bool] = True
    averages_batches: ClassVar[bool] = False
    encoder_ignores: ClassVar[tuple[str, ...]] = ()

    def __init__(self, files: ModelFiles, model: Any, processor: Any, device: str, dtype: torch.dtype) -> None:
        self.files = files
        self.family = files.identity.family
        self.model = model
        self.processor = processor
        self.tokenizer = processor.tokenizer
        self.feature_extractor = processor.feature_extractor
        if getattr(self.feature_extractor, "dither", 0):
            self.feature_extractor.dither = 0.0  # random noise, with which a hypothesis would depend on chance
        self.sampling_rate = files.sampling_rate
        self.device = device
        self.dtype = dtype
        self.grid_seconds = files.family.padding_seconds
        accepted = inspect.signature(model.forward).parameters
        self.input_names = tuple(name for name in AUDIO_NAMES if name in accepted)

    @classmethod
    def load(cls, files: ModelFiles, folder: Path, **options: Any) -> tuple[Any, Any]:
        """Load model and processor from a local folder; `options` go to `from_pretrained` of the model."""
        import transformers

        processor = getattr(transformers, cls.processor_class).from_pretrained(
            files.processor_path, trust_remote_code=False, local_files_only=True
        )
        return complete_model(getattr(transformers, cls.auto_class), folder, **options), processor

    @property
    def base(self) -> Any:
        """The model itself, without the wrapper of an attached adapter."""
        return self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model

    @property
    def encoder(self) -> Any:
        """The module whose output depends on the audio alone; None if there is no other module after it."""
        return None

    def require_usable_prompt(self) -> None:
        """Raise UnusableModel if the model has a chat template that does not work."""

    # Audio.

    def padded_seconds(self, samples: int) -> float:
        """Seconds that an utterance of this number of samples is padded to."""
        return padded_samples(samples, self.sampling_rate, self.grid_seconds) / self.sampling_rate

    def inputs(self, audio: Sequence[Samples]) -> dict[str, Tensor]:
        """Padded inputs (on the model's device, in its dtype) of utterances that share one grid step.

        Raises:
            ValueError: The utterances have different grid steps, so that their hypotheses would depend on each other.
        """
        steps = {padded_samples(len(samples), self.sampling_rate, self.grid_seconds) for samples in audio}
        if len(steps) != 1:
            raise ValueError(f"a batch has one padding step, got {sorted(steps)} samples")
        features = self._features([np.asarray(samples, np.float32) for samples in audio], steps.pop())
        return {name: self._to_device(features[name]) for name in self.input_names if name in features}

    # Hypotheses.

    def token_limit(self, seconds: float, decode: dict[str, Any] | None = None) -> int | None:
        """Largest number of new tokens for an utterance of this duration; None: only the model's own limit."""
        step = self.padded_seconds(round(seconds * self.sampling_rate))
        return token_limit(self._effective(decode or {}), step)

    def generate(
        self, inputs: dict[str, Tensor], decode: dict[str, Any] | None = None, log_probabilities: bool = False
    ) -> Generated:
        """Decode a batch from `inputs()`.

        Calls the current `self.model`, so that an attached adapter takes effect. Restores training mode afterwards.

        Args:
            inputs: A batch from `inputs()`.
            decode: The study's decode settings, or a complete effective decode.
            log_probabilities: Whether to compute the log-probability of each hypothesis.
        """
        effective = self._effective(decode or {})
        base = self.base
        own_config = base.generation_config
        training = self.model.training
        # Set as the model's own settings: `generate` replaces arguments of None by those, so that this is the only way
        # to make an explicit None of the study (such as `suppress_tokens: null`) take effect.
        base.generation_config = generation_config(own_config, effective, self._limit(effective, inputs))
        base.generation_config.return_dict_in_generate = False
        scores = TokenScores(set(eos_token_ids(effective))) if log_probabilities else None
        watched = scores.watch(base) if scores else None
        nan = NanWatch(base)
        self.model.eval()
        try:
            with torch.inference_mode():
                sequences = self._generate(inputs, effective, [scores] if scores else [])
        except FAILURES as error:
            if isinstance(error, RuntimeError) and is_out_of_memory(error):
                raise  # the caller continues with smaller batches
            self._require_forward_pass(inputs)
            raise UserError(
                f"`decode` or generation_config.json of model {self.files.identity.id}: generate of {self.family} "
                f"rejects the settings: {first_line(error)}"
            ) from None
        finally:
            if watched is not None:
                watched.remove()
            has_nan = nan.stop()
            base.generation_config = own_config
            self.model.train(training)
        self._require_numbers(has_nan)
        generated = self._read(sequences, effective, inputs)
        if scores is None or scores.totals is None:
            return generated
        return replace(generated, log_probabilities=scores.totals.tolist())

    def _require_forward_pass(self, inputs: dict[str, Tensor]) -> None:
        """Raise UnusableModel if the model fails on a batch whatever the settings of `generate` are."""
        ids = self.label_ids(["a a"])[0]
        rows = len(inputs["input_ids"] if "input_ids" in inputs else next(iter(inputs.values())))
        try:
            with torch.inference_mode():
                self.score(self.with_labels(inputs, torch.tensor([ids] * rows)))
        except FAILURES as error:
            raise self._forward_problem(error) from None

    def _forward_problem(self, error: Exception) -> Exception:
        """The error of a model that cannot compute, or `error` itself where memory is short."""
        if isinstance(error, RuntimeError) and is_out_of_memory(error):
            return error
        return UnusableModel(
            f"model {self.files.identity.id}: its forward pass fails: {first_line(error)}. config.json does not fit "
            "the weights, or the files of tokenizer and feature extractor. Copy all files from one model."
        )

    def _require_numbers(self, has_nan: bool) -> None:
        """Raise UnusableModel for logits that are NaN. Those with an adapter are a finding of the effect ladder."""
        if has_nan and self.model is self.base:
            half = "" if self.dtype == torch.float32 else f", or {str(self.dtype).removeprefix('torch.')} is too small"
            raise UnusableModel(
                f"model {self.files.identity.id}: its logits are NaN, so that all hypotheses would be one token. "
                f"A value of config.json is damaged, such as a scale that is 0{half}. Copy config.json from the base "
                "model."
            )

    def text_of(self, ids: list[int]) -> str:
        """Text of token ids, without special tokens."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=True))

    # Labels.

    @property
    def decoder_start(self) -> int | None:
        """The token that the forward pass puts before a label, None if it adds none."""
        start: int | None = getattr(self.base.config, "decoder_start_token_id", None)
        return start

    def forced_prefix(self, decode: dict[str, Any]) -> list[int] | None:
        """Tokens that generation forces after the decoder start token; None if they depend on the audio."""
        return []

    def starts_with_prefix(self, label: list[int], decode: dict[str, Any]) -> bool | None:
        """Whether a label starts with the tokens that generation forces; None if the family forces none."""
        return None

    def label_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text as they are trained on, without padding."""
        raise NotImplementedError

    def label_limit(self) -> int | None:
        """Largest number of label tokens that the model accepts, None if no limit is configured."""
        raise NotImplementedError

    def label_capacity(self, seconds: float) -> int | None:
        """Largest label length for an utterance of this duration, in the unit of `label_length`."""
        return self.label_limit()

    def label_length(self, ids: Sequence[int]) -> int:
        """How much of `label_capacity` a label needs."""
        return len(ids)

    def with_labels(self, inputs: dict[str, Tensor], labels: Tensor, smoothed: bool = False) -> dict[str, Tensor]:
        """A training batch from `inputs()` and labels (rows, width; -100 is padding) of the same utterances.

        `smoothed`: for the label smoothing of transformers, which does not pass the labels to the model but compares
        them with its logits position by position.
        """
        raise NotImplementedError

    # Logits and losses.

    def score(self, batch: dict[str, Tensor]) -> Scored:
        """Logits of a batch from `with_labels`, and the targets that they predict."""
        raise NotImplementedError

    def force(self, inputs: dict[str, Tensor], targets: Tensor, decoder_inputs: Tensor) -> Tensor:
        """Logits (rows, width, vocabulary) that predict `targets` (rows, width) from given decoder inputs.

        Raises:
            NotImplementedError: The model is not teacher-forced.
        """
        raise NotImplementedError

    def summed_loss(self, batch: dict[str, Tensor]) -> tuple[float, int]:
        """Negative log-likelihood (nats) of a batch's labels computed from its logits, and their number of tokens."""
        scored = self.score(batch)
        return sum_cross_entropy(scored.logits, scored.targets)

    def validation_loss(self, batch: dict[str, Tensor]) -> tuple[float, int]:
        """As `summed_loss`, from the model's own loss, which training uses."""
        count = int(batch["labels"].ne(IGNORED).sum())
        return float(self.model(**batch).loss) * count, count

    def loss_share(self, part: dict[str, Tensor], whole: dict[str, Tensor]) -> float:
        """Weight of the loss of some rows in the loss of their batch. Here: a mean over tokens."""
        part_tokens, all_tokens = (int(batch["labels"].ne(IGNORED).sum()) for batch in (part, whole))
        return part_tokens / max(all_tokens, 1)

    # To be implemented by families.

    def _features(self, audio: list[Samples], padded: int) -> dict[str, Tensor]:
        """Model inputs for utterances that are padded to `padded` samples."""
        raise NotImplementedError

    def _generate(self, inputs: dict[str, Tensor], effective: dict[str, Any], criteria: list[TokenScores]) -> Tensor:
        """Token sequences including the decoder start or prompt; `criteria` are called for each token."""
        sequences: Tensor = self.model.generate(**inputs, stopping_criteria=StoppingCriteriaList(criteria))
        return sequences

    def _limit(self, effective: dict[str, Any], inputs: dict[str, Tensor]) -> int | None:
        """Largest number of new tokens for this batch, None to leave `max_length` unchanged."""
        raise NotImplementedError

    def _new_tokens(self, row: list[int], inputs: dict[str, Tensor]) -> list[int]:
        """A row of `_generate` without the decoder start or prompt."""
        return row[1:]

    # Shared by families.

    def _effective(self, decode: dict[str, Any]) -> dict[str, Any]:
        return decode if "tokens_per_second" in decode else effective_decode(self.files, decode)

    def _to_device(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.device, self.dtype if tensor.is_floating_point() else None)

    def _read(self, sequences: Tensor, effective: dict[str, Any], inputs: dict[str, Tensor]) -> Generated:
        eos = set(eos_token_ids(effective))
        rows = [self._new_tokens(row, inputs) for row in sequences.tolist()]
        texts = self.tokenizer.batch_decode(rows, skip_special_tokens=True)
        return Generated(
            texts=[text.strip() for text in texts],
            token_ids=[until_eos(row, eos) for row in rows],
            truncated=[not eos & set(row) for row in rows],
        )


def sum_cross_entropy(logits: Tensor, targets: Tensor, shift: int = 0, smoothing: float = 0.0) -> tuple[float, int]:
    """Sum -log p(targets[t + shift] | logits[t]) over targets that count (nats, double precision), and their number.

    With label smoothing e: (1 - e) of that plus e of the mean over the vocabulary.
    """
    width = targets.shape[1] - shift
    shifted = targets[:, shift:]
    counted = shifted.ne(IGNORED)
    log_probability = logits[:, :width][counted].double().log_softmax(-1)
    loss = -log_probability.gather(-1, shifted[counted].unsqueeze(-1)).squeeze(-1)
    if smoothing:
        loss = (1 - smoothing) * loss - smoothing * log_probability.mean(-1)
    return float(loss.sum()), int(counted.sum())


def freeze_batch_norms(model: nn.Module) -> None:
    """Keep the batch normalisation statistics of the base model: an adapter does not contain them."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()


def first_line(error: Exception) -> str:
    """First line of an error's message, or the error's type if it has no message."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
