"""The numbers that decide: the WER change, the smallest change that would show, forgetting on general manifests."""

from __future__ import annotations

from lora import layout
from lora.formatting import (
    UNKNOWN,
    caveat,
    configured_percent,
    configured_points,
    counted_rows,
    outcome_words,
    percent,
    points,
    points_range,
    rate_name,
    signed_points,
)
from lora.records.verdict import RunOutcome, Verdict
from lora.report.forgetting import forgetting
from lora.report.markdown import code, prose, table
from lora.report.sections.verdict import first_comparison
from lora.report.study import Study


def numbers(study: Study) -> str:
    """The WER change with its interval, the smallest change that would show, and forgetting on general manifests."""
    verdict = study.verdict.value
    outcome = first_comparison(verdict) if verdict else None
    rows = [["WER change", f"{UNKNOWN}: no run was compared with the baseline"]]
    if outcome is not None:
        rows = [[f"WER change of {code(outcome.run)} on {code(outcome.manifest)}", _change(study, outcome)]]
    rows.append([_smallest_label(verdict, outcome), _smallest_change(study, verdict, outcome)])
    for one in forgetting(study):
        of = "" if one.manifest is None else f" on {code(one.manifest)}"
        state = one.result[: len(one.state)]
        rest = one.result[len(one.state) :]
        rows.append([f"Forgetting{of}", f"**{state}**{prose(rest)}"])
    return table(["what decides", "result"], rows)


def _change(study: Study, outcome: RunOutcome) -> str:
    if outcome.delta is None:
        return UNKNOWN
    facts = study.paired(outcome.run, outcome.manifest).value
    score = facts.within if facts else None
    words = outcome_words(outcome.outcome, outcome.smallest_change)
    interval = points_range(outcome.ci_low, outcome.ci_high)
    if outcome.ci_low is not None and outcome.ci_high is not None and score is not None:
        confidence = configured_percent(score.interval.confidence)
        interval = f"{confidence} interval {interval}{caveat(score.interval, ', {}')}"
    rows = f"; {counted_rows(facts.max_seconds, score.utterances)}" if facts and score else ""
    return (
        f"**{words}**: {rate_name(outcome.unit)} {percent(outcome.baseline_wer)} to {percent(outcome.tuned_wer)}, "
        f"**{signed_points(outcome.delta)}** ({interval}; for this adapter, not for another seed{rows})"
    )


def _smallest_label(verdict: Verdict | None, outcome: RunOutcome | None) -> str:
    manifest = outcome.manifest if outcome else verdict.eval_manifest if verdict else None
    return "Smallest change that would show" + (f" on {code(manifest)}" if manifest else "")


def _smallest_change(study: Study, verdict: Verdict | None, outcome: RunOutcome | None) -> str:
    change = outcome.smallest_change if outcome else None
    if outcome is None and verdict is not None and verdict.eval_manifest is not None:
        change = smallest_change(study, verdict.eval_manifest)
    target = study.setting("statistics", "target_gain")
    wanted = f"; the target gain is {configured_points(target)}" if isinstance(target, int | float) else ""
    return f"{points(change)}{wanted}"


def smallest_change(study: Study, manifest: str) -> float | None:
    """The smallest change that a manifest would show: of the gate run, else as the baseline predicts it."""
    verdict = study.verdict.value
    outcome = study.run_outcome(verdict.gate_run, manifest) if verdict and verdict.gate_run else None
    if outcome is not None:
        return outcome.smallest_change
    facts = study.wer(layout.BASE, manifest).value
    predicted = facts.power.detectable_difference if facts and facts.power else None
    return predicted or None  # without an error nothing can be predicted
