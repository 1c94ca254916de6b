"""Weights that are torn, a pointer or a pickle, and model files that libraries cannot read: one error, no traceback."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from lora.asr.adapter.files import read_adapter
from lora.asr.adapter.problem import AdapterProblem
from lora.asr.model_files import describe_model
from lora.asr.model_json import UnusableModel
from lora.asr.weights_file import weights_problem
from lora.records.base import UserError

if TYPE_CHECKING:
    from lora.asr.families.speech_model import SpeechModel

MODEL = Path(__file__).parents[3] / "data" / "model"
FIRST, LAST = "model.decoder.embed_tokens.weight", "model.encoder.layers.3.self_attn.v_proj.weight"
DAMAGED = {
    "empty": (b"", "empty (0 bytes)"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 6\n", "git lfs pull"),
    "pickle": (b"\x80\x02cposix\nsystem\n.", "a pickle"),
    "archive of torch.save": (b"PK\x03\x04" + bytes(60), "a pickle"),
    "page": (b"<html>404</html>", "not a safetensors file"),
    "torn header": ((MODEL / "model.safetensors").read_bytes()[:100], "incomplete: it has 100 bytes"),
    "torn data": ((MODEL / "model.safetensors").read_bytes()[:-1], "incomplete: it has 4357879 of 4357880 bytes"),
    "header": (b"\x02" + bytes(7) + b"{]", "its header is damaged"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_weights_that_are_no_whole_file(tmp_path: Path, name: str) -> None:
    content, words = DAMAGED[name]
    shutil.copytree(MODEL, tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").write_bytes(content)
    with pytest.raises(UnusableModel) as model:
        describe_model(str(tmp_path / "model"))
    assert words in str(model.value)
    assert "model.safetensors" in str(model.value)
    (tmp_path / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 2, "target_modules": "q"}))
    (tmp_path / "adapter_model.safetensors").write_bytes(content)
    with pytest.raises(AdapterProblem, match=r"adapter_model\.safetensors") as adapter:
        read_adapter(tmp_path)
    assert words in f"{adapter.value.message} {adapter.value.remedy}"
    assert weights_problem(MODEL / "model.safetensors") is None


def test_settings_whose_type_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text('{"peft_type": {}}')
    with pytest.raises(AdapterProblem, match="names no peft_type"):
        read_adapter(tmp_path)


@pytest.mark.parametrize(
    "changes", [{"r": 1.5}, {"rank_pattern": {"q_proj": 0.5}}, {"bias": "\ud800"}, {"target_modules": ["q\udfff"]}]
)
def test_settings_of_an_adapter_that_no_library_writes(tmp_path: Path, changes: dict[str, object]) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 2, **changes}))
    with pytest.raises(AdapterProblem, match=r"adapter_config\.json: .*(whole number|half of a character)"):
        read_adapter(tmp_path)


def test_half_a_character_in_the_settings_of_a_model(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "whisper", "torch_dtype": "\\ud800"}')
    with pytest.raises(UnusableModel, match=r"config\.json has half of a character"):
        describe_model(str(tmp_path))


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_pipe_or_a_folder_in_place_of_the_configuration(tmp_path: Path, make: Callable[[Path], None]) -> None:
    shutil.copytree(MODEL, tmp_path / "model")
    (tmp_path / "model/config.json").unlink()
    make(tmp_path / "model/config.json")
    with pytest.raises(UnusableModel, match=r"config\.json is not a file but a folder, pipe or device"):
        describe_model(str(tmp_path / "model"))


@pytest.mark.parametrize(
    ("file", "key", "value"),
    [("tokenizer.json", "version", "x"), ("tokenizer.json", "padding", 999), ("config.json", "initializer_range", "x")],
)
def test_settings_that_only_a_library_refuses(tmp_path: Path, file: str, key: str, value: object) -> None:
    from lora.asr.model_loading import load_model

    shutil.copytree(MODEL, tmp_path / "model")
    path = tmp_path / "model" / file
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(UnusableModel, match="cannot be loaded: "):
        load_model(describe_model(str(tmp_path / "model")))


def test_a_library_that_panics(tmp_path: Path) -> None:
    """Rust's panics are no `Exception`."""
    from lora.asr.model_loading import load_model

    shutil.copytree(MODEL, tmp_path / "model")
    path = tmp_path / "model" / "tokenizer.json"
    settings = json.loads(path.read_text())
    settings["model"]["continuing_subword_prefix"] = "longer than a token"
    path.write_text(json.dumps(settings))
    with pytest.raises(UnusableModel, match="cannot be loaded: "):
        load_model(describe_model(str(tmp_path / "model")))


