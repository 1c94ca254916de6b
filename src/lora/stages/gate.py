"""The gate: is a study ready for the sweep, and if not, why? Who starts a sweep nevertheless gives a reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lora.diagnosis.checks import CRITERIA
from lora.provenance.recording import recording
from lora.records.base import UserError
from lora.records.verdict import Gate, SweepGate, Verdict
from lora.report.publish import publish_override

HOW_TO_GO_ON = (
    "Nothing of the sweep was trained. Do what the reasons say and run it again, or start it nevertheless:",
    '  lora-diagnose sweep -- --config sweep_anyway=True sweep_reason="why"   (recorded in notes.md)',
)
HEADLINES = {True: "READY FOR THE SWEEP", False: "NOT READY FOR THE SWEEP", None: "NO VERDICT ON THE SWEEP"}


def check_gate(gate: Path) -> int:
    """Print whether the gate is open, and the reasons if it is not.

    Args:
        gate: Gate file.

    Returns:
        Exit code: 0 if the study is ready, else 1.
    """
    if not gate.is_file():
        raise UserError(f"{gate}: no such file; compute the gate first: lora-diagnose gate")
    decision = Gate.read(gate)
    print("\n".join(_state(decision)))
    return 0 if decision.ready_for_sweep else 1


def open_sweep(gate: Path, reason: str | None, notes: Path, decision: Path) -> int:
    """Let the sweep start, or refuse it.

    Args:
        gate: Gate file of the study.
        reason: Why the sweep starts although the gate is not ready; None to refuse it then.
        notes: Notes that record an override, once per reason and gate.
        decision: File that records under which gate the sweep started; not written if it is refused.

    Returns:
        Exit code: 0 if the sweep may start, else 1.
    """
    known = Gate.read(gate)
    if not known.ready_for_sweep and reason is None:
        print("\n".join([*_lines(known, gate), *HOW_TO_GO_ON]))
        return 1
    with recording(outputs=[decision]) as run:
        overridden = None if known.ready_for_sweep else reason
        if overridden is not None:
            run.adjust(f"the sweep starts although the gate is not ready: {overridden}")
            publish_override(notes, known, overridden)
        SweepGate(**known.to_json(), sweep_reason=overridden).write(decision)
    return 0


def _state(gate: Gate) -> Iterator[str]:
    yield "GATE OPEN: lora-diagnose sweep" if gate.ready_for_sweep else "GATE CLOSED, exit code 1:"
    yield from (f"  {number}. {reason}" for number, reason in enumerate(gate.reasons, start=1))


def _lines(gate: Gate, path: Path) -> Iterator[str]:
    """The verdict next to the gate file in short, and last the reasons against the sweep."""
    verdict_path = path.with_name("verdict.json")
    if verdict_path.is_file():
        verdict = Verdict.read(verdict_path)
        limit = "none" if verdict.max_seconds is None else f"{verdict.max_seconds:g} s"
        manifest = verdict.eval_manifest or "none"
        yield f"max_seconds: {limit} · evaluation manifest: {manifest} · gate run: {verdict.gate_run or 'none'}"
        yield from (f"  {c.status:<8}{c.id:<18}{c.summary}" for c in verdict.checks if c.id in CRITERIA)
    yield HEADLINES[gate.ready_for_sweep] + (":" if gate.reasons else "")
    yield from (f"  {number}. {reason}" for number, reason in enumerate(gate.reasons, start=1))
