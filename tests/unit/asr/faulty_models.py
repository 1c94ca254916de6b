"""Moonshine models with the wrong losses of some library versions. Load the correct model, then change its class."""

from __future__ import annotations

from typing import Any

from transformers import MoonshineForConditionalGeneration


class ShiftedTwice(MoonshineForConditionalGeneration):
    """As in transformers 4.48 to 5.12: shifts logits against labels although both are already aligned."""

    def forward(self, *arguments: Any, **keywords: Any) -> Any:
        result = super().forward(*arguments, **keywords)
        labels = keywords.get("labels")
        if labels is not None:  # generation gives none
            result.loss = self.loss_function(logits=result.logits, labels=labels, vocab_size=self.config.vocab_size)
        return result


class DeafToCounts(MoonshineForConditionalGeneration):
    """Ignores the step's number of tokens that it takes: accumulated batches are summed instead of averaged."""

    def forward(self, *arguments: Any, **keywords: Any) -> Any:
        keywords.pop("num_items_in_batch", None)
        return super().forward(*arguments, **keywords)
