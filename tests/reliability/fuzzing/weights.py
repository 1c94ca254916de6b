"""Adapters, model folders and records of trainings with damaged settings and damaged weights."""

from __future__ import annotations

import json
import random
import shutil
from functools import cache
from pathlib import Path
from typing import Any

from fuzzing import hostile
from fuzzing.cases import Case, Reader
from lora.asr.adapter.files import read_adapter
from lora.asr.adapter.identity import adapter_identity
from lora.asr.adapter.problem import AdapterProblem
from lora.asr.model_files import describe_model
from lora.records.base import UserError
from lora.stages.imports import import_training

MODEL = Path(__file__).parents[3] / "data" / "model"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4665a5ea" * 8 + b"\nsize 6\n"
PICKLE = b"\x80\x02cposix\nsystem\nX\x0c\x00\x00\x00touch pwned\x85R."
ADAPTER: dict[str, Any] = {
    "peft_type": "LORA", "r": 2, "lora_alpha": 4, "lora_dropout": 0.0, "bias": "none", "target_modules": ["q_proj"],
    "base_model_name_or_path": "data/model", "rank_pattern": {"k_proj": 1}, "alpha_pattern": {}, "use_rslora": False,
    "init_lora_weights": True, "modules_to_save": None, "task_type": None, "trainable_token_indices": None,
}  # fmt: skip
HISTORY: dict[str, Any] = {
    "global_step": 4,
    "max_steps": 4,
    "epoch": 1.0,
    "best_global_step": 4,
    "best_model_checkpoint": "checkpoint-4",
    "log_history": [
        {"step": 2, "loss": 2.5, "grad_norm": 1.0, "learning_rate": 1e-4},
        {"step": 2, "eval_loss": 2.4, "eval_wer": 0.3},
        {"step": 4, "loss": 2.1, "grad_norm": 0.9, "learning_rate": 5e-5},
        {"step": 4, "eval_loss": 2.2, "eval_wer": 0.2},
    ],
    "stateful_callbacks": {
        "EarlyStoppingCallback": {
            "args": {"early_stopping_patience": 3},
            "attributes": {"early_stopping_patience_counter": 0},
        },
        "TrainerControl": {"args": {"should_training_stop": False}},
    },
}


@cache
def adapter_weights() -> bytes:
    import torch
    from safetensors.torch import save

    name = "base_model.model.model.encoder.layers.0.self_attn.q_proj.lora_{}.weight"
    return save({name.format("A"): torch.ones(2, 4), name.format("B"): torch.ones(4, 2)}, metadata={"format": "pt"})


def damaged_json(content: dict[str, Any], choice: random.Random) -> bytes:
    """A JSON file with damaged values or bytes."""
    if choice.random() < 0.6:
        return hostile.as_json(hostile.damaged_object(content, choice)).encode()
    return hostile.damaged_bytes(json.dumps(content).encode(), choice)


def damaged_weights(content: bytes, choice: random.Random) -> bytes:
    """Weights that are torn, a pointer of git-lfs, a pickle, or have damaged bytes in their header."""
    if hostile.is_damaged(choice, 0.1):
        return choice.choice((POINTER, PICKLE, b"", b"\0" * 8, b"<html>404</html>"))
    if hostile.is_damaged(choice, 0.3):
        return content[: choice.randrange(len(content))]
    length = int.from_bytes(content[:8], "little")
    return hostile.damaged_bytes(content[: 8 + length], choice) + content[8 + length :]


def make_adapter(folder: Path, choice: random.Random) -> Case:
    settings = json.dumps(ADAPTER).encode()
    weights = adapter_weights()  # imports torch
    if choice.random() < 0.5:
        settings = damaged_json(ADAPTER, choice)
    else:
        weights = damaged_weights(weights, choice)
    (folder / "adapter_config.json").write_bytes(settings)
    (folder / "adapter_model.safetensors").write_bytes(weights)
    if choice.random() < 0.2:
        (folder / "lora_provenance.json").write_bytes(damaged_json({"base_model_hash": "abc"}, choice))

    def read() -> None:
        try:
            adapter_identity(folder)
            read_adapter(folder).stage().to_json()
        except AdapterProblem as problem:
            raise UserError(problem.message) from None

    return Case(read)


def damaged_model(folder: Path, choice: random.Random) -> Path:
    """A copy of the model with one damaged file."""
    home = folder / "model"
    shutil.copytree(MODEL, home, symlinks=True, ignore=shutil.ignore_patterns("*.safetensors", "*.md"))
    name = choice.choice(sorted(path.name for path in home.iterdir()))
    content = (home / name).read_bytes()
    (home / name).write_bytes(damaged_json(json.loads(content), choice))
    if choice.random() < 0.15:
        index = {"metadata": {}, "weight_map": {"a": "x.safetensors", "b": "y.safetensors"}}
        (home / "model.safetensors.index.json").write_bytes(damaged_json(index, choice))
        for shard in ("x", "y"):
            (home / f"{shard}.safetensors").symlink_to(MODEL / "model.safetensors")
    elif choice.random() < 0.2:
        (home / "model.safetensors").write_bytes(damaged_weights((MODEL / "model.safetensors").read_bytes(), choice))
    else:
        (home / "model.safetensors").symlink_to(MODEL / "model.safetensors")
    return home


def make_description(folder: Path, choice: random.Random) -> Case:
    home = damaged_model(folder, choice)
    return Case(lambda: describe_model(str(home)))


def make_model(folder: Path, choice: random.Random) -> Case:
    from lora.asr.model_loading import load_model  # slow, and not a part of the time that is measured

    home = damaged_model(folder, choice)
    return Case(lambda: load_model(describe_model(str(home))))


def make_history(folder: Path, choice: random.Random) -> Case:
    home = folder / "checkpoint-4"
    home.mkdir()
    (home / "trainer_state.json").write_bytes(damaged_json(HISTORY, choice))
    if choice.random() < 0.3:
        other = folder / "checkpoint-8"
        other.mkdir()
        (other / "trainer_state.json").write_bytes(damaged_json(HISTORY, choice))
    if choice.random() < 0.1:
        (home / "train.json").write_bytes(damaged_json({"run": "a", "source": "", "optimizer_steps": 4}, choice))
    return Case(lambda: import_training("run", home, folder / "facts.json"))


READERS = [
    Reader("adapter", make_adapter),
    Reader("model folder", make_description),
    Reader("model, loaded", make_model),
    Reader("record of a training", make_history),
]
