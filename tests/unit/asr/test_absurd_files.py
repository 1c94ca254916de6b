"""Files of adapters and models with values that no program wrote: one error that names file and key, and no hang."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from lora.asr.adapter import expressions
from lora.asr.adapter.files import read_adapter
from lora.asr.adapter.problem import AdapterProblem
from lora.asr.model_files import describe_model
from lora.asr.model_json import UnusableModel

REPOSITORY = Path(__file__).parents[3]
MATRIX = "base_model.model.model.encoder.layers.0.self_attn.q_proj.lora_{}.weight"
HEALTHY: dict[str, Any] = {"peft_type": "LORA", "r": 2, "lora_alpha": 2, "target_modules": ["q_proj"]}


def adapter(folder: Path, text: str = "", numbers: torch.dtype = torch.float32, scalar: bool = False) -> Path:
    folder.mkdir()
    (folder / "adapter_config.json").write_text(text or json.dumps(HEALTHY))
    shapes = {"A": () if scalar else (2, 4), "B": (4, 2)}
    tensors = {MATRIX.format(kind): torch.ones(shape).to(numbers) for kind, shape in shapes.items()}
    save_file(tensors, folder / "adapter_model.safetensors")
    return folder


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("r", 10**400),
        ("r", True),
        ("lora_alpha", 1e300),
        ("rank_pattern", {"q_proj": 10**40}),
        ("rank_pattern", 5),
        ("modules_to_save", 5),
        ("modules_to_save", [5]),
        ("target_modules", 5),
        ("bias", 5),
        ("base_model_name_or_path", 5),
        ("init_lora_weights", 5),
        ("init_lora_weights", "pissa_niter_999999999"),
        ("trainable_token_indices", [-1]),
        ("trainable_token_indices", [10**20]),
        ("trainable_token_indices", 5),
        ("rank_pattern", None),
        ("alpha_pattern", []),
        ("bias", None),
        ("lora_dropout", 2.5),
        ("lora_dropout", None),
        ("exclude_modules", 5),
        ("exclude_modules", [[0]]),
        ("layers_pattern", {}),
        ("layers_to_transform", "0"),
        ("layers_to_transform", 1.5),
        ("target_parameters", "fc1.weight"),
        ("eva_config", "x"),
        ("megatron_config", [1]),
        ("use_bdlora", True),
        ("r", 100_000),
        ("rank_pattern", {"q_proj": 100_000}),
        ("target_modules", [f"layer{number}" for number in range(10_001)]),
        ("modules_to_save", [f"layer{number}" for number in range(501)]),
    ],
)
def test_adapter_settings_of_odd_types(tmp_path: Path, key: str, value: Any) -> None:
    folder = adapter(tmp_path / "a", json.dumps({**HEALTHY, key: value}))
    with pytest.raises(AdapterProblem) as raised:
        read_adapter(folder)
    assert raised.value.code == "adapter.not_loaded"
    assert "adapter_config.json" in raised.value.message
    assert key in raised.value.message


ENDLESS = "(([a-z_.0-9]+)+)+!"  # doubles its time with every letter of a name


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("target_modules", ENDLESS),
        ("exclude_modules", ENDLESS),
        ("rank_pattern", {ENDLESS: 2}),
        ("alpha_pattern", {ENDLESS: 2}),
        ("layers_pattern", ENDLESS),
        ("layers_pattern", [ENDLESS]),
        ("modules_to_save", [ENDLESS]),
    ],
)
def test_expressions_that_would_take_years(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: Any
) -> None:
    monkeypatch.setattr(expressions, "LIMIT", 1)
    folder = adapter(tmp_path / "a", json.dumps({**HEALTHY, key: value}))
    with pytest.raises(AdapterProblem, match=rf"adapter_config\.json: {key}: its regular expression cannot be matched"):
        read_adapter(folder)


def test_expressions_of_real_adapters_are_fast(tmp_path: Path) -> None:
    config = {
        **HEALTHY,
        "target_modules": r"(?:model\.)?(encoder|decoder)\.layers\.\d+\..*(q_proj|v_proj)$",
        "rank_pattern": {r".*\.layers\.(0|1)\..*": 2},
        "layers_pattern": "layers([",
    }
    read_adapter(adapter(tmp_path / "a", json.dumps(config)))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"r": ' + "9" * 5000 + "}", "[]", "\0"])
def test_adapter_settings_that_are_no_settings(tmp_path: Path, text: str) -> None:
    with pytest.raises(AdapterProblem, match=r"adapter_config\.json"):
        read_adapter(adapter(tmp_path / "a", text))


def test_adapter_tensors_that_are_no_matrices(tmp_path: Path) -> None:
    read_adapter(adapter(tmp_path / "healthy")).stage()
    for name, folder in {
        "int32": adapter(tmp_path / "integers", numbers=torch.int32),
        "float8": adapter(tmp_path / "float8", numbers=torch.float8_e4m3fn),
        "lora_A": adapter(tmp_path / "scalar", scalar=True),
    }.items():
        with pytest.raises(AdapterProblem, match=name):
            read_adapter(folder)


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("config.json", {"model_type": []}, "model_type"),
        ("config.json", {"encoder_num_hidden_layers": 10**9}, "encoder_num_hidden_layers"),
        ("config.json", {"nested": {"hidden_size": 10**30}}, "nested.hidden_size"),
        ("config.json", {"hidden_size": 10**400}, "hidden_size"),
        ("config.json", {"attn_implementation": "someone/kernels"}, "'someone/kernels', code of the hub"),
        ("config.json", {"attn_implementation": {"text_config": "a/b"}}, "attn_implementation.text_config"),
        ("config.json", {"part": {"_attn_implementation": "paged|a/b@v1:f"}}, "part._attn_implementation"),
        ("tekken.json", {"config": {"default_num_special_tokens": 10**12}}, "config.default_num_special_tokens"),
        ("processor_config.json", {"feature_extractor": 5}, "sampling_rate"),
        ("processor_config.json", {"feature_extractor": {"sampling_rate": 0}}, "0 Hz"),
        ("processor_config.json", {"feature_extractor": {"sampling_rate": 2**40}}, "Hz"),
        (
            "processor_config.json",
            {"feature_extractor": {"sampling_rate": 16000, "min_length": 10**12}},
            '"min_length" is above 57,600,000',
        ),
        (
            "processor_config.json",
            {"feature_extractor": {"sampling_rate": 16000, "inner": {"n_samples": 10**9}}},
            '"n_samples" is above 57,600,000',
        ),
        ("model.safetensors.index.json", {"weight_map": None}, "names no files"),
        ("model.safetensors.index.json", {"weight_map": [1]}, "names no files"),
    ],
)
def test_model_files_with_absurd_values(tmp_path: Path, file: str, change: dict[str, Any], words: str) -> None:
    folder = tmp_path / "m"
    shutil.copytree(REPOSITORY / "data" / "model", folder)
    if "index" in file:
        (folder / "model.safetensors").unlink()
    path = folder / file
    path.write_text(json.dumps({**(json.loads(path.read_text()) if path.is_file() else {}), **change}))
    with pytest.raises(UnusableModel, match=words) as raised:
        describe_model(str(folder))
    assert file in str(raised.value)
