"""The verdict in about a dozen lines for a terminal, with the paths to read next."""

from __future__ import annotations

import textwrap

from lora.records import Cause, RunOutcome, Verdict
from lora.report.sections.conclusion import OUTCOMES, criteria, gate_outcome
from lora.report.study import Study
from lora.report.wording import UNKNOWN, difference_interval, percent, plain, points, seconds

WIDTH = 110
CAUSES = 3
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
        lines = ["VERDICT NOT KNOWN", _field("because", plain(study.verdict.why_not).replace("`", ""))]
    else:
        lines = [_headline(verdict), *_choices(study, verdict), *_criteria(verdict), *_causes(verdict.causes)]
        lines.append(_field("short run", _outcome(verdict)))
    return "\n".join([*lines, _field("read next", ", ".join(read_next))]) + "\n"


def _headline(verdict: Verdict) -> str:
    if verdict.ready_for_sweep is None:
        return "NO VERDICT ON THE SWEEP"
    return "READY FOR THE SWEEP" if verdict.ready_for_sweep else "NOT READY FOR THE SWEEP"


def _choices(study: Study, verdict: Verdict) -> list[str]:
    decision = study.decision.value
    known = UNKNOWN if verdict.max_seconds is None and decision is None else seconds(verdict.max_seconds)
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
        lines += [_field("cause", words), _field("", f"remedy: {plain(cause.remedy)}")]
    if len(causes) > len(shown):
        lines.append(_field("", f"and {len(causes) - len(shown)} more in the summary"))
    return lines


def _outcome(verdict: Verdict) -> str:
    outcome = gate_outcome(verdict)
    if outcome is None or outcome.delta is None:
        return UNKNOWN
    return (
        f"{plain(outcome.run)} on {plain(outcome.manifest)}: WER {percent(outcome.baseline_wer)} -> "
        f"{percent(outcome.tuned_wer)}, {points(outcome.delta)} "
        f"({_interval(outcome)}): {OUTCOMES.get(outcome.outcome or '', UNKNOWN)}"
    )


def _interval(outcome: RunOutcome) -> str:
    ends = difference_interval(outcome.ci_low, outcome.ci_high)
    return ends if outcome.ci_low is None or outcome.ci_high is None else f"{ends} for this adapter"


def _field(label: str, words: str) -> str:
    """A label column of 15, then at most two lines of at most WIDTH."""
    prefix = f"  {label:<13} "
    wrapper = textwrap.TextWrapper(WIDTH, initial_indent=prefix, subsequent_indent=" " * len(prefix))
    wrapper.break_on_hyphens, wrapper.max_lines, wrapper.placeholder = False, 2, " ..."
    return wrapper.fill(words)
