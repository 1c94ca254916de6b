"""A healthy study as fact files on disk, whose verdict is "ready"; a test plants a fault by changing a file."""

from __future__ import annotations

import copy
import functools
import json
from pathlib import Path
from typing import Any

from healthy_data import leakage, manifest_facts, measures, mismatches, retention, stability

from lora.configuration.schema import complete, setting
from lora.data.tables import write_table
from lora.diagnosis.facts import StudyFacts, load_facts
from lora.diagnosis.verdict import decide
from lora.records.base import Record, columns_of, write_text
from lora.records.comparisons import PairedFacts
from lora.records.durations import DurationDecision, MaxSeconds, RetentionFacts
from lora.records.effect import EffectFacts
from lora.records.hardening import HardenedFacts
from lora.records.integrity import AudioMeasure, LeakageFacts, MismatchFacts
from lora.records.labels import LabelFacts
from lora.records.manifests import ManifestFacts
from lora.records.reachable import ReachableFacts
from lora.records.reviews import ReviewFacts
from lora.records.scores import WerFacts
from lora.records.settings import RunSettings
from lora.records.splits import StabilityFacts
from lora.records.training import TrainFacts
from lora.records.transcripts import ImportFacts
from lora.records.verdict import Cause, Check, Verdict
from lora.scoring.settings_diff import compare_settings

CONFIG = {
    "model": {"id": "data/model"},
    "manifests": {m: f"data/{m}_manifest.jsonl" for m in ("train", "heldout", "domain", "test")},
    "roles": {"general": ["heldout"], "domain": ["domain", "test"]},
    "candidates": {"lora": {"train": {"max_steps": 100}}},
}
ROWS = {"train": 360, "heldout": 120, "domain": 200, "test": 12}
KINDS: dict[str, type[Record]] = {
    "manifests": ManifestFacts,
    "durations/decision.json": DurationDecision,
    "durations/retention.json": RetentionFacts,
    "max_seconds.json": MaxSeconds,
    "splits": StabilityFacts,
    "leakage": LeakageFacts,
    "mismatches": MismatchFacts,
    "wer": WerFacts,
    "transcripts": RunSettings,
    "labels.json": LabelFacts,
    "hardened.json": HardenedFacts,
    "adapters": TrainFacts,
    "effect": EffectFacts,
    "paired": PairedFacts,
    "reachable": ReachableFacts,
    "reviews": ReviewFacts,
}


