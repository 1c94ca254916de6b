"""Make training batches: joined sentences in noise, padded to a grid of whole seconds.

Moonshine's first normalisation runs over the whole padded recording, so the padding must depend
on the utterance alone: each goes to the next whole second of its own length, and a batch contains
one grid step only. Training, evaluation and the workflow all keep to this.

Example:
    for batch in Batches(corpus, tokenizer, seed=1).epoch(0, longest=25.0, skew=1.0):
        batch.input_values, batch.attention_mask, batch.labels

Reads: the spoken corpus. Writes: nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from data.recipe.corpus import Corpus
from data.recipe.speech import SAMPLE_RATE, add_noise, coloured_noise, join

IGNORED = -100
SECONDS_PER_BATCH = 64
SHARE_OF_SINGLE_SENTENCES = 0.5


@dataclass
class Batch:
    """Recordings of one grid step with their label tokens."""

    input_values: torch.Tensor
    attention_mask: torch.Tensor
    labels: torch.Tensor


def grid_seconds(sample_count: int) -> int:
    """The padded length of a recording: the next whole second."""
    return -(-sample_count // SAMPLE_RATE)


def pad_to_grid(recordings: list[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Recordings of one grid step as `input_values` and `attention_mask`."""
    steps = {grid_seconds(recording.size) for recording in recordings}
    if len(steps) != 1:
        raise ValueError(f"one batch, several grid steps: {sorted(steps)}")
    values = torch.zeros(len(recordings), steps.pop() * SAMPLE_RATE)
    mask = torch.zeros(values.shape, dtype=torch.long)
    for row, recording in enumerate(recordings):
        values[row, : recording.size] = torch.from_numpy(recording)
        mask[row, : recording.size] = 1
    return values, mask


class Batches:
    """Endless variety from one corpus: other neighbours, pauses and noises in each epoch."""

    def __init__(self, corpus: Corpus, tokenizer, seed: int, rank: int = 0, ranks: int = 1) -> None:
        self._corpus, self._seed, self._rank, self._ranks = corpus, seed, rank, ranks
        self._labels = [tokenizer(text).input_ids[:-1] for text in corpus.texts]
        self._end = tokenizer.eos_token_id
        self._of_speaker: dict[str, list[int]] = defaultdict(list)
        for index, speaker in enumerate(corpus.speakers):
            self._of_speaker[speaker].append(index)
        rng = np.random.default_rng(seed)
        exponents = rng.uniform(0.0, 2.0, size=12)
        self._noises = [coloured_noise(rng, 60 * SAMPLE_RATE, exponent) for exponent in exponents]

    def epoch(self, number: int, longest: float, skew: float) -> Iterator[Batch]:
        """This rank's share of batches; all ranks see the same grid step at the same time.

        Lengths of joined rows are even up to `longest` at `skew` 1, mostly short above 1.
        """
        rng = np.random.default_rng([self._seed, number])
        by_step: dict[int, list[tuple[int, ...]]] = defaultdict(list)
        for utterances in self._recordings(rng, longest, skew):
            # A guess of the final length; `_record` makes the recording end inside this step.
            seconds = self._usual_seconds(utterances)
            by_step[int(seconds) + 1].append(utterances)
        plan = []
        for step, recordings in by_step.items():
            size = max(SECONDS_PER_BATCH // step // self._ranks, 1) * self._ranks
            order = rng.permutation(len(recordings))
            plan += [
                (step, [recordings[i] for i in order[start : start + size]])
                for start in range(0, len(recordings) - size + 1, size)
            ]
        for index in rng.permutation(len(plan)):
            step, recordings = plan[index]
            own = np.random.default_rng([self._seed, number, int(index), self._rank])
            yield self._batch(own, step, recordings[self._rank :: self._ranks])

    def _recordings(self, rng: np.random.Generator, longest: float, skew: float) -> Iterator[tuple[int, ...]]:
        """Every utterance of the corpus once, alone or joined with others of its speaker."""
        for indices in self._of_speaker.values():
            waiting = [indices[i] for i in rng.permutation(len(indices))]
            while waiting:
                alone = rng.random() < SHARE_OF_SINGLE_SENTENCES
                target = 0.0 if alone else 2.0 + (longest - 2.5) * rng.random() ** skew
                chosen = [waiting.pop()]
                while waiting and self._usual_seconds([*chosen, waiting[-1]]) < target:
                    chosen.append(waiting.pop())
                yield tuple(chosen)

    def _usual_seconds(self, utterances: Sequence[int]) -> float:
        """Seconds of the joined utterances with pauses of medium length."""
        return sum(map(self._corpus.seconds, utterances)) + 0.1 + 0.35 * len(utterances)

    def _batch(self, rng: np.random.Generator, step: int, recordings: list[tuple[int, ...]]) -> Batch:
        values, mask = pad_to_grid([self._record(rng, step, each) for each in recordings])
        tokens = [[t for i in each for t in self._labels[i]] + [self._end] for each in recordings]
        # Repeated shapes are fast on a CPU, hence multiples of 16.
        width = -(-max(map(len, tokens)) // 16) * 16
        labels = torch.full((len(tokens), width), IGNORED)
        for row, ids in enumerate(tokens):
            labels[row, : len(ids)] = torch.tensor(ids)
        return Batch(values, mask, labels)

    def _record(self, rng: np.random.Generator, step: int, utterances: tuple[int, ...]) -> np.ndarray:
        """Joined, louder or softer, mostly noisy; its length stays within the grid step."""
        sentences = [self._corpus.samples(index) for index in utterances]
        for _ in range(8):
            samples = join(rng, sentences)
            if grid_seconds(samples.size) == step:
                break
        else:
            samples = np.concatenate(sentences)
            shortest = (step - 1) * SAMPLE_RATE + 1
            samples = np.pad(samples, (0, max(shortest - samples.size, 0)))
        samples = samples * np.float32(10 ** rng.uniform(-0.6, 0.2))
        if rng.random() < 0.7:
            noise = self._noises[rng.integers(len(self._noises))]
            start = rng.integers(noise.size - samples.size)
            samples = add_noise(samples, noise[start:], rng.uniform(8.0, 40.0))
        return samples.astype(np.float32)
