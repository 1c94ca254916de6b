"""Write src/lora/schemas/verdict.schema.json from the record of a verdict and the table of causes.

Example: python scripts/make_verdict_schema.py > src/lora/schemas/verdict.schema.json
Reads: nothing. Writes: the schema on stdout.
"""

from __future__ import annotations

import json
import sys

from lora.diagnosis.generated_docs import verdict_schema

if __name__ == "__main__":
    json.dump(verdict_schema(), sys.stdout, indent=2)
    sys.stdout.write("\n")
