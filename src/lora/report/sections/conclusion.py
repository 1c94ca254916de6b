"""The first screen of the summary: verdict, criteria, causes with remedies; and all checks."""

from __future__ import annotations

from lora.diagnosis.causes import CAUSES
from lora.formatting import (
    UNKNOWN,
    caveat,
    configured_percent,
    count,
    counted_rows,
    interval,
    number,
    percent,
    points,
    points_range,
    rate_name,
    seconds,
    seconds_limit,
    signed_points,
)
from lora.records.scores import Power
from lora.records.verdict import Cause, Check, Verdict
from lora.report.markdown import code, link, prose, sentence, table, text
from lora.report.sections.verdict import (
    CRITERIA,
    OUTCOMES,
    criteria,
    first_comparison,
    gate_outcome,
    headline,
    next_step,
)
from lora.report.study import Study

STATUS = {"pass": "✓ pass", "warn": "! warn", "fail": "✗ fail", "unknown": "? unknown"}
SEVERITY = {"blocks": "blocks the sweep", "warns": "warning", "info": "for information"}
ONLY_HYPOTHESES = "D3 · the hypotheses differ"  # all that imported transcripts show of an adapter
RATES = {"headroom", "adapter_change"}  # criteria whose numbers are fractions


def conclusion(study: Study) -> str:
    verdict = study.verdict.value
    if verdict is None:
        return f"# Diagnosis: verdict unknown\n\nThe verdict is {study.verdict.unknown}."
    title = headline(verdict)
    if verdict.ready_for_sweep is not None:
        title = title.lower()  # without a model the headline has names, which keep their case
    paragraph = _comparison_story(study, verdict) if verdict.ready_for_sweep is None else _story(study, verdict)
    return "\n\n".join(
        [
            f"# Diagnosis: {text(title)}",
            paragraph,
            f"**Next step.** {next_step(verdict)}",
            _criteria_table(study, verdict),
            _causes(verdict),
        ]
    )


def all_checks(study: Study) -> str:
    """Every check of the verdict."""
    verdict = study.verdict.value
    if verdict is None or not verdict.checks:
        return ""
    rows = [
        [
            code(check.id),
            code(check.run) if check.run else "",
            code(check.manifest) if check.manifest else "",
            STATUS[check.status],
            prose(check.summary),
        ]
        for check in verdict.checks
    ]
    return "## All checks\n\n" + table(["check", "run", "manifest", "status", "result"], rows)


def _story(study: Study, verdict: Verdict) -> str:
    sentences = [f"**{text(headline(verdict))}.**"]
    if not verdict.ready_for_sweep:
        sentences += [_likely_cause(verdict)] if _blocking(verdict) else _unmet_criteria(verdict)
    sentences += [_duration_limit(study, verdict), _evaluation(study, verdict), _gate_run(study, verdict)]
    sentences += [_general_manifests(verdict), _adapter_and_parity(verdict)]
    return " ".join(part for part in sentences if part)


def _comparison_story(study: Study, verdict: Verdict) -> str:
    """Without a model: the outcome of the comparison, whether it is fair, and what it leaves open."""
    sentences = [f"**{text(headline(verdict))}.**"]
    if _blocking(verdict):
        sentences.append(_likely_cause(verdict))
    sentences += [_evaluation(study, verdict), _gate_run(study, verdict), _general_manifests(verdict)]
    parity = dict(criteria(verdict))["parity"]
    if parity is not None and parity.status == "unknown":
        sentences.append("Whether both runs used the same settings is not recorded.")
    elif parity is not None and parity.status in {"pass", "warn"}:
        sentences.append(sentence(parity.summary))
    if study.decision.value is not None:
        sentences.append(_duration_limit(study, verdict))
    sentences.append("Without a model, the labels, the adapter and readiness for a sweep were not checked.")
    return " ".join(part for part in sentences if part)


def _blocking(verdict: Verdict) -> list[Cause]:
    return [cause for cause in verdict.causes if cause.severity == "blocks"]


def _likely_cause(verdict: Verdict) -> str:
    first, *others = _blocking(verdict)
    more = f" {count(len(others), 'other cause blocks', 'other causes block')} too." if others else ""
    return f"Most likely cause: {sentence(first.because)}{more}"


def _unmet_criteria(verdict: Verdict) -> list[str]:
    unmet = [check for _, check in criteria(verdict) if check is None or check.status in {"fail", "unknown"}]
    summaries = [sentence(check.summary) for check in unmet if check is not None]
    return summaries or (["A criterion was not checked."] if unmet else [])


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


