"""The command lines as rules call them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import check_gate
import compare_settings
import decide_verdict
import pytest
from healthy import HealthyStudy

from lora.records.parity import ParityFacts
from lora.records.verdict import Gate, Verdict


def decide(study: HealthyStudy, monkeypatch: pytest.MonkeyPatch) -> int:
    study.write()
    monkeypatch.chdir(study.results.parent)
    arguments = ["--results", "results", "--config", "results/config.json"]
    return decide_verdict.main([*arguments, "--verdict", "results/verdict.json", "--gate", "results/gate.json"])


def test_a_ready_study_passes_the_gate(
    study: HealthyStudy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert decide(study, monkeypatch) == 0
    assert Verdict.read("results/verdict.json").ready_for_sweep is True
    assert Path("results/verdict.json.run.json").is_file()
    capsys.readouterr()
    assert check_gate.main(["--gate", "results/gate.json"]) == 0
    assert capsys.readouterr().out.splitlines() == ["GATE OPEN: lora-diagnose sweep"]


def test_reasons_are_printed_last(
    study: HealthyStudy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study.change("effect/lora.json", {"file": {"lora_b_zero": 24}})
    assert decide(study, monkeypatch) == 0
    capsys.readouterr()
    assert check_gate.main(["--gate", "results/gate.json"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2] == "GATE CLOSED, exit code 1:"
    assert lines[-1].startswith("  1. All 24 lora_B matrices of lora are exactly zero.")
    assert len(lines) < 12


def test_no_verdict_fails_the_gate_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Gate(ready_for_sweep=None, reasons=["No model is configured."]).write(tmp_path / "gate.json")
    assert check_gate.main(["--gate", str(tmp_path / "gate.json")]) == 1
    assert capsys.readouterr().out.splitlines() == ["GATE CLOSED, exit code 1:", "  1. No model is configured."]


def test_a_missing_gate_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_gate.main(["--gate", str(tmp_path / "gate.json")]) == 2
    assert (
        capsys.readouterr().err
        == f"error: {tmp_path / 'gate.json'}: no such file; compute the gate first: lora-diagnose gate\n"
    )


def test_verdicts_hold_no_absolute_path(study: HealthyStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    decide(study, monkeypatch)
    text = Path("results/verdict.json").read_text(encoding="utf-8")
    assert str(study.results.parent) not in text


def test_settings_are_compared_by_the_command(
    study: HealthyStudy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study.change("transcripts/lora/domain.settings.json", {"decode": {"num_beams": 5}})
    study.write()
    monkeypatch.chdir(study.results)
    arguments = ["--run", "lora", "--parity", "parity.json"]
    for side, run in (("baseline", "base"), ("tuned", "lora")):
        arguments += [f"--{side}-settings", *(f"transcripts/{run}/{m}.settings.json" for m in ("domain", "test"))]
        arguments += [f"--{side}-wer", *(f"wer/{run}/{m}.json" for m in ("domain", "test"))]
        texts = [Path(f"transcripts/{run}/{m}.jsonl") for m in ("domain", "test")]
        for path in texts:
            path.write_text("")
        arguments += [f"--{side}-transcripts", *map(str, texts)]
    assert compare_settings.main(arguments) == 0
    assert "different: domain: decode.num_beams" in capsys.readouterr().out
    assert [s.field for s in ParityFacts.read("parity.json").settings if not s.same] == ["decode.num_beams"]
    arguments.remove("wer/lora/test.json")
    assert compare_settings.main(arguments) == 2


@pytest.mark.parametrize("script", ["decide_verdict", "check_gate", "compare_settings"])
def test_help_imports_no_torch(repository: Path, script: str) -> None:
    code = f"import sys, {script}\ntry: {script}.main(['--help'])\nexcept SystemExit: assert 'torch' not in sys.modules"
    paths = f"{repository / 'src'}:{repository / 'scripts'}"
    environment = {"PYTHONPATH": paths, "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Reads:" in done.stdout


def test_gate_and_verdict_are_json_that_others_read(study: HealthyStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    decide(study, monkeypatch)
    assert json.loads(Path("results/gate.json").read_text(encoding="utf-8")) == {"ready_for_sweep": True, "reasons": []}
