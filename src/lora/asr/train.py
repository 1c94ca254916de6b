"""The short adapter run: what it rests on, where its state lies, and what it leaves behind.

`work/train/<key>/` holds checkpoints while it runs and the finished result afterwards; the key is a hash of everything
that determines the weights. A killed training goes on from its last checkpoint to the same bytes; a finished one is
only copied out, without importing torch.

Reads: rows, audio, model files. Writes: `best/`, `last/`, `train.json`, `loss.tsv` in the output folder, and `work/`.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lora.asr.decoding import effective_decode
from lora.asr.devices import Device, confirm_device
from lora.asr.model_files import ModelFiles
from lora.asr.recipe import RECIPE
from lora.asr.training_data import rows_hash
from lora.asr.transcribe import Rows
from lora.asr.work_lock import locked
from lora.provenance import content_hash, version
from lora.records import TrainFacts, write_text

FACTS, LOSS, BEST, LAST = "train.json", "loss.tsv", "best", "last"
FINISHED = "finished"
# Libraries whose version may change the weights.
DECISIVE = ("torch", "transformers", "peft", "accelerate", "tokenizers", "safetensors", "numpy", "soundfile", "soxr")
LOSS_COLUMNS = ("step", "epoch", "train_loss", "learning_rate", "grad_norm", "validation_loss")


@dataclass(frozen=True)
class Training:
    """One adapter run: its settings (runner flags with underscores), rows, model and machine."""

    run: str
    settings: dict[str, Any]
    files: ModelFiles
    device: Device
    target_rms: float | None
    train: Rows
    validation: Rows

    def key(self) -> str:
        """Hash of everything that determines the weights, and of nothing else."""
        # Without the local part, as in the settings of transcripts: the device is a setting of its own.
        installed = {name: (version(name) or "").partition("+")[0] for name in DECISIVE}
        described = {
            "recipe": RECIPE["train"],
            "settings": self.settings,
            "model": [self.files.identity.id, self.files.identity.hash],
            "device": self.device.settings(),
            "target_rms": self.target_rms,
            "train": rows_hash(self.train.rows, self.train.folder),
            "validation": rows_hash(self.validation.rows, self.validation.folder),
            "versions": installed,
        }
        if self.settings["select"] == "wer":  # the best step then depends on how the model itself decodes
            described["decode"] = effective_decode(self.files, self.settings["eval_decode"])
        return content_hash(json.dumps(described, sort_keys=True))

    def facts(self, **found: Any) -> TrainFacts:
        """Facts known before any step, with those found."""
        known: dict[str, Any] = {
            "run": self.run,
            "settings": self.settings,
            "base_model_hash": self.files.identity.hash,
            "train_rows": len(self.train.rows),
            "val_rows": len(self.validation.rows),
            "planned_steps": self.settings["max_steps"],
        }
        return TrainFacts(**{**known, **found})

    def impossible(self, code: str, message: str, **found: Any) -> TrainFacts:
        return self.facts(status="impossible", code=code, message=message, **found)


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
    with locked(state):
        if (state / FINISHED / FACTS).is_file():
            print(f"train: finished before, copied from {state}", file=sys.stderr)
            return Outcome(_copy_out(training, state / FINISHED, output), 0, training.device)
        device = confirm_device(training.device)
        if device == training.device:
            from lora.asr.fit import fit

            steps_taken, adjustments = fit(training, state)
            return Outcome(_copy_out(training, state / FINISHED, output), steps_taken, device, adjustments)
    # Torch sees another device than the one that named this state.
    return train_adapter(replace(training, device=device), output, work)


def write_impossible(facts: TrainFacts, output: Path) -> None:
    """All declared outputs, empty where there is nothing to hold."""
    for name in (BEST, LAST):
        shutil.rmtree(output / name, ignore_errors=True)
        (output / name).mkdir(parents=True)
    write_loss_log(output / LOSS, [])
    facts.write(output / FACTS)


def write_loss_log(path: Path, rows: list[dict[str, Any]]) -> None:
    """Tab-separated, a row a step; step 0 is the validation before training; nothing where nothing was measured."""
    lines = ["\t".join(LOSS_COLUMNS)]
    lines += ["\t".join(_cell(row.get(column)) for column in LOSS_COLUMNS) for row in rows]
    write_text(path, "\n".join(lines) + "\n")


def _cell(value: float | int | None) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.6g}"


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
