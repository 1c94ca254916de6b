"""The verdict in words, for Markdown and the terminal alike: headline, criteria, gate comparison, next step."""

from __future__ import annotations

from collections.abc import Callable

from lora.layout import TRAIN
from lora.records.verdict import Cause, Check, RunOutcome, Verdict
from lora.report.markdown import code, sentence

CRITERIA = {
    "data_sufficiency": "D1 · enough training data",
    "headroom": "D2 · room for improvement",
    "adapter_change": "D3 · the adapter works",
    "parity": "P · a fair comparison",
}
OUTCOMES = {
    "better": "better",
    "worse": "worse",
    "unchanged": "unchanged",
    "same_words": "same words, texts differ in case or punctuation only",
    "equivalent": "equivalent, any difference is within the margin",
    "underpowered": "underpowered, the set is too small to decide",
}
# Headlines of a study without a model.
COMPARED = {
    "better": "{run} is better than the baseline on {manifest}",
    "worse": "{run} is worse than the baseline on {manifest}",
    "same_words": "{run} writes the same words as the baseline on {manifest}; only case or punctuation differ",
    "unchanged": "{run} has the same hypotheses as the baseline on {manifest}",
    "equivalent": "{run} is equivalent to the baseline on {manifest}",
    "underpowered": "Undecided: {manifest} is too small to show whether {run} differs from the baseline",
    "": "No comparison was possible",
}
INVALID = ("parity.", "text.", "data.transcript_mismatch", "headroom.baseline_broken")


def headline(verdict: Verdict | None) -> str:
    if verdict is None:
        return "Verdict unknown"
    if verdict.ready_for_sweep is None:
        return _comparison_headline(verdict)
    return "Ready for the sweep" if verdict.ready_for_sweep else "Not ready for the sweep"


def _comparison_headline(verdict: Verdict) -> str:
    """Without a model the comparison is the verdict: its outcome, or that it is invalid."""
    if verdict.gate_run is not None and invalidating_cause(verdict) is not None:
        return f"The comparison of {verdict.gate_run} with the baseline is not valid"
    outcome = first_comparison(verdict)
    if outcome is None or outcome.delta is None:
        return COMPARED[""]
    return COMPARED[outcome.outcome or ""].format(run=outcome.run, manifest=outcome.manifest)


def invalidating_cause(verdict: Verdict) -> Cause | None:
    """The first cause that makes two WERs incomparable, or None."""
    return next(
        (
            c
            for c in verdict.causes
            if c.severity == "blocks" and c.code.startswith(INVALID) and (c.code, c.manifest) != ("text.markup", TRAIN)
        ),
        None,
    )


def criteria(verdict: Verdict) -> list[tuple[str, Check | None]]:
    """The four criteria in their order, each with its check.

    Of several checks with the same id it is the one that decides: without a run, or of the gate run and manifest.
    """
    decisive: list[tuple[str, Check | None]] = []
    for name in CRITERIA:
        checks = [check for check in verdict.checks if check.id == name]
        checks.sort(
            key=lambda c: (c.run not in {None, verdict.gate_run}, c.manifest not in {None, verdict.eval_manifest})
        )
        decisive.append((name, checks[0] if checks else None))
    return decisive


def gate_outcome(verdict: Verdict) -> RunOutcome | None:
    """The primary comparison: `gate_run` on `eval_manifest`."""
    primary = (verdict.gate_run, verdict.eval_manifest)
    return next((outcome for outcome in verdict.runs if (outcome.run, outcome.manifest) == primary), None)


def first_comparison(verdict: Verdict) -> RunOutcome | None:
    """The primary comparison; if no manifest qualifies, the first of the gate run that has a difference."""
    measured = [o for o in verdict.runs if o.run == verdict.gate_run and o.delta is not None]
    return gate_outcome(verdict) or next(iter(measured), None)


def next_step(verdict: Verdict, write: Callable[[str], str] = sentence) -> str:
    """What to do first. `write` turns a remedy into Markdown (the default) or plain text."""
    blocking = [cause for cause in verdict.causes if cause.severity == "blocks"]
    if verdict.ready_for_sweep:
        limit = "" if verdict.max_seconds is None else f" with `max_seconds` = {verdict.max_seconds:g}"
        warned = " Mind the warnings below." if any(c.severity == "warns" for c in verdict.causes) else ""
        return f"Rerun H1 to H4{limit}, evaluated on {code(verdict.eval_manifest or '')}.{warned}"
    if blocking:
        repeat = "run the diagnosis again before any sweep"
        if verdict.ready_for_sweep is None:
            repeat = "train and compare again" if blocking[0].manifest == "train" else "compare again"
        return f"{write(blocking[0].remedy)} Then {repeat}."
    if verdict.ready_for_sweep is None:
        return _after_comparison(dict(criteria(verdict))["parity"])
    return "Provide the inputs that the unknown criteria below need, then run the diagnosis again."


def _after_comparison(parity: Check | None) -> str:
    model = "set `model.id` in `config.yaml` to check labels, adapter and training too."
    if parity is not None and parity.status == "unknown":
        return (
            "Record the settings of both runs (`<stem>.settings.json` next to each file of transcripts), so that the "
            f"difference can be attributed to tuning. Then {model}"
        )
    return f"{model[0].upper()}{model[1:]}"
