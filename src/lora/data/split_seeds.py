"""The split with many seeds: how many rows and speakers each leaves to training, counted without making the split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from lora.data.durations import hours, speakers, survives
from lora.data.splits import seeded, validation_rows, validation_speakers
from lora.records.data import SeededSplit, SplitOption, StabilityFacts
from lora.records.utterances import Utterance

TRIES = 20


def seeded_splits(
    rows: Sequence[Utterance],
    thresholds: Iterable[float | None],
    val_fraction: float,
    by_speaker: bool,
    seeds: Sequence[int],
) -> list[list[SeededSplit]]:
    """For each threshold (seconds; null keeps everything) the sizes of the split with each seed.

    The same numbers as of `splits.split`, whose order of rows by seed is made once for all thresholds.
    """
    kept = [[row for row in rows if survives(row.duration, threshold)] for threshold in thresholds]
    people_of = [{row.id: row.speaker_id for row in part} for part in kept]
    counts = [Counter(name for name in people.values() if name is not None) for people in people_of]
    found: list[list[SeededSplit]] = [[] for _ in kept]
    for seed in seeds:
        order: list[str] | None = None
        for part, count, splits in zip(people_of, counts, found, strict=True):
            target = validation_rows(len(part), val_fraction)
            chosen = (
                validation_speakers(count, len(part), target, val_fraction, seed) if by_speaker and target else set()
            )
            held_out = sum(count[name] for name in chosen) if chosen else target
            people = len(count) - len(chosen) or None
            if count and target and not chosen:
                order = seeded((row.id for row in rows), seed) if order is None else order
                people = _speakers_left(part, order, target)
            splits.append(SeededSplit(seed=seed, train_rows=len(part) - held_out, train_speakers=people))
    return found


def _speakers_left(part: Mapping[str, str | None], order: Sequence[str], target: int) -> int | None:
    """Training speakers of `part` (id: speaker) where its first `target` rows in the seed's order validate."""
    training = islice((name for name in order if name in part), target, None)
    return len({part[name] for name in training} - {None}) or None


def options(
    rows: Sequence[Utterance], thresholds: Sequence[float], val_fraction: float, by_speaker: bool, seed: int
) -> list[SplitOption]:
    """What the split would be with each threshold, also with the seeds after the study's.

    Hours and speakers are those of the surviving rows.
    """
    found = []
    tried = seeded_splits(rows, thresholds, val_fraction, by_speaker, range(seed, seed + TRIES))
    for threshold, splits in zip(thresholds, tried, strict=True):
        kept = [row for row in rows if survives(row.duration, threshold)]
        people = [split.train_speakers or 0 for split in splits]
        found.append(
            SplitOption(
                threshold=threshold,
                rows=len(kept),
                hours=round(hours(kept), 6),
                train_rows=splits[0].train_rows,
                val_rows=len(kept) - splits[0].train_rows,
                speakers=speakers(kept),
                seeded_train_rows=[split.train_rows for split in splits],
                fewest_train_speakers=min(people) if speakers(kept) else None,
            )
        )
    return found


def stability(
    rows: Sequence[Utterance], max_seconds: float | None, val_fraction: float, by_speaker: bool, seed: int
) -> StabilityFacts:
    """The split with the study's seed and those after it."""
    (splits,) = seeded_splits(rows, [max_seconds], val_fraction, by_speaker, range(seed, seed + TRIES))
    kept = [row for row in rows if survives(row.duration, max_seconds)]
    return StabilityFacts(max_seconds=max_seconds, speakers=speakers(kept), splits=splits)
