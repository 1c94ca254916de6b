"""The notebook on quick mode prints what it contains (`python tests/unit/test_notebook.py` writes that anew)."""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from lora.notebook import compare
from lora.records.base import UserError

NOTEBOOK = Path(__file__).parents[2] / "examples/notebooks/quick.ipynb"


def executed(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with the outputs of its code cells, executed in the current folder."""
    names: dict[str, Any] = {}
    cells = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec("".join(cell["source"]), names)
            lines = printed.getvalue().splitlines(keepends=True)
            outputs = [{"name": "stdout", "output_type": "stream", "text": lines}] if lines else []
            cell = {**cell, "outputs": outputs}
        cells.append(cell)
    return {**notebook, "cells": cells}


def test_the_notebook_prints_what_it_contains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    notebook = json.loads(NOTEBOOK.read_text())
    assert executed(notebook) == notebook


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tuned": "absent.trn"}, "absent.trn"),
        ({"normaliser": "basic"}, "unknown option --normaliser; did you mean '--normalizer'?"),
        ({"normalizer": "none at all"}, "--normalizer"),
    ],
    ids=["file", "name", "value"],
)
def test_mistakes_are_one_error(options: dict[str, str], message: str, tmp_path: Path) -> None:
    (tmp_path / "base.trn").write_text("one two (a)\n")
    given = {"manifest": tmp_path / "base.trn", "baseline": tmp_path / "base.trn", "tuned": tmp_path / "base.trn"}
    with pytest.raises(UserError) as error:
        compare(**{**given, **options})
    assert message in str(error.value)


def test_options_are_none_lists_and_dicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("dev.csv").write_text("uid,said\na,one two\nb,three four\n")
    Path("-base.trn").write_text("one two (a)\nthree for (b)\n")
    found = compare(
        manifest="dev.csv",
        manifest_columns={"id": "uid", "text": "said"},
        baseline="-base.trn",
        tuned=tmp_path / "-base.trn",
        train=None,
        strip=["hesitations", "noise_tags"],
    )
    assert found.verdict.runs[0].baseline_wer == 0.25


if __name__ == "__main__":
    contents = json.loads(NOTEBOOK.read_text())
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        contents = executed(contents)
    NOTEBOOK.write_text(json.dumps(contents, indent=1, ensure_ascii=False) + "\n")
