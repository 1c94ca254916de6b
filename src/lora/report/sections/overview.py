"""The first view of a diagnosis: verdict, next step, the numbers that decide, D1 to D4 and P, causes, hypotheses.

The plan document and the full report begin with it; neither leaves out what it shows.
"""

from __future__ import annotations

from typing import Any

from lora import layout
from lora.diagnosis.causes import CAUSES
from lora.formatting import (
    UNKNOWN,
    count,
    seconds,
    seconds_limit,
)
from lora.records.verdict import Cause, Verdict
from lora.report.identity import identity
from lora.report.markdown import code, link, sentence, table, text
from lora.report.sections.deciding_numbers import numbers
from lora.report.sections.verdict import (
    SEVERITY,
    STATUS,
    answers,
    criteria,
    headline,
    next_step,
)
from lora.report.study import Study
from lora.report.sweep_states import NOT_RUN, STATES


def overview(study: Study) -> str:
    """The first view, with the causes and without the hypotheses."""
    return "\n\n".join([title(study), *first_view(study), causes(study, evidence=True), hypotheses(study)])


def title(study: Study) -> str:
    verdict = study.verdict.value
    words = headline(verdict)
    if verdict is None or verdict.ready_for_sweep is not None:
        words = words.lower()  # without a model the headline has names, which keep their case
    return f"# Diagnosis: {text(words)}"


def first_view(study: Study) -> list[str]:
    """Verdict with its reason, next step, the numbers that decide, and the five questions."""
    verdict = study.verdict.value
    if verdict is None:
        return [f"The verdict is {study.verdict.unknown}.", numbers(study), questions(study)]
    return [
        f"**Reason.** {' '.join(part for part in _reasons(study, verdict) if part)}",
        f"**Next step.** {next_step(verdict)}",
        numbers(study),
        questions(study),
    ]


def about(study: Study) -> str:
    """The study, its model, gate run, date, commit and device on one line."""
    return " · ".join(f"{label}: {text(value)}" for label, value in identity(study).labelled())


def manifest_table(study: Study) -> str:
    """Every manifest with its role, usable rows and hash."""
    rows = [
        [code(one.name), text(one.role), UNKNOWN if one.rows is None else f"{one.rows:,}", code(one.sha256)]
        for one in identity(study).manifests
    ]
    return table(["manifest", "role", "usable rows", "SHA-256 of its rows"], rows, numbers=[2]) if rows else ""


def _reasons(study: Study, verdict: Verdict) -> list[str]:
    """Why the verdict is what it is, in one to three sentences."""
    blocking = [cause for cause in verdict.causes if cause.severity == "blocks"]
    if verdict.ready_for_sweep:
        manifest = code(verdict.eval_manifest or UNKNOWN)
        return [f"No cause blocks it. Evaluate on {manifest}.", _duration_limit(study, verdict)]
    if blocking:
        others = len(blocking) - 1
        more = f"{count(others, 'other cause blocks', 'other causes block')} too." if others else ""
        return [f"Most likely cause: {sentence(blocking[0].because)}", more, _duration_limit(study, verdict)]
    if verdict.ready_for_sweep is None:
        decided = _duration_limit(study, verdict) if study.decision.value is not None else ""
        return [_settings(verdict), decided, "Without a model, labels, adapter and readiness were not checked."]
    unmet = [check for _, check in criteria(verdict) if check is None or check.status in {"fail", "unknown"}]
    summaries = [sentence(check.summary) for check in unmet if check is not None]
    return [*(summaries or ["A criterion was not checked."]), _duration_limit(study, verdict)]


def _settings(verdict: Verdict) -> str:
    """Of a comparison without a model: whether it is a fair one."""
    parity = dict(criteria(verdict))["parity"]
    if parity is not None and parity.status == "unknown":
        return "Whether both runs used the same settings is not recorded."
    return sentence(parity.summary) if parity is not None else ""


