"""The baseline's WER on a manifest, and whether the baseline works there at all.

Truncated, looping, invented, missing or mostly wrong words mean that it does not. No single row decides: shares are
judged without the worst row, and one truncated or looping row is never enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple

from lora import layout
from lora.diagnosis.data.silence import has_many_lost_transcripts
from lora.diagnosis.data.texts import has_many_mismatches
from lora.diagnosis.facts import BASE, StudyFacts
from lora.diagnosis.findings import Findings, check
from lora.diagnosis.headroom.faults import FEW, baseline_faults, longest_loops, loop_sign, new_faults
from lora.diagnosis.text import markup, notation
from lora.records.scores import UtteranceErrors, WerFacts, WerScore

# Errors in one or two rows are worth a sentence in a set of many rows with more than an error or two.
NEARLY_ALL = 0.8
LEAST_ERRORS = 5
MANY_ROWS = 10


@dataclass(frozen=True)
class Baseline:
    """The baseline's score over rows within `max_seconds`, where its WER is known."""

    wer: float
    score: WerScore


def baseline(facts: StudyFacts, manifest: str) -> Baseline | None:
    """None where the baseline was not scored, or no reference word is within `max_seconds`."""
    wer = facts.wer.get((BASE, manifest))
    score = None if wer is None or wer.status == "impossible" else wer.within
    return None if score is None or score.wer is None else Baseline(score.wer, score)


def has_headroom(facts: StudyFacts, manifest: str) -> bool:
    base = baseline(facts, manifest)
    return base is not None and base.wer > facts.config.headroom.min_wer


def unknown_wer(facts: StudyFacts, manifest: str) -> dict[str, Any]:
    """Why the baseline has no WER on a manifest: a `reason` with its details."""
    wer = facts.wer.get((BASE, manifest))
    if wer is None or wer.within is None:
        message = wer.message if wer else None
        return {"manifest": manifest, "reason": "impossible" if message else "not_scored", "message": message}
    if wer.all and wer.all.utterances and not wer.within.utterances and wer.max_seconds is not None:
        return {
            "manifest": manifest,
            "reason": "no_row_within_limit",
            "rows": wer.all.utterances,
            "max_seconds": wer.max_seconds,
        }
    return {"manifest": manifest, "reason": "no_reference_word"}


def judge_baseline(facts: StudyFacts, manifest: str) -> Findings:
    """Whether the baseline works on a manifest.

    Where many transcripts belong to other rows or were lost, that is the cause (`data.transcript_mismatch`,
    `data.empty_transcripts`) and not the baseline.
    """
    id = "headroom.baseline_works"
    base = baseline(facts, manifest)
    most = facts.config.headroom.max_wer
    evidence = [
        facts.path(layout.WER, run=BASE, manifest=manifest),
        facts.path(layout.TRANSCRIPTS, run=BASE, manifest=manifest),
    ]
    if base is None:
        return Findings.of(
            check(
                id,
                status="unknown",
                reason="no_wer",
                threshold=most,
                evidence=evidence,
                run=BASE,
                manifest=manifest,
            )
        )
    signs = broken_signs(facts, manifest)
    reason = "broken" if signs else "ok"
    if signs and has_many_mismatches(facts, manifest):
        reason = "mismatched_transcripts"
    elif signs and has_many_lost_transcripts(facts, manifest):
        reason = "lost_transcripts"
    loops = facts.wer[BASE, manifest].loops
    result = check(
        id,
        status="fail" if signs else "pass",
        reason=reason,
        value=base.wer,
        threshold=most,
        details={
            "signs": signs,
            "utterances": base.score.utterances,
            "truncated": base.score.truncated,
            "loops": len(loops),
            "longest_loops": longest_loops(loops),
            "length_ratio": _written(base.score) / base.score.words if base.score.words else None,
            "works_on": _working_manifest(facts) if signs else None,
        },
        evidence=evidence,
        run=BASE,
        manifest=manifest,
    )
    return Findings.of(result, result.cause("headroom.baseline_broken") if reason == "broken" else None)


def _working_manifest(facts: StudyFacts) -> dict[str, Any] | None:
    """The manifest of the lowest WER among those on which the baseline works."""
    wers = {m: b.wer for m in facts.config.evaluations if (b := baseline(facts, m)) and not broken_signs(facts, m)}
    if not wers:
        return None
    best = min(wers, key=wers.__getitem__)
    return {"manifest": best, "wer": wers[best]}


