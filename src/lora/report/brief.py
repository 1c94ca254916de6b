"""The verdict in about a dozen lines for a terminal, with the paths to read next."""

from __future__ import annotations

import re
import textwrap

from lora import layout
from lora.formatting import UNKNOWN, caveat, count, hours, percent, points, points_range, seconds_limit, signed_points
from lora.records.verdict import Cause, RunOutcome, Verdict
from lora.report.markdown import plain
from lora.report.sections.compared import compared, gate_outcome
from lora.report.sections.conclusion import OUTCOMES, criteria, headline, next_step
from lora.report.study import Study

WIDTH = 110
CAUSES = 3
REACH = "headroom.reachable"
MATCHED = "parity.ids"  # how brought hypotheses found their rows: always told
ALSO = {"data.rejected_rows", "data.overlap"}  # told where they are not as they should be
LABELS = {
    "data_sufficiency": "training data",
    "headroom": "headroom",
    "adapter_change": "adapter",
    "parity": "parity",
}


def brief(study: Study, read_next: list[str]) -> str:
    """Plain text without control characters; ends with a newline."""
    verdict = study.verdict.value
    if verdict is None:
        lines = ["VERDICT NOT KNOWN", _field("because", study.verdict.told)]
    elif verdict.ready_for_sweep is None:
        lines = _comparison(study, verdict)
    else:
        lines = [_headline(verdict), *_choices(study, verdict), *_criteria(verdict), *_causes(verdict.causes)]
        lines.append(_field("short run", _outcome(study, verdict)))
    return "\n".join([*lines, _field("read next", ", ".join(read_next))]) + "\n"


def _headline(verdict: Verdict) -> str:
    return "READY FOR THE SWEEP" if verdict.ready_for_sweep else "NOT READY FOR THE SWEEP"


def _comparison(study: Study, verdict: Verdict) -> list[str]:
    """Without a model: what the comparison shows first, then what is wrong, then what to do."""
    first = compared(verdict)
    lines = [f"{plain(headline(verdict))}."]
    if first is not None:
        lines += [_field("difference", _moved(study, first)), _field("", _test(study, first))]
    lines += [_field("difference", _moved(study, outcome)) for outcome in verdict.runs if outcome != first]
    lines += _causes(verdict.causes)
    checks = criteria(verdict)
    named = {"parity": "made alike", "headroom": "headroom", "data_sufficiency": LABELS["data_sufficiency"]}
    for name, label in named.items():
        check = dict(checks)[name]
        if check is not None and (name != "data_sufficiency" or study.decision.value is not None):
            lines.append(_field(label, f"{check.status.upper():7} {plain(check.summary)}", most=3))
    if study.decision.value is not None:
        lines.append(_choices(study, verdict)[0])
    reach = [c for c in verdict.checks if c.id == REACH and c.manifest == (first.manifest if first else None)]
    lines += [_field("within reach", plain(check.summary), most=3) for check in reach]
    lines += [_field("durations", words) for words in _durations(study)]
    lines += [_field("matched", plain(check.summary), most=3) for check in verdict.checks if check.id == MATCHED]
    told = [check for check in verdict.checks if check.id in ALSO and check.status in {"warn", "fail"}]
    lines += [_field("also", plain(check.summary)) for check in told]
    return [*lines, _field("next step", plain(next_step(verdict, plain)).replace("`", ""), most=4)]


def _durations(study: Study) -> list[str]:
    """`domain: 188 rows, 0.26 h; within 5 s 101, within 8 s 159`, for manifests whose rows tell their durations."""
    told: dict[str, list[str]] = {}
    whole = {}
    for row in study.table(layout.DURATION_SUMMARY):
        if row.get("threshold") == "all":
            whole[row["manifest"]] = f"{row['rows']} rows, {hours(float(row['hours']))}"
        else:
            told.setdefault(row["manifest"], []).append(f"within {float(row['threshold']):g} s {row['rows']}")
    return [f"{plain(name)}: {whole[name]}; {', '.join(told.get(name, []))}" for name in whole]


