"""The verdict in about a dozen lines for a terminal, with the paths to read next."""

from __future__ import annotations

import re
import textwrap

from lora import layout
from lora.formatting import (
    UNKNOWN,
    caveat,
    count,
    counted_rows,
    hours,
    p_value,
    percent,
    points,
    points_range,
    rate_name,
    seconds,
    seconds_limit,
    signed_points,
)
from lora.records.comparisons import PairedScore
from lora.records.verdict import Cause, RunOutcome, Verdict
from lora.report.markdown import plain
from lora.report.sections.verdict import OUTCOMES, criteria, first_comparison, gate_outcome, headline, next_step
from lora.report.study import Study

WIDTH = 110
CAUSES = 3
REACHABLE = "headroom.reachable"
IMPORTED = "parity.ids"  # how imported hypotheses were matched to rows
ONLY_IF_WRONG = {"data.rejected_rows", "data.overlap"}
LABELS = {
    "data_sufficiency": "training data",
    "headroom": "headroom",
    "adapter_change": "adapter",
    "parity": "parity",
}
COMPARISON_LABELS = {"parity": "same settings", "headroom": "headroom", "data_sufficiency": "training data"}


def brief(study: Study, read_next: list[str]) -> str:
    """Plain text without control characters, ended by a newline."""
    verdict = study.verdict.value
    if verdict is None:
        lines = ["VERDICT UNKNOWN", _field("because", study.verdict.plain_reason)]
    elif verdict.ready_for_sweep is None:
        lines = _comparison(study, verdict)
    else:
        lines = [
            "READY FOR THE SWEEP" if verdict.ready_for_sweep else "NOT READY FOR THE SWEEP",
            _duration_limit(study, verdict),
            _field("evaluate on", plain(verdict.eval_manifest or "no manifest qualifies")),
            *_criteria(verdict),
            *_causes(verdict.causes),
            _field("short run", _gate_run(study, verdict)),
        ]
    return "\n".join([*lines, _field("read next", ", ".join(read_next))]) + "\n"


def _comparison(study: Study, verdict: Verdict) -> list[str]:
    """Without a model: what the comparison shows, what is wrong, and what to do next."""
    first = first_comparison(verdict)
    lines = [f"{plain(headline(verdict))}."]
    if first is not None:
        lines += [_field("difference", _difference(study, first)), _field("", _test(study, first))]
    lines += [_field("difference", _difference(study, outcome)) for outcome in verdict.runs if outcome != first]
    lines += _causes(verdict.causes)
    checks = dict(criteria(verdict))
    for name, label in COMPARISON_LABELS.items():
        check = checks[name]
        if check is not None and (name != "data_sufficiency" or study.decision.value is not None):
            lines.append(_field(label, f"{check.status.upper():7} {plain(check.summary)}", most=3))
    if study.decision.value is not None:
        lines.append(_duration_limit(study, verdict))
    for check in verdict.checks:
        if check.id == REACHABLE and check.manifest == (first.manifest if first else None):
            lines.append(_field("within reach", plain(check.summary), most=3))
    lines += [_field("durations", line) for line in _durations(study)]
    lines += [_field("matched", plain(check.summary), most=3) for check in verdict.checks if check.id == IMPORTED]
    wrong = [check for check in verdict.checks if check.id in ONLY_IF_WRONG and check.status in {"warn", "fail"}]
    lines += [_field("also", plain(check.summary)) for check in wrong]
    return [*lines, _field("next step", plain(next_step(verdict, plain)).replace("`", ""), most=4)]


def _durations(study: Study) -> list[str]:
    """`domain: 188 rows, 16 min; within 5 s 101, within 8 s 159`, for manifests with durations."""
    totals: dict[str, str] = {}
    survivors: dict[str, list[str]] = {}
    for row in study.table(layout.DURATION_SUMMARY):
        if row.get("threshold") == "all":
            totals[row["manifest"]] = f"{row['rows']} rows, {hours(float(row['hours']))}"
        else:
            within = f"within {seconds(float(row['threshold']))} {row['rows']}"
            survivors.setdefault(row["manifest"], []).append(within)
    return [f"{plain(name)}: {total}; {', '.join(survivors.get(name, []))}" for name, total in totals.items()]


