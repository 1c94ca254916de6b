"""Two runs without a model: the comparison itself is the verdict, or what makes it worthless."""

from __future__ import annotations

from lora.records.verdict import Cause, Check, RunOutcome, Verdict

# The headline of a study without a model.
COMPARED = {
    "better": "{run} is better than the baseline on {manifest}",
    "worse": "{run} is worse than the baseline on {manifest}",
    "unchanged": "{run} writes what the baseline writes on {manifest}",
    "equivalent": "{run} is as good as the baseline on {manifest}",
    "underpowered": "Undecided: {manifest} cannot tell whether {run} differs from the baseline",
    "": "Nothing could be compared",
}
INVALID = ("parity.", "data.transcript_mismatch", "headroom.baseline_broken")


def compared_headline(verdict: Verdict) -> str:
    """Without a model the comparison is the verdict: what it shows, or why it shows nothing."""
    outcome, broken = compared(verdict), incomparable(verdict)
    if broken is not None and verdict.gate_run is not None:
        return f"The comparison of {verdict.gate_run} with the baseline cannot be believed"
    if outcome is None or outcome.delta is None:
        return "Nothing could be compared"
    return COMPARED[outcome.outcome or ""].format(run=outcome.run, manifest=outcome.manifest)


def incomparable(verdict: Verdict) -> Cause | None:
    """The first cause that makes the two numbers incomparable; null where there is none."""
    return next((c for c in verdict.causes if c.severity == "blocks" and c.code.startswith(INVALID)), None)


def gate_outcome(verdict: Verdict) -> RunOutcome | None:
    """The comparison that the gate is about: `gate_run` on `eval_manifest`."""
    wanted = (verdict.gate_run, verdict.eval_manifest)
    return next((outcome for outcome in verdict.runs if (outcome.run, outcome.manifest) == wanted), None)


def compared(verdict: Verdict) -> RunOutcome | None:
    """The gate's comparison, or where no manifest qualifies the first that could be made."""
    others = [o for o in verdict.runs if o.run == verdict.gate_run and o.delta is not None]
    return gate_outcome(verdict) or next(iter(others), None)


def after_comparing(parity: Check | None) -> str:
    """The next step where no cause blocks: record that the comparison is fair, then have the other questions asked."""
    model = "name the model in `config.yaml` (`model.id`) to have labels, adapter and training looked at too."
    if parity is not None and parity.status == "unknown":
        return (
            "Record how both runs were made (`<stem>.settings.json` beside each file of transcripts), so that the "
            f"difference can be called the tuning's. Then {model}"
        )
    return f"{model[0].upper()}{model[1:]}"
