"""The verdict in about a dozen lines for a terminal: WER first, then causes, criteria, and what to open.

The first line is a headline that stands alone, and the last says what to open: a run that computed nothing prints
only these.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from pathlib import Path

from lora import layout
from lora.formatting import (
    UNKNOWN,
    caveat,
    count,
    counted_rows,
    hours,
    outcome_words,
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
from lora.report.listen_command import listen_command
from lora.report.listening import PAGE as LISTENING_PAGE
from lora.report.markdown import plain
from lora.report.sections.verdict import criteria, first_comparison, gate_outcome, headline, next_step
from lora.report.study import Study

WIDTH = 110
CAUSES = 3
REACHABLE = "headroom.reachable"
IMPORTED = "parity.ids"  # how imported hypotheses were matched to rows
ONLY_IF_WRONG = {"data.rejected_rows", "data.overlap"}
NOT_WATCHED = "no_general_manifest"
SET_MODEL = re.compile(r"\b([Ss])et model\.id in config\.yaml\b")
WRITE_STUDY = {"S": "Write a study with lora-diagnose init --model", "s": "write one with lora-diagnose init --model"}
LABELS = {
    "data_sufficiency": "training data",
    "headroom": "headroom",
    "adapter_change": "adapter",
    "parity": "parity",
}
COMPARISON_LABELS = {"parity": "same settings", "headroom": "headroom", "data_sufficiency": "training data"}


def brief(
    study: Study,
    to_open: Sequence[Path | str],
    more: str = "in the report",
    has_config: bool = True,
    can_listen: bool = False,
) -> str:
    """Plain text without control characters, ended by a newline.

    Args:
        study: The study.
        to_open: Files to name at the end; without any, no line does.
        more: Where causes are that are left out here.
        has_config: Whether there is a config.yaml that a next step may name.
        can_listen: Whether to name the command that writes the listening page, where there is none yet.
    """
    verdict = study.verdict.value
    if verdict is None:
        lines = [headline_of(verdict), _field("because", study.verdict.plain_reason)]
    elif verdict.ready_for_sweep is None:
        lines = _comparison(study, verdict, more, has_config)
    else:
        lines = [
            headline_of(verdict),
            *_short_run(study, verdict),
            *_not_watched(verdict),
            *_causes(verdict.causes, more),
            _duration_limit(study, verdict),
            _field("evaluate on", plain(verdict.eval_manifest or "no manifest qualifies")),
            *_criteria(verdict),
        ]
    if can_listen:
        lines += _to_listen(study)
    return "\n".join([*lines, *([open_line(to_open)] if to_open else [])]) + "\n"


def documents(results: Path, plan: Path | None = None) -> list[Path]:
    """What a person opens after a diagnosis, as far as it exists: plan document, report, listening page."""
    pages = (plan, results / layout.REPORT.path(), results / LISTENING_PAGE)
    return [path for path in pages if path is not None and path.is_file()]


def _to_listen(study: Study) -> list[str]:
    """The command that writes the listening page of a study, unless it is there."""
    page = study.results / LISTENING_PAGE
    if page.is_file():
        return []
    return [_field("listen", f"{listen_command()}, then open {page} for what got worse, with sound")]


def open_line(paths: Sequence[Path | str]) -> str:
    """`open docs/experiment_plan.md, results/report/index.html`, as the last line of a result."""
    return f"  {'open':<13} {', '.join(map(str, paths)) or 'nothing was written'}"


def headline_of(verdict: Verdict | None) -> str:
    """The verdict in a line: `READY FOR THE SWEEP: WER -10.76 points with lora on domain (35.6 % -> 24.8 %)`."""
    if verdict is None:
        return "VERDICT UNKNOWN"
    if verdict.ready_for_sweep is None:
        return f"{plain(headline(verdict))}."
    ready = "READY FOR THE SWEEP" if verdict.ready_for_sweep else "NOT READY FOR THE SWEEP"
    outcome = gate_outcome(verdict)
    if outcome is None or outcome.delta is None:
        return ready
    change = f"{rate_name(outcome.unit)} {signed_points(outcome.delta)}"
    rates = f"{percent(outcome.baseline_wer)} -> {percent(outcome.tuned_wer)}"
    return f"{ready}: {change} with {plain(outcome.run)} on {plain(outcome.manifest)} ({rates})"


def _comparison(study: Study, verdict: Verdict, more: str, has_config: bool) -> list[str]:
    """Without a model: what the comparison shows, what is wrong, and what to do next."""
    first = first_comparison(verdict)
    lines = [headline_of(verdict)]
    if first is not None:
        lines += [_field("difference", _difference(study, first)), _field("", _test(study, first))]
    lines += [_field("difference", _difference(study, outcome)) for outcome in verdict.runs if outcome != first]
    lines += _causes(verdict.causes, more)
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
    lines += [_field("durations", line) for line in survivors(study)]
    lines += [_field("matched", plain(check.summary), most=3) for check in verdict.checks if check.id == IMPORTED]
    wrong = [check for check in verdict.checks if check.id in ONLY_IF_WRONG and check.status in {"warn", "fail"}]
    lines += [_field("also", plain(check.summary)) for check in wrong]
    step = plain(next_step(verdict, plain)).replace("`", "")
    return [
        *lines,
        _field("next step", step if has_config else SET_MODEL.sub(lambda match: WRITE_STUDY[match[1]], step), most=4),
    ]


def survivors(study: Study) -> list[str]:
    """`domain: 188 rows, 16 min; within 5 s 101, within 8 s 159`, for manifests with durations."""
    totals: dict[str, str] = {}
    kept: dict[str, list[str]] = {}
    for row in study.table(layout.DURATION_SUMMARY):
        if row.get("threshold") == "all":
            totals[row["manifest"]] = f"{int(row['rows']):,} rows, {hours(float(row['hours']))}"
        else:
            within = f"within {seconds(float(row['threshold']))} {int(row['rows']):,}"
            kept.setdefault(row["manifest"], []).append(within)
    return [f"{plain(name)}: {total}; {', '.join(kept.get(name, []))}" for name, total in totals.items()]


def _test(study: Study, outcome: RunOutcome) -> str:
    """Changed hypotheses, MAPSSWE and the smallest detectable difference of a comparison."""
    found = study.paired(outcome.run, outcome.manifest)
    score = found.value.within if found.value else None
    if score is None:
        return f"{UNKNOWN}: {found.plain_reason}" if found.plain_reason else UNKNOWN
    parts = [f"{score.changed_hypotheses:,} of {count(score.utterances, 'hypothesis', 'hypotheses')} changed"]
    if score.mapsswe is not None and score.mapsswe.p is not None:
        parts.append(f"MAPSSWE {p_value(score.mapsswe.p)} ({count(score.mapsswe.segments, 'segment')})")
    if outcome.smallest_change is not None:
        parts.append(f"smallest detectable difference {points(outcome.smallest_change)}")
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


def _causes(causes: list[Cause], more: str) -> list[str]:
    important = [cause for cause in causes if cause.severity != "info"][:CAUSES]
    lines = [] if important else [_field("causes", "none that blocks or warns")]
    for cause in important:
        concerns = ", ".join(name for name in (cause.severity, cause.run, cause.manifest) if name)
        lines.append(_field("cause", f"{cause.code} ({concerns}): {plain(cause.because)}", most=3))
        lines.append(_field("", f"remedy: {plain(cause.remedy)}", most=3))
    if len(causes) > len(important):
        lines.append(_field("", f"and {len(causes) - len(important)} more {more}"))
    return lines


def _short_run(study: Study, verdict: Verdict) -> list[str]:
    """What the gate run did to the WER of every manifest, the deciding one first."""
    gate = gate_outcome(verdict)
    others = [one for one in verdict.runs if one.run == verdict.gate_run and one != gate and one.delta is not None]
    lines = [_field("short run", UNKNOWN if gate is None else _difference(study, gate, " for this adapter"))]
    return [*lines, *(_field("", _difference(study, outcome)) for outcome in others)]


def _not_watched(verdict: Verdict) -> list[str]:
    """That nothing is known of forgetting, in a study without a general manifest."""
    return [
        _field("forgetting", plain(check.summary))
        for check in verdict.checks
        if check.reason == NOT_WATCHED and check.run == verdict.gate_run
    ]


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
        f"{outcome_words(outcome.outcome, outcome.smallest_change)}"
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
