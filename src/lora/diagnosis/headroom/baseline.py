"""What the baseline scored on a manifest, and whether that leaves headroom: the question many others begin with."""

from __future__ import annotations

from dataclasses import dataclass

from lora.diagnosis.facts import BASE, StudyFacts
from lora.formatting import count, seconds
from lora.records.scores import WerScore


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
