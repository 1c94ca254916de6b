"""Report the progress of model work: batches that a model prepares, and the steps of a training. Torch-free."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lora.asr.decoding.padding import Samples
from lora.progress import LEAST, Clock, Progress, time_left

if TYPE_CHECKING:
    from torch import Tensor

    from lora.asr.families.speech_model import SpeechModel
    from lora.asr.training.data import SpeechRows


@contextmanager
def report_inputs(speech: SpeechModel, progress: Progress) -> Iterator[None]:
    """Report every batch that `speech.inputs` prepares."""
    prepare = speech.inputs

    def reported(audio: Sequence[Samples]) -> dict[str, Tensor]:
        lengths = [len(samples) for samples in audio]
        progress.begin(sum(lengths) / speech.sampling_rate, sum(map(speech.padded_seconds, lengths)))
        return prepare(audio)

    speech.inputs = reported  # type: ignore[method-assign]
    try:
        yield
    finally:
        speech.inputs = prepare  # type: ignore[method-assign]
    progress.end()


class TrainingTime:
    """Rate of a training, and the time left: that of steps by their padded audio, that of validations by the last one.

    Attributes:
        validation_seconds: How long the last validation took.
    """

    def __init__(
        self,
        speech: SpeechModel,
        rows: SpeechRows,
        plan: Sequence[Sequence[int]],
        batches_per_step: int,
        clock: Clock = time.monotonic,
    ) -> None:
        """Create the estimate.

        Args:
            speech: The model, for its padding.
            rows: Training rows.
            plan: Row numbers of each batch.
            batches_per_step: Batches of one optimiser step, over all processes.
            clock: Current time in seconds.
        """
        self.validation_seconds = 0.0
        self._clock = clock
        steps = [plan[first : first + batches_per_step] for first in range(0, len(plan), batches_per_step)]
        durations = [[rows.rows[index].duration for batch in step for index in batch] for step in steps]
        self._seconds = [sum(step) for step in durations]
        self._padded = [sum(speech.padded_seconds(round(s * speech.sampling_rate)) for s in step) for step in durations]
        self._begun = 0.0
        self._elapsed = 0.0
        self._done: list[int] = []

    def begin_step(self) -> None:
        self._begun = self._clock()

    def end_step(self, step: int) -> None:
        """Count `step` (from 1) as done."""
        self._elapsed += self._clock() - self._begun
        self._done.append(step - 1)

    def line(self, step: int, validations: int) -> str:
        """Rate so far, and time left after `step` and with this many validations to come."""
        padded, seconds = (sum(values[i] for i in self._done) for values in (self._padded, self._seconds))
        left = self._elapsed * sum(self._padded[step:]) / padded + validations * self.validation_seconds
        return f"{seconds / max(self._elapsed, LEAST):.1f} s per second, {time_left(left)}"
