"""Could a manifest show the target gain? A set too small shows nothing, whatever the tuning does."""

from __future__ import annotations

import math
from typing import Any

from lora import layout
from lora.diagnosis.data.silence import has_many_lost_transcripts
from lora.diagnosis.detectable import detectable_difference
from lora.diagnosis.facts import BASE, StudyFacts
from lora.diagnosis.findings import Findings, check
from lora.diagnosis.headroom.baseline import baseline, concentrated_errors, tuned_signs
from lora.records.comparisons import PairedScore
from lora.records.scores import Power
from lora.records.verdict import CheckStatus

DECIDED = {"better", "worse", "equivalent", "same_words"}
FEWEST_ROWS = 6  # fewer rows cannot decide anything, whatever their errors (two-sided sign test at 5 %)


def judge_power(facts: StudyFacts, manifest: str, *, gating: bool) -> Findings:
    """Whether the smallest difference that the manifest can show is at most the target gain.

    The observed spread of the gate run replaces the assumption unless its hypotheses are broken, and where its
    difference is decided the set is large enough for it: then a smaller target only warns. The evaluation manifest
    (`gating`) must also have enough rows. No cause where many transcripts of the manifest were lost
    (`data.empty_transcripts`).
    """
    base = baseline(facts, manifest)
    if base is None:
        return Findings()
    power, target = foreseen_power(facts, manifest), facts.config.statistics.target_gain
    predicted = foreseen(power)
    evidence = [facts.path(layout.WER, run=BASE, manifest=manifest)]
    paired = _usable_score(facts, facts.config.gate_run, manifest)
    detectable = detectable_difference(paired, power) or math.inf
    outcome, spread_of = None, None
    if paired is not None and (paired.detectable_difference is not None or paired.outcome == "same_words"):
        outcome = paired.outcome
        power = paired.power or power
    elif power is not None and detectable > predicted:
        power = _of_spread(power, detectable)
    if paired is not None and detectable != predicted:
        spread_of = facts.config.gate_run
    if outcome is not None or spread_of is not None:
        evidence.append(facts.path(layout.PAIRED, run=str(facts.config.gate_run), manifest=manifest))
    if gating and not _enough_rows(base.score.utterances) and (paired is None or paired.detectable_difference is None):
        detectable = math.inf
    estimable = math.isfinite(detectable)
    status: CheckStatus = "fail"
    reason = "too_small" if estimable else "no_estimate"
    if detectable <= target:
        status, reason = "pass", "ok"
    elif outcome in DECIDED and _enough_rows(base.score.utterances):
        status, reason = "warn", "decided"
    result = check(
        "headroom.power",
        status=status,
        reason=reason,
        value=detectable if estimable else None,
        threshold=target,
        details={
            "utterances": base.score.utterances,
            "detectable": detectable if estimable else None,
            "target": target,
            "spread_of": spread_of,
            "outcome": outcome,
            "concentrated": concentrated_errors(facts, manifest),
            "add": None if power is None or power.out_of_reach else _missing(power),
            "out_of_reach": power is not None and power.out_of_reach,
        },
        evidence=evidence,
        run=BASE,
        manifest=manifest,
    )
    raised = status == "fail" and not has_many_lost_transcripts(facts, manifest)
    return Findings.of(result, result.cause("headroom.underpowered") if raised else None)


def smallest_change(facts: StudyFacts, run: str, manifest: str) -> float | None:
    """The smallest difference that a comparison would show.

    None where that cannot be estimated or the manifest has too few rows to show anything.
    """
    base = baseline(facts, manifest)
    if base is None or not _enough_rows(base.score.utterances):
        return None
    return detectable_difference(_usable_score(facts, run, manifest), foreseen_power(facts, manifest))


def _usable_score(facts: StudyFacts, run: str | None, manifest: str) -> PairedScore | None:
    """The comparison of a run; None if its hypotheses are broken: their spread says nothing about the manifest."""
    if run is None or tuned_signs(facts, run, manifest):
        return None
    return _score(facts, run, manifest)


def _of_spread(power: Power, detectable: float) -> Power:
    """The power of a set whose smallest detectable difference is larger than predicted."""
    growth = (detectable / power.detectable_difference) ** 2
    return power.model_copy(
        update={
            "detectable_difference": detectable,
            "utterances_needed": math.ceil(power.utterances_needed * growth),
            "hours_needed": None if power.hours_needed is None else power.hours_needed * growth,
            "speakers_needed": None if power.speakers_needed is None else math.ceil(power.speakers_needed * growth),
        }
    )


def _missing(power: Power) -> dict[str, Any] | None:
    """Utterances, hours and speakers to add; None where that is unknown."""
    missing = power.utterances_needed - power.utterances
    if missing <= 0:
        return None
    hours = None if power.hours is None or power.hours_needed is None else power.hours_needed - power.hours
    unknown = power.speakers is None or power.speakers_needed is None
    speakers = None if unknown else (power.speakers_needed or 0) - (power.speakers or 0)
    return {"utterances": missing, "hours": hours, "speakers": speakers}


def foreseen_power(facts: StudyFacts, manifest: str) -> Power | None:
    """The power that is estimated from the baseline alone."""
    wer = facts.wer.get((BASE, manifest))
    return wer.power if wer else None


def foreseen(power: Power | None) -> float:
    """The smallest detectable difference; infinite without errors or without an estimate."""
    return power.detectable_difference if power and power.detectable_difference > 0 else math.inf


def could_show_target(facts: StudyFacts, manifest: str) -> bool:
    """Whether a manifest has enough rows to show the target gain, judged from the baseline alone."""
    base = baseline(facts, manifest)
    enough = base is not None and _enough_rows(base.score.utterances)
    return enough and foreseen(foreseen_power(facts, manifest)) <= facts.config.statistics.target_gain


def _enough_rows(utterances: int) -> bool:
    return utterances >= FEWEST_ROWS


def _score(facts: StudyFacts, run: str | None, manifest: str) -> PairedScore | None:
    paired = facts.paired.get((run or "", manifest))
    return paired.within if paired and paired.status == "ok" else None
