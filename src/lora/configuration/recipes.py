"""Recipes: runs whose settings differ in the seed alone, and how recipes differ from each other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from lora.configuration.study import StudyConfig

SEED = "seed"
FOR_LOOKING = ("eval_rows", "report_to")  # settings that change no weight


@dataclass(frozen=True)
class Recipe:
    """Runs that are repetitions of one another.

    Attributes:
        settings: Training settings that change weights, without the seed.
        runs: Names of the runs by seed, in the configuration's order. Of several runs with the same seed and settings
            only the first counts: repeating a training exactly says nothing about chance.
    """

    settings: dict[str, Any]
    runs: dict[int, str]


@dataclass(frozen=True)
class Contrast:
    """Recipes that differ in one setting alone.

    Attributes:
        factor: The setting.
        settings: The settings that they have in common, without the seed.
        levels: Value of the setting and recipe, numbers in ascending order, other values in the configuration's order.
    """

    factor: str
    settings: dict[str, Any]
    levels: list[tuple[Any, Recipe]]

    @property
    def runs(self) -> list[str]:
        """The runs of all levels."""
        return [run for _, recipe in self.levels for run in recipe.runs.values()]


def identity(settings: dict[str, Any]) -> str:
    """A text that is equal for equal settings: numbers by their value, lists of names in any order.

    Where losses are sent (`report_to`) changes no result.
    """
    values = {
        key: sorted(value) if isinstance(value, list) else value
        for key, value in settings.items()
        if key != "report_to"
    }
    return json.dumps(json.loads(json.dumps(values), parse_int=float), sort_keys=True)


def recipes(config: StudyConfig, runs: list[str] | None = None) -> list[Recipe]:
    """The recipes of a study, in the configuration's order.

    A candidate with its own decode, preprocess or normalizer is never in a recipe with other runs.

    Args:
        config: The study.
        runs: Only these runs; None: all that the study trains.
    """
    found: dict[str, Recipe] = {}
    for run, training in config.trained.items():
        if runs is not None and run not in runs:
            continue
        settings = {key: value for key, value in training.to_json().items() if key not in FOR_LOOKING}
        seed = settings.pop(SEED)
        recipe = found.setdefault(identity({**settings, **_own_settings(config, run)}), Recipe(settings, {}))
        recipe.runs.setdefault(seed, run)
    return list(found.values())


def contrasts(config: StudyConfig, factor: str, runs: list[str] | None = None) -> list[Contrast]:
    """Recipes that differ in `factor` alone, wherever there are two or more of them.

    Args:
        config: The study.
        factor: A training setting other than the seed.
        runs: Only recipes of these runs; None: all that the study trains.
    """
    families: dict[str, list[Recipe]] = {}
    for recipe in recipes(config, runs):
        others = {key: value for key, value in recipe.settings.items() if key != factor}
        own = _own_settings(config, next(iter(recipe.runs.values())))
        families.setdefault(identity({**others, **own}), []).append(recipe)
    found = []
    for family in families.values():
        if len(family) > 1:
            others = {key: value for key, value in family[0].settings.items() if key != factor}
            levels = [(recipe.settings[factor], recipe) for recipe in family]
            if all(isinstance(value, int | float) for value, _ in levels):
                levels.sort(key=lambda level: level[0])
            found.append(Contrast(factor=factor, settings=others, levels=levels))
    return found


def _own_settings(config: StudyConfig, run: str) -> dict[str, Any]:
    """What a candidate does differently from the study besides its training."""
    candidate = config.candidates.get(run)
    own = {} if candidate is None else candidate.to_json()
    return {f"own {key}": own[key] for key in ("decode", "preprocess", "normalizer") if key in own}


def recipe_names(found: list[Recipe]) -> list[str]:
    """A short name for each recipe: its values of the settings in which the recipes differ, else its first run."""
    varied = [
        key
        for key in dict.fromkeys(key for recipe in found for key in recipe.settings)
        if len({json.dumps(recipe.settings.get(key), sort_keys=True) for recipe in found}) > 1
    ]
    names = [", ".join(f"{key} {_short(recipe.settings.get(key))}" for key in varied) for recipe in found]
    first_runs = [next(iter(recipe.runs.values())) for recipe in found]
    repeated = {name for name in names if not name or names.count(name) > 1}
    return [run if name in repeated else name for name, run in zip(names, first_runs, strict=True)]


def _short(value: Any) -> str:
    if isinstance(value, list):
        return "+".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
