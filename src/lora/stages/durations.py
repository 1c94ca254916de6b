"""Stages of the duration filter and the training split."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lora.data.durations import COLUMNS, duration_table, survives
from lora.data.manifest import read_rows, rebase
from lora.data.retention import retention as retention_of
from lora.data.row_columns import read_columns
from lora.data.splits import sizes as split_sizes
from lora.data.splits import split, split_options, split_stability
from lora.data.tables import read_cells, write_table
from lora.diagnosis.data.filter_bias import bias_signs
from lora.diagnosis.data.max_seconds import choose_max_seconds as choose
from lora.provenance.recording import recording
from lora.records.base import UserError, write_lines
from lora.records.durations import MaxSeconds, RetentionFacts, SplitOption
from lora.records.splits import SplitSizes
from lora.scoring.normalizers import basic_texts


def profile_durations(rows: Path, manifest_name: str, thresholds: Sequence[float], table: Path) -> None:
    """Write how many rows of a manifest each duration threshold (seconds) keeps."""
    with recording(outputs=[table]):
        write_table(table, COLUMNS, duration_table(manifest_name, read_columns(rows), thresholds))


def summarise_durations(tables: Sequence[Path], summary: Path) -> None:
    """Join the duration tables of several manifests, in the order given."""
    with recording(outputs=[summary]):
        rows = (dict(zip(COLUMNS, cells, strict=True)) for table in tables for cells in read_cells(table, COLUMNS))
        write_table(summary, COLUMNS, rows)


def profile_retention(rows: Path, thresholds: Sequence[float], retention: Path) -> None:
    """Write which rows, hours, speakers and words each threshold (seconds) keeps of the training manifest."""
    with recording(outputs=[retention]):
        columns = read_columns(rows, texts=True)
        retention_of(columns, thresholds, basic_texts).write(retention)


def choose_max_seconds(
    rows: Path,
    thresholds: Sequence[float],
    max_seconds: float | None,
    min_train_samples: int,
    max_held_out_speakers: float,
    val_fraction: float,
    by_speaker: bool,
    split_seed: int,
    window: float | None,
    value: Path,
    decision: Path,
    retention: Path | None = None,
    max_lost_speakers: float = 1.0,
    max_lost_words: float = 1.0,
    max_rate_difference: float = math.inf,
    padding: float | None = None,
) -> None:
    """Choose `max_seconds` of training, or judge the configured one, from what each threshold leaves to train on.

    Args:
        rows: Canonical rows of the training manifest.
        thresholds: Candidate values in seconds.
        max_seconds: The configured value; None chooses one.
        min_train_samples: Rows that the training split needs.
        max_held_out_speakers: Share of the speakers that any split seed may keep out of training.
        val_fraction, by_speaker, split_seed: How the rows are split.
        window: Longest audio that the model takes in one piece (seconds); None if no limit is known.
        value: File to write with the chosen value alone, on which later stages depend.
        decision: File to write with the reason and all options.
        retention: What each threshold removes; None leaves open whether one kind of speech is lost.
        max_lost_speakers, max_lost_words, max_rate_difference: Losses beyond chance that are tolerated.
        padding: Step in seconds that the model pads audio to; None if not known.
    """
    candidates = sorted({*thresholds, *([] if max_seconds is None else [max_seconds])})
    if candidates[0] <= 0:
        raise UserError(f"--thresholds and --max-seconds must be above 0 seconds, not {candidates[0]:g}")
    with recording(outputs=[value, decision], seed=split_seed):
        options = split_options(read_rows(rows), candidates, val_fraction, by_speaker, split_seed)
        tolerated = TolerableLosses(max_lost_speakers, max_lost_words, max_rate_difference)
        removed = None if retention is None else RetentionFacts.read(retention)
        options = [_with_cost_and_losses(option, removed, tolerated, padding) for option in options]
        chosen = choose(options, max_seconds, min_train_samples, window, max_held_out_speakers)
        chosen.write(decision)
        MaxSeconds(max_seconds=chosen.max_seconds).write(value)
    print(chosen.reason)


class TolerableLosses(NamedTuple):
    """`integrity` of the configuration, as far as it concerns the duration filter."""

    max_lost_speakers: float
    max_lost_words: float
    max_rate_difference: float


def _with_cost_and_losses(
    option: SplitOption, retention: RetentionFacts | None, tolerated: TolerableLosses, padding: float | None
) -> SplitOption:
    """Add to an option what the model pads its longest row to, and what it loses beyond chance."""
    padded = None if not padding else padding * math.ceil(option.threshold / padding)
    lost = None
    for dropped in retention.dropped if retention is not None else []:
        if retention is not None and dropped.threshold == option.threshold:
            lost = [sign["sign"] for sign in bias_signs(tolerated, retention.curve[-1].speakers, dropped)]
    return option.model_copy(update={"padded_seconds": padded, "lost": lost})


def split_training(
    rows: Path,
    max_seconds: float | None,
    val_fraction: float,
    by_speaker: bool,
    split_seed: int,
    train: Path,
    val: Path,
    sizes: Path,
) -> None:
    """Split the rows of at most `max_seconds` into training and validation, and write both and their sizes."""
    with recording(outputs=[train, val, sizes], seed=split_seed) as run:
        parts = split(read_rows(rows), max_seconds, val_fraction, by_speaker, split_seed)
        if by_speaker and parts.method == "row":
            run.adjust("split by row, not by speaker: no set of whole speakers has a fitting size")
        write_lines(train, rebase(parts.train, rows.parent, train.parent))
        write_lines(val, rebase(parts.val, rows.parent, val.parent))
        write_table(sizes, tuple(SplitSizes.model_fields), (size.to_json() for size in split_sizes(parts)))
    print(f"{len(parts.train)} rows for training, {len(parts.val)} for validation, {len(parts.too_long)} too long")


def filter_replay(rows: Path, max_seconds: float | None, filtered: Path) -> None:
    """Write the rows of `replay` that are at most `max_seconds` long, sorted by id."""
    with recording(outputs=[filtered]):
        every = sorted(read_rows(rows), key=lambda row: row.id)
        remaining = [row for row in every if survives(row.duration, max_seconds)]
        write_lines(filtered, rebase(remaining, rows.parent, filtered.parent))
    print(f"{len(remaining)} of {len(every)} rows of replay are within max_seconds")


def try_split_seeds(
    rows: Path, max_seconds: float | None, val_fraction: float, by_speaker: bool, split_seed: int, stability: Path
) -> None:
    """Write the sizes of the split with 20 seeds, the study's own first."""
    with recording(outputs=[stability], seed=split_seed):
        split_stability(read_rows(rows), max_seconds, val_fraction, by_speaker, split_seed).write(stability)
