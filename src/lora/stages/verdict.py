"""Stages that judge and report: the verdict, the report, the sweep table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lora.data.tables import write_table
from lora.diagnosis.facts import load_facts
from lora.diagnosis.verdict import decide
from lora.diagnosis.verdict import gate as gate_of
from lora.provenance.recording import recording
from lora.records.base import write_text
from lora.records.comparisons import PairedFacts, SweepRow
from lora.records.verdict import Verdict
from lora.report.page.landing import landing_text
from lora.report.page.render import render_page
from lora.report.study import Study


def decide_verdict(results: Path, config: Path, verdict: Path, gate: Path) -> Verdict:
    """Judge all facts below `results`; what is missing is unknown. "Not ready" is a result, not an error.

    Args:
        results: Results folder of the study.
        config: The complete configuration (`results/config.json`).
        verdict: Verdict to write.
        gate: Gate file to write: ready or not, and why.
    """
    with recording(outputs=[verdict, gate]):
        decided = decide(load_facts(results, config))
        decided.write(verdict)
        gate_of(decided).write(gate)
    return decided


def render_report(results: Path, config: Path, report: Path, landing: Path) -> None:
    """Write the report of a study as one HTML file that needs no other, and its first view as text."""
    study = Study(results, config)
    with recording(outputs=[report, landing]):
        write_text(report, render_page(study))
        write_text(landing, landing_text(study))


def summarise_sweep(paired: Sequence[Path], table: Path) -> None:
    """Write one line per sweep entry and manifest, best first within each manifest; WERs are fractions."""
    with recording(outputs=[table]):
        facts = sorted((PairedFacts.read(path) for path in paired), key=_manifest_and_delta)
        write_table(table, tuple(SweepRow.model_fields), map(_sweep_row, facts))


def _manifest_and_delta(facts: PairedFacts) -> tuple[str, float, str]:
    delta = facts.within.delta if facts.within is not None else None
    return facts.manifest, float("inf") if delta is None else delta, facts.run


def _sweep_row(facts: PairedFacts) -> dict[str, object]:
    score = facts.within
    row: dict[str, object] = {"manifest": facts.manifest, "run": facts.run}
    if score is None:
        return {**row, "outcome": facts.code or "unknown"}
    numbers = {
        "baseline_wer": score.baseline_wer,
        "tuned_wer": score.tuned_wer,
        "delta": score.delta,
        "ci_low": score.interval.low,
        "ci_high": score.interval.high,
    }
    return {**row, **{key: None if n is None else f"{n:.6f}" for key, n in numbers.items()}, "outcome": score.outcome}