@pytest.mark.parametrize(
    ("change", "end", "words"),
    [
        (
            lambda header: header[LAST].update(data_offsets=header[FIRST]["data_offsets"]),
            b"",
            "invalid .*offset",
        ),
        (lambda header: header[FIRST]["data_offsets"].reverse(), b"", "invalid .*offset"),
        (lambda header: header[FIRST].update(shape=[3]), b"", "invalid shape, data type, or offset"),
        (lambda header: header.update(__metadata__={"format": 5}), b"", "invalid type: integer"),
        (lambda header: None, b"more", "file not fully covered"),
    ],
)
def test_a_header_that_does_not_describe_the_data(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], end: bytes, words: str
) -> None:
    """The library reports neither the file nor what helps, and a model of many files has many headers."""
    shutil.copytree(MODEL, tmp_path / "model")
    path = tmp_path / "model" / "model.safetensors"
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    change(header)
    changed = json.dumps(header).encode()
    path.write_bytes(len(changed).to_bytes(8, "little") + changed + content[start:] + end)
    with pytest.raises(UnusableModel, match=rf"model\.safetensors: cannot be read: .*{words}.*; copy the file again"):
        describe_model(str(tmp_path / "model"))


NAME = "model.decoder.layers.0.encoder_attn.k_proj.weight"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (None, rf"cannot be loaded: its files lack 1 weights \({NAME}\)"),
        (lambda weight: weight * float("nan"), rf"NaN or infinite numbers in 1 weights \({NAME}\)"),
        (
            lambda weight: weight.to(torch.int8),
            rf"safetensors: {NAME} has numbers of the type I8; expected",
        ),
        (lambda weight: weight.to(torch.float8_e4m3fn), rf"{NAME} has numbers of the type F8_E4M3; expected float32"),
    ],
)
def test_weights_that_would_be_random_or_rounded(tmp_path: Path, changed: Any, message: str) -> None:
    from lora.asr.model_loading import load_model

    home = tmp_path / "model"
    shutil.copytree(MODEL, home)
    tensors = load_file(home / "model.safetensors")
    weight = tensors.pop(NAME)
    if changed is not None:
        tensors[NAME] = changed(weight)
    save_file(tensors, home / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UnusableModel, match=message):
        load_model(describe_model(str(home)))


def test_shards_of_impossible_names_are_missing(tmp_path: Path) -> None:
    home = tmp_path / "model"
    shutil.copytree(MODEL, home)
    (home / "model.safetensors").unlink()
    names = {f"x{number}": f"{number:05d}" + "s" * 5000 for number in range(1000)}
    (home / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    with pytest.raises(UnusableModel, match=r"names missing files: 00000s+, .* and 995 more\. Copy all") as raised:
        describe_model(str(home))
    assert len(str(raised.value)) < 1000


def in_shards(home: Path, metadata: object, repeated: bool = False) -> UnusableModel | None:
    """The error of a model in two files; with `repeated`, the second has a tensor of the first."""
    from lora.asr.model_loading import load_model

    shutil.copytree(MODEL, home)
    tensors = load_file(home / "model.safetensors")
    (home / "model.safetensors").unlink()
    own = [FIRST, LAST]
    parts = {
        "1.safetensors": own,
        "2.safetensors": [name for name in tensors if name not in own or (repeated and name == FIRST)],
    }
    for file, names in parts.items():
        save_file({name: tensors[name] for name in names}, home / file, metadata={"format": "pt"})
    places = {name: file for file, names in parts.items() for name in names}
    index = {"metadata": metadata, "weight_map": places}
    (home / "model.safetensors.index.json").write_text(json.dumps(index))
    try:
        load_model(describe_model(str(home)))
    except UnusableModel as error:
        return error
    return None


def test_shards_that_do_not_belong_together(tmp_path: Path) -> None:
    assert in_shards(tmp_path / "whole", {}) is None
    message = f"1.safetensors and 2.safetensors both have the tensor {FIRST}: they are of different models"
    assert message in str(in_shards(tmp_path / "repeated", {}, repeated=True))


@pytest.mark.parametrize("metadata", [None, "x", []])
def test_an_index_without_metadata(tmp_path: Path, metadata: object) -> None:
    problem = str(in_shards(tmp_path / "model", metadata))
    assert f'model.safetensors.index.json: "metadata" is {metadata!r}; expected an object' in problem


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("encoder_num_hidden_layers", 3, "config.json has fewer layers than the files"),
        ("encoder_num_hidden_layers", 0, "config.json has fewer layers than the files"),
        ("decoder_num_hidden_layers", -1, "config.json has fewer layers than the files"),
        ("decoder_num_hidden_layers", 1001, '"decoder_num_hidden_layers" is 1001, which no model has'),
        ("num_labels", 10**9, '"num_labels" is 1e+09, which no model has'),
        ("intermediate_size", 10**12, "mlp.fc1.weight is [2000000000000, 128], but the files have 2,173,696"),
        ("vocab_size", 10**8, "embed_tokens.weight is [100000000, 128], but the files have"),
        ("vocab_size", 401, "embed_tokens.weight is [400, 128] in the files and [401, 128] by config.json"),
    ],
)
def test_a_configuration_of_another_size(tmp_path: Path, key: str, value: int, message: str) -> None:
    from lora.asr.model_loading import load_model

    home = tmp_path / "model"
    shutil.copytree(MODEL, home)
    config = json.loads((home / "config.json").read_text())
    (home / "config.json").write_text(json.dumps({**config, key: value}))
    with pytest.raises(UnusableModel, match=re.escape(message)):
        load_model(describe_model(str(home)))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("max_length", "x", "max_length of its generation settings is 'x'; expected an integer of at least 1"),
        ("decoder_start_token_id", 10**9, "decoder_start_token_id of its .* is 1000000000; expected .* are 0 to 399 "),
        (
            "decoder_start_token_id",
            [1],
            r"decoder_start_token_id of its generation settings is \[1\]; expected a token id",
        ),
        (
            "eos_token_id",
            -1,
            "eos_token_id of its generation settings is -1; expected tokens of the model, .* 0 to 399 ",
        ),
        (
            "eos_token_id",
            [2, 400],
            r"eos_token_id of its generation settings is \[2, 400\]; expected tokens of the model",
        ),
        (
            "exponential_decay_length_penalty",
            [1],
            r"exponential_decay_length_penalty of its generation settings is \[1\]; expected a list of two numbers",
        ),
        ("num_beams", 0, "num_beams of its generation settings is 0; expected an integer of at least 1"),
        ("suppress_tokens", "x", "suppress_tokens of its generation settings is 'x'; expected a list of token ids"),
        ("eos_token_id", "x", "eos_token_id of its generation settings is 'x'; expected a token id, or a list of them"),
        ("max_time", -1.0, None),
        ("top_k", -1, None),
    ],
)
def test_generation_settings_of_a_model(tmp_path: Path, key: str, value: Any, message: str | None) -> None:
    """A limit of time has no effect: it would cut hypotheses by the speed of the machine. Nor has what samples."""
    from lora.asr.model_loading import load_model

    home = tmp_path / "model"
    shutil.copytree(MODEL, home)
    settings = json.loads((home / "generation_config.json").read_text())
    (home / "generation_config.json").write_text(json.dumps({**settings, key: value}))
    speech = load_model(describe_model(str(home)))
    inputs = speech.inputs([np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)])
    if message is None:
        assert len(speech.generate(inputs).token_ids[0]) > 2
        return
    with pytest.raises(UserError, match=message):
        speech.generate(inputs)


