"""A changed file of the model wing needs a decision: raise a recipe version, or say that results stay the same.

`recipe_hashes.json` holds the hash of every file of `src/lora/asr` (and of what distorts audio) beside the recipe
versions. When a change alters what a command computes, raise its number in `lora/asr/recipe.py`; either way confirm
with `python tests/unit/asr/test_recipe.py`, which writes the hashes anew.
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
PINNED = Path(__file__).parent / "recipe_hashes.json"
sys.path.insert(0, str(REPOSITORY / "src"))

from lora.asr.recipe import RECIPE  # noqa: E402


def watched() -> dict[str, str]:
    """Hashes of code without comments, docstrings and blank lines: words may change freely."""
    source = REPOSITORY / "src" / "lora"
    paths = [*sorted((source / "asr").rglob("*.py")), source / "data" / "harden.py", source / "data" / "audio.py"]
    return {str(path.relative_to(source)): _code_hash(path) for path in paths if path.name != "recipe.py"}


def _code_hash(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    words: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            words |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = [line.rstrip() for number, line in enumerate(text.splitlines(), start=1) if number not in words]
    code = [line for line in lines if line and not line.lstrip().startswith("#")]
    return hashlib.sha256("\n".join(code).encode()).hexdigest()[:16]


def test_every_change_was_decided_about() -> None:
    pinned = json.loads(PINNED.read_text())
    found = watched()
    changed = sorted(name for name in pinned["files"] | found if pinned["files"].get(name) != found.get(name))
    assert pinned["recipe"] == RECIPE and not changed, (  # noqa: PT018
        f"{', '.join(changed) or 'recipe.py'} changed: raise the version in src/lora/asr/recipe.py of every command "
        "whose results change, then run `python tests/unit/asr/test_recipe.py`"
    )


if __name__ == "__main__":
    PINNED.write_text(json.dumps({"recipe": RECIPE, "files": watched()}, indent=2) + "\n")
