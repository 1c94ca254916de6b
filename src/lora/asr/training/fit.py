"""Fit an adapter from a fresh model or a checkpoint. Imports torch.

Reads: model files, audio, checkpoints in `<state>/checkpoints/`. Writes: checkpoints, then `<state>/finished/` with the
adapters (canonical bytes), facts and loss log, atomically.
"""

from __future__ import annotations

import json
import math
import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

from peft import PeftModel
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file
from torch import Tensor

from lora.asr.adapter.attach import ADAPTER, adapted_modules, attach, train_in_full_precision
from lora.asr.adapter.configuration import lora_config
from lora.asr.adapter.files import WEIGHTS, write_adapter
from lora.asr.adapter.initialisation import as_plain_lora
from lora.asr.adapter.problem import AdapterProblem
from lora.asr.adapter.weight_deltas import initial_matrices, module_changes
from lora.asr.checksums import write_checksums
from lora.asr.device_memory import return_freed_memory
from lora.asr.devices import make_deterministic
from lora.asr.model_loading import load_model
from lora.asr.training.file_names import BEST, FACTS, LAST, LOSS
from lora.asr.training.in_run import InRunEvaluations
from lora.asr.training.loss_trend import first_and_last_tenth, rate_trend
from lora.asr.training.preparation import Plan, prepare, without_long_labels
from lora.asr.training.state import (
    ADJUSTMENTS,
    FINISHED,
    Training,
    checkpoint_step,
    last_checkpoint,
    write_impossible,
    write_loss_log,
)
from lora.asr.training.step_callback import LossNotFinite, WerReached
from lora.asr.training.trackers import choose_log_folder
from lora.asr.training.trainer import SpeechTrainer, trainable_facts
from lora.records.base import UserError, write_text
from lora.records.training import EarlyStopping, ModuleChange, TrainFacts, ValidationPoint


def fit(training: Training, state: Path, first: bool = True) -> tuple[int, list[str]]:
    """Train and write `<state>/finished/`.

    Args:
        training: Settings, rows and model.
        state: Folder of the training; several processes of one training share it.
        first: Whether this process writes; all processes train.

    Returns:
        Optimiser steps taken by this call, and adjustments to the rows for the run record.
    """
    unfinished = state / "making"
    if first:
        shutil.rmtree(unfinished, ignore_errors=True)
    make_deterministic(int(training.settings["seed"]), training.device.threads)
    return_freed_memory()
    speech = load_model(training.files, training.device.type, training.device.dtype)
    if training.settings["label_smoothing"] and not speech.teacher_forced:
        raise UserError(f"label_smoothing: {speech.family} models have no token-level loss to smooth; set it to 0")
    described = training
    training, adjustments = without_long_labels(training, speech)

    def report(message: str) -> None:
        print(f"train: {message}", file=sys.stderr, flush=True)
        adjustments.append(message)

    steps_taken = 0
    try:
        if not training.train.rows:
            raise AdapterProblem("data.too_few_samples", "every training label is longer than the model allows")
        if training.replay is not None and not training.replay.rows:
            raise AdapterProblem("data.too_few_samples", "every label of replay is longer than the model allows")
        config = lora_config(speech.model, training.settings, training.files.identity.id)
        model = attach(speech, config)
        train_in_full_precision(model)
    except AdapterProblem as problem:
        parameters = sum(p.numel() for p in speech.model.parameters())
        if first:
            facts = training.impossible(problem.code, problem.message, total_parameters=parameters)
            write_impossible(training, facts, unfinished)
    else:
        initial = initial_matrices(model)
        evaluations = InRunEvaluations(training, state, report) if training.evaluated and first else None
        choose_log_folder(training.report_to, state.parents[1], training.run)
        trainer, plan = prepare(training, speech, state / "checkpoints", report, evaluations)
        fitted = _Fitted(training, model, trainer, plan, initial, evaluations)
        steps_taken = fitted.run(last_checkpoint(state / "checkpoints"))
        if first:
            fitted.write(unfinished, state / "checkpoints")
    if not first:
        return steps_taken, adjustments
    _require_same_audio(described, state)
    write_text(unfinished / ADJUSTMENTS, json.dumps(adjustments))
    write_checksums(unfinished)
    unfinished.rename(state / FINISHED)
    shutil.rmtree(state / "checkpoints", ignore_errors=True)
    return steps_taken, adjustments


