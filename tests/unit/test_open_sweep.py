"""Starting a sweep: refused by a closed gate, or overridden with a reason that the notes record."""

from __future__ import annotations

from pathlib import Path

import pytest

from lora.records.verdict import Gate, SweepGate
from lora.stages.gate import open_sweep

REASON = "Too few rows. Add rows. [data.too_few_samples]"


def start(folder: Path, reasons: list[str], reason: str | None = None) -> int:
    Gate(ready_for_sweep=not reasons, reasons=reasons).write(folder / "gate.json")
    return open_sweep(
        gate=folder / "gate.json",
        reason=reason,
        notes=folder / "notes.md",
        decision=folder / "sweep_gate.json",
    )


def entries(folder: Path) -> int:
    return (folder / "notes.md").read_text().count("Sweep started although the gate was not ready")


def test_a_closed_gate_is_refused_with_its_reasons_last(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(tmp_path, [REASON]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["NOT READY FOR THE SWEEP:", f"  1. {REASON}"]
    assert "sweep_anyway=True sweep_reason=" in lines[-1]
    assert {path.name for path in tmp_path.iterdir()} == {"gate.json"}


def test_an_open_gate_needs_no_reason_and_notes_none(tmp_path: Path) -> None:
    assert start(tmp_path, []) == 0
    assert start(tmp_path, [], reason="a deadline") == 0
    assert SweepGate.read(tmp_path / "sweep_gate.json").sweep_reason is None
    assert not (tmp_path / "notes.md").exists()


def test_an_override_is_noted_once_per_reason_and_gate(tmp_path: Path) -> None:
    for _ in range(2):
        assert start(tmp_path, [REASON], reason="a deadline | <b>") == 0
    assert SweepGate.read(tmp_path / "sweep_gate.json").sweep_reason == "a deadline | <b>"
    assert entries(tmp_path) == 1
    notes = (tmp_path / "notes.md").read_text()
    assert "- Reason: a deadline | &lt;b&gt;" in notes
    assert "- Against it: Too few rows." in notes
    start(tmp_path, [REASON], reason="another deadline")
    assert entries(tmp_path) == 2
    start(tmp_path, [REASON, "No headroom."], reason="another deadline")
    assert entries(tmp_path) == 3
    start(tmp_path, [REASON], reason="a deadline | <b>")
    assert entries(tmp_path) == 3
