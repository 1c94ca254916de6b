"""Versions of what the expensive commands do; the Snakefile reads them into `params`.

Raise a number when a change to `lora.asr` alters what that command computes: everything it made becomes
stale. Leave it when only words, speed or structure changed. A test holds the hashes of the wing's files
beside these numbers.
"""

RECIPE: dict[str, int] = {"transcribe": 1, "train": 4, "effect": 4, "compare": 2, "audit": 4, "harden": 2}
