"""Training rows: samples decoded on demand, and a fixed plan of batches with one padding step each.

The plan depends on the seed alone and is computed before the first step, so a resumed training sees the same batches as
an uninterrupted one. Torch-free.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lora.asr.decoding.padding import Samples, padded_samples
from lora.data.audio.loading import load_audio
from lora.data.splits import first_by_seed
from lora.provenance.hashes import content_hash, file_hash
from lora.records.manifests import Utterance

CACHE_BYTES = 512_000_000  # decoded samples cached in memory; rows beyond it are decoded again
EVALUATED_SEED = 0


class SpeechRows:
    """Rows with samples: `rows[i]` is {"audio": float32 mono (n,), "text", "id"}; UserError if audio is unreadable."""

    def __init__(self, rows: Sequence[Utterance], folder: Path, sampling_rate: int, target_rms: float | None) -> None:
        self.rows = list(rows)
        self._folder = folder
        self._sampling_rate = sampling_rate
        self._target_rms = target_rms
        self._cache: dict[int, Samples] = {}
        self._cached_bytes = 0

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        row = self.rows[index]
        return {"audio": self._samples(index), "text": row.text, "id": row.id}

    def only(self, indices: Sequence[int]) -> SpeechRows:
        """Select rows by index, in the given order; cached samples are not decoded again."""
        chosen = SpeechRows([self.rows[i] for i in indices], self._folder, self._sampling_rate, self._target_rms)
        chosen._cache = {new: self._cache[old] for new, old in enumerate(indices) if old in self._cache}
        chosen._cached_bytes = sum(samples.nbytes for samples in chosen._cache.values())
        return chosen

    def steps(self, sampling_rate: int, grid_seconds: float) -> list[int]:
        """Padding step (in samples) of each row. Decodes every row once, because audio headers may be wrong."""
        lengths = (len(self._samples(index)) for index in range(len(self)))
        return [padded_samples(length, sampling_rate, grid_seconds) for length in lengths]

    def _samples(self, index: int) -> Samples:
        if index in self._cache:
            return self._cache[index]
        samples = load_audio(self.rows[index], self._folder, self._sampling_rate, self._target_rms)
        if self._cached_bytes + samples.nbytes <= CACHE_BYTES:
            self._cache[index] = samples
            self._cached_bytes += samples.nbytes
        return samples


def sample_rows(rows: Sequence[Utterance], count: int, seed: int) -> list[Utterance]:
    """A seeded sample of at most `count` rows, in their original order."""
    if count >= len(rows):
        return list(rows)
    chosen = np.random.default_rng([seed, len(rows)]).choice(len(rows), size=count, replace=False)
    return [rows[index] for index in sorted(chosen)]


def batches_in_order(steps: Sequence[int], batch_size: int) -> list[list[int]]:
    """Row indices in batches of one padding step, for evaluation: shortest step first, rows of a step in order."""
    by_step = _by_step(steps, range(len(steps)))
    return [
        indices[start : start + batch_size]
        for _, indices in sorted(by_step.items())
        for start in range(0, len(indices), batch_size)
    ]


def plan_batches(steps: Sequence[int], batch_size: float, count: int, seed: int) -> list[list[int]]:
    """`count` training batches of one padding step each: epoch after epoch over all rows, in a seeded order.

    The rows of a step are split into batches of nearly equal size, so that single rows weigh as much as a full batch as
    rarely as possible. A batch has at most `batch_size` rows; a size of 6.4 makes batches of 6 and of 7 rows.
    """
    plan: list[list[int]] = []
    for epoch in _epochs(len(steps), seed):
        batches = []
        for _, indices in sorted(_by_step(steps, epoch).items()):
            splits = int(-(-len(indices) // batch_size))
            batches += [[int(i) for i in split] for split in np.array_split(indices, splits)]
        order = np.random.default_rng([seed, 1, len(plan)]).permutation(len(batches))
        plan += [batches[index] for index in order]
        if len(plan) >= count:
            break
    return plan[:count]


def _epochs(rows: int, seed: int) -> Iterator[list[int]]:
    number = 0
    while rows:
        yield np.random.default_rng([seed, 0, number]).permutation(rows).tolist()
        number += 1


def _by_step(steps: Sequence[int], order: Sequence[int]) -> dict[int, list[int]]:
    by_step: dict[int, list[int]] = {}
    for index in order:
        by_step.setdefault(steps[index], []).append(index)
    return by_step


def share_of_rows(rows: Sequence[Utterance], share: float, seed: int) -> list[Utterance]:
    """A share of the rows, at least one; a smaller share is part of every larger one of the same seed."""
    return first_by_seed(rows, max(1, int(share * len(rows) + 0.5)), seed)


def evaluated_rows(rows: Sequence[Utterance], count: int) -> list[Utterance]:
    """The first `count` rows of an evaluation manifest by a hash of their ids, which no other setting changes."""
    return first_by_seed(rows, count, EVALUATED_SEED)


def rows_hash(rows: Sequence[Utterance], folder: Path) -> str:
    """Hash of the contents of rows, in order: ids, texts, audio bytes and segments, but not paths."""
    hashes: dict[str, str] = {}
    contents = []
    for row in rows:
        if row.audio is None:
            audio = content_hash(np.asarray(row.samples, np.float32).tobytes())
        else:
            audio = hashes.get(row.audio) or file_hash(folder / row.audio)
            hashes[row.audio] = audio
        segment = "" if row.offset is None else f"{row.offset!r}+{row.duration!r}"
        segment += "" if row.channel is None else f"@{row.channel}"
        contents += [row.id, row.text, audio, segment, repr(row.sampling_rate)]
    return content_hash(*contents)