def _test(study: Study, outcome: RunOutcome) -> str:
    """MAPSSWE and the texts that changed, of the comparison that is told first."""
    paired = study.paired(outcome.run, outcome.manifest).value
    score = paired.within if paired else None
    if score is None:
        why = study.paired(outcome.run, outcome.manifest).told
        return f"{UNKNOWN}: {why}" if why else UNKNOWN
    told = f"{score.changed_hypotheses:,} of {count(score.utterances, 'text')} changed"
    if score.mapsswe is not None and score.mapsswe.p is not None:
        p = score.mapsswe.p
        told += f"; MAPSSWE {'p < 0.001' if p < 0.001 else f'p = {p:.3f}'} ({count(score.mapsswe.segments, 'segment')})"
    if score.detectable_difference is not None:
        told += f"; a difference of {points(score.detectable_difference)} would show"
    return told


def _choices(study: Study, verdict: Verdict) -> list[str]:
    decision = study.decision.value
    known = UNKNOWN if verdict.max_seconds is None and decision is None else seconds_limit(verdict.max_seconds)
    reason = plain(decision.reason) if decision else ""
    return [
        _field("max_seconds", reason if reason.startswith(f"{known} ") else f"{known}. {reason}".rstrip()),
        _field("evaluate on", plain(verdict.eval_manifest or "no manifest qualifies")),
    ]


def _criteria(verdict: Verdict) -> list[str]:
    lines = []
    for name, check in criteria(verdict):
        status, words = (check.status, plain(check.summary)) if check else ("unknown", "this check was not made")
        lines.append(_field(LABELS[name], f"{status.upper():7} {words}"))
    return lines


def _causes(causes: list[Cause]) -> list[str]:
    shown = [cause for cause in causes if cause.severity != "info"][:CAUSES]
    lines = [] if shown else [_field("causes", "none that blocks or warns")]
    for cause in shown:
        about = " ".join(name for name in (cause.run, cause.manifest) if name)
        words = f"{cause.code} ({' '.join(filter(None, [cause.severity, about]))}): {plain(cause.because)}"
        lines += [_field("cause", words, most=3), _field("", f"remedy: {plain(cause.remedy)}", most=3)]
    if len(causes) > len(shown):
        lines.append(_field("", f"and {len(causes) - len(shown)} more in the summary"))
    return lines


def _outcome(study: Study, verdict: Verdict) -> str:
    outcome = gate_outcome(verdict)
    return UNKNOWN if outcome is None else _moved(study, outcome, " for this adapter")


def _moved(study: Study, outcome: RunOutcome, of: str = "") -> str:
    if outcome.delta is None:
        return UNKNOWN
    return (
        f"{plain(outcome.run)} on {plain(outcome.manifest)}: WER {percent(outcome.baseline_wer)} -> "
        f"{percent(outcome.tuned_wer)}, {signed_points(outcome.delta)} "
        f"({_interval(study, outcome, of)}): {OUTCOMES.get(outcome.outcome or '', UNKNOWN)}"
    )


def _interval(study: Study, outcome: RunOutcome, of: str) -> str:
    ends = points_range(outcome.ci_low, outcome.ci_high)
    if outcome.ci_low is None or outcome.ci_high is None:
        return ends
    paired = study.paired(outcome.run, outcome.manifest).value
    score = paired.within if paired else None
    return f"{ends}{of}{caveat(score.interval if score else None, ', {}')}"


def _field(label: str, words: str, most: int = 2) -> str:
    """A label column of 15, then at most so many lines of at most WIDTH; what is cut ends with a whole sentence."""
    prefix = f"  {label:<13} "
    wrapper = textwrap.TextWrapper(WIDTH, initial_indent=prefix, subsequent_indent=" " * len(prefix))
    wrapper.break_on_hyphens, wrapper.placeholder = False, " ..."
    sentences = re.split(r"(?<=[.!?]) +(?=[A-Z])", words)
    for kept in range(len(sentences), 0, -1):
        whole = " ".join(sentences[:kept]) + (wrapper.placeholder if kept < len(sentences) else "")
        if len(wrapper.wrap(whole)) <= most:
            return wrapper.fill(whole)
    wrapper.max_lines = most
    return wrapper.fill(words)
