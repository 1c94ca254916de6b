"""The table of checks: complete, consistent with the table of causes, and explained in docs/methods.md."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

import pytest
from healthy import HealthyStudy
from test_adapter_causes import FAULTS as ADAPTER_FAULTS
from test_label_causes import FAULTS as LABEL_FAULTS
from test_training_causes import FAULTS as TRAINING_FAULTS

from lora.diagnosis.causes import CAUSES
from lora.diagnosis.checks import CHECKS, CRITERIA
from lora.diagnosis.findings import Findings
from lora.diagnosis.generated_docs import generated_files
from lora.diagnosis.headroom.eval_manifest import choose_eval_manifest
from lora.diagnosis.verdict import judge_all


def findings(study: HealthyStudy) -> Findings:
    facts = study.facts()
    return judge_all(facts, choose_eval_manifest(facts))


def assert_listed(found: Findings) -> None:
    assert {check.id for check in found.checks} <= CHECKS.keys()
    raised = {(cause.check, cause.code) for cause in found.causes if cause.check is not None}
    assert [pair for pair in raised if pair[1] not in CHECKS[pair[0]].causes] == []


def test_checks_and_causes_of_a_healthy_study_are_listed(study: HealthyStudy) -> None:
    assert_listed(findings(study))


FAULTS = [
    *(("labels.json", changes) for changes, *_ in LABEL_FAULTS),
    *(("effect/lora.json", changes) for changes, *_ in ADAPTER_FAULTS),
    *(("adapters/lora/train.json", changes) for changes, *_ in TRAINING_FAULTS),
]


@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_checks_and_causes_of_a_faulty_study_are_listed(study: HealthyStudy, number: int) -> None:
    path, changes = FAULTS[number]
    study.change(path, changes)
    assert_listed(findings(study))


def test_every_cause_is_raised_by_some_check() -> None:
    listed = {code for kind in CHECKS.values() for code in kind.causes}
    assert listed == CAUSES.keys()


def twins() -> Iterator[tuple[str, str]]:
    for id in CHECKS:
        area, _, name = id.rpartition(".")
        for code in CAUSES:
            other_area, _, other = code.rpartition(".")
            if area == other_area and difflib.SequenceMatcher(None, name, other).ratio() > 0.8:
                yield id, code


def test_no_check_is_named_almost_like_a_cause() -> None:
    assert list(twins()) == []


def test_criteria_name_the_causes_that_explain_them() -> None:
    assert all(CRITERIA.values())
    for beginnings in CRITERIA.values():
        assert any(code.startswith(beginnings) for code in CAUSES)


def test_questions_and_needs_are_sentences() -> None:
    for kind in CHECKS.values():
        assert kind.question.endswith("?")
        assert not kind.needs or kind.needs.endswith(".")


@pytest.mark.parametrize("id", CHECKS)
def test_docs_methods_explains_every_check_under_its_heading(repository: Path, id: str) -> None:
    page = (repository / "docs/methods.md").read_text(encoding="utf-8")
    sections = {part.split("\n", 1)[0].strip("# "): part for part in page.split("\n#")}
    assert f"`{id}`" in sections[CHECKS[id].section]


@pytest.mark.parametrize("path", generated_files())
def test_generated_files_are_up_to_date(repository: Path, path: str) -> None:
    shipped = (repository / path).read_text(encoding="utf-8")
    assert shipped == generated_files()[path], "run: python scripts/make_diagnosis_docs.py"