def _require_same_audio(training: Training, state: Path) -> None:
    """Check that the audio is still what the name of the training's folder describes.

    Raises:
        UserError: Somebody replaced audio during the training, which then begins anew.
    """
    if training.key() != state.name:
        shutil.rmtree(state / "checkpoints", ignore_errors=True)
        raise UserError(
            f"run {training.run}: audio of its rows was replaced while it was trained. Run the same command again when "
            "nobody replaces it."
        )


class _Fitted:
    """Runs a training and writes its results."""

    def __init__(
        self,
        training: Training,
        model: PeftModel,
        trainer: SpeechTrainer,
        plan: Plan,
        initial: dict[str, tuple[Tensor, Tensor]],
        evaluations: InRunEvaluations | None,
    ) -> None:
        self._training = training
        self._model = model
        self._trainer = trainer
        self._plan = plan
        self._initial = initial
        self._evaluations = evaluations
        self._trainable = trainable_facts(model)
        _log_trainable(self._trainable)
        self._before: dict[str, float] = {}
        self._stopped: LossNotFinite | None = None
        self._reached: WerReached | None = None

    def run(self, checkpoint: Path | None) -> int:
        """Train and return the steps taken. A resumed training repeats the validation of step 0, for the same bytes."""
        self._before = self._trainer.validation_metrics()
        start = 0
        if checkpoint is not None:
            start = checkpoint_step(checkpoint)
            print(f"train: resumes after step {start} ({checkpoint})", file=sys.stderr)
        try:
            self._trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        except LossNotFinite as problem:
            self._stopped = problem
            self._trainer.end_early()
            print(f"train: stopped: {problem}", file=sys.stderr)
        except WerReached as reached:
            self._reached = reached
            self._trainer.end_early()
            print(f"train: ended early: {reached}", file=sys.stderr)
        if not self._training.validation.rows and self._stopped is None:  # no validation has transcribed the manifests
            self._trainer.transcribe_evaluations()
        return int(self._trainer.state.global_step) - start

    def write(self, folder: Path, checkpoints: Path) -> None:
        base: Any = self._model.get_base_model()
        trained: Any = self._model.peft_config[ADAPTER]
        saved_modules = [*(trained.modules_to_save or []), *(getattr(trained, "modules_to_tie", None) or [])]
        config = trained.to_dict() | {
            "modules_to_save": saved_modules or None,  # peft omits tied modules, which the file contains
            # peft writes the local folder of the model instead.
            "base_model_name_or_path": self._training.files.identity.id,
            "inference_mode": True,
            "auto_mapping": {"base_model_class": type(base).__name__, "parent_library": type(base).__module__},
        }
        base_hash = self._training.files.identity.hash
        last = get_peft_model_state_dict(self._model, adapter_name=ADAPTER, save_embedding_layers=False)

        def write_plain(name: str, tensors: dict[str, Tensor]) -> None:
            write_adapter(folder / name, *as_plain_lora(config, tensors, self._initial), base_hash)

        write_plain(LAST, last)
        used = last
        best_step = self._trainer.state.best_global_step
        best_kept = None
        if self._training.validation.rows:
            weights = checkpoints / f"checkpoint-{best_step}" / WEIGHTS
            best_kept = bool(best_step) and weights.is_file()
            (folder / BEST).mkdir(parents=True, exist_ok=True)
            if best_kept:
                used = load_file(weights)
                write_plain(BEST, used)
        else:
            write_plain(BEST, last)
        write_loss_log(folder / LOSS, self._loss_rows())
        if self._evaluations is not None:
            self._evaluations.write(folder)
        changes = module_changes(self._model, self._initial, used)
        self._facts(best_step or None, best_kept, changes).write(folder / FACTS)

    def _facts(self, best_step: int | None, best_kept: bool | None, changes: list[ModuleChange]) -> TrainFacts:
        history: list[dict[str, Any]] = self._trainer.state.log_history
        settings = self._training.settings
        steps_done = int(self._trainer.state.global_step)
        steps = [entry for entry in history if "loss" in entry]
        with_gradient = {name for entry in steps for name in entry["modules_with_gradient"]}
        adapted = sorted(adapted_modules(self._model))
        rates = [entry["learning_rate"] for entry in steps]
        first, final = first_and_last_tenth([entry["loss"] for entry in steps])
        problem: dict[str, Any] = {}
        if self._stopped is not None:
            problem = {
                "status": "impossible",
                "code": "training.diverged",
                "message": str(self._stopped),
                "non_finite_step": self._stopped.step,
            }
        return self._training.facts(
            **self._trainable,
            **problem,
            zero_gradient_modules=[name for name in adapted if name not in with_gradient] if steps else [],
            optimizer_steps=steps_done,
            early_stopping=self._early_stopping(),
            replay=None if self._training.replay is None else self._plan.replay(steps_done, settings["replay_share"]),
            learning_rate_peak=max(rates, default=None),
            learning_rate_last=rates[-1] if rates else None,
            learning_rate_trend=rate_trend(rates),
            gradient_norm_median=_finite(statistics.median([e["grad_norm"] for e in steps])) if steps else None,
            first_train_loss=first,
            final_train_loss=final,
            validation=[
                ValidationPoint(step=row["step"], loss=_finite(row["validation_loss"]), wer=row.get("validation_wer"))
                for row in self._loss_rows()
                if row.get("validation_loss") is not None
            ],
            best_step=best_step,
            best_kept=best_kept,
            changes=changes,
        )

    def _early_stopping(self) -> EarlyStopping | None:
        threshold = self._training.settings["wer_stop_threshold"]
        if threshold is None:
            return None
        wer = None if self._reached is None else self._reached.wer
        return EarlyStopping(patience=None, waited=None, stopped=wer is not None, threshold=threshold, wer=wer)

    def _loss_rows(self) -> list[dict[str, Any]]:
        """One row per step, in order; keys are the columns of the loss log and `validation_wer`."""
        rows: dict[int, dict[str, Any]] = {}
        epochs = self._plan.epochs()
        if self._before:
            rows[0] = {"step": 0, "epoch": 0.0} | _validation(self._before)
        for entry in self._trainer.state.log_history:
            step = int(entry["step"])
            row = rows.setdefault(step, {"step": step})
            if "loss" in entry:
                row["epoch"] = epochs[step - 1]
                row["train_loss"] = entry["loss"]
                row |= {key: entry[key] for key in ("learning_rate", "grad_norm")}
            elif "eval_loss" in entry:
                row |= _validation(entry)
        return [rows[step] for step in sorted(rows) if len(rows[step]) > 1]


def _log_trainable(trainable: dict[str, Any]) -> None:
    """Log the trained modules and the number of parameters."""
    for group, names in trainable["adapted"].items():
        print(f"train: adapts {group}: {', '.join(f'{name} {n}' for name, n in names.items())}", file=sys.stderr)
    if trainable["fully_trained"]:
        print(f"train: fully trains: {', '.join(trainable['fully_trained'])}", file=sys.stderr)
    share = f"{trainable['trainable_parameters']:,} of {trainable['total_parameters']:,}"
    print(f"train: {share} parameters are trainable", file=sys.stderr, flush=True)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _validation(metrics: dict[str, float]) -> dict[str, float | None]:
    return {"validation_loss": metrics["eval_loss"], "validation_wer": metrics.get("eval_wer")}
