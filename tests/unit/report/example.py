"""A plausible results folder, built from records: one healthy study with a saturated and a tiny manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from example_facts import (
    BASELINE,
    DELTA,
    MANIFESTS,
    THRESHOLDS,
    TUNED,
    _measure,
    decision,
    durations,
    effect_facts,
    label_facts,
    leakage_facts,
    loss_table,
    mismatch_facts,
    paired_facts,
    parity_facts,
    reachable_facts,
    retention,
    stability,
    train_facts,
    wer_facts,
)

from lora import layout
from lora.data.tables import write_table
from lora.records.base import columns_of, write_lines, write_text
from lora.records.hardening import HardenedFacts
from lora.records.integrity import AudioMeasure
from lora.records.manifests import ManifestFacts, Utterance
from lora.records.provenance import RunRecord
from lora.records.settings import AdapterIdentity, ManifestIdentity, ModelIdentity, RunSettings
from lora.records.verdict import Cause, Check, RunOutcome, Verdict

SMALLEST_CHANGE = {"heldout": 0.0064, "domain": 0.0182, "test": 0.117}
CONFIG: dict[str, Any] = {
    "model": {"id": "data/model", "revision": None},
    "manifests": {name: f"data/{name}_manifest.jsonl" for name in MANIFESTS},
    "roles": {"general": ["heldout"], "domain": ["domain", "test"]},
    "durations": {"thresholds": list(THRESHOLDS), "max_seconds": "auto", "min_train_samples": 200},
    "headroom": {"min_wer": 0.05, "harden": True},
    "statistics": {
        "confidence": 0.95,
        "equivalence_margin": 0.005,
        "target_gain": 0.01,
        "assumed_shared_errors": 0.8,
    },
    "hypotheses": {"H1": {"statement": "The saved adapter is the evaluated one."}, "H4": {"preset": "domain_shift"}},
    "candidates": {"lora": {"train": {"max_steps": 100, "learning_rate": 1e-3}}},
}


def build(results: Path) -> Path:
    """Write the folder; returns it."""
    write_text(results / layout.CONFIG.path(), json.dumps(CONFIG))
    _data(results)
    for run, wers in (("base", BASELINE), ("lora", TUNED)):
        for manifest, numbers in wers.items():
            wer_facts(run, manifest, numbers).write(results / layout.WER.path(run=run, manifest=manifest))
            _settings(run, manifest).write(results / layout.SETTINGS.path(run=run, manifest=manifest))
    for manifest in DELTA:
        leakage_facts(manifest).write(results / layout.LEAKAGE.path(manifest=manifest))
        reachable_facts(manifest).write(results / layout.REACHABLE.path(manifest=manifest))
    for manifest in MANIFESTS:
        mismatch_facts(manifest).write(results / layout.MISMATCHES.path(manifest=manifest))
    for manifest in DELTA:
        paired_facts(manifest).write(results / layout.PAIRED.path(run="lora", manifest=manifest))
    HardenedFacts(status="not_needed").write(results / layout.HARDENED.path())
    label_facts().write(results / layout.LABELS.path())
    train_facts().write(results / layout.TRAINING.path(run="lora"))
    write_text(results / layout.LOSS.path(run="lora"), loss_table())
    effect_facts().write(results / layout.EFFECT.path(run="lora"))
    parity_facts().write(results / layout.PARITY.path(run="lora"))
    verdict().write(results / layout.VERDICT.path())
    _run_records(results)
    return results


def _data(results: Path) -> None:
    lengths = durations()
    rows = [Utterance(id=f"t{i}", text="hello", duration=d, audio=f"a{i}.ogg") for i, d in enumerate(lengths)]
    for manifest in MANIFESTS:
        write_lines(
            results / layout.ROWS.path(manifest=manifest), rows if manifest == "train" else rows[: MANIFESTS[manifest]]
        )
        write_text(results / layout.REJECTED.path(manifest=manifest), "line\tid\treason\n")
        how = ManifestFacts(
            format="jsonl",
            split=None,
            columns={"audio": "audio", "text": "text"},
            rows=MANIFESTS[manifest],
            rejected=0,
            hours=0.5,
            speakers=None,
        )
        how.write(results / layout.MANIFEST_FACTS.path(manifest=manifest))
        measured = [_measure(i, d).values() for i, d in enumerate(lengths[: MANIFESTS[manifest]])]
        write_table(results / layout.INTEGRITY.path(manifest=manifest), columns_of(AudioMeasure), measured)
    columns = [
        "manifest",
        "threshold",
        "rows",
        "share",
        "hours",
        "hours_share",
        "speakers",
        "mean",
        "median",
        "longest",
    ]
    lines = ["\t".join(columns)]
    for manifest, total in MANIFESTS.items():
        for threshold in (*THRESHOLDS, None):
            kept = sum(1 for d in lengths[:total] if threshold is None or d <= threshold)
            of_all = ["9.1", "8.8", "24.9"] if threshold is None else ["", "", ""]
            name = "all" if threshold is None else f"{threshold:g}"
            lines.append("\t".join([manifest, name, str(kept), f"{kept / total:.4f}", "0.9", "1.0", "24", *of_all]))
    write_text(results / layout.DURATION_SUMMARY.path(), "\n".join(lines) + "\n")
    decision().write(results / layout.DECISION.path())
    retention().write(results / layout.RETENTION.path())
    stability().write(results / layout.STABILITY.path())
    sizes = "part\trows\thours\tspeakers\ntrain\t218\t0.4\t20\nval\t30\t0.05\t4\ntoo_long\t112\t0.5\t24\n"
    write_text(results / layout.SPLIT_SIZES.path(), sizes)


def _settings(run: str, manifest: str) -> RunSettings:
    return RunSettings(
        run=run,
        manifest=ManifestIdentity(name=manifest, rows=MANIFESTS[manifest], content_hash="c" * 32),
        model=ModelIdentity(id="data/model", revision=None, hash="a" * 32, family="moonshine", window_seconds=None),
        adapter=None if run == "base" else AdapterIdentity(source="results/adapters/lora/best", hash="b" * 32),
        preprocess={"sampling_rate": 16000, "target_rms": None},
        decode={"num_beams": 1},
        device={"type": "cpu", "dtype": "float32"},
        software={"transformers": "5.23.0"},
        fingerprint="f" * 32,
    )


def verdict(ready: bool | None = True, **changes: Any) -> Verdict:
    def check(name: str, value: float | str, threshold: float | str, summary: str, **about: str | None) -> Check:
        fields = {"run": None, "manifest": None, "status": "pass", "evidence": ["results/verdict.json"], **about}
        return Check.model_validate({"id": name, "value": value, "threshold": threshold, "summary": summary, **fields})

    checks = [
        check("data_sufficiency", 218, 200, "218 rows in the training split at 10 s."),
        check("headroom", 0.312, 0.05, "Baseline WER 31.2 % on domain leaves room.", manifest="domain"),
        check("headroom", 0.031, 0.05, "Baseline WER 3.1 % on heldout.", manifest="heldout", status="fail"),
        check("adapter_change", 0.045, 0.0, "lora changes all stages from file to text.", run="lora"),
        check("parity", 0, 0, "15 settings compared, all equal.", run="lora"),
        check("labels.greedy_hypotheses", 1.0, 0.995, "The model predicts 100 % of 2,210 tokens.", manifest="train"),
        check("labels.loss", 0.0, 0.05, "The trainer's loss is 0.61 nats per token.", manifest="train"),
        check(
            "adapter.general_set",
            0.002,
            0.005,
            "lora is 0.20 points worse on heldout: neither shown nor excluded.",
            run="lora",
            manifest="heldout",
            status="unknown",
        ),
    ]
    causes = [
        Cause(
            code="headroom.saturated",
            severity="warns",
            run="base",
            manifest="heldout",
            because="The baseline makes 3.1 % errors on heldout, below 5 %.",
            remedy="Use it as a guard against forgetting, not to show a gain.",
            evidence=["results/wer/base/heldout.json"],
        ),
        Cause(
            code="headroom.underpowered",
            severity="warns",
            run="base",
            manifest="test",
            because="6 rows show a change of 11.70 points at best.",
            remedy="Record about 820 rows, or evaluate on domain.",
            evidence=["results/wer/base/test.json"],
        ),
    ]
    runs = [
        RunOutcome.model_validate(
            {
                "run": "lora",
                "manifest": manifest,
                "baseline_wer": BASELINE[manifest][0],
                "tuned_wer": TUNED[manifest][0],
                "delta": delta,
                "ci_low": low,
                "ci_high": high,
                "within_margin": False,
                "outcome": outcome,
                "smallest_change": SMALLEST_CHANGE[manifest],
            }
        )
        for manifest, (delta, low, high, outcome) in DELTA.items()
    ]
    result = Verdict(
        ready_for_sweep=ready,
        max_seconds=10.0,
        eval_manifest="domain",
        gate_run="lora",
        checks=checks,
        causes=causes,
        runs=runs,
    )
    return result.model_copy(update=changes)


def run_record(command: str, **changes: Any) -> RunRecord:
    record = RunRecord(
        command=command,
        started="2026-01-05T10:20:30+00:00",
        seconds=1.25,
        peak_memory_mb=210.0,
        host="h",
        platform="Linux",
        python="3.11.9",
        versions={"numpy": "2.4.0", "torch": "2.13.0"},
        commit=None,
        outputs=[],
    )
    return record.model_copy(update=changes)


def _run_records(results: Path) -> None:
    run_record("python scripts/validate_manifest.py --manifest data/train_manifest.jsonl").write(
        results / "manifests/train.jsonl.run.json"
    )
    run_record(
        "python -m lora.runners.experiment train --run lora --seed 13 --target-modules '[qv](proj)'",
        seed=13,
        device="cpu",
        dtype="float32",
        optimizer_steps=100,
        seconds=41.5,
        fallbacks=["cuda was asked for, cpu used"],
    ).write(results / "adapters/lora/train.run.json")
    run_record(
        "python -m lora.runners.experiment transcribe --run base",
        device="cpu",
        dtype="float32",
        utterances_decoded=300,
        utterances_reused=26,
    ).write(results / "transcripts/base/transcribe.run.json")


if __name__ == "__main__":
    import sys

    build(Path(sys.argv[1]))
