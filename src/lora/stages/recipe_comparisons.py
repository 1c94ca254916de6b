"""All comparisons that the hypotheses of a study ask for, from the word errors of its runs."""

from __future__ import annotations

import math
from functools import cached_property
from pathlib import Path

from lora import layout
from lora.configuration.hypotheses import factors_of, guard_of, runs_of_hypothesis
from lora.configuration.recipes import Contrast, contrasts
from lora.configuration.study import HypothesisConfig, StudyConfig
from lora.records.in_run import InRunFacts
from lora.records.recipes import RecipePower
from lora.records.sweep import (
    HypothesisFacts,
    InRunFinding,
    LevelDifference,
    RecipeFacts,
    RecipeOutcome,
    SweepFacts,
    TrendFacts,
)
from lora.records.verdict import Verdict
from lora.scoring.learning_curve import learning_curve
from lora.scoring.multiplicity import judge_grid, simultaneous
from lora.scoring.recipe_power import RecipePlan, observed_power, recipe_power
from lora.scoring.seed_intervals import (
    p_below,
    recipe_difference,
)
from lora.scoring.trends import wer_trend
from lora.stages.recipe_errors import RecipeErrors

DATA_SHARE = "data_share"
MOST_GROWTH = 20.0  # largest multiple of today's data to which a learning curve is extrapolated


