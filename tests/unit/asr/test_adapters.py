"""Adapters: target modules, module groups, canonical files, and loading that reports every problem."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file

from lora.asr.adapter.attach import attach
from lora.asr.adapter.configuration import lora_config, target_modules
from lora.asr.adapter.files import CONFIG, PROVENANCE, WEIGHTS, AdapterFiles, adapter_home, write_adapter
from lora.asr.adapter.identity import adapter_identity
from lora.asr.adapter.loading import base_evidence, load_adapter
from lora.asr.adapter.module_groups import MODULE_GROUPS, module_group
from lora.asr.adapter.problem import AdapterProblem
from lora.asr.adapter.weight_deltas import weight_deltas
from lora.asr.families.speech_model import SpeechModel
from lora.asr.model_files import describe_model
from lora.asr.model_loading import load_model
from lora.records.base import UserError

SETTINGS: dict[str, Any] = {
    "rank": 4,
    "alpha": 8.0,
    "dropout": 0.0,
    "target_modules": "auto",
    "target_parts": MODULE_GROUPS,
    "modules_to_save": [],
    "bias": "none",
    "use_dora": False,
    "use_rslora": False,
    "init_lora_weights": "true",
}


@pytest.fixture
def fresh(moonshine_folder: Path) -> Callable[[], SpeechModel]:
    return lambda: load_model(describe_model(str(moonshine_folder)))


@pytest.fixture
def adapter(fresh: Callable[[], SpeechModel], tmp_path: Path) -> Path:
    """An adapter with random weights in both matrices."""
    speech = fresh()
    model = attach(speech, lora_config(speech.model, SETTINGS, "data/model"))
    torch.manual_seed(1)
    tensors = {name: torch.randn_like(value) * 0.1 for name, value in get_peft_model_state_dict(model).items()}
    config = model.peft_config["default"].to_dict() | {"base_model_name_or_path": "data/model"}
    write_adapter(tmp_path / "adapter", config, tensors, speech.files.identity.hash)
    return tmp_path / "adapter"


def edit_tensors(folder: Path, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> None:
    save_file(change(load_file(folder / WEIGHTS)), folder / WEIGHTS)


def edit_config(folder: Path, **values: Any) -> None:
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(config | values))


def test_target_modules_accept_auto_lists_and_expressions(
    fresh: Callable[[], SpeechModel],
) -> None:
    model = fresh().model
    assert target_modules(model, "auto") == ["fc1", "fc2", "k_proj", "o_proj", "q_proj", "v_proj"]
    assert target_modules(model, "v_proj, q_proj") == ["q_proj", "v_proj"]
    assert target_modules(model, r".*encoder.*q_proj") == r".*encoder.*q_proj"


@pytest.mark.parametrize("setting", ["attention", "input_layernorm", "(", "norm"])
def test_targets_that_match_nothing_list_the_available_modules(fresh: Callable[[], SpeechModel], setting: str) -> None:
    speech = fresh()
    with pytest.raises(AdapterProblem, match="q_proj") as problem:
        attach(speech, lora_config(speech.model, SETTINGS | {"target_modules": setting}, "data/model"))
    assert problem.value.code == "adapter.no_target_modules"


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("model.encoder.layers.0.self_attn.q_proj", "encoder"),
        ("model.encoder.layers.0.mlp.fc1", "encoder"),
        ("model.decoder.layers.1.self_attn.v_proj", "decoder_self"),
        ("model.decoder.layers.1.encoder_attn.v_proj", "cross"),
        ("model.decoder.layers.1.mlp.fc2", "mlp"),
        ("model.decoder.layers.1.fc2", "mlp"),
        ("model.audio_tower.layers.0.fc1", "encoder"),
        ("model.language_model.layers.0.self_attn.k_proj", "decoder_self"),
        ("model.language_model.layers.0.mlp.gate_proj", "mlp"),
        ("proj_out", "other"),
    ],
)
def test_module_group(name: str, group: str) -> None:
    assert module_group(name) == group


def test_equal_weights_give_equal_files(adapter: Path, tmp_path: Path) -> None:
    config = json.loads((adapter / CONFIG).read_text())
    shuffled = dict(reversed(config.items())) | {"target_modules": set(config["target_modules"])}
    tensors = dict(reversed(load_file(adapter / WEIGHTS).items()))
    write_adapter(
        tmp_path / "again", shuffled, tensors, json.loads((adapter / PROVENANCE).read_text())["base_model_hash"]
    )
    for name in (CONFIG, WEIGHTS, PROVENANCE):
        assert (adapter / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert config["base_model_name_or_path"] == "data/model"
    assert adapter_identity(adapter).hash == adapter_identity(tmp_path / "again").hash


def test_every_tensor_is_loaded(fresh: Callable[[], SpeechModel], adapter: Path) -> None:
    loaded = load_adapter(fresh(), adapter)
    stage = loaded.load_stage
    assert stage.tensors_in_file == stage.tensors_loaded == loaded.file_stage.tensors == 64
    assert stage.missing_keys == stage.unexpected_keys == []
    assert stage.active
    assert stage.base_matches is True
    assert stage.modules_by_group == {"cross": 8, "decoder_self": 8, "encoder": 12, "mlp": 4}
    assert (loaded.file_stage.lora_b, loaded.file_stage.lora_b_zero) == (32, 0)


def test_a_task_type_that_renames_inputs_is_ignored(fresh: Callable[[], SpeechModel], adapter: Path) -> None:
    edit_config(adapter, task_type="SEQ_2_SEQ_LM")
    assert load_adapter(fresh(), adapter).load_stage.tensors_loaded == 64


def test_missing_and_unexpected_tensors_are_reported(fresh: Callable[[], SpeechModel], adapter: Path) -> None:
    edit_tensors(adapter, lambda tensors: dict(sorted(tensors.items())[2:]) | {"stranger": torch.ones(1)})
    stage = load_adapter(fresh(), adapter).load_stage
    assert (stage.tensors_loaded, len(stage.missing_keys), stage.unexpected_keys) == (62, 2, ["stranger"])


@pytest.mark.parametrize(
    "options",
    [
        {"lora_bias": True},
        {"target_modules": ["embed_tokens", "q_proj"]},  # peft saves an embedding that it adapts, too
        {"modules_to_save": ["layernorm"]},  # the end of several names
    ],
)
def test_adapters_as_peft_saves_them(fresh: Callable[[], SpeechModel], tmp_path: Path, options: dict[str, Any]) -> None:
    config = LoraConfig(**{"r": 2, "target_modules": ["q_proj"], **options})
    get_peft_model(fresh().model, config).save_pretrained(tmp_path / "adapter")
    loaded = load_adapter(fresh(), tmp_path / "adapter")
    assert loaded.load_stage.tensors_loaded == loaded.load_stage.tensors_in_file > 14
    assert (loaded.file_stage.undeclared, loaded.load_stage.unexpected_keys) == ([], [])


def test_a_module_to_save_without_tensors_is_missing(fresh: Callable[[], SpeechModel], adapter: Path) -> None:
    edit_config(adapter, modules_to_save=["proj_out"])
    stage = load_adapter(fresh(), adapter).load_stage
    assert (stage.tensors_loaded, stage.missing_keys) == (64, ["base_model.model.proj_out.weight"])


@pytest.mark.parametrize(
    "names",
    [
        ["decoder.embed_tokens.weight"],
        ["decoder.embed_tokens.modules_to_save.weight", "decoder.embed_tokens.original_module.weight"],
        ["decoder.embed_tokens.modules_to_save.default.weight", "decoder.embed_tokens.weight"],
    ],
)
def test_added_tokens_are_a_resized_vocabulary(
    fresh: Callable[[], SpeechModel], adapter: Path, names: list[str]
) -> None:
    """Layers saved whole, under the names of several versions of peft."""
    speech = fresh()
    rows, size = speech.model.get_input_embeddings().weight.shape
    edit_config(adapter, modules_to_save=["embed_tokens"])
    whole = {f"base_model.model.model.{name}": torch.randn(rows + 3, size) for name in names}
    edit_tensors(adapter, lambda tensors: tensors | whole)
    (adapter / PROVENANCE).unlink()
    stage = load_adapter(speech, adapter, whatever_fits=True).load_stage
    assert stage.added_tokens == 3
    assert stage.base_matches is None
    assert set(stage.resized) == set(stage.shape_mismatches) <= set(whole)


def test_a_lora_of_a_resized_vocabulary(fresh: Callable[[], SpeechModel], tmp_path: Path) -> None:
    speech = fresh()
    settings = {**SETTINGS, "target_modules": ".*(embed_tokens|proj_out)"}
    model = attach(speech, lora_config(speech.model, settings, "data/model"))
    tensors = get_peft_model_state_dict(model, save_embedding_layers=False)
    wider = {
        name: torch.cat([value, value[:, :2]], 1)
        if "lora_embedding_A" in name
        else torch.cat([value, value[:2]])
        if "proj_out.lora_B" in name
        else value
        for name, value in tensors.items()
    }
    config = model.peft_config["default"].to_dict() | {"base_model_name_or_path": "data/model"}
    write_adapter(tmp_path / "adapter", config, wider, speech.files.identity.hash)
    (tmp_path / "adapter" / PROVENANCE).unlink()
    stage = load_adapter(fresh(), tmp_path / "adapter", whatever_fits=True).load_stage
    assert (stage.added_tokens, stage.base_matches, len(stage.resized)) == (2, None, 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rank_pattern": {"q_proj": 0}}, "positive integer"),
        ({"rank_pattern": {"q_proj": "8"}}, "rank_pattern: q_proj: '8' is not a number"),
        ({"alpha_pattern": {"q_proj": float("nan")}}, "alpha_pattern: q_proj: nan is not a number"),
        ({"alpha_pattern": ["q_proj"]}, r'alpha_pattern is \["q_proj"\]; expected an object'),
        ({"lora_alpha": None}, "lora_alpha: None is not a number"),
        ({"trainable_token_indices": [2**30]}, "does not fit this model: index 1073741824 is out of .*token_indices"),
        ({"init_lora_weights": "corda"}, "does not fit this model: .*init_lora_weights 'corda'"),
        ({"init_lora_weights": "pissa_niter_x"}, "does not fit this model: .*init_lora_weights 'pissa_niter_x'"),
        ({"layer_replication": [[0, 9]]}, r"does not fit this model: .*layer_replication \[\[0, 9\]\]"),
    ],
)
def test_settings_that_fit_no_model(
    fresh: Callable[[], SpeechModel], adapter: Path, changes: dict[str, Any], message: str
) -> None:
    edit_config(adapter, **changes)
    with pytest.raises(AdapterProblem, match=message) as problem:
        load_adapter(fresh(), adapter)
    assert problem.value.code == "adapter.not_loaded"


def test_an_alpha_of_zero_for_some_modules_is_their_scale(fresh: Callable[[], SpeechModel], adapter: Path) -> None:
    edit_config(adapter, alpha_pattern={"q_proj": 0})
    deltas = weight_deltas(load_adapter(fresh(), adapter).model, {}, "true", [])
    assert {delta.name.endswith("q_proj") for delta in deltas if delta.scale == 0} == {True}
    assert all((delta.delta_norm == 0) is (delta.scale == 0) for delta in deltas)
    assert any(delta.scale for delta in deltas)


def test_alpha_zero_is_accepted(fresh: Callable[[], SpeechModel], adapter: Path) -> None:
    edit_config(adapter, lora_alpha=0)
    assert load_adapter(fresh(), adapter).file_stage.alpha == 0


def test_another_base_model_is_reported(fresh: Callable[[], SpeechModel], adapter: Path) -> None:
    (adapter / PROVENANCE).write_text('{"base_model_hash": "of another"}')
    assert load_adapter(fresh(), adapter).load_stage.base_matches is False
    (adapter / PROVENANCE).unlink()
    assert load_adapter(fresh(), adapter).load_stage.base_matches is None


def break_prefix(folder: Path) -> None:
    edit_tensors(folder, lambda tensors: {f"module.{name}": value for name, value in tensors.items()})


def break_values(folder: Path) -> None:
    edit_tensors(folder, lambda tensors: {name: value * float("nan") for name, value in tensors.items()})


def break_shapes(folder: Path) -> None:
    def wider(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {n: torch.cat([v, v], 1) if "lora_A" in n else torch.cat([v, v], 0) for n, v in tensors.items()}

    edit_tensors(folder, wider)


BROKEN: list[tuple[Callable[[Path], Any], str, str]] = [
    (break_prefix, "adapter.not_loaded", "none of its 64 tensors"),
    (break_values, "adapter.not_finite", "not finite"),
    (break_shapes, "adapter.base_mismatch", "another model"),
    (lambda folder: edit_config(folder, r=2), "adapter.not_loaded", "another rank"),
    (lambda folder: edit_config(folder, r="eight"), "adapter.not_loaded", "r: 'eight' is not a number"),
    (lambda folder: edit_config(folder, lora_alpha=None), "adapter.not_loaded", "lora_alpha: None is not a number"),
    (lambda folder: edit_config(folder, peft_type="LOHA"), "adapter.not_loaded", "LOHA"),
    (lambda folder: edit_config(folder, target_modules=["query"]), "adapter.not_loaded", "does not fit"),
    (lambda folder: (folder / CONFIG).unlink(), "adapter.not_loaded", CONFIG),
    (lambda folder: (folder / CONFIG).write_text("{"), "adapter.not_loaded", "cannot be read"),
    (lambda folder: (folder / WEIGHTS).rename(folder / "adapter_model.bin"), "adapter.not_loaded", "pickle"),
    (
        lambda folder: (folder / WEIGHTS).rename(folder / "pytorch_model.bin"),
        "adapter.not_loaded",
        "pytorch_model.bin is",
    ),
    (lambda folder: (folder / CONFIG).rename(folder / "config.json"), "adapter.not_loaded", "files of a whole model"),
    (lambda folder: (folder / WEIGHTS).write_bytes(b"12345"), "adapter.not_loaded", "not a safetensors file"),
]


@pytest.mark.parametrize(("spoil", "code", "message"), BROKEN)
def test_broken_adapters_have_a_cause_code(
    fresh: Callable[[], SpeechModel], adapter: Path, spoil: Callable[[Path], Any], code: str, message: str
) -> None:
    spoil(adapter)
    with pytest.raises(AdapterProblem, match=message) as problem:
        load_adapter(fresh(), adapter)
    assert problem.value.code == code


def empty_tensors(folder: Path) -> None:
    edit_tensors(folder, lambda tensors: dict.fromkeys(tensors, torch.empty(0)))


def empty_saved_module(folder: Path) -> None:
    edit_config(folder, modules_to_save=["proj_out"])
    edit_tensors(folder, lambda tensors: tensors | {"base_model.model.proj_out.weight": torch.empty(0)})


def add_magnitudes(folder: Path) -> None:
    name = "base_model.model.model.encoder.layers.0.self_attn.q_proj.lora_magnitude_vector"
    edit_tensors(folder, lambda tensors: tensors | {name: torch.ones(8)})


@pytest.mark.parametrize(
    ("spoil", "message", "remedy"),
    [
        (empty_tensors, "64 of 64 tensors are empty, such as base_model.*ZeRO-3", "parameters gathered"),
        (empty_saved_module, "1 of 65 tensors are empty, such as base_model.model.proj_out", "parameters gathered"),
        (lambda folder: edit_tensors(folder, lambda _: {}), "contains no tensor.*ZeRO-3", "parameters gathered"),
        (add_magnitudes, "use_dora is not true, but .* magnitudes of 1 modules", "Set `use_dora` to true"),
        (lambda folder: edit_config(folder, use_dora=True), "has no magnitudes", "set `use_dora` to false"),
        (lambda folder: edit_config(folder, r=8), "another rank", "Set `r` in adapter_config.json to 4"),
    ],
)
def test_what_helps_where_files_of_an_adapter_are_incomplete(
    fresh: Callable[[], SpeechModel], adapter: Path, spoil: Callable[[Path], Any], message: str, remedy: str
) -> None:
    spoil(adapter)
    with pytest.raises(AdapterProblem, match=message) as problem:
        load_adapter(fresh(), adapter, whatever_fits=True)
    assert problem.value.code == "adapter.not_loaded"
    assert remedy in (problem.value.remedy or "")


def test_a_missing_folder_is_a_user_error(fresh: Callable[[], SpeechModel], adapter: Path) -> None:
    shutil.rmtree(adapter)
    with pytest.raises(UserError, match="no such folder"):
        load_adapter(fresh(), adapter)


def test_whatever_fits_loads_the_remaining_tensors(fresh: Callable[[], SpeechModel], adapter: Path) -> None:
    def spoil(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        names = sorted(tensors)
        tensors[names[0]] = tensors[names[0]] * float("nan")
        tensors[names[1]] = torch.cat([tensors[names[1]]] * 2)  # lora_B of another width
        return tensors

    edit_tensors(adapter, spoil)
    loaded = load_adapter(fresh(), adapter, whatever_fits=True)
    stage = loaded.load_stage
    assert (stage.tensors_loaded, len(stage.shape_mismatches), len(stage.missing_zero)) == (63, 1, 1)
    assert (stage.base_matches, stage.base_evidence) == (True, "hash")
    assert len(loaded.file_stage.non_finite) == 1
    (adapter / PROVENANCE).unlink()
    stage = load_adapter(fresh(), adapter, whatever_fits=True).load_stage
    assert (stage.base_matches, stage.base_evidence) == (False, "shape")


def test_missing_matrices_stay_random_or_zero(fresh: Callable[[], SpeechModel], adapter: Path) -> None:
    edit_tensors(adapter, lambda tensors: {n: v for n, v in tensors.items() if "lora_A" not in n or "encoder" not in n})
    loaded = load_adapter(fresh(), adapter)
    stage = loaded.load_stage
    assert len(stage.missing_random) == len(stage.missing_keys) > 0
    assert len(loaded.file_stage.unpaired) == len(stage.missing_keys)


def test_a_tensor_named_like_a_parameter_replaces_it(fresh: Callable[[], SpeechModel], adapter: Path) -> None:
    name = "base_model.model.model.encoder.conv1.weight"
    original = fresh().model.model.encoder.conv1.weight.detach().clone()
    edit_tensors(adapter, lambda tensors: tensors | {name: original})
    loaded = load_adapter(fresh(), adapter)
    assert (loaded.load_stage.tensors_loaded, loaded.load_stage.other_tensors_changed) == (65, [])
    assert loaded.file_stage.undeclared == [name]
    edit_tensors(adapter, lambda tensors: tensors | {name: original + 1})
    loaded = load_adapter(fresh(), adapter)
    assert loaded.load_stage.other_tensors_changed == [name]
    assert torch.equal(loaded.model.get_base_model().model.encoder.conv1.weight, original + 1)


@pytest.mark.parametrize(
    ("rename", "message"),
    [
        (lambda name: name.replace(".weight", ".default.weight"), "the adapter name"),
        (lambda name: f"module.{name}", "distributed training"),
        (lambda name: name.replace(".model.", ".model._fsdp_wrapped_module.", 1), "FSDP"),
        (lambda name: name.replace(".layers.", "._checkpoint_wrapped_module.layers."), "activation checkpointing"),
    ],
)
def test_tensor_names_of_other_ways_of_saving_are_explained(
    fresh: Callable[[], SpeechModel], adapter: Path, rename: Callable[[str], str], message: str
) -> None:
    edit_tensors(adapter, lambda tensors: {rename(name): value for name, value in tensors.items()})
    with pytest.raises(AdapterProblem, match=message) as problem:
        load_adapter(fresh(), adapter, whatever_fits=True)
    assert problem.value.code == "adapter.not_loaded"


def test_a_model_saved_as_an_adapter_is_rejected(fresh: Callable[[], SpeechModel], adapter: Path) -> None:
    edit_tensors(adapter, lambda _: {"model.encoder.conv1.weight": torch.ones(2)})
    with pytest.raises(AdapterProblem, match="a model was saved as an adapter") as problem:
        load_adapter(fresh(), adapter, whatever_fits=True)
    assert problem.value.code == "adapter.not_loaded"


def test_an_adapter_in_the_model_folder_is_ignored_and_reported(
    moonshine_folder: Path, adapter: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(moonshine_folder, folder)
    shutil.copytree(adapter, folder, dirs_exist_ok=True)
    speech = load_model(describe_model(str(folder)))
    assert not [name for name, _ in speech.model.named_parameters() if "lora_" in name]
    assert load_adapter(speech, adapter).load_stage.model_folder_adapter
    (folder / "config.json").unlink()
    with pytest.raises(UserError, match="contains an adapter"):
        describe_model(str(folder))


HUB = "/cache/models--Owner--name/snapshots/" + "a" * 40


@pytest.mark.parametrize(
    ("config", "ours", "expected"),
    [
        ({"base_model_name_or_path": "owner/name", "revision": "a" * 40}, ("owner/name", "a" * 40), (True, "revision")),
        ({"base_model_name_or_path": HUB}, ("Owner/Name", "a" * 10), (True, "revision")),
        ({"base_model_name_or_path": HUB}, ("owner/name", "b" * 40), (False, "revision")),
        ({"base_model_name_or_path": "owner/name", "revision": "main"}, ("owner/name", "main"), (None, "shape")),
        ({"base_model_name_or_path": "owner/other", "revision": "a" * 40}, ("owner/name", "b" * 40), (None, "shape")),
    ],
)
def test_commits_identify_the_base_without_a_recorded_hash(
    moonshine_folder: Path, config: dict[str, Any], ours: tuple[str, str], expected: tuple[bool | None, str]
) -> None:
    files = describe_model(str(moonshine_folder))
    identity = files.identity.model_copy(update={"id": ours[0], "revision": ours[1]})
    evidence = base_evidence(AdapterFiles(config, {}, None), replace(files, identity=identity), shapes_differ=False)
    assert evidence == expected


@pytest.mark.parametrize(
    ("adapters", "home"),
    [
        (["adapter_model"], "adapter_model"),
        (["accent"], "accent"),  # peft saves an adapter with a name of its own into a folder of that name
        ([".", "accent"], "."),
        (["accent", "other"], "."),
        (["checkpoint-500"], "."),
        (["checkpoint-500", "best"], "best"),
    ],
)
def test_the_folder_of_an_adapter(tmp_path: Path, adapters: list[str], home: str) -> None:
    for name in adapters:
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / CONFIG).write_text("{}")
    assert adapter_home(tmp_path) == tmp_path / home


@pytest.mark.parametrize(
    ("adapters", "listed"),
    [
        (["checkpoint-500", "checkpoint-1000"], "checkpoint-500, checkpoint-1000"),
        (["checkpoint-500/adapter_model"], "checkpoint-500"),
        (["accent", "other"], "accent, other"),
    ],
)
def test_a_folder_of_several_adapters_names_them(tmp_path: Path, adapters: list[str], listed: str) -> None:
    for name in adapters:
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / CONFIG).write_text("{}")
    with pytest.raises(AdapterProblem, match=f"contains the adapters {listed}$") as problem:
        adapter_identity(tmp_path)
    assert listed.rpartition(" ")[2] in (problem.value.remedy or "")