def _duration_limit(study: Study, verdict: Verdict) -> str:
    """The chosen `max_seconds`, and that a shorter threshold would leave too few rows."""
    decision = study.decision.value
    if decision is None:
        return "A `max_seconds` for training is unknown." if verdict.max_seconds is None else ""
    if verdict.max_seconds is None:
        return sentence(decision.reason)
    chosen = next((o for o in decision.options if o.threshold == verdict.max_seconds), None)
    rows = f", which leaves {count(chosen.train_rows, 'row')} in the training split" if chosen else ""
    if chosen and chosen.train_rows < decision.min_train_samples:
        limit = seconds_limit(verdict.max_seconds)
        return f"`max_seconds` is {limit}{rows}; {decision.min_train_samples:,} are needed."
    too_short = [
        option
        for option in decision.options
        if option.threshold < verdict.max_seconds and option.train_rows < decision.min_train_samples
    ]
    shorter = ""
    if too_short:
        longest = max(too_short, key=lambda option: option.threshold)
        shorter = (
            f"; {seconds(longest.threshold)} would leave only {longest.train_rows:,} of the "
            f"{decision.min_train_samples:,} needed"
        )
    return f"Train on rows of at most {seconds_limit(verdict.max_seconds)}{rows}{shorter}."


def questions(study: Study) -> str:
    """D1, D2, D3, D4 and P, one line each."""
    verdict = study.verdict.value
    if verdict is None:
        return ""
    only_hypotheses = "hypotheses" in (study.setting("candidates", verdict.gate_run or "") or {})
    rows = [
        [one.title, STATUS[one.status], sentence(one.result)]
        for one in answers(verdict, only_hypotheses=only_hypotheses)
    ]
    return table(["question", "answer", "result"], rows)


def causes(study: Study, *, most: int | None = None, evidence: bool = False) -> str:
    """Causes with remedies, the most likely first.

    Args:
        study: The study.
        most: Causes shown in full; None shows all.
        evidence: Whether to link the files behind each cause.
    """
    heading = "## Causes and remedies"
    verdict = study.verdict.value
    if verdict is None or not verdict.causes:
        return f"{heading}\n\n{'No cause was found.' if verdict else UNKNOWN.capitalize() + '.'}"
    shown = verdict.causes if most is None else verdict.causes[:most]
    items = [_cause(position, cause, evidence) for position, cause in enumerate(shown, start=1)]
    rest = verdict.causes[len(shown) :]
    if rest:
        items.append(f"\n{count(len(rest), 'more')} in the report: {', '.join(code(cause.code) for cause in rest)}.")
    return f"{heading}\n\n" + "\n".join(items)


def _cause(position: int, cause: Cause, evidence: bool) -> str:
    kind = CAUSES.get(cause.code)
    name = kind.title if kind else text(cause.code)
    concerns = "".join(f", {code(one)}" for one in (cause.run, cause.manifest) if one)
    files = ", ".join(link(path, "results") for path in cause.evidence) if evidence else ""
    return (
        f"{position}. **{name}** ({SEVERITY[cause.severity]}; {code(cause.code)}{concerns}). "
        f"{sentence(cause.because)}  \n"
        f"   *Remedy:* {sentence(cause.remedy)}" + (f" *See:* {files}" if files else "")
    )


def hypotheses(study: Study) -> str:
    """Every hypothesis of the configuration with its state."""
    configured: dict[str, Any] = study.config.get("hypotheses") or {}
    decided = study.find(layout.HYPOTHESES).value
    if decided is not None:
        rows = [[text(h.id), text(h.statement), STATES[h.state], sentence(h.summary)] for h in decided.hypotheses]
    else:
        rows = [
            [
                text(name),
                text(one.get("statement") or one.get("preset") or ""),
                NOT_RUN,
                _how_to_run(study),
            ]
            for name, one in configured.items()
        ]
    if not rows:
        return "## Hypotheses\n\nNo hypothesis is configured."
    return "## Hypotheses\n\n" + table(["id", "hypothesis", "state", "result"], rows)


def _how_to_run(study: Study) -> str:
    """What decides a hypothesis that was not run."""
    verdict = study.verdict.value
    if not study.has_model:
        return "A sweep needs a model."
    if verdict is None or not verdict.ready_for_sweep:
        return "`lora-diagnose sweep` decides it once the gate is ready."
    return "`lora-diagnose sweep` decides it."
