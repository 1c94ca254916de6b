"""The first screen of the summary: the verdict in plain words, the four criteria, the causes with their remedies."""

from __future__ import annotations

from collections.abc import Callable

from lora.diagnosis.causes import CAUSES
from lora.formatting import (
    UNKNOWN,
    caveat,
    count,
    number,
    percent,
    percent_range,
    points,
    points_range,
    seconds,
    seconds_limit,
    signed_points,
)
from lora.records.scores import Power
from lora.records.verdict import Cause, Check, Verdict
from lora.report.markdown import code, link, prose, table, text
from lora.report.sections.compared import after_comparing, compared, compared_headline, gate_outcome
from lora.report.study import Study

CRITERIA = {
    "data_sufficiency": "D1 · enough training data",
    "headroom": "D2 · room for improvement",
    "adapter_change": "D3 · the adapter works",
    "parity": "P · a fair comparison",
}
ONLY_TEXTS = "D3 · the tuned texts differ"  # all that transcripts can show of an adapter
STATUS = {"pass": "✓ pass", "warn": "! warn", "fail": "✗ fail", "unknown": "? unknown"}
SEVERITY = {"blocks": "blocks the sweep", "warns": "warning", "info": "for information"}
OUTCOMES = {
    "better": "better",
    "worse": "worse",
    "unchanged": "no change at all",
    "equivalent": "no difference larger than the margin",
    "underpowered": "undecided: this set cannot tell",
}


def headline(verdict: Verdict | None) -> str:
    if verdict is None:
        return "Verdict unknown"
    if verdict.ready_for_sweep is None:
        return compared_headline(verdict)
    return "Ready for the sweep" if verdict.ready_for_sweep else "Not ready for the sweep"


def criteria(verdict: Verdict) -> list[tuple[str, Check | None]]:
    """The four criteria in their order; of several checks with one id the gating one: no run, or the gate's."""
    found: list[tuple[str, Check | None]] = []
    for name in CRITERIA:
        checks = [check for check in verdict.checks if check.id == name]
        checks.sort(
            key=lambda c: (c.run not in {None, verdict.gate_run}, c.manifest not in {None, verdict.eval_manifest})
        )
        found.append((name, checks[0] if checks else None))
    return found


def title(cause: Cause) -> str:
    """The cause in a few plain words."""
    kind = CAUSES.get(cause.code)
    return kind.title if kind else text(cause.code)


def conclusion(study: Study) -> str:
    found = study.verdict
    if found.value is None:
        return f"# Diagnosis: verdict unknown\n\nThe verdict is {found.unknown}."
    told = headline(found.value)
    if found.value.ready_for_sweep is not None:
        told = told.lower()  # without a model it holds names, which keep their case
    parts = [f"# Diagnosis: {text(told)}", _story(study, found.value), _criteria_table(study, found.value)]
    return "\n\n".join([*parts, _causes(found.value)])


def _story(study: Study, verdict: Verdict) -> str:
    sentences = [f"**{text(headline(verdict))}.**"]
    blocking = [cause for cause in verdict.causes if cause.severity == "blocks"]
    if verdict.ready_for_sweep is None:
        return f"{_comparison_story(study, verdict, blocking)}\n\n**Next step.** {next_step(verdict)}"
    if not verdict.ready_for_sweep:
        stopped = [check for _, check in criteria(verdict) if check is None or check.status in {"fail", "unknown"}]
        if blocking:
            sentences.append(f"Most likely cause: {_sentence(blocking[0].because)}{_others(len(blocking) - 1)}")
        elif stopped:
            reasons = [_sentence(check.summary) for check in stopped if check is not None]
            sentences.extend(reasons or ["A criterion was not judged."])
    sentences += [_data(study, verdict), _evaluation(study, verdict), _effect(study, verdict), _sound(verdict)]
    paragraph = " ".join(sentence for sentence in sentences if sentence)
    return f"{paragraph}\n\n**Next step.** {next_step(verdict)}"


