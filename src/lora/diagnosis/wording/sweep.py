"""Sentences of the hypotheses of a sweep: what decides each, and what would decide an open one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lora.configuration.study import HypothesisConfig
from lora.diagnosis.sweep.decision import Decision
from lora.formatting import (
    configured_points,
    count,
    listed,
    p_value,
    percent,
    points,
    points_range,
    signed_points,
)
from lora.records.recipes import RecipePower
from lora.records.sweep import HypothesisFacts, HypothesisResult

NOT_RUN = {
    "no_in_run_evaluation": "No run with an adapter was evaluated during training, as `eval_rows` above 0 does.",
    "factor_not_varied": "No two recipes with transcripts differ in one of its settings alone.",
    "no_manifest": "No evaluation manifest qualifies.",
    "no_guard": "There is no general manifest.",
    "no_runs": "None of its runs has transcripts.",
}
NEXT_STEPS = {
    "no_in_run_evaluation": "Set `eval_rows` of a sweep entry, such as `eval_rows: 32`, and run the sweep.",
    "factor_not_varied": "Add a `grid` over one of its settings to `sweep`, with at least three seeds.",
    "no_manifest": "Follow the remedies of the diagnosis first.",
    "no_guard": "Name a general manifest in `roles.general`.",
    "no_runs": "Run the sweep: lora-diagnose sweep",
    "same_hypotheses": "Scores of saved adapters are those of the adapters that were trained.",
    "other_hypotheses": (
        "Do not trust scores of these adapters: compare files of `adapters/<run>/last` and decode settings with "
        "those of the evaluation during training."
    ),
    "hypotheses_of_base": "Find the stage at which the adapter stops having an effect: `lora-diagnose run` (D3).",
    "gain_without_harm": "Use this recipe; confirm it once on rows that no run was compared on.",
    "gain_above_target": "Use this recipe; look at the guard manifest before you do.",
    "gain_below_target": "Change the data or the recipe, or lower `statistics.target_gain`; more seeds will not help.",
    "no_gain": "Change the training data or the settings that are varied; more seeds of these recipes will not help.",
    "harm": "Mix general rows into training (`replay_share`), or train fewer steps or at a lower rate.",
    "better_with_harm": "Mix general rows into training (`replay_share`), or take the lower level.",
    "better_without_harm": "Use this level.",
    "no_level_better": "Keep the lowest level; vary something else.",
    "no_harm": "Nothing to do: forgetting beyond the margin is excluded.",
    "improves": "Go on in this direction: add a higher level.",
    "overfits": "Train at the level with the lowest WER, not beyond it.",
    "flat": "Take the cheapest level.",
}


# Where runs that it compares have no transcripts, because their training diverged or failed in another way.
STOPPED = (
    "The test matrix says what stopped the runs without transcripts: change their settings, and run the sweep again."
)
OF_MISSING_RUNS = ("no_in_run_evaluation", "factor_not_varied", "no_runs")


def result_of(
    hypothesis: HypothesisConfig, facts: HypothesisFacts, decision: Decision, evidence: list[str]
) -> HypothesisResult:
    """The decision with its sentences."""
    found = decision.difference
    return HypothesisResult(
        id=facts.id,
        statement=hypothesis.statement or "",
        predicts=hypothesis.predicts or "",
        state=decision.state,
        reason=decision.reason,
        value=found.difference if found else None,
        low=found.interval.low if found else None,
        high=found.interval.high if found else None,
        threshold=decision.threshold,
        p=decision.p,
        recipe=decision.recipe,
        against=decision.against,
        manifest=decision.manifest,
        seeds=found.seeds if found else None,
        summary=summary(decision) + _missing(facts),
        next_step=next_step(decision, facts),
        evidence=evidence,
    )


def summary(decision: Decision) -> str:
    """What decides the hypothesis, the number first."""
    return SUMMARIES[decision.reason](decision)


def next_step(decision: Decision, facts: HypothesisFacts) -> str:
    """What to do with a decided hypothesis, or what would decide an open one."""
    if facts.missing_runs and decision.reason in OF_MISSING_RUNS:
        return STOPPED
    if decision.state != "undecided":
        return NEXT_STEPS[decision.reason]
    if decision.reason == "too_few_seeds":
        seeds = count(decision.details["min_seeds"] - decision.details["seeds"], "more seed")
        return f"Train {seeds} of each recipe: one adapter says nothing about its recipe."
    if decision.reason == "no_guard":
        return NEXT_STEPS["no_guard"]
    about_guard = decision.reason == "harm_not_excluded"
    return what_decides(
        facts.guard_power if about_guard else facts.power, facts.guard if about_guard else facts.manifest
    )


def _missing(facts: HypothesisFacts) -> str:
    """Runs that count for nothing, so that nobody takes the others for all."""
    if not facts.missing_runs:
        return ""
    return f" Without {listed(facts.missing_runs)}: no transcripts."


def what_decides(power: RecipePower | None, manifest: str | None) -> str:
    """More seeds, more rows, or both, with their numbers."""
    if power is None or manifest is None:
        return "Add rows to the evaluation manifest, and seeds to every recipe."
    seeds = None if power.seeds_needed is None else f"{power.seeds_needed} seeds of every recipe on these rows"
    rows = None
    if power.utterances_needed is not None:
        rows = f"{count(power.utterances_needed, 'row')} in {manifest} with {count(power.seeds, 'seed')}"
        if power.speakers_needed is not None:
            rows += f", from {count(power.speakers_needed, 'speaker')}"
    gain = points(power.target_gain)
    ways = [way for way in (seeds, rows) if way is not None]
    if power.limited_by == "nothing":
        return f"A difference of {gain} would show here with 80 % power; the true one may be smaller."
    if not ways:
        return f"A difference of {gain} needs both more rows in {manifest} and more seeds."
    return f"A difference of {gain} would show with {', or '.join(ways)}."


def power_sentences(facts: HypothesisFacts) -> list[str]:
    """Whether the evaluation sets can decide a hypothesis, before its runs; empty for one that needs no set."""
    sentences = []
    for power, manifest in ((facts.power, facts.manifest), (facts.guard_power, facts.guard)):
        if power is None or manifest is None:
            continue
        if power.detectable_difference is None:
            sentences.append(f"{manifest}: one seed shows nothing about a recipe.")
            continue
        smallest = (
            f"{manifest} with {count(power.seeds, 'seed')} shows differences from {points(power.detectable_difference)}"
        )
        enough = power.limited_by == "nothing"
        wanted = points(power.target_gain)
        sentences.append(
            f"{smallest}, {wanted} among them." if enough else f"{smallest}. {what_decides(power, manifest)}"
        )
    return sentences


def _adapters(decision: Decision) -> str:
    details = decision.details
    rows = count(details["rows"], "hypothesis", "hypotheses")
    runs = count(details["runs"], "run")
    if decision.reason == "same_hypotheses":
        return f"All {rows} of {runs} by the saved adapter are those of the last evaluation during training."
    named = listed(details["named"])
    if decision.reason == "hypotheses_of_base":
        return f"Every hypothesis of {named} equals the base model's: the adapter has no effect on the text."
    return (
        f"{details['differing']} of {rows} by the saved adapter differ from the last evaluation during training "
        f"({named}): what was saved is not what was evaluated."
    )


def _difference(decision: Decision) -> str:
    """`learning_rate 3e-4: -2.10 points against base on domain (-3.00 to -1.20; 3 seeds; p = 0.01)`."""
    found = decision.difference
    if found is None or found.difference is None:
        return f"{decision.recipe}: the difference is unknown"
    parts = [points_range(found.interval.low, found.interval.high), count(found.seeds, "seed")]
    if decision.p is not None:
        parts.append(p_value(decision.p))
    return (
        f"{decision.recipe}: {signed_points(found.difference)} against {decision.against} on {decision.manifest} "
        f"({'; '.join(parts)})"
    )


def _guarded(details: Mapping[str, Any]) -> str:
    """The guard's part of a sentence."""
    guard = details.get("guard")
    if guard is None:
        return ""
    margin = configured_points(details["margin"])
    found = guard["against_base"]
    ends = points_range(found["interval"]["low"], found["interval"]["high"])
    bound = found["harm_bound"]
    most = "unknown" if bound is None else signed_points(bound)
    return f"; {guard['manifest']} {signed_points(found['difference'])} ({ends}; at most {most}, margin {margin})"