def _test(study: Study, outcome: RunOutcome) -> str:
    """Changed hypotheses, MAPSSWE and the smallest detectable difference of a comparison."""
    found = study.paired(outcome.run, outcome.manifest)
    score = found.value.within if found.value else None
    if score is None:
        return f"{UNKNOWN}: {found.plain_reason}" if found.plain_reason else UNKNOWN
    parts = [f"{score.changed_hypotheses:,} of {count(score.utterances, 'hypothesis', 'hypotheses')} changed"]
    if score.mapsswe is not None and score.mapsswe.p is not None:
        parts.append(f"MAPSSWE {p_value(score.mapsswe.p)} ({count(score.mapsswe.segments, 'segment')})")
    if score.detectable_difference is not None:
        parts.append(f"smallest detectable difference {points(score.detectable_difference)}")
    return "; ".join(parts)


def _duration_limit(study: Study, verdict: Verdict) -> str:
    decision = study.decision.value
    if verdict.max_seconds is None and decision is None:
        return _field("max_seconds", UNKNOWN)
    limit = seconds_limit(verdict.max_seconds)
    reason = plain(decision.reason) if decision else ""
    return _field("max_seconds", reason if reason.startswith(f"{limit} ") else f"{limit}. {reason}".rstrip())


def _criteria(verdict: Verdict) -> list[str]:
    lines = []
    for name, check in criteria(verdict):
        status = check.status if check else "unknown"
        summary = plain(check.summary) if check else "not checked"
        lines.append(_field(LABELS[name], f"{status.upper():7} {summary}"))
    return lines


def _causes(causes: list[Cause]) -> list[str]:
    important = [cause for cause in causes if cause.severity != "info"][:CAUSES]
    lines = [] if important else [_field("causes", "none that blocks or warns")]
    for cause in important:
        concerns = ", ".join(name for name in (cause.severity, cause.run, cause.manifest) if name)
        lines.append(_field("cause", f"{cause.code} ({concerns}): {plain(cause.because)}", most=3))
        lines.append(_field("", f"remedy: {plain(cause.remedy)}", most=3))
    if len(causes) > len(important):
        lines.append(_field("", f"and {len(causes) - len(important)} more in the summary"))
    return lines


def _gate_run(study: Study, verdict: Verdict) -> str:
    outcome = gate_outcome(verdict)
    return UNKNOWN if outcome is None else _difference(study, outcome, " for this adapter")


def _difference(study: Study, outcome: RunOutcome, scope: str = "") -> str:
    """Both error rates, the rows they count, the difference with its interval, and the outcome."""
    if outcome.delta is None:
        return UNKNOWN
    facts = study.paired(outcome.run, outcome.manifest).value
    score = facts.within if facts else None
    rows = counted_rows(facts.max_seconds, score.utterances) if facts and score else "rows within max_seconds"
    return (
        f"{plain(outcome.run)} on {plain(outcome.manifest)} ({rows}): {rate_name(outcome.unit)} "
        f"{percent(outcome.baseline_wer)} -> {percent(outcome.tuned_wer)}, {signed_points(outcome.delta)} "
        f"({_interval(outcome, score, scope)}): "
        f"{OUTCOMES.get(outcome.outcome or '', UNKNOWN)}"
    )


def _interval(outcome: RunOutcome, score: PairedScore | None, scope: str) -> str:
    ends = points_range(outcome.ci_low, outcome.ci_high)
    if outcome.ci_low is None or outcome.ci_high is None:
        return ends
    return f"{ends}{scope}{caveat(score.interval if score else None, ', {}')}"


def _field(label: str, content: str, most: int = 2) -> str:
    """A label column of 15, then at most `most` lines of at most WIDTH; cut after a whole sentence where possible."""
    prefix = f"  {label:<13} "
    wrapper = textwrap.TextWrapper(WIDTH, initial_indent=prefix, subsequent_indent=" " * len(prefix))
    wrapper.break_on_hyphens = False
    wrapper.placeholder = " ..."
    sentences = re.split(r"(?<=[.!?]) +(?=[A-Z])", content)
    for shown in range(len(sentences), 0, -1):
        shortened = " ".join(sentences[:shown]) + (wrapper.placeholder if shown < len(sentences) else "")
        if len(wrapper.wrap(shortened)) <= most:
            return wrapper.fill(shortened)
    wrapper.max_lines = most
    return wrapper.fill(content)
