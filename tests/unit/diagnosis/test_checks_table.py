"""The table of checks: complete, consistent with the causes, and explained in docs/methods.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from lora.diagnosis.checks import CHECKS


@pytest.mark.parametrize("id", CHECKS)
def test_docs_methods_explains_every_check(repository: Path, id: str) -> None:
    assert f"`{id}`" in (repository / "docs/methods.md").read_text(encoding="utf-8")
