"""Train an adapter, resume its training, or copy a finished result.

`work/train/<key>/` contains checkpoints during training and the finished result afterwards. An interrupted training
resumes from its last checkpoint and gives the same bytes; a finished one is copied without importing torch.

Reads: rows, audio, model files. Writes: `best/`, `last/`, `train.json`, `loss.tsv` in the output folder, with
`eval_rows` also `evaluations.tsv` and `in_run/`, and `work/`.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from lora.asr.checksums import damaged_files
from lora.asr.devices import Device, confirm_device
from lora.asr.training.file_names import BEST, EVALUATIONS, FACTS, IN_RUN, LAST, LOSS
from lora.asr.training.state import ADJUSTMENTS, FINISHED, Training, checkpoint_step, last_checkpoint, write_impossible
from lora.asr.training.trackers import check_trackers
from lora.asr.work_lock import locked
from lora.records.training import TrainFacts


@dataclass(frozen=True)
class Outcome:
    """Result of a training.

    Attributes:
        facts: Facts of the training.
        steps_taken: Optimiser steps of this call; 0 if the training was finished before.
        decoded: Utterances of evaluation manifests that this call decoded; 0 without `eval_rows`.
        device: The device that was used.
        adjustments: Messages about changes to the rows, for the run record.
    """

    facts: TrainFacts
    steps_taken: int
    device: Device
    decoded: int = 0
    adjustments: list[str] = field(default_factory=list)


def train_adapter(training: Training, output: Path, work: Path) -> Outcome:
    """Train, resume or copy, and write all outputs. Problems with a cause code are facts, not errors."""
    missing = _missing_rows(training)
    if missing is not None:
        facts = training.impossible("data.too_few_samples", missing)
        write_impossible(training, facts, output)
        return Outcome(facts, 0, training.device)
    state = work / "train" / training.key()
    with locked(state) as lock:
        if damaged := damaged_files(state / FINISHED):
            print(f"train: {state / FINISHED}: {', '.join(damaged)} damaged since then; trains again", file=sys.stderr)
            shutil.rmtree(state / FINISHED)
        if (state / FINISHED / FACTS).is_file():
            print(f"train: already finished, copied from {state}", file=sys.stderr)
            facts = _copy_result(training, state / FINISHED, output)
            return Outcome(facts, 0, training.device, adjustments=_adjustments(state / FINISHED))
        device = confirm_device(training.device)
        if device == training.device:
            check_trackers(training.report_to)
            steps_taken, decoded, adjustments = _fit(training, state, lock)
            facts = _copy_result(training, state / FINISHED, output)
            return Outcome(facts, steps_taken, device, decoded, adjustments)
    # torch uses another device than the one in the key of this state.
    return train_adapter(replace(training, device=device), output, work)


def _missing_rows(training: Training) -> str | None:
    """Which rows are missing for the training; None if it has what it needs."""
    if not training.train.rows:
        return "the training split has no rows"
    if training.replay is not None and not training.replay.rows:
        return "the manifest replay has no usable rows of at most max_seconds"
    return None


def _fit(training: Training, state: Path, lock: int) -> tuple[int, int, list[str]]:
    """Optimiser steps, decoded utterances of evaluation manifests, and adjustments to the rows."""
    from lora.asr.training.in_run import forget_after, utterances

    newest = last_checkpoint(state / "checkpoints")
    forget_after(state / IN_RUN, 0 if newest is None else checkpoint_step(newest))
    before = utterances(state / IN_RUN)
    if training.processes > 1:
        from lora.asr.training.processes import fit_in_processes

        steps, adjustments = fit_in_processes(training, state, lock)
    else:
        from lora.asr.training.fit import fit

        steps, adjustments = fit(training, state)
    decoded = utterances(state / IN_RUN) - before
    shutil.rmtree(state / IN_RUN, ignore_errors=True)
    return steps, decoded, adjustments


def _adjustments(finished: Path) -> list[str]:
    path = finished / ADJUSTMENTS
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []


def _copy_result(training: Training, finished: Path, output: Path) -> TrainFacts:
    # A run of another name may have trained this state, with the same settings, rows and model.
    known = {"run": training.run, "settings": training.settings, "available_rows": training.available_rows}
    facts = TrainFacts.read(finished / FACTS).model_copy(update=known)
    output.mkdir(parents=True, exist_ok=True)
    for name in (BEST, LAST):
        shutil.rmtree(output / name, ignore_errors=True)
        shutil.copytree(finished / name, output / name)
    shutil.copyfile(finished / LOSS, output / LOSS)
    if training.evaluated:
        shutil.copyfile(finished / EVALUATIONS, output / EVALUATIONS)
        shutil.rmtree(output / IN_RUN, ignore_errors=True)
        shutil.copytree(finished / IN_RUN, output / IN_RUN)
    facts.write(output / FACTS)
    return facts
