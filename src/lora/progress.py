"""Progress lines of long jobs: what is done, the rate, and the time left.

Jobs write them to stderr, which the workflow redirects to their logs. Whoever watches a job finds the latest line
there: progress lines of a running job end with `remaining`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence

from lora.formatting import duration

LEAST = 1e-9  # divisor where nothing is done yet: a line of progress never stops a job
LINE_SECONDS = 5.0  # between two lines; progress bars would flood log files
REMAINING = "remaining"
ONE_PASS: Mapping[str, Sequence[float]] = {"": (1.0,)}
Clock = Callable[[], float]


def time_left(seconds: float) -> str:
    """The end of a progress line: `40 s remaining`."""
    return f"{duration(seconds)} {REMAINING}"


def latest_progress(log: str) -> str | None:
    """The latest progress line of a job's log; None where there is none."""
    return next((line.strip() for line in reversed(log.splitlines()) if line.endswith(f" {REMAINING}")), None)


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
            print(f"{self._line(now)}, {time_left(self._left(now))}", file=sys.stderr, flush=True)

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