@pytest.mark.parametrize(
    ("file", "changes", "message"),
    [
        (
            "processor_config.json",
            {"feature_size": 2},
            "its feature extractor fails: .* Copy the files",
        ),
        (
            "processor_config.json",
            {"feature_extractor_type": "WhisperFeatureExtractor", "feature_size": 80},
            "its feature extractor fails: no key 'input_values'",
        ),
        ("tokenizer_config.json", {"model_max_length": "x"}, "its tokenizer fails: .* Copy the files"),
    ],
)
def test_settings_that_only_their_use_shows(
    tmp_path: Path, file: str, changes: dict[str, object], message: str
) -> None:
    from lora.asr.model_loading import load_model

    home = tmp_path / "model"
    shutil.copytree(MODEL, home)
    settings = json.loads((home / file).read_text())
    settings.get("feature_extractor", settings).update(changes)
    (home / file).write_text(json.dumps(settings))
    with pytest.raises(UnusableModel, match=message):
        load_model(describe_model(str(home)))


def with_nan_logits(folder: Path, kind: str) -> SpeechModel:
    from tiny_families import make_wav2vec2

    from lora.asr.model_loading import load_model

    if kind == "ctc":
        make_wav2vec2(folder)
    else:
        shutil.copytree(MODEL, folder)
    config = json.loads((folder / "config.json").read_text())
    if kind == "ctc":
        config["layer_norm_eps"] = -50.0
    else:
        config["rope_parameters"]["rope_theta"] = 0
    (folder / "config.json").write_text(json.dumps(config))
    return load_model(describe_model(str(folder)))


@pytest.mark.parametrize("kind", ["ctc", "encoder_decoder"])
def test_logits_that_are_no_numbers(tmp_path: Path, kind: str) -> None:
    """The first token is the best of them, so that every hypothesis would be the same. An adapter's are a finding."""
    from peft import LoraConfig, get_peft_model

    speech = with_nan_logits(tmp_path / "model", kind)
    inputs = speech.inputs([np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)])
    with pytest.raises(UnusableModel, match=r"its logits are NaN, .* config\.json is damaged"):
        speech.generate(inputs)
    speech.model = get_peft_model(speech.model, LoraConfig(target_modules=["q_proj"]))
    assert len(speech.generate(inputs).texts) == 1


def test_a_token_that_the_model_does_not_have(tmp_path: Path) -> None:
    """Tokens were added, and the model was not resized."""
    from lora.asr.labels.build import label_ids
    from lora.asr.model_loading import load_model

    shutil.copytree(MODEL, tmp_path / "model")
    (tmp_path / "model" / "added_tokens.json").write_text('{"tuned": 400}')
    speech = load_model(describe_model(str(tmp_path / "model")))
    assert max(label_ids(speech, ["Some words."])[0]) < 400
    with pytest.raises(
        UnusableModel, match="the text 'I tuned it' has the token 400, but the model has the tokens 0 to 399"
    ):
        label_ids(speech, ["Some words.", "I tuned it"])
