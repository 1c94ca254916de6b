"""Decide the hypotheses of a sweep: supported, refuted or undecided, by intervals over seeds and utterances.

What counts as evidence is in docs/methods.md. A claim about a recipe needs `min_seeds` seeds; with fewer it is
undecided, whatever the numbers say about these adapters.
"""

from __future__ import annotations

from collections.abc import Callable

from lora.configuration.study import HypothesisConfig
from lora.diagnosis.sweep.decision import Decision, known, lowest, of_outcome
from lora.records.recipes import RecipeDifference
from lora.records.sweep import HypothesisFacts, RecipeOutcome, SweepFacts
from lora.scoring.multiplicity import holm


def decide(sweep: SweepFacts, facts: HypothesisFacts, hypothesis: HypothesisConfig) -> Decision:
    """Decide one hypothesis.

    Args:
        sweep: For margin, target gain and confidence.
        facts: The comparisons of this hypothesis.
        hypothesis: Its test, and how many seeds it needs.
    """
    return TESTS[hypothesis.test or ""](sweep, facts, hypothesis.min_seeds)


def adapter_aware(sweep: SweepFacts, facts: HypothesisFacts, min_seeds: int) -> Decision:
    """Saved adapters write the hypotheses of the last evaluation during training, and not those of the base model."""
    if not facts.in_run:
        return Decision(state="not_run", reason="no_in_run_evaluation")
    counts = [comparison for finding in facts.in_run for comparison in finding.manifests]
    rows = sum(comparison.rows for comparison in counts)
    differing = rows - sum(comparison.same_as_in_run for comparison in counts)
    details = {"rows": rows, "differing": differing, "runs": len(facts.in_run)}
    unlike = [f.run for f in facts.in_run if any(c.same_as_in_run < c.rows for c in f.manifests)]
    unchanged = [f.run for f in facts.in_run if all(c.same_as_base == c.rows for c in f.manifests)]
    if not rows:
        return Decision(state="not_run", reason="no_in_run_evaluation")
    if unlike:
        return Decision(state="refuted", reason="other_hypotheses", details={**details, "named": unlike})
    if unchanged:
        return Decision(state="refuted", reason="hypotheses_of_base", details={**details, "named": unchanged})
    return Decision(state="supported", reason="same_hypotheses", details=details)


def domain_shift(sweep: SweepFacts, facts: HypothesisFacts, min_seeds: int) -> Decision:
    """Some recipe lowers the WER of `manifest` while that of `guard` rises by less than the margin.

    Both must hold for one recipe (intersection-union test), so its p-value is the larger of the two; Holm over recipes.
    """
    unready = _unready(facts, facts.outcomes, min_seeds)
    if unready is not None:
        return unready
    guarded = {outcome.recipe: outcome for outcome in facts.guarded}
    pairs = [(o, guarded.get(o.recipe)) for o in facts.outcomes if o.against_base.seeds >= min_seeds]
    if all(guard is None for _, guard in pairs):
        return of_outcome(lowest([o for o, _ in pairs]), state="undecided", reason="no_guard", threshold=0.0)
    alpha = 1 - sweep.confidence
    adjusted = holm([_both(_p_below(o.against_base), guard.p_harm if guard else None) for o, guard in pairs])
    best = min(
        range(len(pairs)), key=lambda n: (known(adjusted[n], 1.0), known(pairs[n][0].against_base.difference, 0))
    )
    outcome, guard = pairs[best]
    details = {"guard": guard.to_json() if guard else None, "margin": sweep.equivalence_margin}
    if known(adjusted[best], 1.0) <= alpha:
        return of_outcome(
            outcome, state="supported", reason="gain_without_harm", threshold=0.0, p=adjusted[best], details=details
        )
    if all(_excludes_gain(o.against_base, 0.0) for o, _ in pairs):
        return of_outcome(
            lowest([o for o, _ in pairs]), state="refuted", reason="no_gain", threshold=0.0, details=details
        )
    if all(
        _excludes_gain(o.against_base, 0.0) or (g is not None and _harmful(g, sweep.equivalence_margin))
        for o, g in pairs
    ):
        return of_outcome(outcome, state="refuted", reason="harm", threshold=0.0, p=None, details=details)
    gained = [n for n, p in enumerate(holm([_p_below(o.against_base) for o, _ in pairs])) if known(p, 1.0) <= alpha]
    if gained:
        outcome, guard = pairs[min(gained, key=lambda n: _harm_of(pairs[n][1]))]
        details = {**details, "guard": guard.to_json() if guard else None, "recipes": len(pairs)}
        return of_outcome(outcome, state="undecided", reason="harm_not_excluded", threshold=0.0, details=details)
    return of_outcome(
        lowest([o for o, _ in pairs]), state="undecided", reason="gain_not_shown", threshold=0.0, details=details
    )


