"""A hypothesis as decided: state, code of the case, and the numbers that `wording.sweep` puts into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lora.records.recipes import RecipeDifference
from lora.records.sweep import RecipeOutcome, State


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One hypothesis, decided.

    Attributes:
        state: supported, refuted, undecided or not_run.
        reason: Code of the case.
        difference: The comparison that decides, if one does.
        recipe: Recipe of `difference`.
        against: What `difference` compares it with.
        manifest: Manifest of `difference`.
        threshold: What the difference is compared with.
        p: p-value of the decision, adjusted for all comparisons of the hypothesis.
        details: JSON values that the sentences need.
    """

    state: State
    reason: str
    difference: RecipeDifference | None = None
    recipe: str | None = None
    against: str | None = None
    manifest: str | None = None
    threshold: float | None = None
    p: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def of_outcome(outcome: RecipeOutcome, **values: Any) -> Decision:
    """A decision by one recipe's difference from the base model."""
    return Decision(
        difference=outcome.against_base,
        recipe=outcome.recipe,
        against="base",
        manifest=outcome.manifest,
        **values,
    )


def lowest(outcomes: Sequence[RecipeOutcome]) -> RecipeOutcome:
    """The outcome with the lowest difference from the base model, unknown ones last."""
    return min(outcomes, key=lambda outcome: known(outcome.against_base.difference, float("inf")))


def known(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
