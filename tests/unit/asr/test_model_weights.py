"""Compare the weight files of a checkpoint with those of its base model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from lora.records.effect import EffectFacts
from lora.runners.experiment import main

Change = Callable[[dict[str, Tensor]], dict[str, Tensor]]
MATRIX = "model.decoder.layers.0.mlp.fc1.weight"


def compared(base: Path, folder: Path, change: Change | None = None) -> EffectFacts:
    """Facts of a copy of the base whose tensors were changed."""
    if not folder.is_dir():
        shutil.copytree(base, folder)
    if change is not None:
        tensors = change(load_file(folder / "model.safetensors"))
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    output = folder.parent / "effect.json"
    argv = ["compare-models", "--run", "full", "--model-id", base, "--checkpoint", folder, "--output", output]
    assert main([str(a) for a in argv]) == 0
    return EffectFacts.read(output)


def test_a_copy_changes_nothing(moonshine_folder: Path, tmp_path: Path) -> None:
    facts = compared(moonshine_folder, tmp_path / "same")
    stage = facts.checkpoint
    assert stage is not None
    assert (stage.shared, stage.changed, stage.rounded, stage.only_base, stage.only_tuned) == (
        stage.tensors,
        [],
        0,
        [],
        [],
    )
    assert facts.median_relative_norm is None
    assert {module.relative_norm for module in facts.weights or []} == {0.0}


def test_another_data_type_is_no_change(moonshine_folder: Path, tmp_path: Path) -> None:
    facts = compared(moonshine_folder, tmp_path / "half", lambda t: {k: v.bfloat16() for k, v in t.items()})
    assert facts.checkpoint is not None
    assert facts.checkpoint.changed == []
    assert facts.checkpoint.rounded > 0


@pytest.mark.parametrize("rename", [lambda name: name.removeprefix("model."), "_orig_mod.{}".format])
def test_another_prefix_of_all_names_is_no_other_model(
    moonshine_folder: Path, tmp_path: Path, rename: Callable[[str], str]
) -> None:
    """transformers loads a folder without `model.` as well; a wrapper such as torch.compile adds its own."""

    def renamed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        return {rename(name): tensor * 2 if name == MATRIX else tensor for name, tensor in tensors.items()}

    stage = compared(moonshine_folder, tmp_path / "renamed", renamed).checkpoint
    assert stage is not None
    assert (stage.shared, stage.changed, stage.only_base, stage.only_tuned) == (stage.tensors, [MATRIX], [], [])


def test_a_merged_delta_is_measured_in_its_module(moonshine_folder: Path, tmp_path: Path) -> None:
    def merge(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        weight = tensors[MATRIX]
        delta = torch.randn(weight.shape[0], 2) @ torch.randn(2, weight.shape[1])
        return tensors | {MATRIX: weight + 0.05 * delta * weight.norm() / delta.norm()}

    facts = compared(moonshine_folder, tmp_path / "merged", merge)
    assert facts.checkpoint is not None
    assert facts.checkpoint.changed == [MATRIX]
    assert facts.median_relative_norm == pytest.approx(0.05, rel=1e-2)
    (moved,) = [module for module in facts.weights or [] if module.relative_norm]
    assert (moved.name, moved.module_group) == (MATRIX.removesuffix(".weight"), "mlp")


def test_unusual_tensors_of_a_checkpoint_are_listed(moonshine_folder: Path, tmp_path: Path) -> None:
    def spoil(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        embedding = next(name for name in tensors if "embed_tokens" in name)
        matrix = tensors[MATRIX].clone()
        matrix[0, 0] = float("nan")
        larger = torch.cat([tensors[embedding], tensors[embedding][:1]])
        return tensors | {
            MATRIX: matrix,
            embedding: larger,
            "proj_out.weight": larger.clone(),
            "model.x.lora_A.default.weight": torch.ones(2, 2),
            "extra": torch.ones(3),
        }

    facts = compared(moonshine_folder, tmp_path / "spoilt", spoil)
    stage = facts.checkpoint
    assert stage is not None
    assert stage.non_finite == [MATRIX]
    assert [name.rpartition("embed_tokens")[1] for name in stage.reshaped] == ["embed_tokens"]
    assert stage.only_tuned == ["extra", "model.x.lora_A.default.weight"]  # the output layer is the embedding
    assert stage.unmerged == ["model.x.lora_A.default.weight"]


def test_shards_and_another_kind_of_model(moonshine_folder: Path, whisper_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    shutil.copytree(moonshine_folder, folder)
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    halves = {f"model-0000{n}-of-00002.safetensors": sorted(tensors)[n - 1 :: 2] for n in (1, 2)}
    for name, names in halves.items():
        save_file({key: tensors[key] for key in names}, folder / name, metadata={"format": "pt"})
    places = {key: name for name, names in halves.items() for key in names}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}), encoding="utf-8")
    stage = compared(moonshine_folder, folder).checkpoint
    assert stage is not None
    assert (stage.shared, stage.changed) == (len(tensors), [])
    other = compared(moonshine_folder, whisper_folder).checkpoint
    assert other is not None
    assert (other.base_type, other.tuned_type) == ("moonshine", "whisper")


def tear(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"torn")


def lose_configuration(folder: Path) -> None:
    (folder / "config.json").unlink()


def truncate_configuration(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "moon')


def pickle_weights(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (tear, "not a safetensors file"),
        (lose_configuration, "config.json is missing"),
        (truncate_configuration, "config.json cannot be read"),
        (pickle_weights, "has no weights in safetensors"),
    ],
)
def test_a_damaged_checkpoint_concerns_its_candidate_alone(
    moonshine_folder: Path, tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    folder = shutil.copytree(moonshine_folder, tmp_path / "torn")
    damage(folder)
    facts = compared(moonshine_folder, folder)
    assert (facts.status, facts.code) == ("impossible", "adapter.not_loaded")
    assert message in (facts.message or "")


def test_a_damaged_base_is_an_error(moonshine_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = shutil.copytree(moonshine_folder, tmp_path / "torn")
    lose_configuration(base)
    argv = ["compare-models", "--run", "x", "--model-id", str(base), "--checkpoint", str(moonshine_folder)]
    assert main([*argv, "--output", str(tmp_path / "effect.json")]) == 2
    assert "torn: config.json is missing" in capsys.readouterr().err
