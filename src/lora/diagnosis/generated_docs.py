"""Files generated from the tables of checks and causes: docs/checks.md, docs/causes.md, the verdict's JSON schema."""

from __future__ import annotations

import json
from typing import Any

from lora.diagnosis.causes import CAUSES
from lora.diagnosis.checks import CHECKS, CheckKind
from lora.records.verdict import Verdict

GENERATED = "Generated from `src/lora/diagnosis/{table}.py` by `python scripts/make_diagnosis_docs.py`."

CHECKS_HEAD = f"""# Checks

Every question that a diagnosis asks, with the causes it may raise and what to provide where the answer is unknown. The
four criteria come first: all of them must pass or warn before a sweep. Each question links to its method.

{GENERATED.format(table="checks")}
"""

CAUSES_HEAD = f"""# Causes

Every cause that a verdict can name. A cause that `blocks` means that the study is not ready for the sweep, if it
concerns the gating comparison (the gate run on the evaluation manifest); elsewhere the same cause only warns. Codes are
stable. The order is the rank: what invalidates a comparison, what makes it uninformative, what explains a valid result.

{GENERATED.format(table="causes")}
"""


def generated_files() -> dict[str, str]:
    """Text of each generated file, by its path in the repository."""
    return {
        "docs/checks.md": checks_page(),
        "docs/causes.md": causes_page(),
        "src/lora/schemas/verdict.schema.json": json.dumps(verdict_schema(), indent=2) + "\n",
    }


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


def checks_page() -> str:
    """Markdown: a section for every check."""
    return _page(CHECKS_HEAD, [_check_section(id, kind) for id, kind in CHECKS.items()])


def _check_section(id: str, kind: CheckKind) -> str:
    lines = [f"[{kind.question}](methods.md#{kind.anchor})"]
    if kind.causes:
        lines.append(f"*Causes:* {', '.join(f'[{code}](causes.md#{_anchor(code)})' for code in kind.causes)}")
    if kind.needs:
        lines.append(f"*If unknown:* {kind.needs}")
    return "\n\n".join([f"## {id}", *lines])


def causes_page() -> str:
    """Markdown: a section for every code."""
    sections = [
        f"## {code}\n\n**{kind.severity}** · {kind.title}. {kind.meaning}\n\n*Remedy:* {kind.remedy}"
        for code, kind in CAUSES.items()
    ]
    return _page(CAUSES_HEAD, sections)


def _anchor(heading: str) -> str:
    """The anchor of a heading on GitHub."""
    return heading.replace(".", "")


def _page(head: str, sections: list[str]) -> str:
    return "\n\n".join(part.strip() for part in [head, *sections]) + "\n"
