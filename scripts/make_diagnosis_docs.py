"""Write the documents that are generated from the tables of checks and causes.

Example:
    python scripts/make_diagnosis_docs.py

Reads: nothing. Writes: docs/checks.md, docs/causes.md and src/lora/schemas/verdict.schema.json of this repository.
"""

from __future__ import annotations

from pathlib import Path

from lora.diagnosis.generated_docs import generated_files
from lora.records.base import write_text

if __name__ == "__main__":
    for path, text in generated_files().items():
        write_text(Path(__file__).parents[1] / path, text)
        print(path)
