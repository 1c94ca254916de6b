"""What readers of verdicts hold in their hands: the JSON schema of verdict.json, and the page of all cause codes.

Both are made from the records and the table of causes, and tests catch drift.
"""

from __future__ import annotations

from typing import Any

from lora.diagnosis.causes import CAUSES
from lora.records.verdict import Verdict

HEAD = """# Causes

Every cause that a verdict can name. `blocks` means: not ready for the sweep, as long as it stands on the gating
comparison (the gate run on the evaluation manifest); on other runs and manifests the same cause only warns. Codes are
stable; they stand here in the order in which they are believed: what invalidates a comparison, what makes it
uninformative, what explains a valid result.

Made from `src/lora/diagnosis/causes.py` by `python scripts/make_causes_page.py > docs/causes.md`.
"""


def verdict_schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of verdict.json; a cause is never more severe than its code allows."""
    schema = Verdict.model_json_schema()
    milder = [code for code, kind in CAUSES.items() if kind.severity == "warns"]
    definition = schema["$defs"]["Cause"]
    definition["properties"]["code"] = {"enum": list(CAUSES), "title": "Code"}
    definition["if"] = {"properties": {"code": {"enum": milder}}}
    definition["then"] = {"properties": {"severity": {"enum": ["warns", "info"]}}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "severities": {code: kind.severity for code, kind in CAUSES.items()},
    }


def causes_page() -> str:
    """Markdown: a section for every code."""
    parts = [HEAD]
    for code, kind in CAUSES.items():
        parts.append(f"## {code}\n\n**{kind.severity}** · {kind.title}. {kind.meaning}\n\n*Remedy:* {kind.remedy}")
    return "\n\n".join(part.strip() for part in parts) + "\n"