def broken_signs(facts: StudyFacts, manifest: str) -> list[dict[str, Any]]:
    """Every sign that the baseline is broken on a manifest, each with its code (`sign`) and numbers.

    None where markup (`text.markup`) or notation (`text.notation`) explains it.
    """
    base = baseline(facts, manifest)
    rules = facts.config.headroom
    if base is None or any(text.explains_baseline(facts, manifest) for text in (markup, notation)):
        return []
    wer = facts.wer[BASE, manifest]
    signs = baseline_faults(wer, base.score.utterances)
    signs += broken_hypotheses(facts, wer, base.score, truncated_elsewhere=_truncated_elsewhere(facts, manifest))
    rest = without_worst(wer, base.score)
    if rest.errors > rules.max_wer * rest.words:
        signs.append({"sign": "wer", "wer": base.wer, "unit": wer.unit})
    return signs


def tuned_signs(facts: StudyFacts, run: str, manifest: str) -> list[dict[str, Any]]:
    """Signs of broken hypotheses of a candidate that the baseline's do not show."""
    wer = facts.wer.get((run, manifest))
    base = baseline(facts, manifest)
    if wer is None or wer.within is None or base is None or not wer.within.words:
        return []
    faults = new_faults(facts, wer, facts.wer[BASE, manifest], wer.within.utterances)
    before = broken_hypotheses(facts, facts.wer[BASE, manifest], base.score, truncated_elsewhere=False)
    known = {sign["sign"] for sign in [*faults, *before]}
    after = [] if before else broken_hypotheses(facts, wer, wer.within, truncated_elsewhere=False)
    return [*faults, *(sign for sign in after if sign["sign"] not in known)]


def broken_hypotheses(
    facts: StudyFacts, wer: WerFacts, score: WerScore, *, truncated_elsewhere: bool
) -> list[dict[str, Any]]:
    """Signs that hypotheses are truncated, loop, or have far too many or too few words.

    `truncated_elsewhere`: one truncated row is no accident where another manifest has truncated rows too.
    """
    rules = facts.config.headroom
    signs: list[dict[str, Any]] = []
    few = FEW if score.utterances > FEW else 0
    if score.truncated > max(0 if truncated_elsewhere else few, rules.max_truncated * score.utterances):
        signs.append({"sign": "truncated", "count": score.truncated, "utterances": score.utterances})
    if len(wer.loops) > max(few, rules.max_loops * score.utterances):
        signs.append(loop_sign(wer, score.utterances))
    rest = without_worst(wer, score)
    if rest.insertions > rules.max_insertions * rest.words:
        signs.append({"sign": "insertions", "count": score.insertions, "words": score.words})
    if rest.written < rules.min_length_ratio * rest.words:
        ratio = _written(score) / score.words
        signs.append({"sign": "too_short", "length_ratio": ratio, "least": rules.min_length_ratio})
    return signs


def _truncated_elsewhere(facts: StudyFacts, manifest: str) -> bool:
    """Whether more than an accident's number of hypotheses is truncated on another manifest."""
    scores = [b.score for m in facts.config.evaluations if m != manifest and (b := baseline(facts, m))]
    most = facts.config.headroom.max_truncated
    return any(score.truncated > max(FEW, most * score.utterances) for score in scores)


def concentrated_errors(facts: StudyFacts, manifest: str) -> dict[str, Any] | None:
    """The one or two rows that have nearly all errors of the baseline; None where there are no such rows.

    A set like that shows what happens in these rows, and nothing about the others.
    """
    wer = facts.wer.get((BASE, manifest))
    base = baseline(facts, manifest)
    if wer is None or base is None or base.score.errors < LEAST_ERRORS or base.score.utterances < MANY_ROWS:
        return None
    within = [u for u in wer.utterances if wer.max_seconds is None or u.duration <= wer.max_seconds]
    worst = sorted((u for u in within if u.errors), key=lambda u: -u.errors)[:2]
    errors = sum(u.errors for u in worst)
    if errors < NEARLY_ALL * base.score.errors:
        return None
    return {
        "ids": [u.id for u in within if u in worst],
        "errors": errors,
        "of": base.score.errors,
        "utterances": base.score.utterances,
    }


class Counts(NamedTuple):
    """Words of references and of hypotheses, and errors among them."""

    words: int
    written: int
    errors: int
    insertions: int


def without_worst(wer: WerFacts, score: WerScore) -> Counts:
    """Counts without the utterance of most errors, unless it is the only one with words."""
    total = _counts(score)
    within = wer.utterances
    if wer.max_seconds is not None:
        within = [u for u in within if u.duration <= wer.max_seconds]
    worst = max(within, key=attrgetter("errors"), default=None)
    if worst is None or worst.words >= total.words:
        return total
    return Counts(*(count - part for count, part in zip(total, _counts(worst), strict=True)))


def _counts(score: WerScore | UtteranceErrors) -> Counts:
    return Counts(score.words, _written(score), score.errors, score.insertions)


def _written(score: WerScore | UtteranceErrors) -> int:
    """Words of the hypotheses."""
    return score.words - score.deletions + score.insertions
