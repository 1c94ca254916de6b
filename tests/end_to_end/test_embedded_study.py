"""The study that ships with the project, from end to end: its verdict, its documents, and what the README promises."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_study import REPOSITORY, Study

DOCUMENTS = ("docs/experiment_plan.md", "notes.md")


def committed(path: str) -> str:
    """A document as it is committed: a run in this checkout writes into the working copy."""
    git = ["git", "-C", str(REPOSITORY), "show", f"HEAD:{path}"]
    return subprocess.run(git, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="session")
def embedded(shared_study: Callable[[str, Callable[[Path], Study]], Study]) -> Study:
    """The embedded study, run as it ships in a folder of its own."""

    def compute(folder: Path) -> Study:
        (folder / "docs").mkdir(parents=True)
        (folder / "data").symlink_to(REPOSITORY / "data")
        for name in ("config.yaml", *DOCUMENTS):
            (folder / name).write_text(committed(name), encoding="utf-8")
        study = Study(folder)
        study.run()
        return study

    return shared_study("embedded", compute)


def facts(study: Study, path: str) -> Any:
    return json.loads((study.results / path).read_text())


def test_the_verdict_is_ready(embedded: Study) -> None:
    verdict = embedded.verdict()
    assert verdict["ready_for_sweep"] is True
    assert verdict["eval_manifest"] == "domain"
    assert {c["id"]: c["status"] for c in verdict["checks"] if c["id"] in CRITERIA} == dict.fromkeys(CRITERIA, "pass")
    assert embedded.snakemake("gate").returncode == 0


CRITERIA = ("data_sufficiency", "headroom", "adapter_change", "parity")


def test_eight_seconds_would_starve_training_and_ten_do_not(embedded: Study) -> None:
    decision = facts(embedded, "durations/decision.json")
    assert decision["max_seconds"] == 10.0
    rows = {option["threshold"]: option["train_rows"] for option in decision["options"]}
    assert rows[8.0] < 200 <= rows[10.0]
    assert list(rows.values()) == sorted(set(rows.values()))


def test_heldout_is_saturated_test_too_small_and_domain_usable(embedded: Study) -> None:
    causes = {(c["code"], c["manifest"]): c["severity"] for c in embedded.verdict()["causes"]}
    assert causes["headroom.saturated", "heldout"] == "info"
    assert causes["headroom.underpowered", "test"] == "warns"
    assert not [severity for severity in causes.values() if severity == "blocks"]
    wer = {name: facts(embedded, f"wer/base/{name}.json")["within"]["wer"] for name in ("heldout", "domain")}
    assert wer["heldout"] <= 0.05
    assert 0.15 <= wer["domain"] <= 0.45


def test_the_adapter_truly_works(embedded: Study) -> None:
    paired = facts(embedded, "paired/lora/domain.json")["within"]
    assert paired["outcome"] == "better"
    assert paired["interval"]["high"] < 0
    effect = facts(embedded, "effect/lora.json")
    assert effect["text"]["adapter_calls"] > 0
    assert effect["text"]["changed"] > 0
    assert effect["logits"]["off_equals_base"] is True


def test_the_documents_contain_verdict_causes_and_commands(embedded: Study) -> None:
    plan = (embedded.folder / "docs/experiment_plan.md").read_text()
    for words in (
        "ready for the sweep",
        "8 s would leave",
        "headroom.saturated",
        "headroom.underpowered",
        "results/commands.sh",
    ):
        assert words in plan.replace("\n", " ").replace("\u00a0", " "), words
    assert "--learning-rate" in (embedded.results / "commands.sh").read_text()
    notes = (embedded.folder / "notes.md").read_text()
    assert notes.count("BEGIN entry") == committed("notes.md").count("BEGIN entry") + 1


def test_the_commands_it_prints_reproduce_its_files(embedded: Study, tmp_path: Path) -> None:
    """The exact command of a run record, typed again elsewhere, gives the same bytes."""
    record = facts(embedded, "wer/lora/domain.json.run.json")
    again = embedded.copy(tmp_path / "again")
    (again.results / "wer/lora/domain.json").unlink()
    command = str(record["command"]).replace("python", shlex.quote(sys.executable), 1)
    environment = dict(os.environ, PYTHONPATH=str(REPOSITORY / "src"))
    subprocess.run(command, shell=True, cwd=again.folder, check=True, env=environment, capture_output=True)
    assert (again.results / "wer/lora/domain.json").read_bytes() == (
        embedded.results / "wer/lora/domain.json"
    ).read_bytes()


def test_the_readme_shows_this_result(embedded: Study, tmp_path: Path) -> None:
    """WERs may differ in the last digits between kinds of processors; what they say may not."""
    readme = tmp_path / "README.md"
    shutil.copyfile(REPOSITORY / "README.md", readme)
    subprocess.run(
        [
            *(sys.executable, str(REPOSITORY / "scripts/update_readme.py"), "--results", str(embedded.results)),
            *("--readme", str(readme), "--pictures", str(tmp_path / "pictures")),
        ],
        check=True,
        env=dict(os.environ, PYTHONPATH=str(REPOSITORY / "src")),
    )

    def cells(text: str) -> list[list[str]]:
        return [line.split("|") for line in text.splitlines() if line.startswith(("| domain", "| heldout", "| test"))]

    shipped, now = cells((REPOSITORY / "README.md").read_text()), cells(readme.read_text())
    assert len(shipped) == len(now) == 3
    for old, new in zip(shipped, now, strict=True):
        outcomes = [line[-2].partition(":")[0].strip() for line in (old, new)]
        assert outcomes[0] == outcomes[1]
        assert [part.strip() for part in old[:3]] == [part.strip() for part in new[:3]]
        for column in (3, 4):
            assert abs(float(old[column].split("%")[0]) - float(new[column].split("%")[0])) <= 1.0


@pytest.mark.slow
def test_make_run_from_a_fresh_clone(tmp_path: Path) -> None:
    """The README's first command, as a new user types it: new folder with a blank, new virtual environment."""
    clone = tmp_path / "fresh clone"
    subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(clone)], check=True)
    done = subprocess.run(["make", "run", "CORES=2"], cwd=clone, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert any(line.startswith("READY FOR THE SWEEP") for line in done.stdout.splitlines()[-30:])
    assert (clone / "results/verdict.json").exists()


@pytest.mark.slow
def test_the_example_whose_wer_stays_flat(tmp_path: Path) -> None:
    """What the README shows of examples/flat: the gate stays closed, for these reasons."""
    (tmp_path / "data").symlink_to(REPOSITORY / "data")
    study = Study(tmp_path / "examples/flat")
    study.folder.mkdir(parents=True)
    shutil.copyfile(REPOSITORY / "examples/flat/config.yaml", study.folder / "config.yaml")
    done = study.snakemake("gate")
    assert done.returncode != 0
    readme = (REPOSITORY / "README.md").read_text().partition("<!-- BEGIN generated: flat -->")[2]
    assert study.causes("blocks") == ["data.filter_starves_training"]
    assert study.causes("warns") == ["adapter.negligible_delta"]
    assert all(f"{code} (" in readme for code in (*study.causes("blocks"), *study.causes("warns")))
    assert facts(study, "paired/lora/domain.json")["within"]["changed_hypotheses"] == 0
