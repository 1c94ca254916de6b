"""Training history of external weights, read from the files that trainers write next to them. Torch-free.

Two formats are supported: `train.json` of this software (next to the folders `best` and `last` of a run), and
`trainer_state.json` of the Hugging Face Trainer (in its checkpoint folders, or in the folder it saved to). Facts that
the file does not record are None. `training_args.bin` and optimiser states are pickles and are never read.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lora.asr.training.file_names import BEST, FACTS, LAST
from lora.asr.training.trainer_state import facts_of_state
from lora.records.base import UserError, first_fault
from lora.records.training import TrainFacts

TRAINER_STATE = "trainer_state.json"
FIRST_KEY = 64  # bytes in which a record of this software has its first key
LONGEST_REASON = 200  # characters of an error message that may quote the file
CHECKPOINT = re.compile(r"checkpoint-(\d+)")


def history_file(weights: Path) -> Path | None:
    """The file that records the training of an adapter or checkpoint folder, or None.

    Of a `checkpoint-N` it is the state of the latest checkpoint of the same run, which knows what came after step N.
    """
    folder = _saved_in(weights)
    candidates = [folder / FACTS, *([folder.parent / FACTS] if folder.name in {BEST, LAST} else [])]
    facts = next((path for path in candidates if _is_record(path)), None)
    if facts is not None:
        return facts
    own = folder / TRAINER_STATE
    if not own.is_file():
        return None
    return own if weights_step(weights) is None else _latest_of_run(own)


def _is_record(path: Path) -> bool:
    """Whether a `train.json` is a record of this software: data sets have that name, too."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return b'"status"' in file.read(FIRST_KEY)


def _saved_in(weights: Path) -> Path:
    """The folder that the trainer saved: one above an adapter in a folder of its own (`checkpoint-N/adapter_model`)."""
    own = (weights / TRAINER_STATE).is_file() or CHECKPOINT.fullmatch(weights.name) is not None
    inside = CHECKPOINT.fullmatch(weights.parent.name) is not None or (weights.parent / TRAINER_STATE).is_file()
    return weights.parent if inside and not own else weights


def weights_step(weights: Path) -> int | None:
    """Optimiser step of the weights, where the name of their folder contains it."""
    match = CHECKPOINT.fullmatch(_saved_in(weights).name)
    return int(match[1]) if match else None


def _latest_of_run(own: Path) -> Path:
    """The state with the most steps among those of the run's folder that continue the log of `own`."""
    run = own.parent.parent
    known = _state(own)
    latest = own
    steps = known.get("global_step", 0)
    for path in sorted([run / TRAINER_STATE, *run.glob(f"checkpoint-*/{TRAINER_STATE}")]):
        if path == own or not path.is_file():
            continue
        state = _state(path)
        log = known.get("log_history")
        done = state.get("global_step", 0)
        continues = isinstance(log, list) and json.dumps(state.get("log_history", [])[: len(log)]) == json.dumps(log)
        if continues and done > steps:
            latest = path
            steps = done
    return latest


def _state(path: Path) -> dict[str, Any]:
    """A Trainer's state as far as runs are compared by it; empty if it is none."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    sound = isinstance(state, dict) and isinstance(state.get("global_step"), int)
    return state if sound and isinstance(state.get("log_history"), list) else {}


def training_history(run: str, weights: Path) -> TrainFacts:
    """Read the training facts of an external adapter or checkpoint.

    All are None if no file records them. A damaged file concerns this run alone: `unreadable` says what is wrong.
    """
    path = history_file(weights)
    if path is None:
        return TrainFacts(run=run, source="")
    try:
        if path.name == FACTS:
            return _own_facts(run, path, weights)
        return _state_facts(run, path, weights_step(weights))
    except UserError as error:
        return TrainFacts(run=run, source=str(path), unreadable=str(error))


def _state_facts(run: str, path: Path, step: int | None) -> TrainFacts:
    """Facts of a Trainer's state. Raises UserError if the file is damaged or something else."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: not readable as JSON ({error})") from None
    try:
        return facts_of_state(run, path, state, step)
    except KeyError as error:
        reason = f"no key {error}"
    except ValidationError as error:
        reason = first_fault(error, "the file")
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        reason = str(error)[:LONGEST_REASON]
    raise UserError(f"{path}: not the state of a Trainer ({reason})")


def _own_facts(run: str, path: Path, adapter: Path) -> TrainFacts:
    """Facts as recorded, except that the adapter `last` is the best step only if that was the final step."""
    facts = TrainFacts.read(path)
    best_kept = facts.best_kept
    if adapter.name == LAST and facts.best_step is not None:
        best_kept = facts.best_step == facts.optimizer_steps
    return facts.model_copy(update={"run": run, "source": str(path), "best_kept": best_kept})
