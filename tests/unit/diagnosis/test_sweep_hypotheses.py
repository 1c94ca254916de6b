"""Hypotheses of a sweep are decided by intervals, with enough seeds, adjusted for the number of recipes."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from lora.configuration.study import HypothesisConfig
from lora.diagnosis.sweep.decision import Decision
from lora.diagnosis.sweep.hypotheses import decide
from lora.diagnosis.wording.sweep import next_step, result_of, summary
from lora.records.in_run import InRunComparison
from lora.records.recipes import CurveOutcome, LearningCurve, RecipeDifference, RecipePower, Trend
from lora.records.scores import Interval
from lora.records.sweep import (
    HypothesisFacts,
    InRunFinding,
    LevelDifference,
    RecipeOutcome,
    SweepFacts,
    TrendFacts,
)

MARGIN, TARGET = 0.005, 0.02


def difference(low: float, high: float, seeds: int = 3, p: float | None = None) -> RecipeDifference:
    value = (low + high) / 2
    return RecipeDifference(
        difference=value,
        seed_differences=[value] * seeds,
        standard_error=(high - low) / 4,
        interval=Interval(low=low, high=high, confidence=0.95, method="test", scope="speakers"),
        scope="recipe" if seeds > 1 else "adapter",
        seeds=seeds,
        other_seeds=seeds,
        paired_seeds=False,
        unit_variance=1e-4,
        unit_degrees=20,
        seed_variance=1e-5,
        seed_degrees=2.0,
        seed_share=0.1,
        degrees=20.0,
        changed_errors=30,
        p=p if p is not None else (0.001 if high < 0 or low > 0 else 0.4),
        harm_bound=high,
    )


def outcome(recipe: str, low: float, high: float, manifest: str = "domain", **values: Any) -> RecipeOutcome:
    found = difference(low, high, **values)
    return RecipeOutcome(
        recipe=recipe,
        manifest=manifest,
        base_wer=0.3,
        wers=[0.3 + low] * found.seeds,
        against_base=found,
        p_harm=0.01 if high < MARGIN else 0.5,
        p_target=0.01 if high < -TARGET else 0.5,
    )


def guard(recipe: str, low: float, high: float) -> RecipeOutcome:
    return outcome(recipe, low, high, manifest="heldout")


HYPOTHESIS = HypothesisConfig(
    preset=None,
    statement="s",
    test=None,
    factor=None,
    runs=None,
    predicts=None,
    manifest=None,
    guard=None,
    min_seeds=3,
)


def decided(test: str, min_seeds: int = 3, **facts: Any) -> Decision:
    values = {"id": "H", "manifest": "domain", "guard": "heldout", "recipes": [], "missing_runs": [], **facts}
    sweep = SweepFacts(
        equivalence_margin=MARGIN, target_gain=TARGET, confidence=0.95, recipes=[], hypotheses=[], winner=None
    )
    hypothesis = HYPOTHESIS.model_copy(update={"test": test, "min_seeds": min_seeds})
    decision = decide(sweep, HypothesisFacts(**values), hypothesis)
    assert summary(decision)
    assert next_step(decision, HypothesisFacts(**values))
    return decision


BETTER, UNSURE, NO_BETTER = (-0.08, -0.03), (-0.03, 0.01), (0.0, 0.02)
SAFE, OPEN, HARMFUL = (-0.004, 0.003), (-0.002, 0.012), (0.008, 0.03)


@pytest.mark.parametrize(
    ("domain", "general", "state", "reason"),
    [
        (BETTER, SAFE, "supported", "gain_without_harm"),
        (BETTER, OPEN, "undecided", "harm_not_excluded"),
        (BETTER, HARMFUL, "refuted", "harm"),
        (UNSURE, SAFE, "undecided", "gain_not_shown"),
        (NO_BETTER, SAFE, "refuted", "no_gain"),
    ],
)
def test_domain_shift_needs_a_gain_and_no_harm(
    domain: tuple[float, float], general: tuple[float, float], state: str, reason: str
) -> None:
    decision = decided("domain_shift", outcomes=[outcome("r", *domain)], guarded=[guard("r", *general)])
    assert (decision.state, decision.reason) == (state, reason)


def test_gain_and_safety_must_be_of_one_recipe() -> None:
    outcomes = [outcome("strong", *BETTER), outcome("weak", *UNSURE)]
    guarded = [guard("strong", *OPEN), guard("weak", *SAFE)]
    assert decided("domain_shift", outcomes=outcomes, guarded=guarded).state == "undecided"


def test_many_recipes_need_smaller_p_values() -> None:
    def one_of(count: int) -> Decision:
        outcomes = [outcome("r0", *BETTER, p=0.02), *(outcome(f"r{n}", *UNSURE) for n in range(1, count))]
        guarded = [guard(f"r{n}", *SAFE) for n in range(count)]
        return decided("domain_shift", outcomes=outcomes, guarded=guarded)

    assert one_of(2).state == "supported"
    assert one_of(2).p == pytest.approx(0.04)
    assert one_of(5).state == "undecided"


def test_one_seed_decides_nothing() -> None:
    decision = decided("domain_shift", outcomes=[outcome("r", *BETTER, seeds=1)], guarded=[guard("r", *SAFE)])
    assert (decision.state, decision.reason) == ("undecided", "too_few_seeds")
    assert decision.details == {"seeds": 1, "min_seeds": 3}
    enough = decided("domain_shift", 1, outcomes=[outcome("r", *BETTER, seeds=1)], guarded=[guard("r", *SAFE)])
    assert enough.state == "supported"


def test_without_runs_or_general_manifest_nothing_is_decided() -> None:
    assert decided("domain_shift").state == "not_run"
    assert decided("domain_shift", outcomes=[outcome("r", *BETTER)]).reason == "no_guard"
    assert decided("levels").reason == decided("trend").reason == "factor_not_varied"
    assert decided("adapter_aware").reason == "no_in_run_evaluation"


@pytest.mark.parametrize("reason", ["factor_not_varied", "no_runs", "gain_not_shown"])
def test_runs_without_transcripts_are_named(reason: str) -> None:
    """As after a sweep in which some rates or seeds diverged."""
    state = "undecided" if reason == "gain_not_shown" else "not_run"
    missing = HypothesisFacts(id="H", manifest="domain", guard=None, recipes=["r"], missing_runs=["r-s3", "r-s4"])
    decision = Decision(state=state, reason=reason, difference=outcome("r", *UNSURE).against_base, details={})
    result = result_of(HYPOTHESIS, missing, decision, [])
    assert result.summary.endswith(" Without r-s3 and r-s4: no transcripts.")
    assert ("what stopped the runs" in result.next_step) == (state == "not_run")
    complete = result_of(HYPOTHESIS, missing.model_copy(update={"missing_runs": []}), decision, [])
    assert result.summary.startswith(complete.summary)
    assert "no transcripts" not in complete.summary


@pytest.mark.parametrize(
    ("ends", "state"),
    [((-0.08, -0.03), "supported"), ((-0.03, -0.01), "undecided"), ((-0.015, 0.01), "refuted")],
)
def test_gain_is_compared_with_the_target(ends: tuple[float, float], state: str) -> None:
    decision = decided("gain", outcomes=[outcome("r", *ends)])
    assert (decision.state, decision.threshold) == (state, -TARGET)


@pytest.mark.parametrize(("second", "state"), [(SAFE, "supported"), (OPEN, "undecided"), (HARMFUL, "refuted")])
def test_every_recipe_must_be_harmless(second: tuple[float, float], state: str) -> None:
    guarded = [guard("a", *SAFE), guard("b", *second)]
    assert decided("non_inferior", outcomes=[outcome("a", *BETTER)], guarded=guarded).state == state


@pytest.mark.parametrize(
    ("against_lowest", "general", "state", "reason"),
    [
        (BETTER, SAFE, "supported", "better_without_harm"),
        (BETTER, OPEN, "undecided", "harm_not_excluded"),
        (BETTER, HARMFUL, "refuted", "better_with_harm"),
        (UNSURE, SAFE, "undecided", "level_not_shown"),
        ((-0.004, 0.01), SAFE, "refuted", "no_level_better"),
    ],
)
def test_levels_are_compared_with_the_lowest(
    against_lowest: tuple[float, float], general: tuple[float, float], state: str, reason: str
) -> None:
    level = LevelDifference(
        factor="learning_rate", recipe="high", against="low", difference=difference(*against_lowest)
    )
    decision = decided("levels", levels=[level], guarded=[guard("high", *general)])
    assert (decision.state, decision.reason) == (state, reason)


def trend(shape: str, seeds: int = 3) -> TrendFacts:
    found = Trend(
        levels=[50, 100, 200],
        wers=[0.3, 0.25, 0.28],
        outcome=shape,
        falls=True,
        rises=shape == "overfits",
        best_level=100,
        plausible_levels=[100],
        scope="recipe",
        steps=[],
    )
    return TrendFacts(factor="max_steps", recipes=["a", "b", "c"], fewest_seeds=seeds, trend=found)


@pytest.mark.parametrize(
    ("shapes", "state"),
    [
        (("improves",), "supported"),
        (("flat", "overfits"), "supported"),
        (("flat", "flat"), "refuted"),
        (("flat", "undecided"), "undecided"),
    ],
)
def test_a_trend_over_one_factor_supports_and_only_flat_ones_refute(shapes: tuple[str, ...], state: str) -> None:
    assert decided("trend", trends=[trend(shape) for shape in shapes]).state == state
    assert decided("trend", trends=[trend("improves", seeds=2)]).reason == "too_few_seeds"


def test_a_learning_curve_is_reported_with_its_interval() -> None:
    curve = LearningCurve(
        outcome="reachable",
        amounts=[0.25, 0.5, 1],
        differences=[-0.02, -0.03, -0.04],
        target=-0.05,
        floor=-0.08,
        scale=0.04,
        exponent=0.5,
        needed=1.8,
        needed_low=1.2,
        needed_high=4.0,
        limit=10,
        confidence=0.95,
    )
    decision = decided("trend", trends=[trend("improves").model_copy(update={"curve": curve})])
    assert "1.8 times the data (1.2 to 4)" in summary(decision)


@pytest.mark.parametrize("outcome", get_args(CurveOutcome))
def test_every_outcome_of_a_learning_curve_has_words(outcome: CurveOutcome) -> None:
    curve = LearningCurve(
        outcome=outcome,
        amounts=[0.5, 1],
        differences=[-0.02, -0.03],
        target=-0.05,
        floor=None,
        scale=None,
        exponent=None,
        needed=None,
        needed_low=None,
        needed_high=None,
        limit=20,
        confidence=0.95,
    )
    decision = decided("trend", trends=[trend("improves").model_copy(update={"curve": curve})])
    assert "Learning curve: " in summary(decision)


def in_run(rows: int, same_as_in_run: int, same_as_base: int) -> InRunFinding:
    counts = InRunComparison(
        manifest="domain",
        rows=rows,
        same_as_in_run=same_as_in_run,
        same_as_base=same_as_base,
        in_run_same_as_base=0,
        differing_from_in_run=[],
        equal_to_base=[],
    )
    return InRunFinding(run="r", manifests=[counts])


@pytest.mark.parametrize(
    ("counts", "state", "reason"),
    [
        ((16, 16, 3), "supported", "same_hypotheses"),
        ((16, 15, 3), "refuted", "other_hypotheses"),
        ((16, 16, 16), "refuted", "hypotheses_of_base"),
        ((0, 0, 0), "not_run", "no_in_run_evaluation"),
    ],
)
def test_the_saved_adapter_must_be_the_one_that_was_evaluated(
    counts: tuple[int, int, int], state: str, reason: str
) -> None:
    decision = decided("adapter_aware", in_run=[in_run(*counts)])
    assert (decision.state, decision.reason) == (state, reason)


def test_what_would_decide_is_said_with_numbers() -> None:
    power = RecipePower(
        against="base",
        seeds=3,
        seed_deviation=0.005,
        unit_variance=1e-4,
        units="speakers",
        units_count=20,
        detectable_difference=0.03,
        target_gain=0.02,
        seeds_needed=6,
        growth_needed=2.0,
        utterances_needed=400,
        speakers_needed=40,
        limited_by="rows",
    )
    facts = HypothesisFacts(
        id="H",
        manifest="domain",
        guard=None,
        recipes=["r"],
        missing_runs=[],
        outcomes=[outcome("r", *UNSURE)],
        power=power,
    )
    text = next_step(Decision(state="undecided", reason="gain_not_shown"), facts)
    assert all(number in text for number in ("2.00 points", "6 seeds", "400 rows", "40 speakers"))