def _comparison_story(study: Study, verdict: Verdict, blocking: list[Cause]) -> str:
    """Without a model: what the comparison shows, whether it is fair, and what else keeps it from saying more."""
    sentences = [f"**{text(headline(verdict))}.**"]
    if blocking:
        sentences.append(f"Most likely cause: {_sentence(blocking[0].because)}{_others(len(blocking) - 1)}")
    sentences += [_evaluation(study, verdict), _effect(study, verdict)]
    parity = dict(criteria(verdict))["parity"]
    if parity is not None and parity.status == "unknown":
        sentences.append("Whether both runs were made under the same conditions is not recorded, and unknown here.")
    elif parity is not None and parity.status in {"pass", "warn"}:
        sentences.append(_sentence(parity.summary))
    if study.decision.value is not None:
        sentences.append(_data(study, verdict))
    sentences.append("Without a model nothing is said of labels, of the adapter itself, or of a sweep.")
    return " ".join(sentence for sentence in sentences if sentence)


def _others(more: int) -> str:
    return f" {count(more, 'other cause blocks', 'other causes block')} too." if more else ""


def _sound(verdict: Verdict) -> str:
    """That the numbers can be trusted, in the words of the checks of adapter and parity, where both passed."""
    trusted = [check for name, check in criteria(verdict) if name in {"adapter_change", "parity"} and check is not None]
    if not verdict.ready_for_sweep or any(check.status != "pass" for check in trusted):
        return ""
    return " ".join(_sentence(check.summary) for check in trusted)


def _data(study: Study, verdict: Verdict) -> str:
    """Which max_seconds, and what shorter thresholds would have left."""
    decision = study.decision.value
    if decision is None:
        return "A `max_seconds` for training is unknown." if verdict.max_seconds is None else ""
    if verdict.max_seconds is None:
        return _sentence(decision.reason)
    chosen = next((o for o in decision.options if o.threshold == verdict.max_seconds), None)
    rows = f", which leaves {count(chosen.train_rows, 'row')} in the training split" if chosen else ""
    if chosen and chosen.train_rows < decision.min_train_samples:
        return (
            f"`max_seconds` is {seconds_limit(verdict.max_seconds)}{rows}; {decision.min_train_samples} were asked for."
        )
    sentence = f"Train on rows of at most {seconds_limit(verdict.max_seconds)}{rows}"
    shorter = [o for o in decision.options if o.threshold < verdict.max_seconds]
    starving = [o for o in shorter if o.train_rows < decision.min_train_samples]
    if starving:
        last = max(starving, key=lambda o: o.threshold)
        sentence += (
            f"; {seconds(last.threshold)} would leave only {last.train_rows} of the "
            f"{decision.min_train_samples} asked for"
        )
    return sentence + "."


def _evaluation(study: Study, verdict: Verdict) -> str:
    if verdict.eval_manifest is None:
        return "No manifest qualifies for the evaluation." if verdict.ready_for_sweep is not None else ""
    facts = study.wer("base", verdict.eval_manifest).value
    begin = "Evaluate on" if verdict.ready_for_sweep else "The evaluation manifest is"
    chosen = f"{begin} {code(verdict.eval_manifest)}"
    if facts is None or facts.within is None:
        return f"{chosen}."
    within = facts.within
    ends = percent_range(within.interval.low, within.interval.high) + caveat(within.interval, ", {}")
    sentence = (
        f"{chosen}: the baseline's WER there is {percent(within.wer)} "
        f"({100 * within.interval.confidence:g} % interval {ends})"
    )
    shows = _shows(study, verdict, facts.power)
    if shows is not None:
        sentence += f", and a change of {points(shows)} or more would show"
    return sentence + "."


def _shows(study: Study, verdict: Verdict, power: Power | None) -> float | None:
    """The smallest difference that shows: as observed once runs were compared, else as the baseline foresees it."""
    outcome = gate_outcome(verdict)
    paired = study.paired(outcome.run, outcome.manifest).value if outcome else None
    if paired is not None and paired.within is not None and paired.within.detectable_difference is not None:
        return paired.within.detectable_difference
    return power.detectable_difference if power else None


