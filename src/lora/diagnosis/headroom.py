"""D2: does the baseline leave anything to gain, and could the manifest show it? Remedies name data only.

A manifest *has headroom* where the baseline's WER is above `headroom.min_wer`. The evaluation manifest is the domain
manifest with headroom that could show the smallest difference. General manifests are saturated by design and are asked
only whether the model works on them at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from lora.diagnosis.causes import cause
from lora.diagnosis.facts import BASE, StudyFacts
from lora.diagnosis.findings import Answer, Findings, found
from lora.diagnosis.mismatches import many_misplaced
from lora.diagnosis.wording import count, interval, percent, points, round_percent, round_points, seconds, speech
from lora.records import CheckStatus, PairedScore, Power, WerScore

DECIDED = {"better", "worse", "equivalent"}


@dataclass(frozen=True)
class Baseline:
    """The baseline's score over rows within max_seconds, with a WER that is known."""

    wer: float
    score: WerScore


def baseline(facts: StudyFacts, manifest: str) -> Baseline | None:
    """Null where the baseline was not scored, or has no reference word within max_seconds."""
    wer = facts.wer.get((BASE, manifest))
    score = None if wer is None or wer.status == "impossible" else wer.within
    return None if score is None or score.wer is None else Baseline(score.wer, score)


def unknown_wer(facts: StudyFacts, manifest: str) -> str:
    """A sentence on why the baseline has no WER on a manifest."""
    told, wer = f"The baseline's WER on {manifest} is not known", facts.wer.get((BASE, manifest))
    if wer is None or wer.within is None:
        return f"{told}: {wer.message}." if wer and wer.message else f"{told}."
    if wer.all and wer.all.utterances and not wer.within.utterances and wer.max_seconds is not None:
        longer = count(wer.all.utterances, "row")
        return f"{told}: none of its {longer} is within `max_seconds`, {seconds(wer.max_seconds)}."
    return f"{told}: it holds no reference word."


def has_headroom(facts: StudyFacts, manifest: str) -> bool:
    base = baseline(facts, manifest)
    return base is not None and base.wer > facts.config.headroom.min_wer


def broken_reason(facts: StudyFacts, manifest: str) -> str | None:
    """Why the baseline counts as broken on a manifest, null where it does not."""
    base, rules = baseline(facts, manifest), facts.config.headroom
    if base is None:
        return None
    score = base.score
    if score.truncated > rules.max_truncated * score.utterances:
        share = percent(score.truncated / score.utterances)
        return f"{score.truncated} of {count(score.utterances, 'transcript')} ({share}) are cut by the token cap"
    if score.insertions > rules.max_insertions * score.words:
        return f"it inserts {score.insertions} words into references of {score.words} (loops or hallucinations)"
    return f"its WER is {percent(base.wer)}" if base.wer > rules.max_wer else None


def choose_eval_manifest(facts: StudyFacts) -> str | None:
    """The domain manifest with headroom and the smallest detectable difference, ties by name; null where none has any.

    Foreseen from the baseline alone, so that no candidate influences what it is judged on. A manifest on which the
    baseline is broken comes last, unless its texts stand in the wrong rows: then it is the one to mend.
    """

    def order(manifest: str) -> tuple[bool, float, str]:
        detectable = _foreseen(_power(facts, manifest))
        broken = broken_reason(facts, manifest) is not None and not many_misplaced(facts, manifest)
        return broken, detectable, manifest

    return min((m for m in facts.config.domain if has_headroom(facts, m)), key=order, default=None)


def judge_headroom(facts: StudyFacts, eval_manifest: str | None) -> Findings:
    findings = headroom_criterion(facts, eval_manifest)
    for manifest in facts.config.evaluations:
        findings.add(saturation(facts, manifest), baseline_works(facts, manifest))
        if manifest in facts.config.domain:
            findings.add(detectable_difference(facts, manifest, manifest == eval_manifest))
    return findings


