"""Stages of the sweep: its recipes compared, and its hypotheses decided."""

from __future__ import annotations

from pathlib import Path

from lora.configuration.study import StudyConfig
from lora.diagnosis.sweep.hypotheses import decide
from lora.diagnosis.wording.sweep import power_sentences, result_of
from lora.provenance.recording import recording
from lora.records.sweep import (
    HypothesisResults,
    SweepFacts,
)
from lora.report.sweep_plan import describe_sweep, plan_sweep
from lora.stages.recipe_comparisons import RecipeComparisons


def compare_recipes(results: Path, config: Path, recipes_path: Path) -> SweepFacts:
    """Compare every recipe of a study that has transcripts, as its hypotheses ask.

    Args:
        results: Results folder of the study.
        config: The complete configuration (`results/config.json`).
        recipes_path: File to write.
    """
    with recording(outputs=[recipes_path]):
        facts = RecipeComparisons(results, StudyConfig.read(config)).facts()
        facts.write(recipes_path)
    return facts


def decide_hypotheses(recipes_path: Path, config: Path, hypotheses: Path) -> HypothesisResults:
    """Decide the hypotheses of a study from its compared recipes.

    Args:
        recipes_path: Compared recipes (`results/recipes.json`), the evidence.
        config: The complete configuration.
        hypotheses: File to write.
    """
    with recording(outputs=[hypotheses]):
        sweep = SweepFacts.read(recipes_path)
        study = StudyConfig.read(config)
        decided = HypothesisResults(
            hypotheses=[
                result_of(
                    study.hypotheses[facts.id],
                    facts,
                    decide(sweep, facts, study.hypotheses[facts.id]),
                    [str(recipes_path)],
                )
                for facts in sweep.hypotheses
            ]
        )
        decided.write(hypotheses)
    return decided


def planned_sweep(results: Path, config: StudyConfig) -> list[str]:
    """What the sweep will cost and what it can show, for each hypothesis, as lines; empty for a study without a sweep.

    Args:
        results: Results folder of the study, with what has been measured so far.
        config: The configuration.
    """
    if not config.sweep:
        return []
    compared = RecipeComparisons(results, config)
    power = {name: power_sentences(compared.hypothesis(name, asked)) for name, asked in config.hypotheses.items()}
    return describe_sweep(plan_sweep(config, results), power)
