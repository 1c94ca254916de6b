"""Every check that a verdict can hold is explained in docs/methods.md, where a reader finds it by its id."""

import ast
from pathlib import Path

from lora.diagnosis.causes import CAUSES
from lora.diagnosis.verdict import CRITERIA

ROOT = Path(__file__).parents[3]
AREAS = {"data", "headroom", "labels", "training", "adapter", "parity"}


def check_ids() -> set[str]:
    """The criteria, and every dotted name of an area in the source that is no cause code (nor a file)."""
    found = set(CRITERIA)
    for path in (ROOT / "src/lora/diagnosis").rglob("*.py"):
        texts = (n.value for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Constant))
        names = (text.split(".") for text in texts if isinstance(text, str))
        found |= {
            ".".join(n) for n in names if len(n) == 2 and n[0] in AREAS and n[1].isidentifier() and n[1] != "json"
        }
    return found - (CAUSES.keys() - {"data.leakage"})  # the check is named as its cause is


def test_check_ids_are_found_in_the_source() -> None:
    assert {
        "data.texts",
        "headroom.reachable",
        "labels.greedy_hypotheses",
        "training.movement",
        "adapter.load",
    } <= check_ids()


def test_every_check_stands_on_the_page_of_methods() -> None:
    page = (ROOT / "docs/methods.md").read_text(encoding="utf-8")
    assert sorted(id for id in check_ids() if f"`{id}`" not in page) == []