def _with_guard(ending: str) -> Callable[[Decision], str]:
    return lambda decision: f"{_difference(decision)}{_guarded(decision.details)}: {ending}."


def _harm_not_excluded(decision: Decision) -> str:
    """A bound below the margin does not suffice where it is the best of several."""
    recipes = decision.details.get("recipes", 1)
    among = f" when all {recipes} recipes are taken into account" if recipes > 1 else ""
    return f"{_difference(decision)}{_guarded(decision.details)}: harm beyond the margin is not excluded{among}."


def _alone(ending: str) -> Callable[[Decision], str]:
    return lambda decision: f"{_difference(decision)}: {ending}."


def _against_threshold(ending: str) -> Callable[[Decision], str]:
    def sentence(decision: Decision) -> str:
        return f"{_difference(decision)}: {ending.format(points(decision.threshold))}."

    return sentence


def _too_few_seeds(decision: Decision) -> str:
    found = "" if decision.difference is None else f"{_difference(decision)}. "
    return (
        f"{found}At most {count(decision.details['seeds'], 'seed')} of a recipe; a claim about a recipe needs "
        f"{decision.details['min_seeds']}."
    )


def _trend(decision: Decision) -> str:
    return " ".join(_one_trend(found, decision.manifest) for found in decision.details["trends"])


