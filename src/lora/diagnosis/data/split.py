"""The training split: does the duration filter remove a kind of speech, and would other split seeds change the outcome?

Losses are compared with those of a random sample: rare words and speakers with few rows disappear from any smaller set.
"""

from __future__ import annotations

from typing import Any

from lora import layout
from lora.diagnosis.data.audio import rows_of_wrong_length
from lora.diagnosis.data.filter_bias import bias_signs
from lora.diagnosis.facts import TRAIN, StudyFacts
from lora.diagnosis.findings import Findings, check
from lora.records.splits import SeededSplit


def judge_filtered_rows(facts: StudyFacts) -> Findings:
    """No check without a limit; unknown where the chosen limit was not computed."""
    limit = facts.max_seconds
    if limit is None:
        return Findings()
    id = "data.filtered_rows"
    evidence = [facts.path(layout.RETENTION)]
    entries = facts.retention.dropped if facts.retention else []
    dropped = next((entry for entry in entries if entry.threshold == limit), None)
    details: dict[str, Any] = {"max_seconds": limit}
    if dropped is None:
        return Findings.of(
            check(id, status="unknown", reason="not_computed", details=details, evidence=evidence, manifest=TRAIN)
        )
    lost = len(dropped.lost_speakers)
    speakers = facts.retention.curve[-1].speakers if facts.retention else None
    signs = bias_signs(facts.config.integrity, speakers, dropped)
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


def judge_split_seeds(facts: StudyFacts) -> Findings:
    """Whether other seeds leave enough rows and speakers; no check where `data_sufficiency` fails already."""
    id = "data.split_seeds"
    evidence = [facts.path(layout.STABILITY)]
    stability = facts.stability
    needed = facts.config.durations.min_train_samples
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
