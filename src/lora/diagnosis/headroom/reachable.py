"""How much of the baseline's WER tuning could remove, and whether the references themselves are wrong."""

from __future__ import annotations

import math
from typing import Any

from lora import layout
from lora.diagnosis.data.texts import has_many_mismatches
from lora.diagnosis.facts import BASE, StudyFacts
from lora.diagnosis.findings import MOST_NAMED, Findings, check
from lora.diagnosis.headroom.baseline import baseline
from lora.records.reachable import ReachableFacts
from lora.records.verdict import CheckStatus

TINY = 1e-12  # replaces a share of 0, so that its logarithm is finite
CHANCE = 0.01  # probability above which that many repeated places are no sign of wrong references
FEWEST = 3  # rows: one or two may be an accident, however small the manifest


def judge_errors(facts: StudyFacts, manifest: str) -> Findings:
    split = facts.reachable.get(manifest)
    return judge_style(facts, manifest, split).add(
        judge_references(facts, manifest, split), judge_reachable(facts, manifest, split)
    )


def judge_style(facts: StudyFacts, manifest: str, split: ReachableFacts | None) -> Findings:
    """Whether the headroom is only another spelling: then there is no word to learn."""
    id = "headroom.style"
    floor = facts.config.headroom.min_wer
    evidence = [facts.path(layout.REACHABLE, manifest=manifest)]
    if split is None or split.status == "impossible" or not split.words:
        return Findings.of(
            check(
                id,
                status="unknown",
                reason="not_computed",
                threshold=floor,
                evidence=evidence,
                run=BASE,
                manifest=manifest,
            )
        )
    left = (split.errors - split.style) / split.words
    fine = split.errors <= floor * split.words or left > floor or manifest in facts.config.general
    result = check(
        id,
        status="pass" if fine else "warn",
        reason="ok" if fine else "only_spelling",
        value=left,
        threshold=floor,
        details={
            "style": split.style,
            "errors": split.errors,
            "wer_without": left,
            "floor": floor,
            "respelled": [
                {"reference": one.reference, "hypothesis": one.hypothesis} for one in split.respelled[:MOST_NAMED]
            ],
            "respellings": len(split.respelled),
        },
        evidence=evidence,
        run=BASE,
        manifest=manifest,
    )
    return Findings.of(result, None if fine else result.cause("headroom.saturated", severity="warns"))


def judge_references(facts: StudyFacts, manifest: str, split: ReachableFacts | None) -> Findings:
    """Places where all runs agree on a word unlike the reference, in rows that they transcribe well otherwise.

    Rows whose reference listeners found right no longer count.
    """
    id = "headroom.references"
    most = facts.config.headroom.max_reference_errors
    evidence = [facts.path(layout.REACHABLE, manifest=manifest)]
    if split is None or split.suspected_errors is None or split.suspected_rows is None:
        return Findings.of(
            check(
                id,
                status="unknown",
                reason=_missing_input(split),
                threshold=most,
                evidence=evidence,
                run=BASE,
                manifest=manifest,
            )
        )
    share = split.suspected_rows / max(split.utterances, 1)
    judged = _judged(facts, manifest)
    open_rows = split.suspected_rows - (judged["refuted"] if judged else 0)
    status: CheckStatus = "pass"
    reason = "ok"
    if split.suspected_rows >= FEWEST and share > most:
        if has_many_mismatches(facts, manifest):
            status, reason = "warn", "mismatched_transcripts"
        elif _by_chance(split):
            reason = "by_chance"
        elif open_rows < FEWEST or open_rows <= most * split.utterances:
            reason = "refuted"
        else:
            status, reason = "warn", "suspected"
    result = check(
        id,
        status=status,
        reason=reason,
        value=share,
        threshold=most,
        details={
            "suspected_rows": split.suspected_rows,
            "rows": split.utterances,
            "tolerated": most,
            "runs": [BASE, *(candidate.run for candidate in split.candidates if candidate.independent)],
            "places": [
                {"id": place.id, "reference": place.reference, "hypothesis": place.hypothesis}
                for place in split.suspected_references[:MOST_NAMED]
            ],
            "listed_places": len(split.suspected_references),
            "repeated_share": split.repeated_share,
            "judged": judged,
            "wer": split.suspected_errors / split.words if split.words else 0.0,
            "file": evidence[0],
        },
        evidence=evidence,
        run=BASE,
        manifest=manifest,
    )
    return Findings.of(result, result.cause("headroom.reference_noise") if reason == "suspected" else None)


