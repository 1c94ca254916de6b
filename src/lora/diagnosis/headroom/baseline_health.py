"""Does the baseline work on a manifest at all? Cut, looping, invented, missing or almost wholly wrong texts say no.

No single row decides: shares are judged without the row that is worst, and one cut or looping row is never enough.
"""

from __future__ import annotations

from typing import NamedTuple

from lora import layout
from lora.diagnosis.data.texts import has_many_mismatches
from lora.diagnosis.facts import BASE, StudyFacts
from lora.diagnosis.findings import Findings
from lora.diagnosis.headroom.baseline import baseline
from lora.diagnosis.transitional import Answer, cause, found
from lora.formatting import count, listed, percent, round_percent
from lora.records.scores import Loop, UtteranceErrors, WerFacts, WerScore

FEW = 1  # rows that are an accident, however small the manifest


def baseline_works(facts: StudyFacts, manifest: str) -> Findings:
    """Texts before any tuning: neither cut nor looping nor almost wholly wrong.

    Where many references belong to other rows, that is the cause (`data.transcript_mismatch`) and not the baseline.
    """
    evidence = [
        facts.path(layout.WER, run=BASE, manifest=manifest),
        facts.path(layout.TRANSCRIPTS, run=BASE, manifest=manifest),
    ]
    id, base, most = "headroom.baseline_works", baseline(facts, manifest), facts.config.headroom.max_wer
    if base is None:
        unknown = Answer("unknown", f"The baseline has no WER on {manifest}.", None, most)
        return found(id, unknown, evidence, BASE, manifest)
    reason = broken_reason(facts, manifest)
    if reason is None:
        told = f"The baseline transcribes {manifest}: {_tolerated(base.score, facts.wer[BASE, manifest].loops)}."
        return found(id, Answer("pass", told, base.wer, most), evidence, BASE, manifest)
    because = f"The baseline is broken on {manifest}: {reason}."
    if has_many_mismatches(facts, manifest):
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


def broken_reason(facts: StudyFacts, manifest: str) -> str | None:
    """Every reason why the baseline counts as broken on a manifest, null where there is none."""
    base, rules = baseline(facts, manifest), facts.config.headroom
    if base is None:
        return None
    wer = facts.wer[BASE, manifest]
    reasons = broken_texts(facts, wer, base.score, _cut_elsewhere(facts, manifest))
    rest = without_worst(wer, base.score)
    if rest.errors > rules.max_wer * rest.words:
        reasons.append(f"its WER is {percent(base.wer)}")
    return "; ".join(reasons) or None


def tuned_texts(facts: StudyFacts, run: str, manifest: str) -> str | None:
    """What is broken in the texts of a candidate and not in those of the baseline, null where nothing is."""
    wer, base = facts.wer.get((run, manifest)), baseline(facts, manifest)
    if wer is None or wer.within is None or base is None or not wer.within.words:
        return None
    before = broken_texts(facts, facts.wer[BASE, manifest], base.score, cut_elsewhere=False)
    return None if before else "; ".join(broken_texts(facts, wer, wer.within, cut_elsewhere=False)) or None


def broken_texts(facts: StudyFacts, wer: WerFacts, score: WerScore, cut_elsewhere: bool) -> list[str]:
    """Texts of a run that are cut, loop, or hold far too many or too few words.

    `cut_elsewhere`: one cut row is no accident where another manifest is cut as well: both went through one decoder.
    """
    rules, reasons = facts.config.headroom, []
    few = FEW if score.utterances > FEW else 0
    if score.truncated > max(0 if cut_elsewhere else few, rules.max_truncated * score.utterances):
        reasons.append(f"{_share(score.truncated, score)} are cut by the token cap")
    if len(wer.loops) > max(few, rules.max_loops * score.utterances):
        reasons.append(f"{_share(len(wer.loops), score)} loop ({loops_told(wer.loops)})")
    rest = without_worst(wer, score)
    if rest.insertions > rules.max_insertions * rest.words:
        told = (
            f"it inserts {count(score.insertions, 'word')} into references of {score.words:,} (loops or hallucinations)"
        )
        reasons.append(told)
    if rest.written < rules.min_length_ratio * rest.words:
        told = f"it writes {percent(_written(score) / score.words)} as many words as the references hold"
        reasons.append(f"{told} (at least {round_percent(rules.min_length_ratio)} are expected)")
    return reasons


def _cut_elsewhere(facts: StudyFacts, manifest: str) -> bool:
    """Whether more than an accident's worth of transcripts is cut on another manifest."""
    scores = [b.score for m in facts.config.evaluations if m != manifest and (b := baseline(facts, m))]
    most = facts.config.headroom.max_truncated
    return any(score.truncated > max(FEW, most * score.utterances) for score in scores)


class Counts(NamedTuple):
    """Words of references and of hypotheses, and errors among them."""

    words: int
    written: int
    errors: int
    insertions: int


def without_worst(wer: WerFacts, score: WerScore) -> Counts:
    """Without the utterance of most errors, unless it is the only one with words."""
    whole = _counts(score)
    within = [u for u in wer.utterances if wer.max_seconds is None or u.duration <= wer.max_seconds]
    worst = max(within, key=lambda u: u.errors, default=None)
    if worst is None or worst.words >= whole.words:
        return whole
    return Counts(*(all_of_it - part for all_of_it, part in zip(whole, _counts(worst), strict=True)))


def _counts(score: WerScore | UtteranceErrors) -> Counts:
    return Counts(score.words, _written(score), score.errors, score.insertions)


def loops_told(loops: list[Loop]) -> str:
    """`train-7: "and then" 12 times`, the longest first."""
    longest = sorted(loops, key=lambda loop: (-loop.times * len(loop.words.split()), loop.id))
    return listed([f'{loop.id}: "{loop.words}" {loop.times} times' for loop in longest])


def _tolerated(score: WerScore, loops: list[Loop]) -> str:
    cut, length = score.truncated, percent(_written(score) / score.words)
    told = f"{_share(cut, score)} cut by the token cap, " if cut else "no transcript cut by the token cap, "
    told += f"{_share(len(loops), score)} looping ({loops_told(loops)})" if loops else "none looping"
    return f"{told}, {length} as many words as in the references"


def _share(rows: int, score: WerScore) -> str:
    return f"{rows} of {count(score.utterances, 'transcript')} ({percent(rows / score.utterances)})"


def _written(score: WerScore | UtteranceErrors) -> int:
    """Words of the hypotheses."""
    return score.words - score.deletions + score.insertions