def _one_trend(found: Mapping[str, Any], manifest: str | None) -> str:
    trend = found["trend"]
    levels = ", ".join(f"{level:g}: {percent(wer)}" for level, wer in zip(trend["levels"], trend["wers"], strict=True))
    plausible = listed([f"{level:g}" for level in trend["plausible_levels"]], most=6)
    endings = {
        "improves": "WER falls",
        "overfits": f"WER rises beyond {trend['best_level']:g}",
        "flat": "all levels are within the margin of each other",
        "undecided": f"WER falls to {trend['best_level']:g}; whether it rises after that is not shown"
        if trend["falls"]
        else "no difference between levels is shown",
    }
    text = f"{found['factor']} on {manifest} ({levels}): {endings[trend['outcome']]}; the best level is {plausible}."
    return f"{text}{_curve(found['curve'])}"


def _curve(curve: Mapping[str, Any] | None) -> str:
    if curve is None:
        return ""
    target = signed_points(curve["target"])
    needed = "unknown" if curve["needed"] is None else f"{curve['needed']:.3g}"
    low = "unknown" if curve["needed_low"] is None else f"{curve['needed_low']:.3g}"
    high = "no upper bound" if curve["needed_high"] is None else f"{curve['needed_high']:.3g}"
    sentences = {
        "reached": f"the target of {target} is reached with the data there is",
        "reachable": f"the target of {target} needs {needed} times the data ({low} to {high})",
        "at_least": f"the target of {target} needs at least {low} times the data; how much is unknown",
        "out_of_reach": f"more data of this kind does not reach {target} (up to {curve['limit']:g} times as much)",
        "flat": "no fall from the smallest to the largest share is shown, so how much more data is needed is unknown",
        "too_few_shares": "fewer than three shares: how much more data is needed is unknown",
        "too_few_seeds": "no share has two seeds: how much more data is needed is unknown",
        "undecided": "how much more data is needed cannot be derived from these runs",
    }
    return f" Learning curve: {sentences[curve['outcome']]}."


SUMMARIES: dict[str, Callable[[Decision], str]] = {
    **{reason: lambda decision: NOT_RUN[decision.reason] for reason in NOT_RUN},
    "same_hypotheses": _adapters,
    "other_hypotheses": _adapters,
    "hypotheses_of_base": _adapters,
    "too_few_seeds": _too_few_seeds,
    "gain_without_harm": _with_guard("better, and not worse than the margin allows"),
    "harm": _with_guard("worse on the guard manifest"),
    "harm_not_excluded": _harm_not_excluded,
    "no_gain": _with_guard("no recipe can be better"),
    "gain_not_shown": _alone("no recipe is shown to reach it"),
    "gain_above_target": _against_threshold("above the target gain of {}"),
    "gain_below_target": _against_threshold("below the target gain of {}"),
    "no_harm": _against_threshold("a rise of {} or more is excluded"),
    "better_without_harm": _with_guard("better"),
    "better_with_harm": _with_guard("better, at the expense of the guard manifest"),
    "no_level_better": _alone("no level is better by the margin or more"),
    "level_not_shown": _alone("neither shown nor excluded to be better"),
    "improves": _trend,
    "overfits": _trend,
    "flat": _trend,
    "no_trend_shown": _trend,
}