class RecipeComparisons:
    """All comparisons of a study, each computed from the WER facts of its runs."""

    def __init__(self, results: Path, config: StudyConfig) -> None:
        self._results = results
        self._config = config
        self._errors = RecipeErrors(results, config)

    @cached_property
    def _evaluation(self) -> str | None:
        path = self._results / layout.VERDICT.path()
        return Verdict.read(path).eval_manifest if path.is_file() else None

    def facts(self) -> SweepFacts:
        statistics = self._config.statistics
        decisive = None if self._evaluation is None else self._errors.scored(self._evaluation)
        done = {name: recipe for name, recipe in self._errors.recipes.items() if self._errors.transcribed(recipe)}
        return SweepFacts(
            equivalence_margin=float(statistics.equivalence_margin),
            target_gain=float(statistics.target_gain),
            confidence=float(statistics.confidence),
            recipes=[
                RecipeFacts(
                    name=name,
                    runs=[recipe.runs[seed] for seed in self._errors.transcribed(recipe)],
                    seeds=self._errors.transcribed(recipe),
                    settings=recipe.settings,
                )
                for name, recipe in done.items()
            ],
            hypotheses=[self.hypothesis(name, asked) for name, asked in self._config.hypotheses.items()],
            winner=judge_grid(decisive.recipes, decisive.base, float(statistics.confidence))
            if decisive is not None and decisive.recipes
            else None,
        )

    def hypothesis(self, name: str, asked: HypothesisConfig) -> HypothesisFacts:
        compared = {run for recipe in self._errors.recipes.values() for run in recipe.runs.values()}
        runs = [run for run in runs_of_hypothesis(self._config, asked) if run in compared]
        factors = factors_of(asked.factor)
        varied = [contrast for factor in factors for contrast in contrasts(self._config, factor, runs)]
        chosen = list(dict.fromkeys(map(self._name, runs)))
        if factors:
            in_contrasts = {name for contrast in varied for name in self._names(contrast)}
            chosen = [name for name in chosen if name in in_contrasts]
        manifest = asked.manifest or self._evaluation
        guard = guard_of(self._config, asked)
        outcomes = self._outcomes(chosen, manifest)
        guarded = self._outcomes(chosen, guard)
        statistics = self._config.statistics
        of_texts = asked.test == "adapter_aware"  # decided without an error rate
        return HypothesisFacts(
            id=name,
            manifest=manifest,
            guard=guard,
            recipes=chosen,
            missing_runs=[run for run in runs if self._name(run) in chosen and not self._errors.has_transcripts(run)],
            outcomes=outcomes,
            guarded=guarded,
            levels=self._levels(varied, manifest) if asked.test == "levels" else [],
            trends=self._trends(varied, manifest) if asked.test == "trend" else [],
            in_run=self._in_run(runs) if of_texts else [],
            power=None if of_texts else self._power(outcomes, manifest, chosen, float(statistics.target_gain)),
            guard_power=None if of_texts else self._power(guarded, guard, chosen, float(statistics.equivalence_margin)),
        )

    def _outcomes(self, chosen: list[str], manifest: str | None) -> list[RecipeOutcome]:
        scored = None if manifest is None else self._errors.scored(manifest)
        if manifest is None or scored is None:
            return []
        statistics = self._config.statistics
        found = []
        for name in chosen:
            if name in scored.recipes:
                difference = recipe_difference(
                    scored.recipes[name], scored.base, float(statistics.confidence), scored.pooled
                )
                found.append(
                    RecipeOutcome(
                        recipe=name,
                        manifest=manifest,
                        base_wer=float(scored.base.wers[0]) if scored.base.words.sum() else None,
                        wers=scored.recipes[name].wers.tolist() if scored.base.words.sum() else [],
                        against_base=difference,
                        p_harm=p_below(difference, float(statistics.equivalence_margin)),
                        p_target=p_below(difference, -float(statistics.target_gain)),
                    )
                )
        return found

    def _levels(self, varied: list[Contrast], manifest: str | None) -> list[LevelDifference]:
        scored = None if manifest is None else self._errors.scored(manifest)
        if scored is None:
            return []
        found = []
        for contrast in varied:
            names = [name for name in self._names(contrast) if name in scored.recipes]
            for name in names[1:]:
                difference = recipe_difference(
                    scored.recipes[name],
                    scored.recipes[names[0]],
                    float(self._config.statistics.confidence),
                    scored.pooled,
                )
                found.append(
                    LevelDifference(factor=contrast.factor, recipe=name, against=names[0], difference=difference)
                )
        return found

    def _trends(self, varied: list[Contrast], manifest: str | None) -> list[TrendFacts]:
        """Trends over numeric factors; together they hold the confidence level."""
        scored = None if manifest is None else self._errors.scored(manifest)
        if scored is None:
            return []
        statistics = self._config.statistics
        found = []
        for contrast in varied:
            levels = {
                float(value): name
                for (value, _), name in zip(contrast.levels, self._names(contrast), strict=True)
                if name in scored.recipes and isinstance(value, int | float)
            }
            if len(levels) < 2 or not scored.base.words.any():
                continue
            by_level = {value: scored.recipes[name] for value, name in levels.items()}
            curve = None
            if contrast.factor == DATA_SHARE:
                curve = learning_curve(
                    by_level, scored.base, float(statistics.target_gain), MOST_GROWTH, float(statistics.confidence)
                )
            found.append(
                TrendFacts(
                    factor=contrast.factor,
                    recipes=[levels[value] for value in sorted(levels)],
                    fewest_seeds=min(len(runs.units) for runs in by_level.values()),
                    trend=wer_trend(
                        by_level,
                        float(statistics.equivalence_margin),
                        simultaneous(float(statistics.confidence), len(varied)),
                    ),
                    curve=curve,
                )
            )
        return found

    def _in_run(self, runs: list[str]) -> list[InRunFinding]:
        found = []
        for run in runs:
            path = self._results / layout.IN_RUN.path(run=run)
            if path.is_file():
                facts = InRunFacts.read(path)
                if facts.status == "ok":
                    found.append(InRunFinding(run=run, manifests=facts.manifests))
        return found

    def _power(
        self, outcomes: list[RecipeOutcome], manifest: str | None, chosen: list[str], difference: float
    ) -> RecipePower | None:
        """What these recipes can show on a manifest: by their own variance, else by that of the gate's run."""
        scored = None if manifest is None else self._errors.scored(manifest)
        if manifest is None or scored is None or not chosen:
            return None
        statistics = self._config.statistics
        deviation = math.sqrt(scored.pooled.variance) if scored.pooled else float(statistics.assumed_seed_deviation)
        plan = RecipePlan(
            against="base",
            seeds=min(len(self._errors.recipes[name].runs) for name in chosen),
            recipes=len(chosen),
            seed_deviation=deviation,
            target_gain=difference,
            confidence=simultaneous(float(statistics.confidence), len(chosen)),
        )
        repeated = [outcome for outcome in outcomes if outcome.against_base.seeds > 1]
        if repeated:
            best = min(repeated, key=lambda outcome: outcome.against_base.difference or 0.0)
            return observed_power(best.against_base, plan, len(scored.base_errors))
        short_run = self._errors.of_run(self._config.gate_run, manifest)
        return recipe_power(scored.base_errors, plan, float(statistics.assumed_shared_errors), short_run)

    def _names(self, contrast: Contrast) -> list[str]:
        """Names of the recipes of a contrast, by level."""
        return [self._name(next(iter(recipe.runs.values()))) for _, recipe in contrast.levels]

    def _name(self, run: str) -> str:
        """Name of the recipe of a run."""
        return next(name for name, recipe in self._errors.recipes.items() if run in recipe.runs.values())