def headroom_criterion(facts: StudyFacts, eval_manifest: str | None) -> Findings:
    """Baseline WER above the floor on at least one domain manifest; doubtful where its interval reaches the floor."""
    floor, domain = facts.config.headroom.min_wer, facts.config.domain
    evidence = [facts.at("wer", BASE, f"{m}.json") for m in ([eval_manifest] if eval_manifest else domain)]
    base = baseline(facts, eval_manifest) if eval_manifest else None
    if base is not None:
        told = f"Baseline WER on {eval_manifest} is {percent(base.wer)} ({interval(base.score.interval)})"
        answer = Answer(_above(base, floor), f"{told}; the floor is {round_percent(floor)}.", base.wer, floor)
        return found("headroom", answer, evidence, manifest=eval_manifest)
    known = {m: b.wer for m in domain if (b := baseline(facts, m)) is not None}
    if not known:
        reasons = " ".join(unknown_wer(facts, m) for m in domain)
        answer = Answer("unknown", reasons, None, floor)
        return found("headroom", answer, evidence)
    best = max(known, key=known.__getitem__)
    highest = f"the highest is {percent(known[best])} on {best}"
    summary = f"No domain manifest has a baseline WER above {round_percent(floor)}; {highest}."
    return found("headroom", Answer("fail", summary, known[best], floor), evidence)


def _above(base: Baseline, floor: float) -> CheckStatus:
    """For a WER above the floor: doubtful where its interval reaches down to it."""
    low = base.score.interval.low
    return "warn" if low is None or low <= floor else "pass"


def baseline_works(facts: StudyFacts, manifest: str) -> Findings:
    """Texts before any tuning: neither cut nor looping nor almost wholly wrong.

    Where many references belong to other rows, that is the cause (`data.transcript_mismatch`) and not the baseline.
    """
    evidence = [facts.at("wer", BASE, f"{manifest}.json"), facts.at("transcripts", BASE, f"{manifest}.jsonl")]
    id, base, most = "headroom.baseline_works", baseline(facts, manifest), facts.config.headroom.max_wer
    if base is None:
        return found(
            id, Answer("unknown", f"The baseline has no WER on {manifest}.", None, most), evidence, BASE, manifest
        )
    reason = broken_reason(facts, manifest)
    if reason is None:
        answer = Answer("pass", f"The baseline transcribes {manifest} without cuts or loops.", base.wer, most)
        return found(id, answer, evidence, BASE, manifest)
    because = f"The baseline is broken on {manifest}: {reason}."
    if many_misplaced(facts, manifest):
        because += " Many of its texts belong to other rows, and whatever hears them rightly scores badly."
        return found(id, Answer("fail", because, base.wer, most), evidence, BASE, manifest)
    sound = {m: b.wer for m in facts.config.evaluations if (b := baseline(facts, m)) and not broken_reason(facts, m)}
    remedy = None
    if sound:
        other = min(sound, key=sound.__getitem__)
        remedy = (
            f"The model works on {other} (WER {percent(sound[other])}), so listen to a few rows of {manifest} and "
            "compare them with their transcripts: mend its audio or its texts."
        )
    broken = cause("headroom.baseline_broken", because, evidence, BASE, manifest, remedy)
    return found(id, Answer("fail", because, base.wer, most, broken), evidence, BASE, manifest)


