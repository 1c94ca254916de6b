"""Word errors of the recipes of a study, as the statistics over seeds take them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from lora import layout
from lora.configuration.recipes import Recipe, recipe_names, recipes
from lora.configuration.study import StudyConfig
from lora.data.durations import survives
from lora.layout import BASE
from lora.records.scores import UtteranceErrors, WerFacts
from lora.scoring.seed_intervals import PooledVariance, RecipeRuns, pooled_seed_variance, recipe_runs


@dataclass(frozen=True)
class ScoredManifest:
    """Errors on the rows of one manifest that decide.

    Attributes:
        base_errors: Errors of the base model by utterance.
        base: The same for comparisons.
        recipes: Runs of every recipe that has transcripts, by name.
        pooled: Variance of one run's WER between seeds, pooled over recipes; None if none has two seeds.
    """

    base_errors: list[UtteranceErrors]
    base: RecipeRuns
    recipes: dict[str, RecipeRuns]
    pooled: PooledVariance | None

    @property
    def has_words(self) -> bool:
        return bool(self.base.words.any())


class RecipeErrors:
    """WER facts of a study's recipes; each manifest is read once."""

    def __init__(self, results: Path, config: StudyConfig) -> None:
        self._results = results
        self._config = config
        self._manifests: dict[str, ScoredManifest | None] = {}
        self._facts: dict[tuple[str, str], WerFacts | None] = {}

    @cached_property
    def recipes(self) -> dict[str, Recipe]:
        """Recipes by name; those of candidates with their own decoding or scoring are left out as incomparable."""
        own = [
            run
            for run, candidate in self._config.candidates.items()
            if candidate.decode is not None or candidate.preprocess is not None or candidate.normalizer is not None
        ]
        found = recipes(self._config, [run for run in self._config.trained if run not in own])
        return dict(zip(recipe_names(found), found, strict=True))

    def transcribed(self, recipe: Recipe) -> list[int]:
        """Seeds of the runs that have transcripts, in order."""
        return [seed for seed, run in recipe.runs.items() if self.has_transcripts(run)]

    def has_transcripts(self, run: str) -> bool:
        return any(self._wer(run, manifest) is not None for manifest in self._config.evaluations)

    def scored(self, manifest: str) -> ScoredManifest | None:
        """Errors of the base model and of all recipes on a manifest; None without the base model's."""
        if manifest not in self._manifests:
            self._manifests[manifest] = self._score(manifest)
        return self._manifests[manifest]

    def of_run(self, run: str | None, manifest: str) -> list[UtteranceErrors] | None:
        """Errors of one run on the rows that decide, in the base model's order; None without them."""
        base = self._wer(BASE, manifest)
        facts = None if run is None else self._wer(run, manifest)
        if base is None or facts is None:
            return None
        by_id = {entry.id: entry for entry in facts.utterances}
        kept = [entry.id for entry in self._judged(base)]
        return [by_id[key] for key in kept] if all(key in by_id for key in kept) else None

    def _score(self, manifest: str) -> ScoredManifest | None:
        base_facts = self._wer(BASE, manifest)
        if base_facts is None:
            return None
        kept = self._judged(base_facts)
        words = [entry.words for entry in kept]
        speakers = [entry.speaker_id for entry in kept]
        found = {}
        for name, recipe in self.recipes.items():
            seeds, errors = [], []
            for seed, run in recipe.runs.items():
                facts = self._wer(run, manifest)
                if facts is not None:
                    by_id = {entry.id: entry.errors for entry in facts.utterances}
                    seeds.append(seed)
                    errors.append([by_id[entry.id] for entry in kept])
            if seeds:
                found[name] = recipe_runs(np.asarray(errors), words, speakers, seeds)
        base = recipe_runs([entry.errors for entry in kept], words, speakers)
        return ScoredManifest(kept, base, found, pooled_seed_variance(list(found.values())))

    def _judged(self, facts: WerFacts) -> list[UtteranceErrors]:
        """Utterances that decide (`headroom.rows`)."""
        if self._config.headroom.rows == "all" or facts.max_seconds is None:
            return facts.utterances
        return [entry for entry in facts.utterances if survives(entry.duration, facts.max_seconds)]

    def _wer(self, run: str, manifest: str) -> WerFacts | None:
        """WER facts of a run; None where they are missing or impossible."""
        key = run, manifest
        if key not in self._facts:
            path = self._results / layout.WER.path(run=run, manifest=manifest)
            facts = WerFacts.read(path) if path.is_file() else None
            self._facts[key] = facts if facts is not None and facts.status == "ok" else None
        return self._facts[key]
