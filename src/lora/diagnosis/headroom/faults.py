"""Signs of hypotheses that are no transcripts, from the faults that scoring counted (docs/methods.md)."""

from __future__ import annotations

from typing import Any

from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import MOST_NAMED, examples
from lora.records.scores import Loop, WerFacts

Signs = list[dict[str, Any]]

MANY = 0.1  # share of a run's hypotheses, beyond the baseline's, that is no accident
MOST = 0.5  # share of the baseline's hypotheses: less may come from a few hard or mislabelled rows
LOOP_WER = 0.05  # WER by new loops alone from which on even a single one counts
FEW = 1  # rows that may be an accident, however small the manifest


def baseline_faults(wer: WerFacts, utterances: int) -> Signs:
    """Kinds of fault that most hypotheses of a run have."""
    return _signs(wer, None, utterances, MOST)


def new_faults(facts: StudyFacts, tuned: WerFacts, base: WerFacts, utterances: int) -> Signs:
    """Faults and loops that many more hypotheses of the tuned run have than of the baseline.

    A single new loop counts if it carries the WER: Whisper writes hundreds of words until the token limit ends it.
    """
    signs = _signs(tuned, base, utterances, MANY)
    more = len(tuned.loops) - len(base.loops)
    carried = _errors_in_new_loops(tuned, base)
    if carried is not None or more > max(FEW, facts.config.headroom.max_loops * utterances):
        signs.insert(0, {**loop_sign(tuned, utterances), "share_of_errors": carried})
    return signs


def _errors_in_new_loops(tuned: WerFacts, base: WerFacts) -> float | None:
    """Share of the tuned run's errors in rows that loop since tuning; None if it or their number is small."""
    new = {loop.id for loop in tuned.loops} - {loop.id for loop in base.loops}
    if not new:
        return None
    within = [u for u in tuned.utterances if tuned.max_seconds is None or u.duration <= tuned.max_seconds]
    errors = sum(u.errors for u in within)
    words = sum(u.words for u in within)
    in_loops = sum(u.errors for u in within if u.id in new)
    return in_loops / errors if in_loops > max(MOST * errors, LOOP_WER * words) else None


def _signs(wer: WerFacts, base: WerFacts | None, utterances: int, share: float) -> Signs:
    before = {} if base is None else {fault.kind: fault.rows for fault in base.faults}
    few = FEW if utterances > FEW else 0
    return [
        {
            "sign": fault.kind,
            "count": fault.rows,
            "utterances": utterances,
            "ids": examples(fault.ids),
            "text": fault.example,
        }
        for fault in wer.faults
        if fault.rows - before.get(fault.kind, 0) > max(few, share * utterances)
    ]


def silence_sign(tuned: WerFacts, base: WerFacts) -> dict[str, Any] | None:
    """Words that the tuned run writes where the reference is empty; None unless it writes more of them."""
    written = _words_in_silence(tuned)
    before = _words_in_silence(base)
    more = sum(count > before.get(id, 0) for id, count in written.items())
    if more <= FEW or sum(written.values()) <= sum(before.values()):
        return None
    speaking = [id for id, count in written.items() if count]
    texts = {u.id: " ".join(str(edit.hypothesis) for edit in u.edits) for u in tuned.utterances if u.id in written}
    return {
        "sign": "silence",
        "count": len(speaking),
        "utterances": len(written),
        "words": sum(written.values()),
        "words_before": sum(before.values()),
        "ids": examples(speaking),
        "text": texts[speaking[0]],
    }


def _words_in_silence(wer: WerFacts) -> dict[str, int]:
    """Words of the hypothesis of every row within `max_seconds` whose reference has none."""
    within = (u for u in wer.utterances if wer.max_seconds is None or u.duration <= wer.max_seconds)
    return {u.id: u.insertions for u in within if not u.words}


def loop_sign(wer: WerFacts, utterances: int) -> dict[str, Any]:
    return {"sign": "loops", "count": len(wer.loops), "utterances": utterances, "longest": longest_loops(wer.loops)}


def longest_loops(loops: list[Loop]) -> list[dict[str, Any]]:
    """The longest loops first."""
    longest = sorted(loops, key=lambda loop: (-loop.times * len(loop.words.split()), loop.id))
    return [{"id": loop.id, "words": loop.words, "times": loop.times} for loop in longest[:MOST_NAMED]]
