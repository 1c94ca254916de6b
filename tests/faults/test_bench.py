"""One planted fault of each area through the real workflow, and the whole list against the table of causes.

`make faults` runs all cases; every judgement is tested from fact files in tests/unit/diagnosis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bench import field_score, run_case
from cases import CASES, Case
from healthy_study import healthy_study
from small_study import REPOSITORY, Study

from lora.diagnosis.causes import CAUSES

# The fault of each area that passes through most rules, facts and checks.
CHOSEN = (
    "texts of 40 rows shifted by one row",
    "a word replaced by another in every reference that contains it",
    "time tokens around every reference of all evaluation manifests",
    "a tokenizer that writes no EOS",
    "an external adapter whose tensors have other names",
    "the tuned run scored as written",
)
BLOCKED = "a learning rate of 1e30"


@pytest.fixture(scope="session")
def healthy(shared_study: Callable[[str, Callable[[Path], Study]], Study]) -> Study:
    def compute(folder: Path) -> Study:
        study = healthy_study(folder)
        study.run()
        return study

    return shared_study("healthy", compute)


def test_the_healthy_study_is_ready_without_a_warning(healthy: Study) -> None:
    assert [c for c in healthy.verdict()["causes"] if c["severity"] != "info"] == []
    assert healthy.verdict()["ready_for_sweep"] is True
    assert healthy.snakemake("gate").returncode == 0


def chosen() -> Iterator[Any]:
    """The chosen cases; those that compute the model's part again take minutes, and `make faults` has them too."""
    for case in CASES:
        if case.name in CHOSEN:
            marks = [pytest.mark.slow] if case.first in {"data.transcript_mismatch", "labels.construction"} else []
            yield pytest.param(case, id=case.first, marks=marks)


@pytest.mark.parametrize("case", chosen())
def test_a_fault_of_each_area(case: Case, healthy: Study, tmp_path: Path) -> None:
    found = run_case(case, healthy, tmp_path / "the planted study")
    assert found.right, found


@pytest.mark.slow
def test_a_loss_that_the_library_shifts_twice(healthy: Study, tmp_path: Path) -> None:
    """The audit in a second environment, with an older transformers; needs a package index."""
    case = next(case for case in CASES if case.first == "labels.loss_misaligned")
    found = run_case(case, healthy, tmp_path / "the planted study")
    assert found.right, found


def test_a_blocked_study_says_so_everywhere(healthy: Study, tmp_path: Path) -> None:
    """Verdict, exit code and output of the gate, and the published documents."""
    study = Study(tmp_path / "blocked")
    found = run_case(next(case for case in CASES if case.name == BLOCKED), healthy, study.folder)
    assert (found.right, found.first) == (True, "training.diverged"), found
    gate = study.snakemake("gate")
    assert gate.returncode != 0
    assert found.first in gate.stdout + gate.stderr
    for document in ("docs/experiment_plan.md", "notes.md"):
        assert found.first in (study.folder / document).read_text()


def test_every_cause_has_a_fault_and_a_neighbour() -> None:
    assert {case.first for case in CASES} - {""} == set(CAUSES)
    assert {case.guards for case in CASES} - {""} == set(CAUSES)


def test_the_chosen_faults_are_of_all_areas() -> None:
    chosen = [case for case in CASES if case.name in (*CHOSEN, BLOCKED)]
    assert len(chosen) == len(CHOSEN) + 1
    assert {case.area for case in chosen} == {code.partition(".")[0] for code in CAUSES}
    assert sum(case.fresh for case in CASES) >= 8


def test_the_readme_carries_the_share_that_is_right() -> None:
    table = (REPOSITORY / "docs/faults.md").read_text(encoding="utf-8").splitlines()
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert table[-1] in readme.replace("\n", " ")
    rows = {line.split(" | ")[0].removeprefix("| ") for line in table if "| " in line} - {"case"}
    assert rows == {case.name for case in CASES}
    assert field_score() in table[-3]
