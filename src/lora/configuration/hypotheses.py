"""The hypotheses of a study: presets filled in, mistakes named, and the runs that each one compares."""

from __future__ import annotations

from typing import Any

from lora.configuration.mistakes import KeyPathError
from lora.configuration.presets import PRESETS
from lora.configuration.study import HypothesisConfig, StudyConfig, TrainConfig
from lora.provenance.command_parser import suggest

TESTS_OF_FACTORS = ("trend", "levels")


def fill_preset(entry: dict[str, Any]) -> dict[str, Any]:
    """A complete entry of `hypotheses` whose null keys have the values of its preset."""
    preset = PRESETS.get(entry["preset"])
    if preset is None:
        return entry
    values: dict[str, Any] = {
        "statement": preset.statement,
        "test": preset.test,
        "factor": list(preset.factor) or None,
        "predicts": preset.predicts,
    }
    return {key: values.get(key) if value is None else value for key, value in entry.items()}


def factors_of(factor: str | list[str] | None) -> list[str]:
    """`factor` of a hypothesis as a list."""
    return [factor] if isinstance(factor, str) else list(factor or [])


def runs_of_hypothesis(config: StudyConfig, hypothesis: HypothesisConfig) -> list[str]:
    """Runs that a hypothesis compares: those that `runs` names by run or group, else all that the study trains."""
    if hypothesis.runs is None:
        return list(config.trained)
    named = set(hypothesis.runs)
    return [run for run in config.trained if run in named or (run in config.sweep and config.sweep[run].group in named)]


def guard_of(config: StudyConfig, hypothesis: HypothesisConfig) -> str | None:
    """The manifest that must not get worse: the configured one, else the first general manifest; None without any."""
    return hypothesis.guard or next(iter(config.general), None)


def check_hypotheses(config: dict[str, Any], evaluations: list[str]) -> None:
    """Check the names in the hypotheses of a complete configuration.

    A factor that no run varies is no mistake: its hypothesis is not run yet.

    Raises:
        KeyPathError: On the first mistake.
    """
    trained = [name for name, candidate in config["candidates"].items() if "train" in candidate]
    groups = [run["group"] for run in config["sweep"].values()]
    runs = list(dict.fromkeys([*trained, *groups, *config["sweep"]]))
    for name, entry in config["hypotheses"].items():
        where = ["hypotheses", name]
        path = ".".join(where)
        for key in ("statement", "test"):
            if entry[key] is None:
                raise KeyPathError(where, f"{path}: '{key}' is missing. Add it, or a `preset`: {', '.join(PRESETS)}.")
        _check_factors(where, entry)
        for run in entry["runs"] or []:
            if run not in runs:
                expected = suggest(run, runs) if runs else "; the study trains none"
                raise KeyPathError(
                    [*where, "runs"], f"{path}.runs names {run!r:.60}, which is no run or group{expected}"
                )
        for key in ("manifest", "guard"):
            if entry[key] is not None and entry[key] not in evaluations:
                raise KeyPathError(
                    [*where, key],
                    f"{path}.{key} names {entry[key]!r:.60}, which is no evaluation manifest"
                    f"{suggest(entry[key], evaluations)}",
                )


def _check_factors(where: list[str], entry: dict[str, Any]) -> None:
    path = ".".join(where)
    if entry["test"] in TESTS_OF_FACTORS and entry["factor"] is None:
        raise KeyPathError(
            where, f"{path}: test '{entry['test']}' needs `factor`, the training settings that are varied. Add it."
        )
    settings = [key for key in TrainConfig.model_fields if key != "seed"]
    for factor in factors_of(entry["factor"]):
        if factor not in settings:
            raise KeyPathError(
                [*where, "factor"],
                f"{path}.factor names {factor!r:.60}, which is no training setting to vary{suggest(factor, settings)}",
            )
