"""The verdict in words, for documents and the terminal alike: headline, criteria, gate comparison, next step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lora.layout import TRAIN
from lora.records.verdict import Cause, Check, CheckStatus, RunOutcome, Verdict
from lora.report.markdown import code, sentence

CRITERIA = {
    "data_sufficiency": "D1 · enough training data",
    "headroom": "D2 · room for improvement",
    "adapter_change": "D3 · the adapter works",
    "parity": "P · a fair comparison",
}
SWEEP = "snakemake --cores 2 sweep"
LABELS = "D4 · labels and loss"  # not one of the four criteria: its checks block by their causes
LABEL_CHECKS = ("labels.greedy_hypotheses", "labels.loss")  # what D4 is about, where all of its checks pass
WORST_FIRST: tuple[CheckStatus, ...] = ("fail", "unknown", "warn", "pass")
STATUS = {"pass": "✓ pass", "warn": "! warn", "fail": "✗ fail", "unknown": "? unknown"}
SEVERITY = {"blocks": "blocks the sweep", "warns": "warning", "info": "for information"}
# Headlines of a study without a model.
COMPARED = {
    "better": "{run} is better than the baseline on {manifest}",
    "worse": "{run} is worse than the baseline on {manifest}",
    "same_words": "{run} writes the same words as the baseline on {manifest}; only case or punctuation differ",
    "unchanged": "{run} has the same hypotheses as the baseline on {manifest}",
    "equivalent": "{run} has the same error rate as the baseline on {manifest}, within the margin",
    "underpowered": "Inconclusive: {manifest} is too small to show whether {run} differs from the baseline",
    "": "No comparison was possible",
}
ONLY_HYPOTHESES = "D3 · the hypotheses differ"  # all that imported transcripts show of an adapter
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


@dataclass(frozen=True)
class Answer:
    """The answer to one of the five questions D1 to D4 and P.

    Attributes:
        name: Name of the criterion, or `labels`.
        title: Such as `D1 · enough training data`.
        status: Status of the check that decides.
        result: Its summary, as plain text.
    """

    name: str
    title: str
    status: CheckStatus
    result: str


def answers(verdict: Verdict, *, only_hypotheses: bool = False) -> list[Answer]:
    """D1, D2, D3, D4 and P in this order.

    Args:
        verdict: The verdict.
        only_hypotheses: Whether the gate run has transcripts alone, which cannot show that an adapter works.
    """
    titles = dict(CRITERIA)
    if only_hypotheses:
        titles["adapter_change"] = ONLY_HYPOTHESES
    found = [
        Answer(name, titles[name], check.status, check.summary)
        if check is not None
        else Answer(name, titles[name], "unknown", "Not checked.")
        for name, check in criteria(verdict)
    ]
    return [*found[:-1], _labels(verdict), found[-1]]


def _labels(verdict: Verdict) -> Answer:
    """D4: the worst of the label checks; where all pass, those that the question is about."""
    checks = [check for check in verdict.checks if check.id.startswith("labels.")]
    if not checks:
        return Answer("labels", LABELS, "unknown", "Not checked.")
    status = min((check.status for check in checks), key=WORST_FIRST.index)
    shown = [check for check in checks if check.status == status]
    if status == "pass":
        shown = [check for check in shown if check.id in LABEL_CHECKS] or shown[:1]
    return Answer("labels", LABELS, status, " ".join(check.summary for check in shown))


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
        warned = (
            " Read the warnings among the causes first." if any(c.severity == "warns" for c in verdict.causes) else ""
        )
        return f"Rerun H1 to H4 ({code(SWEEP)}){limit}, evaluated on {code(verdict.eval_manifest or '')}.{warned}"
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
