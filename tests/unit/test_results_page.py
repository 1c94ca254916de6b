"""docs/results.md describes every result file, and every key of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from lora.layout import RESULTS
from lora.records.base import record_fields
from lora.records.provenance import RunRecord

REPOSITORY = Path(__file__).parents[2]


def records() -> list[type]:
    """Every record that a result file contains, those inside of other records included."""
    found: dict[str, type] = {}

    def visit(annotation: Any) -> None:
        fields = record_fields(annotation) if isinstance(annotation, type) else None
        if fields is not None and annotation.__name__ not in found:
            found[annotation.__name__] = annotation
            for field in fields.values():
                visit(field.annotation)
        for argument in get_args(annotation):
            visit(argument)

    for kind in RESULTS:
        visit(kind.record)
    return [*found.values(), RunRecord]


def test_the_page_is_the_one_that_the_script_writes() -> None:
    page = subprocess.run(
        [sys.executable, str(REPOSITORY / "scripts/make_results_page.py")], capture_output=True, text=True, check=True
    ).stdout
    committed = (REPOSITORY / "docs/results.md").read_text(encoding="utf-8")
    assert committed == page, "run: python scripts/make_results_page.py > docs/results.md"


@pytest.mark.parametrize("record", records(), ids=lambda record: record.__name__)
def test_every_key_of_a_result_is_described(record: type) -> None:
    assert record.__doc__
    assert {name for name, field in (record_fields(record) or {}).items() if not field.description} == set()
