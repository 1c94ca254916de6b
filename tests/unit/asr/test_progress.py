"""Progress lines: seconds of audio, rate, and a time left that is right from the first line on."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from lora.asr.families.speech_model import SpeechModel
from lora.asr.progress import TrainingTime, report_inputs
from lora.asr.training.data import SpeechRows
from lora.asr.training.step_callback import StepWatch
from lora.progress import Progress, latest_progress

PADDED = 30.0


class Clock:
    """A clock that only moves when a test moves it."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def numbers(line: str) -> tuple[float, ...]:
    """Seconds of audio done, all of them, seconds per second, and seconds left, in the last line since the start.

    For lines of under two minutes.
    """
    found = re.search(r": (\d+) of (\d+) s of audio, ([\d.]+) s per second, (?:done in )?(\d+) s(?: remaining)?$", line)
    assert found, line
    return tuple(map(float, found.groups()))


def test_time_left_counts_padding_rather_than_speech(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    durations = [20.0, 10.0, 2.0, 2.0]
    progress = Progress("transcription", sum(durations), 4 * PADDED, clock=clock)
    for seconds in durations:
        progress.begin(seconds, PADDED)
        clock.time += 10  # each costs the same
    progress.end()
    written = [numbers(line) for line in lines(capsys)]
    assert [left for *_, left in written] == [30, 20, 10, 40]
    assert [done for done, *_ in written] == [20, 30, 32, 34]
    assert written[0][2] == 2.0
    assert written[-1][2] == pytest.approx(34 / 40, abs=0.05)


def test_stages_weigh_what_their_passes_cost(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    progress = Progress("audit", 40, 40, {"first": (1.0,), "second": (0.5, 0.5)}, clock)
    for _ in range(4):
        progress.begin(10, 10)
        clock.time += 10
    progress.start("second")
    for _ in range(4):  # half of the first pass is left out, and the second pass is complete
        progress.begin(10, 10)
        clock.time += 5
    progress.end()
    *_, before_last, last = lines(capsys)
    assert before_last.startswith("audit, second (2 of 2): 30 of 80 s of audio, 2.0 s per second, ")
    assert numbers(before_last)[-1] == 25
    assert last.endswith(", done in 60 s")


def test_lines_come_every_few_seconds_and_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    progress = Progress("transcription", 100, 100, clock=clock)
    for _ in range(100):
        progress.begin(1, 1)
        clock.time += 0.3
    progress.end()
    written = lines(capsys)
    assert 5 <= len(written) <= 7
    assert numbers(written[-1])[:2] == (100, 100)


def test_job_without_audio_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Progress("effect", 0, 0).end()
    assert lines(capsys) == []


def test_job_that_ends_before_its_first_batch_does_not_fail(capsys: pytest.CaptureFixture[str]) -> None:
    Progress("effect", 5, PADDED, clock=Clock()).end()
    assert numbers(lines(capsys)[0])[:2] == (0, 5)


def test_a_batch_is_done_when_the_next_one_begins(capsys: pytest.CaptureFixture[str]) -> None:
    class Model:
        sampling_rate = 10

        def padded_seconds(self, samples: int) -> float:
            return PADDED

        def inputs(self, audio: Any) -> dict[str, Any]:
            return {"input_features": audio}

    speech = cast("SpeechModel", Model())
    clock = Clock()
    before = speech.inputs
    with report_inputs(speech, Progress("transcription", 5, 3 * PADDED, clock=clock)):
        speech.inputs([np.zeros(20, np.float32)])
        clock.time += 20
        speech.inputs([np.zeros(10, np.float32), np.zeros(20, np.float32)])
        clock.time += 40
    assert speech.inputs == before
    first, last = [numbers(line) for line in lines(capsys)]
    assert first == (2, 5, 0.1, 40)
    assert last == (5, 5, 0.1, 60)


def test_training_time_counts_steps_by_their_audio_and_validations_apart() -> None:
    clock = Clock()
    rows = cast("SpeechRows", SimpleNamespace(rows=[SimpleNamespace(duration=d) for d in (1.0, 1.0, 2.0, 4.0)]))
    speech = cast("SpeechModel", SimpleNamespace(sampling_rate=10, padded_seconds=lambda samples: samples / 10))
    time = TrainingTime(speech, rows, [[0, 1], [2], [3], [0, 1]], 2, clock)  # steps of 4 and of 6 s
    time.validation_seconds = 7
    time.begin_step()
    clock.time += 8
    time.end_step(1)
    clock.time += 7  # a validation
    assert time.line(1, validations=2) == "0.5 s per second, 26 s remaining"


def test_training_lines_have_the_mean_loss_since_the_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    pace = SimpleNamespace(line=lambda step, validations: f"{step}/{validations} remaining")
    watch = StepWatch("lora", cast("TrainingTime", pace), clock=clock)
    args = SimpleNamespace(eval_strategy="steps", eval_steps=4)
    for step, loss in enumerate((4.0, 3.0, 2.0, 1.0), start=1):
        watch.on_log(args, SimpleNamespace(global_step=step, max_steps=4), None, logs={"loss": loss})
        clock.time += 3
    assert lines(capsys) == [
        "training lora: step 1 of 4, mean loss 4.0000, 1/1 remaining",
        "training lora: step 3 of 4, mean loss 2.5000, 3/1 remaining",
        "training lora: step 4 of 4, mean loss 1.0000, 4/1 remaining",
    ]


def test_the_latest_line_of_progress_in_a_log() -> None:
    log = "command: x\ntraining lora: step 1 of 4: 9 s remaining\ntraining lora: step 3 of 4: 3 s remaining\nnote\n"
    assert latest_progress(log) == "training lora: step 3 of 4: 3 s remaining"
    assert latest_progress("command: x\nremaining rows: 3\n") is None
