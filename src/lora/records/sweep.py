"""What a sweep showed: recipes compared with the base model and with each other, and the hypotheses decided by that."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from lora.records.base import Fact, Record
from lora.records.in_run import InRunComparison
from lora.records.recipes import GridWinner, LearningCurve, RecipeDifference, RecipePower, Trend

State = Literal["supported", "refuted", "undecided", "not_run"]


class RecipeFacts(Record):
    """Runs whose training settings differ in the seed alone, and that have transcripts."""

    name: str = Field(description="What distinguishes the recipe from the others, or the name of its only run.")
    runs: list[str] = Field(description="Its runs, in the order of `seeds`.")
    seeds: list[int] = Field(description="Seeds of its runs.")
    settings: dict[str, Any] = Field(description="Training settings without the seed.")


class RecipeOutcome(Record):
    """One recipe against the base model on one manifest (the rows that decide: `headroom.rows`)."""

    recipe: str = Field(description="Name of the recipe.")
    manifest: str = Field(description="Name of the manifest.")
    base_wer: float | None = Field(description="WER (fraction) of the base model; null without a reference word.")
    wers: list[float] = Field(description="WER (fraction) of each run of the recipe, in the order of its seeds.")
    against_base: RecipeDifference = Field(description="Mean WER over the seeds minus that of the base model.")
    p_harm: float | None = Field(
        description="p-value of a WER that rises by `statistics.equivalence_margin` or more: at most 1 - `confidence` "
        "where the interval (or the exact bound of a set that hardly changed) is below the margin; null if unknown."
    )
    p_target: float | None = Field(
        description="p-value of a gain of at most `statistics.target_gain`: at most 1 - `confidence` where the "
        "interval is below minus the target; null if unknown."
    )


class LevelDifference(Record):
    """Two recipes that differ in one setting."""

    factor: str = Field(description="The setting.")
    recipe: str = Field(description="Recipe with the higher (or later) value.")
    against: str = Field(description="Recipe with the lowest (or first) value.")
    difference: RecipeDifference = Field(description="Mean WER of `recipe` minus that of `against`.")


class TrendFacts(Record):
    """WER against one setting, all others equal."""

    factor: str = Field(description="The setting.")
    recipes: list[str] = Field(description="Recipes by ascending level.")
    fewest_seeds: int = Field(description="Seeds of the recipe that has fewest.")
    trend: Trend = Field(description="Shape of the WER over the levels.")
    curve: LearningCurve | None = Field(
        default=None, description="Of `data_share`: how much more data the target gain would need."
    )


class InRunFinding(Record):
    """The saved adapter of one run against the evaluation during training."""

    run: str = Field(description="Name of the run.")
    manifests: list[InRunComparison] = Field(description="Rows compared text by text, by manifest.")


class HypothesisFacts(Record):
    """The numbers that decide one hypothesis."""

    id: str = Field(description="Key of the hypothesis in the configuration.")
    manifest: str | None = Field(description="Manifest that it is decided on; null if no manifest qualifies.")
    guard: str | None = Field(description="Manifest that must not get worse; null without a general manifest.")
    recipes: list[str] = Field(description="Recipes that it compares.")
    missing_runs: list[str] = Field(description="Runs that it compares and that have no transcripts yet.")
    outcomes: list[RecipeOutcome] = Field(default=[], description="Its recipes on `manifest`.")
    guarded: list[RecipeOutcome] = Field(default=[], description="Its recipes on `guard`.")
    levels: list[LevelDifference] = Field(default=[], description="Levels of the factors against the lowest one.")
    trends: list[TrendFacts] = Field(default=[], description="Trends over the factors.")
    in_run: list[InRunFinding] = Field(default=[], description="Saved adapters against evaluations during training.")
    power: RecipePower | None = Field(
        default=None,
        description="What a comparison of its recipes can show on `manifest`, with the seeds that the configuration "
        "names; null without the baseline's WER.",
    )
    guard_power: RecipePower | None = Field(
        default=None, description="The same on `guard`, for a difference of the equivalence margin."
    )


class SweepFacts(Fact):
    """All recipes of a study, and the comparisons that its hypotheses ask for."""

    equivalence_margin: float = Field(description="`statistics.equivalence_margin` (fraction).")
    target_gain: float = Field(description="`statistics.target_gain` (fraction).")
    confidence: float = Field(description="`statistics.confidence`.")
    recipes: list[RecipeFacts] = Field(description="In the order of the configuration.")
    hypotheses: list[HypothesisFacts] = Field(description="In the order of the configuration.")
    winner: GridWinner | None = Field(
        default=None, description="All recipes on the evaluation manifest of the verdict; null without a recipe."
    )


class HypothesisResult(Record):
    """One hypothesis, decided."""

    id: str = Field(description="Key of the hypothesis in the configuration.")
    statement: str = Field(description="The claim.")
    predicts: str = Field(description="The outcome that the claim predicts.")
    state: State = Field(description="`not_run`: the runs that it compares have not been trained.")
    reason: str = Field(description="Code of the case, such as `too_few_seeds`.")
    value: float | None = Field(default=None, description="The number that decides (a fraction).")
    low: float | None = Field(default=None, description="Lower end of its interval.")
    high: float | None = Field(default=None, description="Upper end of its interval.")
    threshold: float | None = Field(default=None, description="What the number is compared with.")
    p: float | None = Field(default=None, description="p-value of the decision, adjusted for all its comparisons.")
    recipe: str | None = Field(default=None, description="Recipe that the number is of.")
    against: str | None = Field(default=None, description="`base`, or the recipe that it is compared with.")
    manifest: str | None = Field(default=None, description="Manifest that the number is of.")
    seeds: int | None = Field(default=None, description="Seeds behind the number.")
    summary: str = Field(description="The result in words.")
    next_step: str = Field(description="What would decide it, or what to do with the result.")
    evidence: list[str] = Field(description="Files with the numbers.")


class HypothesisResults(Record):
    """All hypotheses of a study, decided."""

    hypotheses: list[HypothesisResult] = Field(description="In the order of the configuration.")
