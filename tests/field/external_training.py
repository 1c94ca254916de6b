"""Studies of a tiny Whisper whose candidate was trained elsewhere, and what trainers leave behind, for field cases."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from computed_studies import computed
from small_study import REPOSITORY, Study, make_study

sys.path.insert(0, str(REPOSITORY / "tests" / "unit" / "asr"))
from tiny_models import make_whisper

COUNTS = {"train": 16, "domain": 6}
MODEL = "model"
CONFIG: dict[str, Any] = {
    "model": {"id": MODEL, "language": "en"},
    "manifests": {"heldout": None, "test": None},
    "roles": {"general": [], "domain": ["domain"]},
    "durations": {"thresholds": [5, 30], "min_train_samples": 8},
    "labels": {"sample": 2},
    "adapter": {"sample": 2},
    "headroom": {"harden": False},
    "decode": {"max_new_tokens": 8},
}
RANK = 4


def healthy_study(folder: Path) -> Study:
    """A study of a tiny random Whisper with a sound adapter."""
    candidates = {"lora": None, "theirs": {"adapter": "external"}}
    study = make_study(folder, {**CONFIG, "candidates": candidates}, COUNTS)
    make_whisper(study.folder / MODEL)
    save_adapter(study.folder / "external")
    return study


def whisper_study(folder: Path, candidate: dict[str, Any]) -> Study:
    """A copy of the healthy study whose only candidate `theirs` was trained elsewhere."""
    study = computed(healthy_study).copy(folder / "study")
    study.configure({"candidates": {"theirs": {"adapter": None, **candidate}}})
    return study


def save_adapter(folder: Path, **changes: Any) -> dict[str, Any]:
    """Write an adapter of the tiny Whisper as peft saves it, with lora_B that is not zero; returns its tensors."""
    import torch
    from safetensors.torch import save_file

    groups = [("encoder", "self_attn"), ("decoder", "self_attn"), ("decoder", "encoder_attn")]
    modules = [
        f"{part}.layers.{layer}.{attention}.{name}"
        for part, attention in groups
        for layer in range(2)
        for name in ("q_proj", "v_proj")
    ]
    torch.manual_seed(0)
    tensors = {
        f"base_model.model.model.{module}.lora_{kind}.weight": torch.randn(*shape) * 0.1
        for module in modules
        for kind, shape in (("A", (RANK, 32)), ("B", (32, RANK)))
    }
    config = {
        "peft_type": "LORA",
        "base_model_name_or_path": "openai/whisper-tiny",
        "r": RANK,
        "lora_alpha": 2 * RANK,
        "target_modules": ["q_proj", "v_proj"],
        "task_type": None,
        "bias": "none",
        "modules_to_save": None,
        "inference_mode": True,
        **changes,
    }
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps(config))
    save_file(tensors, folder / "adapter_model.safetensors")
    return tensors


def change_tensors(folder: Path, change: Any) -> None:
    """Write the adapter's tensors again; `change` takes and returns all of them by name."""
    from safetensors.torch import load_file, save_file

    path = folder / "adapter_model.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in change(load_file(path)).items()}, path)


def state(folder: Path, log: list[dict[str, Any]], **keys: Any) -> None:
    """Write trainer_state.json as the Trainer does, NaN included."""
    folder.mkdir(parents=True, exist_ok=True)
    last = log[-1]["step"]
    whole = {"global_step": last, "max_steps": last, "epoch": 1.0, "log_history": log, **keys}
    (folder / "trainer_state.json").write_text(json.dumps(whole))


def losses(values: list[float], every: int = 10, rates: list[float] | None = None) -> list[dict[str, Any]]:
    rates = rates or [1e-4 * (len(values) - n) for n in range(len(values))]
    return [
        {"step": every * n, "loss": loss, "grad_norm": 1.0, "learning_rate": rate}
        for n, (loss, rate) in enumerate(zip(values, rates, strict=True), 1)
    ]


def evaluations(values: list[tuple[int, float, float]]) -> list[dict[str, Any]]:
    return [{"step": step, "eval_loss": loss, "eval_wer": wer} for step, loss, wer in values]


FALLING = [2.0, 1.4, 1.1, 0.9, 0.8, 0.75]
EARLY = {
    "EarlyStoppingCallback": {
        "args": {"early_stopping_patience": 3, "early_stopping_threshold": 0.0},
        "attributes": {"early_stopping_patience_counter": 3},
    }
}


def with_adapter(folder: Path, name: str = "external", **changes: Any) -> Study:
    """A study whose candidate is the adapter in `name`."""
    save_adapter(folder / name, **changes)
    return whisper_study(folder, {"adapter": str(folder / name)})


def save_checkpoint(folder: Path, base: Path, without: tuple[str, ...] = ()) -> None:
    """A tuned copy of the base model, with every matrix of the decoder 5 % larger and without some files."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(base, folder)
    tensors = load_file(folder / "model.safetensors")
    tuned = {name: tensor * 1.05 if ".decoder." in name else tensor for name, tensor in tensors.items()}
    save_file(tuned, folder / "model.safetensors", metadata={"format": "pt"})
    for name in without:
        (folder / name).unlink(missing_ok=True)


TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "normalizer.json",
    "processor_config.json",
)
