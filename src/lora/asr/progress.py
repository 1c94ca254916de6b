"""Report the progress of a model job on stderr: seconds of audio done, rate, and time left. Torch-free."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lora.asr.decoding.padding import Samples
from lora.formatting import duration

if TYPE_CHECKING:
    from torch import Tensor

    from lora.asr.families.speech_model import SpeechModel
    from lora.asr.training.data import SpeechRows

LEAST = 1e-9  # divisor where nothing is done yet: a line of progress never stops a job
LINE_SECONDS = 5.0  # between two lines; progress bars would flood log files
ONE_PASS: Mapping[str, Sequence[float]] = {"": (1.0,)}
Clock = Callable[[], float]


class Progress:
    """Progress of a job that takes its audio through the model once or several times.

    The time left follows from what padded audio has cost so far, because models compute padding like speech: an
    utterance of 2 s costs Whisper as much as one of 20 s.
    """

    def __init__(
        self,
        job: str,
        seconds: float,
        padded: float,
        stages: Mapping[str, Sequence[float]] = ONE_PASS,
        clock: Clock = time.monotonic,
    ) -> None:
        """Start the clock in the first stage.

        Args:
            job: Name of the job, which starts every line.
            seconds: Seconds of audio.
            padded: The same with padding.
            stages: Relative costs of the passes through the audio in each stage, by the stage's name, in order.
            clock: Current time in seconds.
        """
        self._job = job
        self._seconds = seconds
        self._padded = padded
        self._stages = stages
        self._clock = clock
        self._started = self._printed = clock()
        self.start(next(iter(stages)))

    def start(self, stage: str) -> None:
        """Begin a stage; what earlier ones left out counts as done."""
        self._stage = stage
        self._stage_started = self._clock()
        self._seconds_done = self._padded_done = 0.0
        self._batch = (0.0, 0.0)

    def begin(self, seconds: float, padded: float) -> None:
        """Begin a batch of audio, the end of the one before; prints a line every few seconds."""
        self._end_batch()
        self._batch = seconds, padded
        now = self._clock()
        if self._padded_done and now - self._printed >= LINE_SECONDS:
            self._printed = now
            print(f"{self._line(now)}, {duration(self._left(now))} remaining", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Print the last line, if there was any audio. A job may end before all of it was needed."""
        self._end_batch()
        if self._padded:
            now = self._clock()
            print(f"{self._line(now)}, done in {duration(now - self._started)}", file=sys.stderr, flush=True)

    def _end_batch(self) -> None:
        self._seconds_done += self._batch[0]
        self._padded_done += self._batch[1]
        self._batch = (0.0, 0.0)

    def _line(self, now: float) -> str:
        stages = list(self._stages)
        audio = self._seconds * len(self._stages[self._stage])
        done = min(self._seconds_done, audio)  # small repetitions are no pass of their own
        rate = self._seconds_done / max(now - self._stage_started, LEAST)
        which = f", {self._stage} ({stages.index(self._stage) + 1} of {len(stages)})" if self._stage else ""
        return f"{self._job}{which}: {done:.0f} of {audio:.0f} s of audio, {rate:.1f} s per second"

    def _left(self, now: float) -> float:
        """Seconds left, if the rest costs what the same amount has cost so far."""
        stages = list(self._stages)
        costs = [cost for stage in stages for cost in self._stages[stage]]
        passes = self._padded_done / self._padded
        done = sum(cost for stage in stages[: stages.index(self._stage)] for cost in self._stages[stage])
        done += sum(c * min(max(passes - n, 0.0), 1.0) for n, c in enumerate(self._stages[self._stage]))
        return max(sum(costs) - done, 0.0) * (now - self._started) / max(done, LEAST)


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
        return f"{seconds / self._elapsed:.1f} s of audio per second, {duration(left)} remaining"