def _evaluation(study: Study, verdict: Verdict) -> str:
    """The evaluation manifest, its baseline WER, and the smallest change that it can show."""
    if verdict.eval_manifest is None:
        return "No manifest qualifies for the evaluation." if verdict.ready_for_sweep is not None else ""
    begin = "Evaluate on" if verdict.ready_for_sweep else "The evaluation manifest is"
    facts = study.wer("base", verdict.eval_manifest).value
    if facts is None or facts.within is None:
        return f"{begin} {code(verdict.eval_manifest)}."
    score = facts.within
    detectable = _detectable_difference(study, verdict, facts.power)
    shows = "" if detectable is None else f" It can show a change of {points(detectable)} or more."
    return (
        f"{begin} {code(verdict.eval_manifest)}, where the baseline's {rate_name(facts.unit)} is {percent(score.wer)} "
        f"({interval(score.interval)}; {counted_rows(facts.max_seconds, score.utterances)}).{shows}"
    )


def _detectable_difference(study: Study, verdict: Verdict, power: Power | None) -> float | None:
    """The smallest difference that shows: as observed once runs were compared, else as the baseline predicts it."""
    outcome = gate_outcome(verdict)
    paired = study.paired(outcome.run, outcome.manifest).value if outcome else None
    if paired is not None and paired.within is not None and paired.within.detectable_difference is not None:
        return paired.within.detectable_difference
    return power.detectable_difference if power else None


def _gate_run(study: Study, verdict: Verdict) -> str:
    """What the gate run does to the WER of the evaluation manifest."""
    outcome = gate_outcome(verdict)
    name_manifest = outcome is None and verdict.ready_for_sweep is None
    if name_manifest:
        outcome = first_comparison(verdict)
    if outcome is None or outcome.delta is None:
        return ""
    of_manifest = f" of {code(outcome.manifest)}" if name_manifest else ""
    subject = f"the {rate_name(outcome.unit)}{of_manifest}"
    has_interval = outcome.ci_low is not None and outcome.ci_high is not None
    paired = study.paired(outcome.run, outcome.manifest).value
    score = paired.within if paired else None
    ends = points_range(outcome.ci_low, outcome.ci_high)
    if has_interval:
        ends = f"interval {ends}{caveat(score.interval if score else None, ', {}')}"
    return (
        f"The run {code(outcome.run)} changed {subject} from {percent(outcome.baseline_wer)} to "
        f"{percent(outcome.tuned_wer)} ({signed_points(outcome.delta)}, {ends}): "
        f"{OUTCOMES.get(outcome.outcome or '', UNKNOWN)}."
        + (
            " The interval is for this adapter; training with another seed gives another adapter."
            if has_interval
            else ""
        )
    )


def _general_manifests(verdict: Verdict) -> str:
    """What the gate run costs on general manifests, where it was compared with the baseline."""
    checks = [check for check in verdict.checks if check.id == "adapter.general_set" and check.run == verdict.gate_run]
    return " ".join(sentence(check.summary) for check in checks if check.reason != "not_compared")


def _adapter_and_parity(verdict: Verdict) -> str:
    """Why the numbers can be trusted: the summaries of both criteria, where both pass."""
    checks = [check for name, check in criteria(verdict) if name in {"adapter_change", "parity"} and check is not None]
    if not verdict.ready_for_sweep or any(check.status != "pass" for check in checks):
        return ""
    return " ".join(sentence(check.summary) for check in checks)


def _criteria_table(study: Study, verdict: Verdict) -> str:
    titles = dict(CRITERIA)
    if "hypotheses" in (study.setting("candidates", verdict.gate_run or "") or {}):
        titles["adapter_change"] = ONLY_HYPOTHESES
    rows = []
    for name, check in criteria(verdict):
        if check is None:
            rows.append([titles[name], STATUS["unknown"], UNKNOWN, UNKNOWN, "This criterion was not checked."])
        else:
            value, threshold = _value_and_threshold(check)
            rows.append([titles[name], STATUS[check.status], value, threshold, sentence(check.summary)])
    return table(["criterion", "status", "value", "threshold", "result"], rows)


def _value_and_threshold(check: Check) -> tuple[str, str]:
    value, threshold = check.value, check.threshold
    if check.id in RATES and isinstance(threshold, int | float):
        known = value if isinstance(value, int | float) else None
        return percent(known, threshold), configured_percent(threshold)
    return _cell(value), _cell(threshold)


def _cell(value: float | str | None) -> str:
    if value is None:
        return "none"
    return text(value) if isinstance(value, str) else number(value, 4)


def _causes(verdict: Verdict) -> str:
    if not verdict.causes:
        return "## Causes and remedies\n\nNo cause was found."
    items = [_cause(position, cause) for position, cause in enumerate(verdict.causes, start=1)]
    return "## Causes and remedies\n\nMost likely first.\n\n" + "\n".join(items)


def _cause(position: int, cause: Cause) -> str:
    kind = CAUSES.get(cause.code)
    title = kind.title if kind else text(cause.code)
    concerns = "".join(f", {code(name)}" for name in (cause.run, cause.manifest) if name)
    evidence = ", ".join(link(path, "results") for path in cause.evidence)
    return (
        f"{position}. **{title}** ({SEVERITY[cause.severity]}; {code(cause.code)}{concerns}). "
        f"{sentence(cause.because)}  \n"
        f"   *Remedy:* {sentence(cause.remedy)}" + (f" *See:* {evidence}" if evidence else "")
    )
