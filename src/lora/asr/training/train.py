"""The short adapter run: trained, resumed, or copied out.

`work/train/<key>/` holds checkpoints while it runs and the finished result afterwards. A killed training goes on from
its last checkpoint to the same bytes; a finished one is only copied out, without importing torch.

Reads: rows, audio, model files. Writes: `best/`, `last/`, `train.json`, `loss.tsv` in the output folder, and `work/`.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from lora.asr.devices import Device, confirm_device
from lora.asr.training.state import BEST, FACTS, FINISHED, LAST, LOSS, TOLD, Training, write_impossible
from lora.asr.work_lock import locked
from lora.records.training import TrainFacts


@dataclass(frozen=True)
class Outcome:
    """Facts of a training, the optimiser steps this very process took (0: it was finished before), what to tell."""

    facts: TrainFacts
    steps_taken: int
    device: Device
    adjustments: list[str] = field(default_factory=list)


def train_adapter(training: Training, output: Path, work: Path) -> Outcome:
    """Train (or resume, or copy out) and write all outputs. Conditions with a cause code are facts, not errors."""
    if not training.train.rows:
        facts = training.impossible("data.too_few_samples", "the training split holds no row")
        write_impossible(facts, output)
        return Outcome(facts, 0, training.device)
    state = work / "train" / training.key()
    with locked(state) as lock:
        if (state / FINISHED / FACTS).is_file():
            print(f"train: finished before, copied from {state}", file=sys.stderr)
            return Outcome(_copy_out(training, state / FINISHED, output), 0, training.device, _told(state / FINISHED))
        device = confirm_device(training.device)
        if device == training.device:
            steps_taken, adjustments = _fit(training, state, lock)
            return Outcome(_copy_out(training, state / FINISHED, output), steps_taken, device, adjustments)
    # Torch sees another device than the one that named this state.
    return train_adapter(replace(training, device=device), output, work)


def _fit(training: Training, state: Path, lock: int) -> tuple[int, list[str]]:
    if training.processes > 1:
        from lora.asr.training.processes import fit_in_processes

        return fit_in_processes(training, state, lock)
    from lora.asr.training.fit import fit

    return fit(training, state)


def _told(finished: Path) -> list[str]:
    path = finished / TOLD
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []


def _copy_out(training: Training, finished: Path, output: Path) -> TrainFacts:
    # The state may have been made for a run of another name: equal in everything that determines the weights.
    facts = TrainFacts.read(finished / FACTS).model_copy(update={"run": training.run})
    output.mkdir(parents=True, exist_ok=True)
    for name in (BEST, LAST):
        shutil.rmtree(output / name, ignore_errors=True)
        shutil.copytree(finished / name, output / name)
    shutil.copyfile(finished / LOSS, output / LOSS)
    facts.write(output / FACTS)
    return facts
