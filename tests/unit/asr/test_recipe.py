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
    """Hashes of code without comments, docstrings and layout: words may change freely."""
    source = REPOSITORY / "src" / "lora"
    paths = [*sorted((source / "asr").glob("*.py")), source / "data" / "harden.py", source / "data" / "audio.py"]
    return {str(path.relative_to(source)): _code_hash(path) for path in paths if path.name != "recipe.py"}


def _code_hash(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                body[0] = ast.Expr(ast.Constant(""))
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()[:16]


def test_every_change_was_decided_about() -> None:
    pinned = json.loads(PINNED.read_text())
    found = watched()
    changed = sorted(name for name in pinned["files"] | found if pinned["files"].get(name) != found.get(name))
    assert pinned["recipe"] == RECIPE and not changed, (  # noqa: PT018
        f"{', '.join(changed) or 'recipe.py'} changed: raise the version in src/lora/asr/recipe.py of every command whose "
        "results change, then run `python tests/unit/asr/test_recipe.py`"
    )


if __name__ == "__main__":
    PINNED.write_text(json.dumps({"recipe": RECIPE, "files": watched()}, indent=2) + "\n")
