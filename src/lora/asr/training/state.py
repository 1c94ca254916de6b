"""What determines an adapter's weights, and the files of a training. Torch-free.

The key of `work/train/<key>/` is a hash of everything that determines the weights, and of nothing else.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lora.asr.adapter.files import WEIGHTS
from lora.asr.decoding.audio_store import Rows
from lora.asr.decoding.effective_decode import effective_decode, language_and_prompt
from lora.asr.devices import Device
from lora.asr.model_files import ModelFiles
from lora.asr.recipe import RECIPE
from lora.asr.training.data import rows_hash
from lora.asr.training.file_names import BEST, EVALUATIONS, FACTS, IN_RUN, LAST, LOSS
from lora.asr.training.settings import identifying, measures_wer
from lora.provenance.hashes import content_hash
from lora.provenance.versions import model_versions
from lora.records.base import write_lines, write_text
from lora.records.training import EvaluationRow, TrainFacts
from lora.records.transcripts import Transcript

FINISHED = "finished"
ADJUSTMENTS = "adjustments.json"  # of the rows: reported again whenever the result is copied
# Generation settings that determine how labels begin and end.
LABEL_MARKS = ("decoder_start_token_id", "eos_token_id", "language", "task")
LOSS_COLUMNS = ("step", "epoch", "train_loss", "learning_rate", "grad_norm", "validation_loss")
TORCH_FILES = ("optimizer.pt", "scheduler.pt")
RANDOM_STATES = "rng_state*.pth"  # one per process


@dataclass(frozen=True)
class Training:
    """One adapter run.

    Attributes:
        run: Name of the run.
        settings: Runner flags with underscores.
        files: The model.
        device: Device and number type.
        target_rms: Loudness that audio is scaled to, None to leave it unchanged.
        train: The training rows that are used.
        validation: Rows that select the best step.
        processes: Number of processes that train together.
        available_rows: Training rows before `data_share`.
        replay: Rows of general speech that are mixed in, None without replay.
        evaluated: Rows of evaluation manifests that every validation transcribes, by name; empty without `eval_rows`.
        report_to: Trackers that the losses are sent to.
    """

    run: str
    settings: dict[str, Any]
    files: ModelFiles
    device: Device
    target_rms: float | None
    train: Rows
    validation: Rows
    processes: int = 1
    available_rows: int | None = None
    replay: Rows | None = None
    evaluated: dict[str, Rows] = field(default_factory=dict)
    report_to: list[str] = field(default_factory=list)

    def key(self) -> str:
        """Hash of everything that determines the weights, and of nothing else."""
        described = {
            "recipe": RECIPE["train"],
            "settings": identifying(self.settings),
            "model": [self.files.identity.id, self.files.identity.hash],
            "asked": language_and_prompt(self.files),
            "label_marks": {key: self.files.generation.get(key) for key in LABEL_MARKS},
            "device": self.device.settings(),
            "target_rms": self.target_rms,
            "train": rows_hash(self.train.rows, self.train.folder),
            "validation": rows_hash(self.validation.rows, self.validation.folder),
            "versions": model_versions(),
        }
        if self.processes > 1:  # the number of batches per step
            described["processes"] = self.processes
        if self.replay is not None:
            described["replay"] = rows_hash(self.replay.rows, self.replay.folder)
        if self.evaluated:
            described["evaluated"] = {name: rows_hash(rows.rows, rows.folder) for name, rows in self.evaluated.items()}
        if measures_wer(self.settings) or self.evaluated:  # then results depend on the decoding settings of the model
            described["decode"] = effective_decode(self.files, self.settings["eval_decode"])
        return content_hash(json.dumps(described, sort_keys=True))

    def facts(self, **measured: Any) -> TrainFacts:
        """Training facts: those known before the first step, updated by `measured`."""
        known: dict[str, Any] = {
            "run": self.run,
            "settings": self.settings,
            "base_model_hash": self.files.identity.hash,
            "available_rows": self.available_rows,
            "train_rows": len(self.train.rows),
            "val_rows": len(self.validation.rows),
            "planned_steps": self.settings["max_steps"],
        }
        return TrainFacts(**{**known, **measured})

    def impossible(self, code: str, message: str, **measured: Any) -> TrainFacts:
        return self.facts(status="impossible", code=code, message=message, **measured)


def write_impossible(training: Training, facts: TrainFacts, output: Path) -> None:
    """Write all declared outputs of an impossible training, with empty adapter folders."""
    for name in (BEST, LAST):
        shutil.rmtree(output / name, ignore_errors=True)
        (output / name).mkdir(parents=True)
    write_loss_log(output / LOSS, [])
    if training.evaluated:
        write_evaluations(output, [], {name: [] for name in training.evaluated})
    facts.write(output / FACTS)


def write_loss_log(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write a tab-separated file with one row per step; step 0 is before training; missing measurements are empty."""
    _write_table(path, LOSS_COLUMNS, rows)


def write_evaluations(output: Path, scored: list[EvaluationRow], last: dict[str, list[Transcript]]) -> None:
    """Write the word errors of all evaluations, and by manifest the transcripts of the last one."""
    _write_table(output / EVALUATIONS, tuple(EvaluationRow.model_fields), [row.to_json() for row in scored])
    for name, transcripts in last.items():
        write_lines(output / IN_RUN / f"{name}.jsonl", transcripts)


def _write_table(path: Path, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    lines = ["\t".join(columns)]
    lines += ["\t".join(_cell(row.get(column)) for column in columns) for row in rows]
    write_text(path, "\n".join(lines) + "\n")


def _cell(value: str | float | int | None) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def checkpoint_step(checkpoint: Path) -> int:
    """Optimiser step of a checkpoint's folder."""
    return int(checkpoint.name.rpartition("-")[2])


def last_checkpoint(checkpoints: Path) -> Path | None:
    """The newest complete checkpoint; damaged ones are removed."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    newest: tuple[int, Path] | None = None
    for folder in checkpoints.glob("checkpoint-*"):
        try:
            # transformers writes this file last.
            step = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))["global_step"]
            # It does not sync files to disk, so a crash of the machine may truncate some of them.
            load_file(folder / WEIGHTS)
            random = list(folder.glob(RANDOM_STATES))
            if not random or not all(map(zipfile.is_zipfile, [*random, *(folder / name for name in TORCH_FILES)])):
                raise ValueError
        except (OSError, ValueError, KeyError, SafetensorError):
            shutil.rmtree(folder)
            continue
        if newest is None or step > newest[0]:
            newest = (step, folder)
    return None if newest is None else newest[1]
