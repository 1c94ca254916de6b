"""Connectionist temporal classification (Graves et al. 2006; AutoModelForCTC): a token or a blank for every frame.

There is no `generate`: greedy decoding takes the best token of every frame, merges repetitions and drops blanks. No
token depends on the one before, so nothing can be teacher-forced. The loss sums over all frame sequences that collapse
to the label; a label needs at least one frame per token, and one more between two equal tokens. Imports torch.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lora.asr.decoding.generation import Generated
from lora.asr.decoding.padding import Samples
from lora.asr.families.speech_model import FAILURES, IGNORED, Scored, SpeechModel
from lora.asr.model_json import UnusableModel


class CtcModel(SpeechModel):
    auto_class = "AutoModelForCTC"
    teacher_forced = False
    averages_batches = True

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        blank = self.base.config.pad_token_id
        written = self.tokenizer.pad_token_id
        if blank is None or written not in {None, blank}:
            raise UnusableModel(
                f'model {self.files.identity.id}: the blank is token {blank} by "pad_token_id" in config.json, but '
                f"token {written} by the tokenizer's padding token. Correct config.json, or copy the tokenizer's files "
                "from the base model."
            )
        # A summed loss depends on the number of utterances in a batch, so that steps could not be compared.
        self.base.config.ctc_loss_reduction = "mean"

    @property
    def blank(self) -> int:
        return int(self.base.config.pad_token_id)

    def token_limit(self, seconds: float, decode: dict[str, Any] | None = None) -> int | None:
        self._effective(decode or {})
        return None

    def generate(
        self, inputs: dict[str, Tensor], decode: dict[str, Any] | None = None, log_probabilities: bool = False
    ) -> Generated:
        """Greedy hypotheses; token ids are merged and without blanks.

        There are no log-probabilities, because many frame sequences collapse to one text.
        """
        self._effective(decode or {})
        training = self.model.training
        self.model.eval()
        try:
            with torch.inference_mode():
                logits = self.model(**inputs).logits
        except FAILURES as error:
            raise self._forward_problem(error) from None
        finally:
            self.model.train(training)
        lengths = self.frames(inputs)
        without_padding = torch.arange(logits.shape[1], device=lengths.device) < lengths[:, None]
        self._require_numbers(bool(logits[without_padding].isnan().any()))
        rows = zip(logits.argmax(-1).tolist(), lengths.tolist(), strict=True)
        merged = [[token for token, _ in itertools.groupby(row[:frames])] for row, frames in rows]
        ids = [[token for token in row if token != self.blank] for row in merged]
        return Generated(texts=[self.text_of(row).strip() for row in ids], token_ids=ids, truncated=[False] * len(ids))

    def text_of(self, ids: list[int]) -> str:
        """Text of merged tokens: two equal neighbours are two letters."""
        return str(self.tokenizer.decode(ids, group_tokens=False, skip_special_tokens=True))

    def frames(self, inputs: dict[str, Tensor]) -> Tensor:
        """Number of frames of each utterance without padding, shape (rows,)."""
        raise NotImplementedError

    def label_ids(self, texts: Sequence[str]) -> list[list[int]]:
        return [list(self.tokenizer(text, add_special_tokens=False).input_ids) for text in texts]

    def label_limit(self) -> int | None:
        return None

    def label_length(self, ids: Sequence[int]) -> int:
        """Frames that a label needs: one per token, and a blank between two equal tokens."""
        return len(ids) + sum(one == other for one, other in itertools.pairwise(ids))

    def with_labels(self, inputs: dict[str, Tensor], labels: Tensor, smoothed: bool = False) -> dict[str, Tensor]:
        return {**inputs, "labels": labels.to(self.device)}

    def score(self, batch: dict[str, Tensor]) -> Scored:
        logits = self.model(**{name: batch[name] for name in self.input_names if name in batch}).logits
        frames = torch.arange(logits.shape[1], device=logits.device) < self.frames(batch).unsqueeze(1)
        return Scored(logits, logits.argmax(-1).masked_fill(~frames, IGNORED))

    def summed_loss(self, batch: dict[str, Tensor]) -> tuple[float, int]:
        losses, lengths = self.losses(batch)
        return float(losses.sum()), int(lengths.sum())

    def validation_loss(self, batch: dict[str, Tensor]) -> tuple[float, int]:
        return self.summed_loss(batch)

    def loss_share(self, part: dict[str, Tensor], whole: dict[str, Tensor]) -> float:
        """1 for a summed loss; otherwise the library averages each utterance's loss per token over the utterances."""
        if self.base.config.ctc_loss_reduction == "sum":
            return 1.0
        return len(part["labels"]) / len(whole["labels"])

    def losses(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Compute loss (nats) and number of tokens of every label, each of shape (rows,), in double precision."""
        labels = batch["labels"]
        lengths = labels.ne(IGNORED).sum(-1)
        log_probabilities = self.score(batch).logits.double().log_softmax(-1).transpose(0, 1)
        losses = nn.functional.ctc_loss(
            log_probabilities,
            labels.masked_fill(labels.eq(IGNORED), self.blank),
            self.frames(batch),
            lengths,
            blank=self.blank,
            reduction="none",
            zero_infinity=False,
        )
        return losses, lengths

    def _features(self, audio: list[Samples], padded: int) -> dict[str, Tensor]:
        return dict(
            self.feature_extractor(
                audio,
                sampling_rate=self.sampling_rate,
                padding="max_length",
                max_length=padded,
                return_tensors="pt",
            )
        )