class HealthyStudy:
    """Fact files in `<folder>/results`. `change` edits one of them, `verdict` decides from all of them."""

    def __init__(self, folder: Path) -> None:
        self.results = folder / "results"
        self.config = copy.deepcopy(complete_config())
        self.files: dict[str, dict[str, Any]] = {
            "max_seconds.json": {"max_seconds": 10.0},
            "durations/decision.json": decision(),
            "durations/retention.json": retention(),
            "splits/stability.json": stability(),
            "labels.json": labels(),
            "hardened.json": {"status": "not_needed"},
        }
        for m, rows in ROWS.items():
            self.set_rows(m, rows)
            self.set_audio(m, measures(rows))
            self.files[f"manifests/{m}.facts.json"] = manifest_facts(rows)
            self.files[f"mismatches/{m}.json"] = mismatches(m, rows, 64 if m == "train" else rows)
        for m in ("heldout", "domain", "test"):
            self.files[f"leakage/{m}.json"] = leakage(m, ROWS[m])
            self.files[f"reachable/{m}.json"] = reachable(m)
        self.set_sizes(train=230, val=26, too_long=104)
        self.add_run("base")
        self.add_run("lora")
        self.files["adapters/lora/train.json"] = training("lora")

    def add_run(self, run: str, kind: str | None = None) -> None:
        """Transcripts, scores, comparison and effect of a run; `kind` enters it into the configuration."""
        if kind is not None:
            value: Any = {"train": {}, "adapter": "external", "checkpoint": "tuned"}.get(
                kind, {"domain": "texts.jsonl"}
            )
            self.config["candidates"][run] = complete({kind: value}, setting("candidate").schema)
        for m in ("heldout", "domain", "test"):
            self.files[f"transcripts/{run}/{m}.settings.json"] = settings(run, m)
            self.files[f"wer/{run}/{m}.json"] = wer(run, m)
            if run != "base":
                self.files[f"paired/{run}/{m}.json"] = paired(run, m)
        if run != "base" and kind not in {"hypotheses", "checkpoint"}:
            self.files[f"effect/{run}.json"] = effect(run)

    def change(self, path: str, changes: dict[str, Any]) -> None:
        """Merge changes into a fact file (and into the nested records they name)."""
        self.files[path] = merged(self.files[path], changes)

    def configure(self, changes: dict[str, Any]) -> None:
        self.config = merged(self.config, changes)

    def remove(self, *beginnings: str) -> None:
        """Forget fact files, as if their rules had never run."""
        self.files = {path: value for path, value in self.files.items() if not path.startswith(beginnings)}

    def set_rows(self, manifest: str, usable: int, rejected: tuple[str, ...] = ()) -> None:
        lines = [f"{usable + i}\t\t{reason}" for i, reason in enumerate(rejected, start=1)]
        write_text(self.results / f"manifests/{manifest}.jsonl", "{}\n" * usable)
        write_text(self.results / f"manifests/{manifest}.rejected.tsv", "\n".join(["line\tid\treason", *lines]) + "\n")

    def set_audio(self, manifest: str, measured: list[dict[str, Any]]) -> None:
        write_table(self.results / f"integrity/{manifest}.tsv", columns_of(AudioMeasure), measured)

    def set_sizes(self, train: int, val: int, too_long: int) -> None:
        parts = {"train": train, "val": val, "too_long": too_long}
        lines = [f"{part}\t{rows}\t{rows / 400}\t{12 if rows else ''}" for part, rows in parts.items()]
        write_text(self.results / "splits/sizes.tsv", "\n".join(["part\trows\thours\tspeakers", *lines]) + "\n")

    def write(self) -> None:
        """Write all files as the records that they must be; parity is compared anew from settings and scores."""
        for path, value in self.files.items():
            kind = KINDS.get(path) or KINDS[path.split("/")[0]]
            if path.endswith(".import.json"):
                kind = ImportFacts
            kind.from_json(value).write(self.results / path)
        for run in self.config["candidates"]:
            if {f"transcripts/{run}/domain.settings.json", f"wer/{run}/domain.json"} <= set(self.files):
                self._compare(run)
        write_text(self.results / "config.json", json.dumps(self.config))

    def facts(self) -> StudyFacts:
        self.write()
        return load_facts(self.results, self.results / "config.json")

    def verdict(self) -> Verdict:
        return decide(self.facts())

    def _compare(self, run: str) -> None:
        lists: list[list[Any]] = []
        for kind, name in ((RunSettings, "transcripts/{}/{}.settings.json"), (WerFacts, "wer/{}/{}.json")):
            for r in ("base", run):
                paths = [self.results / name.format(r, m) for m in ("heldout", "domain", "test")]
                lists.append([kind.read(path) for path in paths if path.is_file()])
        compare_settings(run, lists[0], lists[1], lists[2], lists[3]).write(self.results / f"parity/{run}.json")


@functools.cache
def complete_config() -> dict[str, Any]:
    """CONFIG with the schema's defaults."""
    completed: dict[str, Any] = complete(CONFIG)
    return completed


