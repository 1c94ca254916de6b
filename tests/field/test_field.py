"""Every field case that needs no workflow; `make field` runs the others as well."""

from __future__ import annotations

from pathlib import Path

import pytest
from field_bench import run_case
from field_cases import CASES, FieldCase


@pytest.mark.parametrize("case", [case for case in CASES if case.command != "study"], ids=lambda case: case.name)
def test_a_situation(case: FieldCase, tmp_path: Path) -> None:
    found = run_case(case, tmp_path / "a case")
    assert found.right, (found.problems, found.found.printed[-2000:])


def test_names_are_unique() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))
