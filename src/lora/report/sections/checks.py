"""Every check of the verdict: first those that need attention, then, under a heading of their own, those that pass."""

from __future__ import annotations

from lora.formatting import count
from lora.records.verdict import Check
from lora.report.markdown import code, prose, subsection, table
from lora.report.sections.verdict import STATUS, WORST_FIRST
from lora.report.study import Study

HEADING = "## All checks"


def all_checks(study: Study) -> str:
    verdict = study.verdict.value
    if verdict is None or not verdict.checks:
        return ""
    attention = [check for check in verdict.checks if check.status != "pass"]
    attention.sort(key=lambda check: WORST_FIRST.index(check.status))
    passed = [check for check in verdict.checks if check.status == "pass"]
    parts = [HEADING, _table(attention) if attention else "Every check passes."]
    if passed:
        other = "other " if attention else ""
        title = count(len(passed), f"{other}check passes", f"{other}checks pass")
        parts.append(subsection(title, _table(passed)))
    return "\n\n".join(parts)


def _table(checks: list[Check]) -> str:
    rows = [
        [
            code(check.id),
            code(check.run) if check.run else "",
            code(check.manifest) if check.manifest else "",
            STATUS[check.status],
            prose(check.summary),
        ]
        for check in checks
    ]
    return table(["check", "run", "manifest", "status", "result"], rows)
