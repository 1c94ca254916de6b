"""The entry that a diagnosis adds to the notes: what it found, what changed since the last one, how it was computed."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from lora import layout
from lora.formatting import (
    UNKNOWN,
    listed,
    outcome_words,
    percent,
    points,
    points_range,
    rate_name,
    seconds_limit,
    signed_points,
)
from lora.records.verdict import RunOutcome, Verdict
from lora.report.commands import Execution, commit_of, devices, executions, last_day, remarks, seeds
from lora.report.forgetting import forgetting
from lora.report.identity import identity
from lora.report.markdown import code, text
from lora.report.sections.verdict import SEVERITY, answers, first_comparison, headline
from lora.report.study import Study

# How facts of two entries are compared and called, in the order of the entry.
CHANGES = {
    "verdict": "verdict",
    "max_seconds": "`max_seconds`",
    "eval_manifest": "evaluation manifest",
    "gate_run": "gate run",
    "model": "model",
    "rates": "error rate",
    "forgetting": "forgetting",
    "answers": "answer",
    "causes": "cause",
    "manifests": "manifest",
}
MOST_CHANGES = 12


def notes_entry(study: Study, last: dict[str, Any] | None, plan_path: Path) -> str:
    """The entry as Markdown.

    Args:
        study: The study.
        last: Facts of the last entry (`entry_facts`); None without one.
        plan_path: The plan document, which the entry names.
    """
    verdict = study.verdict.value
    done, _ = executions(study.results, study.config)
    facts = entry_facts(study)
    lines = [f"### {text(facts['day'])} · {text(headline(verdict))}", ""]
    if verdict is not None:
        lines += _result(verdict)
        lines += [f"- Forgetting{_on(one.manifest)}: {text(one.result)}" for one in forgetting(study)]
        lines += _causes(verdict)
        decided = verdict.max_seconds is not None or study.decision.known
        limit = seconds_limit(verdict.max_seconds) if decided else UNKNOWN
        lines.append(f"- `max_seconds`: {limit}; evaluated on {code(verdict.eval_manifest or 'none')}")
    lines.append(_changes(facts, last))
    root = study.results.name
    lines += [
        f"- Seeds: {seeds(done)}",
        f"- Device: {text('; '.join(devices(done)) or 'no model work')}",
        *_remarks(done),
        f"- Commit: {code(commit_of(done))}",
        f"- Commands: {code(f'{root}/{layout.COMMANDS}')}; results: {code(f'{root}/{layout.VERDICT.path()}')}, "
        f"{code(f'{root}/{layout.REPORT.path()}')}, {code(plan_path.as_posix())}",
        *_software(facts, last),
    ]
    return "\n".join(lines)


def entry_facts(study: Study) -> dict[str, Any]:
    """What the next entry compares itself with: plain JSON values."""
    verdict = study.verdict.value
    done, _ = executions(study.results, study.config)
    about = identity(study)
    facts: dict[str, Any] = {
        "day": last_day(done) or date.today().isoformat(),
        "model": f"{about.model}, hash {about.model_hash}",
        "manifests": {one.name: f"{one.rows} rows, {one.sha256}" for one in about.manifests},
        "software": _versions(done),
    }
    if verdict is None:
        return facts
    return facts | {
        "verdict": headline(verdict),
        "max_seconds": seconds_limit(verdict.max_seconds),
        "eval_manifest": verdict.eval_manifest or "none",
        "gate_run": verdict.gate_run or "none",
        "rates": {f"of {one.run} on {one.manifest}": _rates(one) for one in verdict.runs},
        "forgetting": {one.manifest: one.state for one in forgetting(study) if one.manifest is not None},
        "answers": {one.title: one.status for one in answers(verdict)},
        "causes": {f"{c.code}{f' ({c.manifest})' if c.manifest else ''}": SEVERITY[c.severity] for c in verdict.causes},
    }


def _result(verdict: Verdict) -> list[str]:
    outcome = first_comparison(verdict)
    if outcome is None or outcome.delta is None:
        return ["- WER change: unknown, no run was compared with the baseline"]
    return [
        f"- {rate_name(outcome.unit)} of {code(outcome.run)} on {code(outcome.manifest)}: {_rates(outcome)} "
        f"({signed_points(outcome.delta)}, interval {points_range(outcome.ci_low, outcome.ci_high)}): "
        f"{outcome_words(outcome.outcome, outcome.smallest_change)}; smallest change that would show: "
        f"{points(outcome.smallest_change)}"
    ]


def _rates(outcome: RunOutcome) -> str:
    return f"{percent(outcome.baseline_wer)} to {percent(outcome.tuned_wer)}"


def _on(manifest: str | None) -> str:
    return "" if manifest is None else f" on {code(manifest)}"


def _causes(verdict: Verdict) -> list[str]:
    if not verdict.causes:
        return ["- Causes: none"]
    return [
        f"- Cause: {code(cause.code)} ({SEVERITY[cause.severity]}): {text(cause.because)}" for cause in verdict.causes
    ]


def _changes(facts: dict[str, Any], last: dict[str, Any] | None) -> str:
    """What differs from the last entry, or that there is none to compare with."""
    if last is None:
        return "- Changed since the last entry: there is no earlier diagnosis to compare with"
    changes = [change for key, label in CHANGES.items() for change in _difference(label, last.get(key), facts.get(key))]
    since = f"- Changed since the entry of {text(last.get('day', UNKNOWN))}"
    return f"{since}: {listed(changes, MOST_CHANGES) if changes else 'no result'}"


def _difference(label: str, before: Any, after: Any) -> list[str]:
    """`max_seconds 8 s to 10 s`, and of a mapping its entries that differ, are new or are gone."""
    if isinstance(before, dict) and isinstance(after, dict):
        names = [
            name
            for name in [*after, *(gone for gone in before if gone not in after)]
            if before.get(name) != after.get(name)
        ]
        return [_entry(f"{label} {text(name)}", before.get(name), after.get(name)) for name in names]
    return [] if before == after else [_entry(label, before, after)]


def _entry(label: str, before: Any, after: Any) -> str:
    if before is None:
        return f"{label} is new ({text(after)})"
    return f"{label} is gone" if after is None else f"{label} {text(before)} → {text(after)}"


def _remarks(done: list[Execution]) -> list[str]:
    found = remarks(done)
    return [
        f"- {kind.capitalize()}s: {'; '.join(message for of, message in found if of == kind) or 'none'}"
        for kind in ("fallback", "adjustment")
    ]


def _versions(done: list[Execution]) -> dict[str, str]:
    """Versions of the packages and of Python; of several versions of one package all."""
    versions: dict[str, dict[str, None]] = {}
    for one in done:
        for name, version in {"Python": one.record.python, **one.record.versions}.items():
            versions.setdefault(name, {})[version] = None
    return {name: " and ".join(found) for name, found in sorted(versions.items())}


def _software(facts: dict[str, Any], last: dict[str, Any] | None) -> list[str]:
    """All versions in the first entry, afterwards those that changed."""
    software = facts["software"]
    if last is None:
        return [f"- Software: {', '.join(f'{text(name)} {text(version)}' for name, version in software.items())}"]
    changed = _difference("", last.get("software"), software)
    return [f"- Software changed: {', '.join(change.strip() for change in changed)}"] if changed else []
