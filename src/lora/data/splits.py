"""The training and validation split, by whole speakers where possible, and the sizes it would have with other seeds.

The split depends on the seed, ids and speakers, never on the order of rows in the file or on the machine: candidates
are sorted by SHA-256 of seed and name.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from lora.data.durations import hours, speakers, survives
from lora.records.durations import SplitOption
from lora.records.manifests import Utterance
from lora.records.splits import SeededSplit, SplitSizes, StabilityFacts

# Where whole speakers would put more than this share of the rows into validation, rows are split instead.
LARGEST_VALIDATION = 1 / 3
# Exact search keeps one bit per (speaker, sum of rows); 5e7 bits are 6 MB.
EXACT_SEARCH = 50_000_000


@dataclass(frozen=True)
class Split:
    """Rows sorted by id.

    Attributes:
        train: training rows.
        val: validation rows.
        too_long: rows longer than max_seconds.
        method: whether whole speakers or single rows were moved to validation; none where fewer than two rows remain.
    """

    train: list[Utterance]
    val: list[Utterance]
    too_long: list[Utterance]
    method: Literal["speaker", "row", "none"]


def split(
    rows: Sequence[Utterance], max_seconds: float | None, val_fraction: float, by_speaker: bool, seed: int
) -> Split:
    """Split the rows of at most `max_seconds` into training and validation.

    Whole speakers go to validation, as close to `val_fraction` of the rows as sums of speakers allow, and rows without
    a speaker stay in training. Single rows go to validation instead where fewer than two speakers are known, or where
    whole speakers would take more than a third of the rows (or twice `val_fraction`, if larger). Validation contains
    at least one row where two rows remain.

    Args:
        rows: rows of the training manifest.
        max_seconds: longest row that is used; None uses all.
        val_fraction: share of the rows for validation.
        by_speaker: whether to keep speakers together.
        seed: determines which rows or speakers are chosen.
    """
    remaining = sorted((row for row in rows if survives(row.duration, max_seconds)), key=lambda row: row.id)
    too_long = sorted((row for row in rows if not survives(row.duration, max_seconds)), key=lambda row: row.id)
    if len(remaining) < 2:
        return Split(remaining, [], too_long, "none")
    target = validation_rows(len(remaining), val_fraction)
    count = Counter(row.speaker_id for row in remaining if row.speaker_id is not None)
    chosen = validation_speakers(count, len(remaining), target, val_fraction, seed) if by_speaker else set()
    if chosen:
        val = [row for row in remaining if row.speaker_id in chosen]
        train = [row for row in remaining if row.speaker_id not in chosen]
        return Split(train, val, too_long, "speaker")
    ids = set(order_by_seed((row.id for row in remaining), seed)[:target])
    val = [row for row in remaining if row.id in ids]
    return Split([row for row in remaining if row.id not in ids], val, too_long, "row")


def sizes(parts: Split) -> list[SplitSizes]:
    named = (("train", parts.train), ("val", parts.val), ("too_long", parts.too_long))
    return [SplitSizes(part=p, rows=len(r), hours=round(hours(r), 6), speakers=speakers(r)) for p, r in named]


def validation_rows(rows: int, val_fraction: float) -> int:
    """Number of validation rows of `rows` remaining ones; at least one of two."""
    return 0 if rows < 2 else min(max(1, int(val_fraction * rows + 0.5)), rows - 1)


def order_by_seed(names: Iterable[str], seed: int) -> list[str]:
    """Names sorted by SHA-256 of seed and name."""
    return sorted(names, key=lambda name: (hashlib.sha256(f"{seed}\0{name}".encode()).digest(), name))


def first_by_seed(rows: Sequence[Utterance], count: int, seed: int) -> list[Utterance]:
    """The first `count` rows in the order of `order_by_seed`, as they stand in the manifest.

    Fewer rows are a subset of more rows, and a row that is added to the manifest moves no other row in the order.
    """
    ids = set(order_by_seed((row.id for row in rows), seed)[:count])
    return [row for row in rows if row.id in ids]


def validation_speakers(count: Counter[str], rows: int, target: int, val_fraction: float, seed: int) -> set[str]:
    """Speakers for validation, whose rows come closest to `target`; empty where rows have to be split instead.

    Args:
        count: rows of each known speaker.
        rows: number of all rows, those without a speaker included.
        target: wanted number of validation rows.
        val_fraction: share of the rows for validation.
        seed: determines the order of speakers.
    """
    limit = min(int(max(LARGEST_VALIDATION, 2 * val_fraction) * rows), rows - 1)
    names = [name for name in order_by_seed(count, seed) if count[name] <= limit]
    if len(count) < 2 or not names:
        return set()
    if len(names) * limit > EXACT_SEARCH:
        return _first_fit(names, count, target)
    return _closest_sum(names, count, target, limit)


def _first_fit(names: Sequence[str], count: Counter[str], target: int) -> set[str]:
    chosen: set[str] = set()
    total = 0
    for name in names:
        if total + count[name] <= target:
            chosen.add(name)
            total += count[name]
    return chosen or {min(names, key=lambda name: (count[name], name))}


def _closest_sum(names: Sequence[str], count: Counter[str], target: int, limit: int) -> set[str]:
    """Exact subset-sum search with sums as bits of an integer, one integer per speaker, traced back from the best sum.

    Of two sums equally close to `target` the smaller is taken.
    """
    mask = (1 << (limit + 1)) - 1
    reachable = [1]
    for name in names:
        reachable.append((reachable[-1] | reachable[-1] << count[name]) & mask)
    sums = (total for total in range(1, limit + 1) if reachable[-1] >> total & 1)
    total = min(sums, key=lambda value: (abs(value - target), value))
    chosen: set[str] = set()
    for index in range(len(names), 0, -1):
        if not reachable[index - 1] >> total & 1:
            chosen.add(names[index - 1])
            total -= count[names[index - 1]]
    return chosen


TRIES = 20  # seeds that are compared


def seeded_splits(
    rows: Sequence[Utterance],
    thresholds: Iterable[float | None],
    val_fraction: float,
    by_speaker: bool,
    seeds: Sequence[int],
) -> list[list[SeededSplit]]:
    """Sizes of the split with each seed, for each threshold (seconds; None keeps everything).

    Gives the numbers of `split` without building the splits; rows are sorted once per seed for all thresholds.
    """
    remaining = [[row for row in rows if survives(row.duration, threshold)] for threshold in thresholds]
    people_of = [{row.id: row.speaker_id for row in part} for part in remaining]
    counts = [Counter(name for name in people.values() if name is not None) for people in people_of]
    by_threshold: list[list[SeededSplit]] = [[] for _ in remaining]
    for seed in seeds:
        order: list[str] | None = None
        for part, count, splits in zip(people_of, counts, by_threshold, strict=True):
            target = validation_rows(len(part), val_fraction)
            chosen = (
                validation_speakers(count, len(part), target, val_fraction, seed) if by_speaker and target else set()
            )
            held_out = sum(count[name] for name in chosen) if chosen else target
            people = len(count) - len(chosen) or None
            if count and target and not chosen:
                order = order_by_seed((row.id for row in rows), seed) if order is None else order
                people = _speakers_left(part, order, target)
            splits.append(SeededSplit(seed=seed, train_rows=len(part) - held_out, train_speakers=people))
    return by_threshold


def _speakers_left(part: Mapping[str, str | None], order: Sequence[str], target: int) -> int | None:
    """Number of training speakers of `part` (id: speaker), whose first `target` rows in `order` are for validation."""
    training = islice((name for name in order if name in part), target, None)
    return len({part[name] for name in training} - {None}) or None


def split_options(
    rows: Sequence[Utterance], thresholds: Sequence[float], val_fraction: float, by_speaker: bool, seed: int
) -> list[SplitOption]:
    """Sizes of the split with each threshold (seconds), with the study's seed and those after it.

    Hours and speakers are those of the rows that the threshold keeps.
    """
    choices = []
    tried = seeded_splits(rows, thresholds, val_fraction, by_speaker, range(seed, seed + TRIES))
    for threshold, splits in zip(thresholds, tried, strict=True):
        remaining = [row for row in rows if survives(row.duration, threshold)]
        people = [split.train_speakers or 0 for split in splits]
        choices.append(
            SplitOption(
                threshold=threshold,
                rows=len(remaining),
                hours=round(hours(remaining), 6),
                train_rows=splits[0].train_rows,
                val_rows=len(remaining) - splits[0].train_rows,
                speakers=speakers(remaining),
                seeded_train_rows=[split.train_rows for split in splits],
                fewest_train_speakers=min(people) if speakers(remaining) else None,
            )
        )
    return choices


def split_stability(
    rows: Sequence[Utterance], max_seconds: float | None, val_fraction: float, by_speaker: bool, seed: int
) -> StabilityFacts:
    """Sizes of the split with the study's seed and the `TRIES - 1` seeds after it."""
    (splits,) = seeded_splits(rows, [max_seconds], val_fraction, by_speaker, range(seed, seed + TRIES))
    remaining = [row for row in rows if survives(row.duration, max_seconds)]
    return StabilityFacts(max_seconds=max_seconds, speakers=speakers(remaining), splits=splits)
