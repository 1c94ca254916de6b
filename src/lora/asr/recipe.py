"""Versions of the computations of the expensive commands. The rules have them in `params`.

Raise a number when a change to `lora.asr` alters what that command computes: its results of earlier versions become
stale. Leave it when only texts, speed or structure changed. `tests/unit/asr/test_recipe.py` stores the hashes of the
package's files with these numbers and fails until each change has been decided on.
"""

RECIPE: dict[str, int] = {"transcribe": 1, "train": 6, "effect": 6, "compare": 3, "audit": 5, "harden": 2}
