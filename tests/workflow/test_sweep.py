"""The sweep: refused while the gate is closed, overridden with a reason, and never computed twice."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from typing import Any

import pytest
from small_study import ROWS, Study

EVALUATED = sum(count for name, count in ROWS.items() if name != "train")
SHORT = {"max_steps": 2, "eval_steps": 2, "batch_size": 4, "warmup_steps": 0}
CLOSED = {"headroom": {"max_wer": 0.000001}}  # makes the baseline count as broken
OVERRIDE = ("--config", "sweep_anyway=True", "sweep_reason=a deadline")


def sweep(*rates: float) -> dict[str, Any]:
    return {"sweep": {"rate": {**SHORT, "grid": {"learning_rate": list(rates), "seed": [1]}}}}


def experiment(study: Study, run: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((study.results / f"adapters/{run}/experiment.json").read_text())
    return loaded


def test_a_closed_gate_refuses_before_any_training(study: Study) -> None:
    study.configure({**CLOSED, **sweep(0.001, 0.002)})
    before = study.records()
    done = study.snakemake("sweep")
    assert done.returncode != 0
    assert study.work_since(before).none
    assert "train adapter" not in done.stderr
    assert [path.name for path in (study.results / "adapters").iterdir()] == ["lora"]
    last = [line.strip() for line in done.stderr.rstrip().splitlines()[-9:]]
    assert last[-5] == "NOT READY FOR THE SWEEP:"
    assert last[-4].startswith("1. ")
    assert last[-4].endswith("[headroom.baseline_broken]")
    assert "sweep_reason" in last[-2]
    assert "parity" in last[-6]
    assert last[-1].startswith("1 job failed: open sweep. ")
    assert not (study.results / "sweep_gate.json").exists()


def test_an_override_needs_a_reason(study: Study) -> None:
    study.configure({**CLOSED, **sweep(0.001)})
    done = study.snakemake("sweep", "--config", "sweep_anyway=True")
    assert done.returncode != 0
    assert "sweep_anyway is set without sweep_reason" in done.stdout + done.stderr
    assert not (study.results / "adapters/rate-1e-3-s1").exists()


def test_an_override_is_noted_once_and_neither_an_open_gate_nor_a_new_run_trains_again(study: Study) -> None:
    configuration = (study.results / "config.json").read_text()
    study.configure({**CLOSED, **sweep(0.001, 0.002)})
    work = study.run("sweep", *OVERRIDE)
    assert work.steps == 2 * SHORT["max_steps"]
    assert work.decoded == {"rate-1e-3-s1": EVALUATED, "rate-2e-3-s1": EVALUATED}
    assert json.loads((study.results / "sweep_gate.json").read_text())["sweep_reason"] == "a deadline"
    notes = (study.folder / "notes.md").read_text()
    assert notes.count("Sweep started although the gate was not ready") == 1
    assert notes.count("- Reason: a deadline") == 1
    assert study.run("sweep", *OVERRIDE).none
    assert (study.folder / "notes.md").read_text() == notes
    recorded = json.loads((study.results / "config.json").read_text())
    assert (recorded["sweep_anyway"], recorded["sweep_reason"]) == (False, None)
    assert list(recorded["sweep"]) == ["rate-1e-3-s1", "rate-2e-3-s1"]
    assert set(recorded) == set(json.loads(configuration))

    study.configure({"headroom": None, **sweep(0.001, 0.002, 0.004)})
    work = study.run("sweep")
    assert work.steps == SHORT["max_steps"]
    assert work.decoded == {"rate-4e-3-s1": EVALUATED}
    assert json.loads((study.results / "sweep_gate.json").read_text()) == {
        "ready_for_sweep": True,
        "reasons": [],
        "sweep_reason": None,
    }
    assert {row.split("\t")[1] for row in (study.results / "sweep.tsv").read_text().splitlines()[1:]} == {
        "rate-1e-3-s1",
        "rate-2e-3-s1",
        "rate-4e-3-s1",
    }
    assert [experiment(study, f"rate-{rate}-s1")["status"] for rate in ("1e-3", "2e-3", "4e-3")] == ["finished"] * 3
    dry_run = study.snakemake("-n", "sweep")
    assert re.findall(r"^(?:local)?rule (\w+):", dry_run.stdout + dry_run.stderr, re.M) == ["sweep"]
    plan = (study.folder / "docs/experiment_plan.md").read_text()
    assert all(f"`rate-{rate}-s1`" in plan for rate in ("1e-3", "2e-3", "4e-3"))
    decided = {h["id"]: h["state"] for h in json.loads((study.results / "hypotheses.json").read_text())["hypotheses"]}
    assert decided == {"H1": "not_run", "H2": "undecided", "H3": "undecided", "H4": "undecided"}  # one seed each
    assert (study.folder / "notes.md").read_text().count("· Sweep: H1 not run") == 2  # one for each sweep


@pytest.mark.slow  # test_experiment_record.py has the same without a workflow
def test_a_killed_training_is_kept_apart_as_cancelled(study: Study) -> None:
    study.configure({"sweep": {"long": {**SHORT, "max_steps": 30}}})
    process = subprocess.Popen(
        study.command("sweep"),
        cwd=study.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    checkpoints = "work/train/*/checkpoints/checkpoint-*/trainer_state.json"  # the last file of a checkpoint
    deadline = time.monotonic() + 300
    while not list(study.folder.glob(checkpoints)) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert experiment(study, "long")["status"] == "running"
    study.run("sweep")
    found = experiment(study, "long")
    assert (found["status"], found["attempt"], found["optimizer_steps"]) == ("finished", 2, 30)
    assert found["execution"]["optimizer_steps"] < 30
    (kept,) = (study.folder / "work/experiments/long").glob("*.json")
    attempt = json.loads(kept.read_text())
    assert (kept.name, attempt["status"], attempt["training"]) == ("1.json", "cancelled", found["training"])
