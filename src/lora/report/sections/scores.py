"""D2: headroom of every manifest; and the list of all checks."""

from __future__ import annotations

from lora.formatting import (
    UNKNOWN,
    caveat,
    count,
    hours,
    percent,
    percent_range,
    points,
    round_percent,
    round_points,
    why_none,
)
from lora.records.scores import Power, WerFacts, WerScore
from lora.records.verdict import Verdict
from lora.report.markdown import code, prose, table
from lora.report.sections.conclusion import STATUS
from lora.report.sections.hardened import hardened
from lora.report.sections.reachable import reachable
from lora.report.study import Study

HEADROOM_WORDS = {
    "headroom.saturated": "saturated",
    "headroom.underpowered": "too small to show a gain",
    "headroom.baseline_broken": "baseline broken",
    "headroom.reference_noise": "doubtful references",
}
HEADROOM_COLUMNS = ["manifest", "role", "rows", "words", "baseline WER", "interval", "WER, all rows", "raw WER"]
HEADROOM_COLUMNS += ["CER (raw)", "smallest change that shows", "status"]
# Whether a manifest can be used; what its errors are made of is told apart.
USABLE = {"headroom", "headroom.baseline", "headroom.baseline_works", "headroom.power"}


def headroom(study: Study) -> str:
    verdict = study.verdict.value
    rows, notes = [], []
    for manifest in study.evaluations:
        found = study.wer("base", manifest)
        facts = found.value
        if not found.known or facts is None or facts.within is None:
            rows.append([code(manifest), study.role(manifest), *[UNKNOWN] * (len(HEADROOM_COLUMNS) - 2)])
            notes.append(f"- {code(manifest)} is {found.unknown}.")
            continue
        rows.append(_headroom_row(study, verdict, manifest, facts, facts.within))
    if not rows:
        return "## D2 · Headroom\n\nNo manifest for evaluation is configured."
    minimum = study.setting("headroom", "min_wer")
    parts = [
        "## D2 · Headroom",
        table(HEADROOM_COLUMNS, rows, numbers=range(2, 10)),
        "\n".join(notes),
        "WER counts rows within `max_seconds`; *raw WER* compares the texts as written, case and punctuation included; "
        "*CER* counts characters, blanks included. "
        + (f"A manifest has headroom above {round_percent(minimum)}. " if isinstance(minimum, int | float) else "")
        + _shared(study),
        "![Word error rate of baseline and runs per manifest](plots/wer.png)",
        reachable(study),
        hardened(study),
    ]
    return "\n\n".join(part for part in parts if part)


def _headroom_row(study: Study, verdict: Verdict | None, manifest: str, facts: WerFacts, within: WerScore) -> list[str]:
    power = facts.power
    shows = points(power.detectable_difference) if power else UNKNOWN
    if power and power.utterances_needed > power.utterances:
        shows += f" ({_needed(power)} for {round_points(power.target_gain)})"
    return [
        code(manifest),
        study.role(manifest),
        f"{within.utterances:,}",
        f"{within.words:,}",
        percent(within.wer),
        percent_range(within.interval.low, within.interval.high) + caveat(within.interval) + why_none(within.interval),
        percent(facts.all.wer if facts.all else None),
        percent(facts.raw.wer if facts.raw else None),
        f"{percent(within.cer)} ({percent(facts.raw.cer if facts.raw else None)})",
        shows,
        _headroom_status(verdict, manifest),
    ]


def _needed(power: Power) -> str:
    """`1,210 rows, 1.7 h, 31 speakers`: the size of a set of the same kind that would show the target gain."""
    parts = [f"{power.utterances_needed:,} rows"]
    if power.hours_needed is not None:
        parts.append(hours(power.hours_needed))
    if power.speakers_needed is not None:
        parts.append(count(power.speakers_needed, "speaker"))
    return ", ".join(parts)


def _headroom_status(verdict: Verdict | None, manifest: str) -> str:
    """In the words of the verdict: the causes of this manifest, else its own check."""
    if verdict is None:
        return UNKNOWN
    codes = [cause.code for cause in verdict.causes if cause.manifest == manifest and cause.run in {None, "base"}]
    words = [HEADROOM_WORDS[name] for name in codes if name in HEADROOM_WORDS]
    if words:
        return ", ".join(dict.fromkeys(words))
    checks = {check.status for check in verdict.checks if check.manifest == manifest and check.id in USABLE}
    named = {"fail": "not usable", "unknown": UNKNOWN, "warn": "usable, with a warning", "pass": "usable"}
    return next((words for status, words in named.items() if status in checks), "not judged")


def _shared(study: Study) -> str:
    shared = study.setting("statistics", "assumed_shared_errors")
    if not isinstance(shared, int | float):
        return ""
    return (
        "*Smallest change that shows*: 80 % power, two-sided, foreseen from the baseline's own errors if two runs "
        f"share {round_percent(shared)} of them."
    )


def all_checks(study: Study) -> str:
    """Every check of the verdict, for those who want to see that none was left out."""
    verdict = study.verdict.value
    if verdict is None or not verdict.checks:
        return ""
    rows = [
        [
            code(c.id),
            code(c.run) if c.run else "",
            code(c.manifest) if c.manifest else "",
            STATUS[c.status],
            prose(c.summary),
        ]
        for c in verdict.checks
    ]
    return "## All checks\n\n" + table(["check", "run", "manifest", "status", "in words"], rows)