def saturation(facts: StudyFacts, manifest: str) -> Findings:
    """Whether the baseline is at its floor. A set too small to tell is left to `detectable_difference`."""
    floor, evidence = facts.config.headroom.min_wer, [facts.at("wer", BASE, f"{manifest}.json")]
    base = baseline(facts, manifest)
    if base is None:
        answer = Answer("unknown", unknown_wer(facts, manifest), None, floor)
        return found("headroom.baseline", answer, evidence, BASE, manifest)
    told, saturated = f"Baseline WER on {manifest} is {percent(base.wer)} ({interval(base.score.interval)})", None
    status: CheckStatus = "fail"
    if base.wer > floor:
        status, told = _above(base, floor), f"{told}, above the floor of {round_percent(floor)}."
    elif manifest in facts.config.general:
        told = f"{told}: {manifest} is saturated, as a general manifest should be, and can only show forgetting."
        remedy = "Nothing to do: keep it as the guard against forgetting, and look for gains on the domain manifests."
        saturated = cause("headroom.saturated", told, evidence, BASE, manifest, remedy, severity="info")
        status = "pass"
    elif _cannot_tell(facts, manifest, base):
        told = f"{told}: too few rows to say whether it is saturated (the floor is {round_percent(floor)})."
    else:
        told = f"{told}, not above the floor of {round_percent(floor)}: no adapter can show a gain here."
        saturated = cause("headroom.saturated", told, evidence, BASE, manifest, _harder(facts, manifest))
    return found("headroom.baseline", Answer(status, told, base.wer, floor, saturated), evidence, BASE, manifest)


def detectable_difference(facts: StudyFacts, manifest: str, gating: bool) -> Findings:
    """Whether the manifest could show the gain hoped for.

    On the evaluation manifest the gate run's own spread replaces the assumption, and a difference that did show is
    proof enough: then the limit is only told. On other manifests the baseline's foresight stands.
    """
    base, power, target = baseline(facts, manifest), _power(facts, manifest), facts.config.statistics.target_gain
    if base is None:
        return Findings()
    evidence, detectable, outcome = [facts.at("wer", BASE, f"{manifest}.json")], _foreseen(power), None
    spread, paired = "", _gate_score(facts, manifest) if gating else None
    if paired is not None and paired.detectable_difference is not None:
        power = paired.power or power
        detectable, outcome = paired.detectable_difference, paired.outcome
        spread = f", by the spread of {facts.config.gate_run} against base"
        evidence.append(facts.at("paired", str(facts.config.gate_run), f"{manifest}.json"))
    size, estimable = count(base.score.utterances, "utterance"), math.isfinite(detectable)
    told = f"{manifest} ({size}) is too small for any estimate of the difference it could show"
    if estimable:
        told = f"{manifest} ({size}) can show differences of {points(detectable)} or more{spread}"
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
    hours = ""
    if power.hours is not None and power.hours_needed is not None:
        hours = f" ({speech(power.hours_needed - power.hours)})"
    added = f"about {count(missing, 'utterance')}{hours} of the target domain"
    if power.speakers is None or power.speakers_needed is None:
        return f"{added}, if possible from more speakers,"
    return f"{added}, from {count(power.speakers_needed - power.speakers, 'more speaker')} like the present ones,"


def _harder(facts: StudyFacts, manifest: str) -> str:
    hardened = facts.hardened
    if hardened is None or hardened.proposed is None or hardened.manifest != manifest:
        return "Evaluate on a harder manifest of the target domain (rarer words, other accents, more noise)."
    version = next((v for v in hardened.versions if f"{v.distortion}-{v.level:g}" in hardened.proposed), None)
    reached = f", where the baseline's WER is {percent(version.wer)}" if version and version.wer is not None else ""
    return f"Evaluate on the harder version {hardened.proposed}{reached}, or on a harder manifest of the target domain."


def _cannot_tell(facts: StudyFacts, manifest: str, base: Baseline) -> bool:
    """At the floor, but with an interval that reaches above it and no power to show the target gain."""
    floor, target = facts.config.headroom.min_wer, facts.config.statistics.target_gain
    high = base.score.interval.high
    return (high is None or high > floor) and _foreseen(_power(facts, manifest)) > target


def _power(facts: StudyFacts, manifest: str) -> Power | None:
    wer = facts.wer.get((BASE, manifest))
    return wer.power if wer else None


def _foreseen(power: Power | None) -> float:
    """Detectable difference; without errors (or without an estimate) nothing can be foreseen."""
    return power.detectable_difference if power and power.detectable_difference > 0 else math.inf


def _gate_score(facts: StudyFacts, manifest: str) -> PairedScore | None:
    paired = facts.paired.get((facts.config.gate_run or "", manifest))
    return paired.within if paired and paired.status == "ok" else None
