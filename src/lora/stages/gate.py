"""The gate: is a study ready for the sweep, and if not, why?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lora.diagnosis.checks import CRITERIA
from lora.records.base import UserError
from lora.records.verdict import Gate, Verdict

HEADLINES = {True: "READY FOR THE SWEEP", False: "NOT READY FOR THE SWEEP", None: "NO VERDICT ON THE SWEEP"}


def check_gate(gate: Path) -> int:
    """Print the criteria and, last, the reasons against the sweep.

    Args:
        gate: Gate file; the verdict next to it (`verdict.json`) is read for the criteria if it exists.

    Returns:
        Exit code: 0 if the study is ready, else 1.
    """
    if not gate.is_file():
        raise UserError(f"{gate}: no such file; compute the gate first: snakemake --cores 2 gate")
    decision = Gate.read(gate)
    verdict = gate.with_name("verdict.json")
    print("\n".join(_lines(decision, Verdict.read(verdict) if verdict.is_file() else None)))
    return 0 if decision.ready_for_sweep else 1


def _lines(gate: Gate, verdict: Verdict | None) -> Iterator[str]:
    if verdict is not None:
        limit = "none" if verdict.max_seconds is None else f"{verdict.max_seconds:g} s"
        manifest = verdict.eval_manifest or "none"
        yield f"max_seconds: {limit} · evaluation manifest: {manifest} · gate run: {verdict.gate_run or 'none'}"
        yield from (f"  {c.status:<8}{c.id:<18}{c.summary}" for c in verdict.checks if c.id in CRITERIA)
    yield HEADLINES[gate.ready_for_sweep] + (":" if gate.reasons else "")
    yield from (f"  {number}. {reason}" for number, reason in enumerate(gate.reasons, start=1))
