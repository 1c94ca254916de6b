"""A changed file of the model wing needs a decision: does it change results (raise its RECIPE) or not?

After the decision: python tests/unit/test_recipe.py  (writes the accepted hashes beside this file)
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
ACCEPTED = Path(__file__).with_name("accepted_recipe.json")
sys.path.insert(0, str(REPOSITORY / "src"))

from lora.asr.recipe import RECIPE  # noqa: E402


def current() -> dict[str, dict[str, object]]:
    files = sorted((REPOSITORY / "src" / "lora" / "asr").rglob("*.py"))
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in files}
    return {"recipe": dict(RECIPE), "files": hashes}


def test_every_change_of_the_model_wing_was_decided() -> None:
    accepted = json.loads(ACCEPTED.read_text())
    now = current()
    changed = [name for name, digest in now["files"].items() if accepted["files"].get(name) != digest]
    removed = sorted(set(accepted["files"]) - set(now["files"]))
    assert not changed and not removed and accepted["recipe"] == now["recipe"], (  # noqa: PT018
        f"src/lora/asr changed ({', '.join([*changed, *removed]) or 'RECIPE'}). If transcripts, weights or facts come out "
        "different, raise the number in src/lora/asr/recipe.py; then run: python tests/unit/test_recipe.py"
    )


if __name__ == "__main__":
    ACCEPTED.write_text(json.dumps(current(), indent=2) + "\n")
