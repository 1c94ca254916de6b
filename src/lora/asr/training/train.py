"""Train an adapter, resume its training, or copy a finished result.

`work/train/<key>/` contains checkpoints during training and the finished result afterwards. An interrupted training
resumes from its last checkpoint and gives the same bytes; a finished one is copied without importing torch.

Reads: rows, audio, model files. Writes: `best/`, `last/`, `train.json`, `loss.tsv` in the output folder, and `work/`.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from lora.asr.devices import Device, confirm_device
from lora.asr.training.state import ADJUSTMENTS, BEST, FACTS, FINISHED, LAST, LOSS, Training, write_impossible
from lora.asr.work_lock import locked
from lora.records.training import TrainFacts


@dataclass(frozen=True)
class Outcome:
    """Result of a training.

    Attributes:
        facts: Facts of the training.
        steps_taken: Optimiser steps of this call; 0 if the training was finished before.
        device: The device that was used.
        adjustments: Messages about changes to the rows, for the run record.
    """

    facts: TrainFacts
    steps_taken: int
    device: Device
    adjustments: list[str] = field(default_factory=list)


def train_adapter(training: Training, output: Path, work: Path) -> Outcome:
    """Train, resume or copy, and write all outputs. Problems with a cause code are facts, not errors."""
    if not training.train.rows:
        facts = training.impossible("data.too_few_samples", "the training split has no rows")
        write_impossible(facts, output)
        return Outcome(facts, 0, training.device)
    state = work / "train" / training.key()
    with locked(state) as lock:
        if (state / FINISHED / FACTS).is_file():
            print(f"train: already finished, copied from {state}", file=sys.stderr)
            return Outcome(
                _copy_result(training, state / FINISHED, output), 0, training.device, _adjustments(state / FINISHED)
            )
        device = confirm_device(training.device)
        if device == training.device:
            steps_taken, adjustments = _fit(training, state, lock)
            return Outcome(_copy_result(training, state / FINISHED, output), steps_taken, device, adjustments)
    # torch uses another device than the one in the key of this state.
    return train_adapter(replace(training, device=device), output, work)


def _fit(training: Training, state: Path, lock: int) -> tuple[int, list[str]]:
    if training.processes > 1:
        from lora.asr.training.processes import fit_in_processes

        return fit_in_processes(training, state, lock)
    from lora.asr.training.fit import fit

    return fit(training, state)


def _adjustments(finished: Path) -> list[str]:
    path = finished / ADJUSTMENTS
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []


def _copy_result(training: Training, finished: Path, output: Path) -> TrainFacts:
    # A run of another name may have trained this state, with the same settings, rows and model.
    facts = TrainFacts.read(finished / FACTS).model_copy(update={"run": training.run})
    output.mkdir(parents=True, exist_ok=True)
    for name in (BEST, LAST):
        shutil.rmtree(output / name, ignore_errors=True)
        shutil.copytree(finished / name, output / name)
    shutil.copyfile(finished / LOSS, output / LOSS)
    facts.write(output / FACTS)
    return facts