def merged(value: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy with changes merged in; a record that is None stays None."""
    result = copy.deepcopy(value)
    for key, change in changes.items():
        if isinstance(change, dict) and key in result and result[key] is None:
            continue
        nested = isinstance(change, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], change) if nested else change
    return result


def codes(verdict: Verdict) -> list[str]:
    return [cause.code for cause in verdict.causes]


def cause_of(verdict: Verdict, code: str) -> Cause:
    """The one cause of this code."""
    (found,) = [cause for cause in verdict.causes if cause.code == code]
    return found


def check_of(verdict: Verdict, id: str, run: str | None = None, manifest: str | None = None) -> Check:
    found = [c for c in verdict.checks if c.id == id and run in {None, c.run} and manifest in {None, c.manifest}]
    assert len(found) == 1, f"{id}: {len(found)} checks"
    return found[0]


def option(threshold: float, train_rows: int) -> dict[str, Any]:
    rows = round(train_rows / 0.9)
    return {
        "threshold": threshold,
        "rows": rows,
        "hours": rows / 400,
        "train_rows": train_rows,
        "val_rows": rows - train_rows,
        "speakers": 12,
    }


def decision() -> dict[str, Any]:
    return {
        "max_seconds": 10.0,
        "configured": None,
        "status": "chosen",
        "sufficient": 10.0,
        "min_train_samples": 200,
        "model_window_seconds": None,
        "options": [option(5, 60), option(8, 130), option(10, 230), option(15, 290), option(20, 310)],
        "reason": "the smallest threshold with at least 200 training rows",
    }


def interval(low: float | None, high: float | None) -> dict[str, Any]:
    return {"low": low, "high": high, "confidence": 0.95, "method": "linearised", "scope": "speakers"}


def score(utterances: int, words: int, errors: int, low: float, high: float) -> dict[str, Any]:
    return {
        "utterances": utterances, "speakers": 20, "words": words, "errors": errors, "substitutions": errors,
        "deletions": 0, "insertions": 0, "wer": errors / words, "interval": interval(low, high),
        "empty_references": [], "truncated": 0,
    }  # fmt: skip


def wer(run: str, manifest: str) -> dict[str, Any]:
    """heldout saturated, domain with headroom, test far too small."""
    within = {
        "heldout": score(120, 1200, 18, 0.009, 0.021),
        "domain": score(200, 2400, 900, 0.330, 0.420),
        "test": score(12, 140, 45, 0.200, 0.440),
    }[manifest]
    detectable = {"heldout": 0.006, "domain": 0.009, "test": 0.061}[manifest]
    n = within["utterances"]
    power = {
        "assumed_shared_errors": 0.8,
        "standard_error": detectable / 2.8,
        "detectable_difference": detectable,
        "target_gain": 0.01,
        "utterances": n,
        "utterances_needed": round(n * (detectable / 0.01) ** 2),
    }
    return {
        "run": run, "manifest": manifest, "normalizer": {"name": "basic", "version": "1"}, "max_seconds": 10.0,
        "within": within, "all": within, "raw": within, "power": power,
        "utterances": [utterance(f"{manifest}-{i}") for i in range(20)],  # enough for any judgement, quick to write
    }  # fmt: skip


def utterance(id: str, duration: float = 4.0) -> dict[str, Any]:
    return {
        "id": id,
        "duration": duration,
        "speaker_id": "s1",
        "words": 12,
        "hits": 10,
        "substitutions": 2,
        "deletions": 0,
        "insertions": 0,
    }


def reachable(manifest: str) -> dict[str, Any]:
    """A candidate that changed most errors, a few out-of-vocabulary words, one suspected reference error."""
    within = wer("base", manifest)["within"]
    parts = {"style": 0, "out_of_vocabulary": within["errors"] // 90, "agreed": within["errors"] // 6}
    candidate = {
        "run": "lora",
        "utterances": ROWS[manifest],
        "changed": ROWS[manifest] // 2,
        "poor_hypotheses": 20,
        "poor_changed": 19,
        "independent": True,
    }
    return {
        "manifest": manifest, "utterances": within["utterances"], "words": within["words"],
        "errors": within["errors"], **parts, "rest": within["errors"] - sum(parts.values()), "training_words": 400,
        "out_of_vocabulary_words": [{"word": "tarpaulins", "count": 2}], "out_of_vocabulary_word_count": 1,
        "candidates": [candidate],
        "suspected_errors": 1, "suspected_rows": 1,
        "suspected_references": [{"id": f"{manifest}-7", "at": 3, "reference": "pepper", "hypothesis": "pillow"}],
    }  # fmt: skip


def settings(run: str, manifest: str) -> dict[str, Any]:
    return {
        "run": run,
        "manifest": {"name": manifest, "rows": ROWS[manifest], "content_hash": f"rows-of-{manifest}"},
        "model": {
            "id": "data/model",
            "revision": None,
            "hash": "a" * 32,
            "family": "moonshine",
            "window_seconds": None,
        },
        "adapter": None if run == "base" else {"source": f"results/adapters/{run}/best", "hash": "b" * 32},
        "preprocess": {"sampling_rate": 16000, "target_rms": None, "resampler": "soxr", "padding_seconds": 1.0},
        "decode": {"num_beams": 1, "do_sample": False, "max_length": None},
        "device": {"type": "cpu", "dtype": "float32"},
        "software": {"torch": "2.13.0", "transformers": "5.23.0"},
        "fingerprint": "c" * 32,
    }


def paired(run: str, manifest: str) -> dict[str, Any]:
    """Better on domain, within the margin on heldout, too few rows on test."""
    before = {"heldout": 0.015, "domain": 0.375, "test": 0.32142857}[manifest]
    delta, low, high, outcome = {
        "heldout": (0.001, -0.002, 0.004, "equivalent"),
        "domain": (-0.148, -0.173, -0.121, "better"),
        "test": (-0.10, -0.24, 0.04, "underpowered"),
    }[manifest]
    within = {
        "utterances": ROWS[manifest], "words": 2400, "baseline_wer": before, "tuned_wer": before + delta,
        "delta": delta, "interval": interval(low, high), "changed_hypotheses": ROWS[manifest] // 3,
        "changed_errors": ROWS[manifest] // 4, "substitutions_delta": -10, "deletions_delta": 0,
        "insertions_delta": 0, "outcome": outcome, "within_margin": outcome == "equivalent",
        "harm_bound": high, "detectable_difference": 0.037,
    }  # fmt: skip
    return {
        "run": run,
        "manifest": manifest,
        "max_seconds": 10.0,
        "equivalence_margin": 0.005,
        "within": within,
        "all": within,
    }


def labels() -> dict[str, Any]:
    style = {
        "texts": 64,
        "upper_case": 0.0,
        "lower_case": 0.0,
        "sentence_case": 0.95,
        "with_final_punctuation": 1.0,
        "punctuation_per_100_words": 9.0,
        "digits_per_100_words": 0.0,
    }
    return {
        "sampled": 64,
        "structure": {
            "ends_with_eos": 1.0,
            "single_start": 1.0,
            "padding_ignored": 1.0,
            "prefix_matches_generation": None,
        },
        "greedy": {"utterances": 60, "positions": 2400, "argmax_agreement": 1.0, "log_probability_gap": 0.0001},
        "losses": [{"trainer": 0.812, "shift_0": 0.812, "shift_1": 9.41}],
        "reference_nll": 0.81,
        "hypothesis_nll": 0.05,
        "restyled_nll": 0.80,
        "reference_style": style,
        "hypothesis_style": style,
        "lost_characters": {},
        "longest_label": 90,
        "label_limit": 640,
        "transformers": "5.23.0",
    }


def training(run: str) -> dict[str, Any]:
    losses = {0: 0.82, 20: 0.55, 40: 0.44, 60: 0.41, 80: 0.40, 100: 0.41}
    return {
        "run": run, "settings": {"learning_rate": 0.001, "max_steps": 100}, "base_model_hash": "a" * 32,
        "train_rows": 230, "val_rows": 26, "trainable_parameters": 100_000, "total_parameters": 1_900_000,
        "other_trainable": [], "target_modules": 24, "zero_gradient_modules": [], "planned_steps": 100,
        "optimizer_steps": 100, "learning_rate_peak": 0.001, "gradient_norm_median": 0.8, "first_train_loss": 0.81,
        "final_train_loss": 0.31, "non_finite_step": None,
        "validation": [{"step": step, "loss": loss} for step, loss in losses.items()],
        "best_step": 80, "best_kept": True,
    }  # fmt: skip


def effect(run: str) -> dict[str, Any]:
    module = {"module_group": "encoder", "delta_norm": 0.4, "base_norm": 8.0, "relative_norm": 0.05, "stable_rank": 2.1}
    return {
        "run": run,
        "adapter": f"results/adapters/{run}/best",
        "file": {
            "peft_type": "LORA",
            "rank": 8,
            "alpha": 16.0,
            "tensors": 48,
            "finite": True,
            "lora_b": 24,
            "lora_b_zero": 0,
            "initialisation": "true",
            "bias": "none",
        },
        "load": {
            "tensors_in_file": 48,
            "tensors_loaded": 48,
            "missing_keys": [],
            "unexpected_keys": [],
            "active": True,
            "base_matches": True,
            "base_trained_on": "data/model",
            "base_evidence": "hash",
            "modules_by_group": {"encoder": 12, "decoder_self": 4, "cross": 4, "mlp": 4},
        },
        "weights": [{"name": f"layer{i}", **module} for i in range(24)],
        "median_relative_norm": 0.05,
        "logits": {
            "utterances": 26,
            "positions": 900,
            "kl_mean": 0.2,
            "argmax_flips": 0.11,
            "largest_difference": 7.5,
            "off_equals_base": True,
        },
        "text": {"utterances": 26, "changed": 15, "adapter_calls": 4200, "adapter_calls_off": 0, "merged_changed": 0},
    }
