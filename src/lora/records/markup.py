"""Markup in transcripts: what is written there and not spoken."""

from __future__ import annotations

from pydantic import Field

from lora.records.base import Record


class MarkupCount(Record):
    """Markup of one kind in a set of texts."""

    kind: str = Field(description="Kind of markup (a value of `text.strip`).")
    rows: int = Field(description="Texts that contain it.")
    tokens: int = Field(description="How often it occurs.")
    examples: list[str] = Field(description="The most frequent forms, at most 3.")


class MarkupFacts(Record):
    """Markup in references and hypotheses within `max_seconds`, and the error rate without it.

    The errors are those after all kinds but `fragments` are removed from both sides. Alternations in references count
    by the alternative that costs least, with and without.
    """

    references: list[MarkupCount] = Field(description="Markup in the references, by kind.")
    hypotheses: list[MarkupCount] = Field(description="Markup in the hypotheses, by kind.")
    errors: int = Field(description="Word errors with the markup removed.")
    words: int = Field(description="Reference words with the markup removed.")
    wer: float | None = Field(description="WER (fraction) with the markup removed; null without a reference word.")
