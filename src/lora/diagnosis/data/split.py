"""The training split: does the duration filter remove a kind of speech, and would other split seeds change the outcome?

Losses are compared with those of a random sample: rare words and speakers with few rows disappear from any smaller set.
"""

from __future__ import annotations

import math
from typing import Any

from lora import layout
from lora.diagnosis.data.audio import rows_of_wrong_length
from lora.diagnosis.facts import TRAIN, StudyFacts
from lora.diagnosis.findings import Findings, check
from lora.records.durations import Dropped
from lora.records.splits import SeededSplit

ENOUGH_ROWS = 20  # removed rows from which their speaking rate is compared
SIGMAS = 3.0  # standard deviations (Poisson) above the loss of a random sample
UNLIKELY = 0.001  # probability that a random sample removes all rows of at least one speaker


def judge_filtered_rows(facts: StudyFacts) -> Findings:
    """No check without a limit; unknown where the chosen limit was not computed."""
    limit = facts.max_seconds
    if limit is None:
        return Findings()
    id, evidence = "data.filtered_rows", [facts.path(layout.RETENTION)]
    entries = facts.retention.dropped if facts.retention else []
    dropped = next((entry for entry in entries if entry.threshold == limit), None)
    details: dict[str, Any] = {"max_seconds": limit}
    if dropped is None:
        return Findings.of(
            check(id, status="unknown", reason="not_computed", details=details, evidence=evidence, manifest=TRAIN)
        )
    lost = len(dropped.lost_speakers)
    signs = _signs(facts, dropped)
    details |= {
        "rows": dropped.rows,
        "lost_speakers": lost,
        "lost_words": dropped.lost_word_count,
        "lost_word_share": dropped.lost_word_share,
        "signs": signs,
        "wrong_durations": rows_of_wrong_length(facts, TRAIN),
    }
    if signs and details["wrong_durations"]:
        return Findings.of(
            check(id, status="warn", reason="wrong_durations", details=details, evidence=evidence, manifest=TRAIN)
        )
    result = check(
        id,
        status="fail" if signs else "pass",
        reason=signs[0]["sign"] if signs else "ok",
        value=lost,
        threshold=facts.config.integrity.max_lost_speakers if signs else None,
        details=details,
        evidence=evidence,
        manifest=TRAIN,
    )
    return Findings.of(result, result.cause("data.filter_biased") if signs else None)


def _signs(facts: StudyFacts, dropped: Dropped) -> list[dict[str, Any]]:
    """Ways in which the removed rows differ from the rest, each with its code (`sign`) and numbers."""
    rules = facts.config.integrity
    signs: list[dict[str, Any]] = []
    speakers = facts.retention.curve[-1].speakers if facts.retention else None
    lost, expected = len(dropped.lost_speakers), dropped.expected_lost_speakers
    if speakers and (lost - expected) / speakers > rules.max_lost_speakers and _beyond_chance(lost, expected):
        signs.append(
            {
                "sign": "speakers_lost",
                "lost": lost,
                "speakers": speakers,
                "expected": expected,
                "names": dropped.lost_speakers,
            }
        )
    elif speakers:
        # Many speakers with one or two rows hide one with many, who would hardly ever disappear by chance.
        odds = zip(dropped.lost_speakers, dropped.lost_speaker_probabilities, strict=False)
        singled_out = [name for name, probability in odds if probability * speakers < UNLIKELY]
        if len(singled_out) > rules.max_lost_speakers * speakers:
            signs.append({"sign": "speakers_removed", "speakers": speakers, "names": singled_out})
    excess = dropped.lost_word_share - dropped.expected_lost_word_share
    if excess > rules.max_lost_words and _beyond_chance(dropped.lost_word_count, dropped.expected_lost_word_count):
        signs.append(
            {
                "sign": "words_lost",
                "lost": dropped.lost_word_count,
                "share": dropped.lost_word_share,
                "expected_share": dropped.expected_lost_word_share,
                "names": dropped.lost_words,
            }
        )
    remaining, removed = dropped.kept_words_per_second, dropped.dropped_words_per_second
    if not remaining or removed is None or dropped.rows < ENOUGH_ROWS:
        return signs
    if abs(removed / remaining - 1) > rules.max_rate_difference:
        signs.append({"sign": "speaking_rate", "removed": removed, "remaining": remaining})
    return signs


def _beyond_chance(lost: int, expected: float) -> bool:
    return lost - expected > SIGMAS * math.sqrt(expected)


def judge_split_seeds(facts: StudyFacts) -> Findings:
    """Whether other seeds leave enough rows and speakers; no check where `data_sufficiency` fails already."""
    id, evidence = "data.split_seeds", [facts.path(layout.STABILITY)]
    stability, needed = facts.stability, facts.config.durations.min_train_samples
    if TRAIN not in facts.config.manifests:
        return Findings()
    if stability is None or not stability.splits:
        return Findings.of(
            check(id, status="unknown", reason="not_computed", threshold=needed, evidence=evidence, manifest=TRAIN)
        )
    if stability.splits[0].train_rows < needed:
        return Findings()
    most = facts.config.integrity.max_held_out_speakers
    fewest = min(stability.splits, key=lambda split: split.train_rows)
    worst = max(stability.splits, key=lambda split: _held_out(split, stability.speakers))
    held_out = _held_out(worst, stability.speakers)
    signs = [
        *(["too_few_rows"] if fewest.train_rows < needed else []),
        *(["speakers_held_out"] if held_out > most else []),
    ]
    stable = facts.decision.stable if facts.decision else None
    details = {
        "signs": signs,
        "seeds": len(stability.splits),
        "needed": needed,
        "fewest_rows": fewest.train_rows,
        "fewest_rows_seed": fewest.seed,
        "short_seeds": sum(split.train_rows < needed for split in stability.splits),
        "held_out": held_out,
        "held_out_seed": worst.seed,
        "tolerated_held_out": most,
        "speakers": stability.speakers,
        "stable_max_seconds": stable if facts.max_seconds is not None and stable != facts.max_seconds else None,
    }
    result = check(
        id,
        status="fail" if signs else "pass",
        reason=signs[0] if signs else "ok",
        value=fewest.train_rows,
        threshold=needed,
        details=details,
        evidence=evidence,
        manifest=TRAIN,
    )
    return Findings.of(result, result.cause("data.unstable_split") if signs else None)


def _held_out(split: SeededSplit, speakers: int | None) -> float:
    """Share of known speakers without a training row; 0 where no speaker is known."""
    return 1 - (split.train_speakers or 0) / speakers if speakers else 0.0
