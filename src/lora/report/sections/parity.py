"""P: were baseline and candidate run under identical manifest, normalisation, preprocessing and decoding?"""

from __future__ import annotations

import json
from typing import Any

from lora.records import SettingDifference
from lora.report.study import Study
from lora.report.tables import table
from lora.report.wording import UNKNOWN, code, count, text


def parity(study: Study) -> str:
    if not study.candidates:
        return "## P · Parity\n\nNo candidate is configured, so nothing was compared."
    return "\n\n".join(["## P · Parity of baseline and tuned", *(_run(study, run) for run in study.candidates)])


def _run(study: Study, run: str) -> str:
    found = study.parity(run)
    facts = found.value
    if facts is None or (not found.known and not facts.settings):
        return f"{code(run)}: {found.unknown}."
    differing = [s for s in facts.settings if s.same is False]
    unknown = [s for s in facts.settings if s.same is None]
    compared = count(len(facts.settings), "setting") + " compared"
    if not differing and not unknown:
        return f"{code(run)}: {compared}, all equal."
    words = f"{code(run)}: {compared}, {len(differing)} different, {len(unknown)} {UNKNOWN}."
    headers = ["setting", "manifest", "baseline", "candidate", "code"]
    return f"{words}\n\n" + table(headers, _rows([*differing, *unknown]))


def _rows(settings: list[SettingDifference]) -> list[list[str]]:
    """One row per setting and pair of values; manifests that share them are joined."""
    manifests: dict[tuple[str, str, str, str], list[str]] = {}
    for s in settings:
        manifests.setdefault((text(s.field), _value(s.baseline), _value(s.candidate), s.code), []).append(s.manifest)
    return [
        [field, ", ".join(code(name) for name in names), baseline, candidate, code(cause)]
        for (field, baseline, candidate, cause), names in manifests.items()
    ]


def _value(value: Any) -> str:
    return UNKNOWN if value is None else code(value if isinstance(value, str) else json.dumps(value, sort_keys=True))