def gain(sweep: SweepFacts, facts: HypothesisFacts, min_seeds: int) -> Decision:
    """Some recipe lowers the WER of `manifest` by more than the target gain (Holm over recipes)."""
    unready = _unready(facts, facts.outcomes, min_seeds)
    if unready is not None:
        return unready
    ready = [outcome for outcome in facts.outcomes if outcome.against_base.seeds >= min_seeds]
    adjusted = holm([outcome.p_target for outcome in ready])
    best = min(range(len(ready)), key=lambda n: (known(adjusted[n], 1.0), known(ready[n].against_base.difference, 0)))
    threshold = -sweep.target_gain
    if known(adjusted[best], 1.0) <= 1 - sweep.confidence:
        return of_outcome(
            ready[best], state="supported", reason="gain_above_target", threshold=threshold, p=adjusted[best]
        )
    if all(_excludes_gain(outcome.against_base, threshold) for outcome in ready):
        return of_outcome(lowest(ready), state="refuted", reason="gain_below_target", threshold=threshold)
    return of_outcome(lowest(ready), state="undecided", reason="gain_not_shown", threshold=threshold)


def non_inferior(sweep: SweepFacts, facts: HypothesisFacts, min_seeds: int) -> Decision:
    """No recipe raises the WER of `guard` by the margin or more."""
    unready = _unready(facts, facts.guarded, min_seeds)
    if unready is not None:
        return unready
    ready = [outcome for outcome in facts.guarded if outcome.against_base.seeds >= min_seeds]
    margin = sweep.equivalence_margin
    worst = max(ready, key=_harm_of)
    harmful = [outcome for outcome in ready if _harmful(outcome, margin)]
    if harmful:
        return of_outcome(max(harmful, key=_harm_of), state="refuted", reason="harm", threshold=margin)
    if all(_harm_of(outcome) < margin for outcome in ready):
        return of_outcome(worst, state="supported", reason="no_harm", threshold=margin, p=worst.p_harm)
    return of_outcome(worst, state="undecided", reason="harm_not_excluded", threshold=margin)


def levels(sweep: SweepFacts, facts: HypothesisFacts, min_seeds: int) -> Decision:
    """Some level beats the lowest one on `manifest` (Holm over levels), and its recipe does no harm on `guard`."""
    if not facts.levels:
        return Decision(state="not_run", reason="factor_not_varied")
    ready = [level for level in facts.levels if min(level.difference.seeds, level.difference.other_seeds) >= min_seeds]
    if not ready:
        most = max(min(level.difference.seeds, level.difference.other_seeds) for level in facts.levels)
        return Decision(state="undecided", reason="too_few_seeds", details={"seeds": most, "min_seeds": min_seeds})
    margin = sweep.equivalence_margin
    guarded = {outcome.recipe: outcome for outcome in facts.guarded}
    adjusted = holm([_p_below(level.difference) for level in ready])

    def decision(number: int, state: str, reason: str) -> Decision:
        level = ready[number]
        guard = guarded.get(level.recipe)
        return Decision(
            state=state,  # type: ignore[arg-type]
            reason=reason,
            difference=level.difference,
            recipe=level.recipe,
            against=level.against,
            manifest=facts.manifest,
            threshold=0.0,
            p=adjusted[number],
            details={"factor": level.factor, "guard": guard.to_json() if guard else None, "margin": margin},
        )

    order = sorted(range(len(ready)), key=lambda n: (known(adjusted[n], 1.0), known(ready[n].difference.difference, 0)))
    better = [n for n in order if known(adjusted[n], 1.0) <= 1 - sweep.confidence]
    harmless = [n for n in better if ready[n].recipe in guarded and _harm_of(guarded[ready[n].recipe]) < margin]
    if harmless:
        return decision(harmless[0], "supported", "better_without_harm")
    if better:
        proven = all(ready[n].recipe in guarded and _harmful(guarded[ready[n].recipe], margin) for n in better)
        if proven:
            return decision(better[0], "refuted", "better_with_harm")
        return decision(better[0], "undecided", "harm_not_excluded" if guarded else "no_guard")
    if all(_excludes_gain(level.difference, -margin) for level in ready):
        return decision(order[0], "refuted", "no_level_better")
    return decision(order[0], "undecided", "level_not_shown")


