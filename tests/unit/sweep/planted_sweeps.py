"""Sweeps with a known truth, as WER facts of a study whose model was never run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lora import layout
from lora.configuration.loading import load_configuration
from lora.records.base import write_text
from lora.records.scores import NormalizerIdentity, UtteranceErrors, WerFacts
from lora.records.sweep import HypothesisResult, SweepFacts
from lora.records.verdict import Verdict
from lora.stages.sweep import compare_recipes, decide_hypotheses

SPEAKERS, ROWS, WORDS = 24, 480, 20
BASE_WER, SEED_DEVIATION = 0.3, 0.004
Effect = Callable[[dict[str, Any]], tuple[float, float]]  # settings to changes in WER on domain and on heldout


def study(folder: Path, sweep: dict[str, Any], effect: Effect, luck: int = 1, **changes: Any) -> Path:
    """A results folder with the WER facts of a sweep whose runs change the WER by `effect` (fractions)."""
    for name in ("train", "heldout", "domain"):
        (folder / f"{name}.jsonl").touch()
    (folder / "model").mkdir()
    config = load_configuration(
        {
            "model": {"id": "model"},
            "manifests": {name: f"{name}.jsonl" for name in ("train", "heldout", "domain")},
            "roles": {"general": ["heldout"], "domain": ["domain"]},
            "statistics": {"target_gain": 0.02, "equivalence_margin": 0.01},
            "candidates": {},
            "sweep": sweep,
            **changes,
        },
        None,
        folder,
    )
    results = folder / "results"
    write_text(results / "config.json", json.dumps(config))
    Verdict(
        ready_for_sweep=True, max_seconds=None, eval_manifest="domain", gate_run=None, checks=[], causes=[], runs=[]
    ).write(results / "verdict.json")
    draw = np.random.default_rng(luck)
    hard = {m: draw.gamma(8, 1 / 8, SPEAKERS)[np.arange(ROWS) % SPEAKERS] for m in ("domain", "heldout")}
    shared = {m: draw.poisson(0.6 * BASE_WER * WORDS * hard[m]) for m in hard}
    for run, settings in {"base": None, **config["sweep"]}.items():
        values = (0.0, 0.0) if settings is None else effect(settings)
        luck_of_seed = 0.0 if settings is None else draw.normal(0, SEED_DEVIATION)
        for manifest, change in zip(("domain", "heldout"), values, strict=True):
            rate = np.maximum(0.4 * BASE_WER + change + luck_of_seed, 0.0) * WORDS * hard[manifest]
            write_wer(results, run, manifest, shared[manifest] + draw.poisson(rate))
    return folder


def write_wer(results: Path, run: str, manifest: str, errors: np.ndarray[Any, Any]) -> None:
    utterances = [
        UtteranceErrors(
            id=f"u{n}",
            duration=5.0,
            speaker_id=f"s{n % SPEAKERS}",
            words=WORDS,
            hits=WORDS,
            substitutions=int(count),
            deletions=0,
            insertions=0,
        )
        for n, count in enumerate(errors)
    ]
    facts = WerFacts(
        run=run,
        manifest=manifest,
        normalizer=NormalizerIdentity(name="basic", version="2"),
        max_seconds=None,
        utterances=utterances,
    )
    facts.write(results / layout.WER.path(run=run, manifest=manifest))


def decided(folder: Path) -> tuple[dict[str, HypothesisResult], SweepFacts]:
    results = folder / "results"
    config = results / "config.json"
    facts = compare_recipes(results, config, results / "recipes.json")
    found = decide_hypotheses(results / "recipes.json", config, results / "hypotheses.json")
    return {result.id: result for result in found.hypotheses}, facts


def steps(group: str, values: list[Any], key: str = "max_steps", **settings: Any) -> dict[str, Any]:
    return {group: {"grid": {key: values, "seed": [1, 2, 3]}, **settings}}
