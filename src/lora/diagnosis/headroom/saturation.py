"""Is the baseline at its floor? Told from the WER and from both ends of its interval."""

from __future__ import annotations

from lora import layout
from lora.diagnosis.facts import BASE, StudyFacts
from lora.diagnosis.findings import Findings
from lora.diagnosis.headroom.baseline import Baseline, baseline, unknown_wer
from lora.diagnosis.headroom.hardening import harder
from lora.diagnosis.headroom.power import foreseen, foreseen_power
from lora.diagnosis.transitional import Answer, cause, found
from lora.formatting import interval, percent, round_percent
from lora.records.verdict import CheckStatus


def saturation(facts: StudyFacts, manifest: str) -> Findings:
    """Whether the baseline is at its floor. A set too small to tell is left to `detectable_difference`."""
    floor, evidence = facts.config.headroom.min_wer, [facts.path(layout.WER, run=BASE, manifest=manifest)]
    base = baseline(facts, manifest)
    if base is None:
        answer = Answer("unknown", unknown_wer(facts, manifest), None, floor)
        return found("headroom.baseline", answer, evidence, BASE, manifest)
    told, saturated = (
        f"Baseline WER on {manifest} is {percent(base.wer, floor)} ({interval(base.score.interval, floor)})",
        None,
    )
    status: CheckStatus = "fail"
    if base.wer > floor:
        status, told = above(base, floor), f"{told}, {_side(base, floor)}."
    elif manifest in facts.config.general:
        told = f"{told}: {manifest} is saturated, as a general manifest should be, and can only show forgetting."
        remedy = "Nothing to do: keep it as the guard against forgetting, and look for gains on the domain manifests."
        saturated = cause("headroom.saturated", told, evidence, BASE, manifest, remedy, severity="info")
        status = "pass"
    elif _cannot_tell(facts, manifest, base):
        told = f"{told}: too few rows to say whether it is saturated (the floor is {round_percent(floor)})."
    else:
        told = f"{told}, {_side(base, floor)}: no adapter can show a gain here."
        saturated = cause("headroom.saturated", told, evidence, BASE, manifest, harder(facts, manifest))
    return found("headroom.baseline", Answer(status, told, base.wer, floor, saturated), evidence, BASE, manifest)


def above(base: Baseline, floor: float) -> CheckStatus:
    """For a WER above the floor: doubtful where its interval reaches down to it."""
    low = base.score.interval.low
    return "warn" if low is None or low <= floor else "pass"


def _side(base: Baseline, floor: float) -> str:
    """On which side of the floor the WER lies, and whether all of its interval does."""
    side, known = f"the floor of {round_percent(floor)}", base.score.interval
    if base.wer > floor:
        if known.low is None:
            return f"above {side}, though how surely is not known"
        return f"surely above {side}" if known.low > floor else f"above {side}, but not surely: the interval reaches it"
    if known.high is None:
        return f"not above {side}, though how surely is not known"
    return (
        f"surely not above {side}" if known.high <= floor else f"not above {side}, though the interval reaches above it"
    )


def _cannot_tell(facts: StudyFacts, manifest: str, base: Baseline) -> bool:
    """At the floor, but with an interval that reaches above it and no power to show the target gain."""
    floor, target = facts.config.headroom.min_wer, facts.config.statistics.target_gain
    high = base.score.interval.high
    return (high is None or high > floor) and foreseen(foreseen_power(facts, manifest)) > target