def trend(sweep: SweepFacts, facts: HypothesisFacts, min_seeds: int) -> Decision:
    """The WER has a trend over the levels of some factor, improving or overfitting."""
    if not facts.trends:
        return Decision(state="not_run", reason="factor_not_varied")
    repeated = [found for found in facts.trends if found.fewest_seeds >= min_seeds]
    if not repeated:
        most = max(found.fewest_seeds for found in facts.trends)
        return Decision(state="undecided", reason="too_few_seeds", details={"seeds": most, "min_seeds": min_seeds})
    shown = [found for found in repeated if found.trend.outcome in {"improves", "overfits"}]
    chosen = (shown or repeated)[0]
    details = {"trends": [found.to_json() for found in facts.trends], "factor": chosen.factor}
    if shown:
        return Decision(state="supported", reason=chosen.trend.outcome, manifest=facts.manifest, details=details)
    if all(found.trend.outcome == "flat" for found in repeated):
        return Decision(state="refuted", reason="flat", manifest=facts.manifest, details=details)
    return Decision(state="undecided", reason="no_trend_shown", manifest=facts.manifest, details=details)


def _unready(facts: HypothesisFacts, outcomes: list[RecipeOutcome], min_seeds: int) -> Decision | None:
    """Why nothing can be decided: no manifest, no run, or too few seeds."""
    if not outcomes:
        reason = "no_guard" if facts.outcomes else "no_manifest" if facts.manifest is None else "no_runs"
        return Decision(state="not_run", reason=reason)
    if all(outcome.against_base.seeds < min_seeds for outcome in outcomes):
        best = lowest(outcomes)
        most = max(outcome.against_base.seeds for outcome in outcomes)
        return of_outcome(
            best, state="undecided", reason="too_few_seeds", details={"seeds": most, "min_seeds": min_seeds}
        )
    return None


def _p_below(difference: RecipeDifference) -> float | None:
    """Two-sided p-value of a difference below 0; 1 where the difference is not below 0."""
    if difference.p is None:
        return None
    return difference.p if known(difference.difference, 0.0) < 0 else 1.0


def _both(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else max(first, second)


def _excludes_gain(difference: RecipeDifference, threshold: float) -> bool:
    """Whether the interval excludes every difference below the threshold."""
    return difference.interval.low is not None and difference.interval.low >= threshold


def _harmful(outcome: RecipeOutcome, margin: float) -> bool:
    return _excludes_gain(outcome.against_base, margin)


def _harm_of(outcome: RecipeOutcome | None) -> float:
    """The largest plausible rise in WER; infinite where it is unknown."""
    return float("inf") if outcome is None else known(outcome.against_base.harm_bound, float("inf"))


TESTS: dict[str, Callable[[SweepFacts, HypothesisFacts, int], Decision]] = {
    "adapter_aware": adapter_aware,
    "trend": trend,
    "levels": levels,
    "domain_shift": domain_shift,
    "gain": gain,
    "non_inferior": non_inferior,
}