def _judged(facts: StudyFacts, manifest: str) -> dict[str, Any] | None:
    """Suspected rows that listeners found wrong (`confirmed`) or right (`refuted`); None where they judged none."""
    review = facts.reviews.get(manifest)
    suspicion = review.suspicion if review else None
    if suspicion is None or suspicion.precision is None:
        return None
    return {"confirmed": suspicion.confirmed, "refuted": suspicion.refuted}


def _missing_input(split: ReachableFacts | None) -> str:
    if split is None or split.status == "impossible":
        return "not_computed"
    if split.training_words is None:
        return "no_training_transcripts"
    if not split.candidates:
        return "no_candidate"
    return "no_independent_candidate"


def _by_chance(split: ReachableFacts) -> bool:
    """Whether so many suspected places may be repeated by chance, as often as other errors are (binomial tail)."""
    n = split.questionable_places
    confirmed = split.confirmed_places
    share = split.repeated_share
    if n is None or confirmed is None or share is None:
        return False
    yes = math.log(max(share, TINY))
    no = math.log(max(1 - share, TINY))
    ways = (
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * yes + (n - k) * no
        for k in range(confirmed, n + 1)
    )
    return sum(map(math.exp, ways)) > CHANCE


def judge_reachable(facts: StudyFacts, manifest: str, split: ReachableFacts | None) -> Findings:
    """An upper bound of what tuning could gain, against the target gain."""
    id = "headroom.reachable"
    target = facts.config.statistics.target_gain
    evidence = [facts.path(layout.REACHABLE, manifest=manifest)]
    base = baseline(facts, manifest)
    if manifest in facts.config.general:
        return Findings()
    if split is None or split.status == "impossible" or base is None or not split.words:
        return Findings.of(
            check(
                id,
                status="unknown",
                reason="not_computed",
                threshold=target,
                evidence=evidence,
                run=BASE,
                manifest=manifest,
            )
        )
    most = reach(split)
    known_words = most - (split.out_of_vocabulary or 0) / split.words
    reason = "ok" if known_words >= target else "needs_new_words"
    if most < target:
        reason = "out_of_reach"
    result = check(
        id,
        status="pass" if known_words >= target else "warn",
        reason=reason,
        value=most,
        threshold=target,
        details={
            "wer": base.wer,
            "unit": facts.unit(manifest),
            "reach": most,
            "target": target,
            "known_words": max(known_words, 0.0),
            **_parts(split),
        },
        evidence=evidence,
        run=BASE,
        manifest=manifest,
    )
    return Findings.of(result)


def reach(split: ReachableFacts) -> float:
    """WER (fraction) without spelling and without suspected reference errors: tuning can remove no more."""
    return max(0, split.errors - split.style - (split.suspected_errors or 0)) / split.words


def _parts(split: ReachableFacts) -> dict[str, Any]:
    """Shares of WER behind the bound; None where unknown."""

    def wer(errors: int | None) -> float | None:
        return None if errors is None else errors / split.words

    return {
        "style": wer(split.style),
        "suspected_references": wer(split.suspected_errors),
        "out_of_vocabulary": wer(split.out_of_vocabulary),
        "words": [{"word": one.word, "count": one.count} for one in split.out_of_vocabulary_words[:MOST_NAMED]],
        "listed_words": len(split.out_of_vocabulary_words),
        "agreed": wer(split.agreed),
    }
