"""Could a manifest show the gain hoped for? A set too small shows nothing, whatever the tuning does."""

from __future__ import annotations

import math

from lora import layout
from lora.diagnosis.facts import BASE, StudyFacts
from lora.diagnosis.findings import Findings
from lora.diagnosis.headroom.baseline import baseline
from lora.diagnosis.transitional import Answer, cause, found
from lora.formatting import count, hours, points, round_points
from lora.records.comparisons import PairedScore
from lora.records.scores import Power

DECIDED = {"better", "worse", "equivalent"}


def detectable_difference(facts: StudyFacts, manifest: str, gating: bool) -> Findings:
    """Whether the manifest could show the gain hoped for.

    On the evaluation manifest the gate run's own spread replaces the assumption, and a difference that did show is
    proof enough: then the limit is only told. On other manifests the baseline's foresight stands.
    """
    base, power, target = (
        baseline(facts, manifest),
        foreseen_power(facts, manifest),
        facts.config.statistics.target_gain,
    )
    if base is None:
        return Findings()
    evidence, detectable, outcome = [facts.path(layout.WER, run=BASE, manifest=manifest)], foreseen(power), None
    spread, paired = "", _gate_score(facts, manifest) if gating else None
    if paired is not None and paired.detectable_difference is not None:
        power = paired.power or power
        detectable, outcome = paired.detectable_difference, paired.outcome
        spread = f", by the spread of {facts.config.gate_run} against base"
        evidence.append(facts.path(layout.PAIRED, run=str(facts.config.gate_run), manifest=manifest))
    size, estimable = count(base.score.utterances, "utterance"), math.isfinite(detectable)
    told = f"{manifest} ({size}) is too small for any estimate of the difference it could show"
    if estimable:
        told = f"{manifest} ({size}) can show differences of {points(detectable, target)} or more{spread}"
        told += f"; the target gain of {round_points(target)} {'would' if detectable <= target else 'would not'}"
    values = (detectable if estimable else None, target)
    if detectable <= target:
        return found("headroom.power", Answer("pass", f"{told}.", *values), evidence, BASE, manifest)
    if outcome in DECIDED:
        summary = f"{told}. The gate run's difference shows ({outcome}); smaller ones between sweep runs may not."
        return found("headroom.power", Answer("warn", summary, *values), evidence, BASE, manifest)
    remedy = f"Add {_more(power)} to {manifest}."
    small = cause("headroom.underpowered", f"{told}.", evidence, BASE, manifest, remedy)
    return found("headroom.power", Answer("fail", f"{told}.", *values, small), evidence, BASE, manifest)


def _more(power: Power | None) -> str:
    """What to add: `about 500 utterances (36 min) of the target domain, from 12 more speakers like the present`."""
    missing = power.utterances_needed - power.utterances if power else 0
    if power is None or missing <= 0:
        return "utterances of the target domain, if possible from more speakers,"
    speech = ""
    if power.hours is not None and power.hours_needed is not None:
        speech = f" ({hours(power.hours_needed - power.hours)})"
    added = f"about {count(missing, 'utterance')}{speech} of the target domain"
    if power.speakers is None or power.speakers_needed is None:
        return f"{added}, if possible from more speakers,"
    return f"{added}, from {count(power.speakers_needed - power.speakers, 'more speaker')} like the present ones,"


def foreseen_power(facts: StudyFacts, manifest: str) -> Power | None:
    wer = facts.wer.get((BASE, manifest))
    return wer.power if wer else None


def foreseen(power: Power | None) -> float:
    """Detectable difference; without errors (or without an estimate) nothing can be foreseen."""
    return power.detectable_difference if power and power.detectable_difference > 0 else math.inf


def _gate_score(facts: StudyFacts, manifest: str) -> PairedScore | None:
    paired = facts.paired.get((facts.config.gate_run or "", manifest))
    return paired.within if paired and paired.status == "ok" else None