def _effect(study: Study, verdict: Verdict) -> str:
    outcome = gate_outcome(verdict)
    begin = "took it"
    if outcome is None and verdict.ready_for_sweep is None:
        outcome = compared(verdict)
        begin = f"took {code(outcome.manifest)}" if outcome else begin
    if outcome is None or outcome.delta is None:
        return ""
    ends = points_range(outcome.ci_low, outcome.ci_high)
    shown = outcome.ci_low is not None and outcome.ci_high is not None
    paired = study.paired(outcome.run, outcome.manifest).value
    score = paired.within if paired else None
    inside = f"interval {ends}{caveat(score.interval if score else None, ', {}')}" if shown else ends
    words = OUTCOMES.get(outcome.outcome or "", UNKNOWN)
    return (
        f"The run {code(outcome.run)} {begin} from {percent(outcome.baseline_wer)} to "
        f"{percent(outcome.tuned_wer)} ({signed_points(outcome.delta)}, {inside}): {words}."
        + (" One run's interval speaks of that adapter, not of the recipe." if shown else "")
    )


def next_step(verdict: Verdict, written: Callable[[str], str] | None = None) -> str:
    """What to do first; `written` says how a remedy is written, by default so that Markdown shows it as it reads."""
    written = written or _sentence
    blocking = [cause for cause in verdict.causes if cause.severity == "blocks"]
    if verdict.ready_for_sweep:
        limit = "" if verdict.max_seconds is None else f" with `max_seconds` = {verdict.max_seconds:g}"
        warned = " Keep the warnings below in view." if any(c.severity == "warns" for c in verdict.causes) else ""
        return f"Rerun H1 to H4{limit}, evaluated on {code(verdict.eval_manifest or '')}.{warned}"
    if blocking:
        again = "run the diagnosis again before any sweep"
        if verdict.ready_for_sweep is None:
            again = "train and compare again" if blocking[0].manifest == "train" else "compare again"
        return f"{written(blocking[0].remedy)} Then {again}."
    if verdict.ready_for_sweep is None:
        return after_comparing(dict(criteria(verdict))["parity"])
    return "Make the criteria below that are unknown answerable, then run the diagnosis again."


def _criteria_table(study: Study, verdict: Verdict) -> str:
    rows, named = [], dict(CRITERIA)
    if "hypotheses" in (study.setting("candidates", verdict.gate_run or "") or {}):
        named["adapter_change"] = ONLY_TEXTS
    for name, check in criteria(verdict):
        if check is None:
            rows.append([named[name], STATUS["unknown"], UNKNOWN, UNKNOWN, "This check was not made."])
            continue
        rows.append(
            [
                named[name],
                STATUS[check.status],
                _value(check.value),
                _value(check.threshold),
                _sentence(check.summary),
            ]
        )
    return table(["criterion", "status", "value", "threshold", "in words"], rows)


def _causes(verdict: Verdict) -> str:
    if not verdict.causes:
        return "## Causes and remedies\n\nNo cause was found."
    items = []
    for position, cause in enumerate(verdict.causes, start=1):
        about = "".join(f", {code(name)}" for name in (cause.run, cause.manifest) if name)
        see = ", ".join(link(path, "results") for path in cause.evidence)
        lines = [
            f"{position}. **{title(cause)}** ({SEVERITY[cause.severity]}; {code(cause.code)}{about}). "
            f"{_sentence(cause.because)}",
            f"   *Remedy:* {_sentence(cause.remedy)}" + (f" *See:* {see}" if see else ""),
        ]
        items.append("  \n".join(lines))
    return "## Causes and remedies\n\nMost likely first.\n\n" + "\n".join(items)


def _sentence(words: str) -> str:
    safe = prose(words).strip()
    return safe if not safe or safe.endswith((".", "!", "?")) else f"{safe}."


def _value(value: float | str | None) -> str:
    if value is None:
        return "none"
    return text(value) if isinstance(value, str) else number(value, 4)
