"""A change in `lora.asr` needs a decision: raise a recipe version, or confirm that results stay the same.

`recipe_hashes.json` contains the hash of every file of `src/lora/asr` (and of what distorts audio) next to the recipe
versions. When a change alters what a command computes, raise its number in `lora/asr/recipe.py`; either way confirm
with `python tests/unit/asr/test_recipe.py`, which writes the hashes anew.
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
# Modules outside lora.asr that change what a model is given.
AUDIO = ("loading", "blocks", "distortions")
PINNED = Path(__file__).parent / "recipe_hashes.json"
sys.path.insert(0, str(REPOSITORY / "src"))

from lora.asr.recipe import RECIPE  # noqa: E402


def watched() -> dict[str, str]:
    source = REPOSITORY / "src" / "lora"
    paths = [*sorted((source / "asr").rglob("*.py")), *(source / "data" / "audio" / f"{name}.py" for name in AUDIO)]
    return {str(path.relative_to(source)): _syntax_hash(path) for path in paths if path.name != "recipe.py"}


def _syntax_hash(path: Path) -> str:
    """Hash of the syntax tree without docstrings: formatting, comments and prose may change freely."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [part for part in body if not _is_text(part)]  # type: ignore[attr-defined]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16]


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="each Python writes syntax trees in its own way")
def test_every_change_has_been_decided_on() -> None:
    pinned = json.loads(PINNED.read_text())
    found = watched()
    changed = sorted(name for name in pinned["files"] | found if pinned["files"].get(name) != found.get(name))
    assert pinned["recipe"] == RECIPE and not changed, (  # noqa: PT018
        f"{', '.join(changed) or 'recipe.py'} changed: raise the version in src/lora/asr/recipe.py of every command "
        "whose results change, then run `python tests/unit/asr/test_recipe.py`"
    )


if __name__ == "__main__":
    PINNED.write_text(json.dumps({"recipe": RECIPE, "files": watched()}, indent=2) + "\n")
