"""Moonshine as library versions compute its loss wrongly; the right model is loaded and then made one of these."""

from __future__ import annotations

from typing import Any

from transformers import MoonshineForConditionalGeneration


class ShiftedTwice(MoonshineForConditionalGeneration):
    """As in transformers 4.48 to 5.12: logits that are aligned with labels are shifted against them once more."""

    def forward(self, *arguments: Any, **keywords: Any) -> Any:
        result = super().forward(*arguments, **keywords)
        labels = keywords.get("labels")
        if labels is not None:  # generation gives none
            result.loss = self.loss_function(logits=result.logits, labels=labels, vocab_size=self.config.vocab_size)
        return result


class DeafToCounts(MoonshineForConditionalGeneration):
    """Takes the number of tokens of a step and ignores it: accumulated batches are added up instead of averaged."""

    def forward(self, *arguments: Any, **keywords: Any) -> Any:
        keywords.pop("num_items_in_batch", None)
        return super().forward(*arguments, **keywords)
