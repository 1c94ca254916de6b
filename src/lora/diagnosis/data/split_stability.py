"""D1: would another seed of the split tell another story? A choice that one lucky seed carries is no choice."""

from __future__ import annotations

from lora import layout
from lora.diagnosis.facts import TRAIN, StudyFacts
from lora.diagnosis.findings import Findings
from lora.diagnosis.transitional import Answer, cause, found
from lora.formatting import count, percent, round_percent
from lora.records.data import SeededSplit


def split_stability(facts: StudyFacts) -> Findings:
    """Silent where the study's own split has too few rows: `data_sufficiency` says so already."""
    evidence = [facts.path(layout.STABILITY)]
    stability, needed = facts.stability, facts.config.durations.min_train_samples
    if TRAIN not in facts.config.manifests:
        return Findings()  # `data_sufficiency` says so already
    if stability is None or not stability.splits:
        answer = Answer("unknown", "Whether the split depends on its seed is not known.", threshold=needed)
        return found("data.split_seeds", answer, evidence, manifest=TRAIN)
    if stability.splits[0].train_rows < needed:
        return Findings()
    most = facts.config.integrity.max_held_out_speakers
    fewest = min(stability.splits, key=lambda split: split.train_rows)
    signs = []
    if fewest.train_rows < needed:
        short = sum(split.train_rows < needed for split in stability.splits)
        signs.append(
            f"{short} of {len(stability.splits)} seeds leave fewer than the {needed} training rows needed "
            f"(seed {fewest.seed} leaves {fewest.train_rows})"
        )
    worst = max(stability.splits, key=lambda split: _held_out(split, stability.speakers))
    share = _held_out(worst, stability.speakers)
    if share > most:
        signs.append(
            f"seed {worst.seed} keeps {percent(share)} of the {count(stability.speakers or 0, 'speaker')} "
            f"out of training ({round_percent(most)} may be)"
        )
    if not signs:
        summary = (
            f"{len(stability.splits)} seeds of the split leave {fewest.train_rows} training rows or more "
            f"and keep at most {percent(share)} of the speakers out."
        )
        return found("data.split_seeds", Answer("pass", summary, fewest.train_rows, needed), evidence, manifest=TRAIN)
    because = f"The split depends on its seed: {'; '.join(signs)}."
    stable = facts.decision.stable if facts.decision else None
    remedy = None
    if stable is not None and facts.max_seconds is not None and stable != facts.max_seconds:
        remedy = f"Set `durations.max_seconds` to {stable:g} (or to `auto`), with which no seed does that."
    unstable = cause("data.unstable_split", because, evidence, manifest=TRAIN, remedy=remedy)
    answer = Answer("fail", because, fewest.train_rows, needed, unstable)
    return found("data.split_seeds", answer, evidence, manifest=TRAIN)


def _held_out(split: SeededSplit, speakers: int | None) -> float:
    """Share of known speakers on no training row; 0 where none is known."""
    return 1 - (split.train_speakers or 0) / speakers if speakers else 0.0
