"""From the rows of a training to its trainer: labels that fit, the plan of batches, and what validations measure.

Imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from lora.asr.decoding.audio_store import Rows
from lora.asr.device_memory import Report
from lora.asr.families.speech_model import SpeechModel
from lora.asr.labels.build import long_labels
from lora.asr.training.data import SpeechRows, batches_in_order, plan_batches
from lora.asr.training.in_run import InRunEvaluations
from lora.asr.training.replay import joined, plan_with_replay, replay_facts
from lora.asr.training.settings import measures_wer
from lora.asr.training.state import Training
from lora.asr.training.trainer import Batches, SpeechTrainer, training_arguments
from lora.asr.training.validation_wer import validation_wer
from lora.records.manifests import Utterance
from lora.records.training import ReplayFacts


@dataclass(frozen=True)
class Plan:
    """The batches of a training.

    Attributes:
        rows: Rows of training, then those that are replayed.
        training_rows: Number of the former.
        batches: Row numbers by batch.
        batches_per_step: Batches of one optimiser step, over all processes.
    """

    rows: Sequence[Utterance]
    training_rows: int
    batches: Batches
    batches_per_step: int

    def epochs(self) -> list[float]:
        """Passes over the training rows after each step; replayed rows do not count."""
        own = accumulate(sum(index < self.training_rows for index in batch) for batch in self.batches)
        return [rows / self.training_rows for rows in list(own)[self.batches_per_step - 1 :: self.batches_per_step]]

    def replay(self, steps: int, share: float) -> ReplayFacts:
        """What the batches of the first steps contained of the replayed rows."""
        return replay_facts(self.rows, self.training_rows, self.batches[: steps * self.batches_per_step], share)


def without_long_labels(training: Training, speech: SpeechModel) -> tuple[Training, list[str]]:
    """The training without rows whose label is too long for the decoder, and a message for each of these rows."""
    messages: list[str] = []

    def fitting(split: Rows) -> Rows:
        too_long = long_labels(speech, [row.text for row in split.rows], [row.duration for row in split.rows])
        messages.extend(f"row {split.rows[i].id}: left out of training: {why}" for i, why in too_long.items())
        return Rows([row for i, row in enumerate(split.rows) if i not in too_long], split.folder)

    replay = None if training.replay is None else fitting(training.replay)
    fitted = replace(training, train=fitting(training.train), validation=fitting(training.validation), replay=replay)
    return fitted, messages


def prepare(
    training: Training, speech: SpeechModel, checkpoints: Path, report: Report, evaluations: InRunEvaluations | None
) -> tuple[SpeechTrainer, Plan]:
    """The trainer, and the plan of its batches.

    Args:
        training: Settings and rows.
        speech: The model with its adapter.
        checkpoints: Folder of checkpoints.
        report: Called with a message when a batch is split for lack of memory.
        evaluations: Transcribe evaluation manifests at every validation; None without.
    """
    settings = training.settings
    train, plan = _planned(training, speech)
    validation = None
    wer: Callable[[], float | None] | None = None
    if training.validation.rows:
        rows, steps = _speech_rows(training.validation, training, speech)
        validation = (rows, batches_in_order(steps, settings["batch_size"]))
        if measures_wer(settings):
            wer = _wer_measure(speech, *validation, settings["eval_decode"], report)
    arguments = training_arguments(
        settings, checkpoints, speech, validate=validation is not None, report_to=training.report_to, run=training.run
    )
    # Several processes step together, so none may split its batches unless all do.
    on_split = report if training.processes == 1 else None
    trainer = SpeechTrainer(
        speech,
        arguments,
        (train, plan.batches),
        validation,
        wer,
        on_split,
        evaluate=None if evaluations is None else lambda step: evaluations.evaluate(speech, step),
        wer_stop_threshold=settings["wer_stop_threshold"],
    )
    return trainer, plan


def _planned(training: Training, speech: SpeechModel) -> tuple[SpeechRows, Plan]:
    """Rows of training and replay, and their batches."""
    settings = training.settings
    size = settings["batch_size"]
    seed = int(settings["seed"])
    own = len(training.train.rows)
    per_step = settings["gradient_accumulation"] * training.processes
    count = settings["max_steps"] * per_step
    if training.replay is None:
        rows, steps = _speech_rows(training.train, training, speech)
        batches = plan_batches(steps, size, count, seed)
    else:
        rows, steps = _speech_rows(joined(training.train, training.replay), training, speech)
        batches = plan_with_replay(steps[:own], steps[own:], size, count, seed, settings["replay_share"])
    return rows, Plan(rows.rows, own, batches, per_step)


def _speech_rows(split: Rows, training: Training, speech: SpeechModel) -> tuple[SpeechRows, list[int]]:
    rows = SpeechRows(split.rows, split.folder, speech.sampling_rate, training.target_rms)
    return rows, rows.steps(speech.sampling_rate, speech.grid_seconds)


def _wer_measure(
    speech: SpeechModel, rows: SpeechRows, batches: list[list[int]], decode: dict[str, Any], report: Report
) -> Callable[[], float | None]:
    return lambda: validation_wer(speech, rows, batches, decode, report)
