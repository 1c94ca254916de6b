"""A model folder is checked before any expensive work: one message names the missing file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_models import WINDOW

from lora.asr.model_files import TEXT_FILES, describe_model, family_of
from lora.asr.model_json import UnusableModel
from lora.records.base import UserError


@pytest.fixture
def copy_of(tmp_path: Path, moonshine_folder: Path) -> Path:
    return Path(shutil.copytree(moonshine_folder, tmp_path / "model"))


def test_describes_both_families(moonshine_folder: Path, whisper_folder: Path) -> None:
    moonshine, whisper = describe_model(str(moonshine_folder)), describe_model(str(whisper_folder))
    assert (moonshine.identity.family, moonshine.identity.window_seconds) == ("moonshine", None)
    assert (whisper.identity.family, whisper.identity.window_seconds) == ("whisper", WINDOW)
    assert moonshine.sampling_rate == whisper.sampling_rate == 16000
    assert moonshine.generation["max_length"] == 384


def with_window(whisper_folder: Path, folder: Path, seconds: Any) -> Path:
    """A copy of the Whisper model whose feature extractor has this `chunk_length`; None: it has none."""
    shutil.copytree(whisper_folder, folder)
    path = folder / "processor_config.json"
    settings = json.loads(path.read_text())
    settings["feature_extractor"]["chunk_length"] = seconds
    if seconds is None:
        del settings["feature_extractor"]["chunk_length"]
    path.write_text(json.dumps(settings))
    config = json.loads((folder / "config.json").read_text())
    positions = 50 * (30 if seconds is None else seconds)  # two frames of 10 ms each
    (folder / "config.json").write_text(json.dumps({**config, "max_source_positions": positions}))
    return folder


@pytest.mark.parametrize(("seconds", "window"), [(None, 30.0), (30, 30.0), (15, 15.0)])
def test_the_window_of_whisper_is_that_of_its_feature_extractor(
    whisper_folder: Path, tmp_path: Path, seconds: int | None, window: float
) -> None:
    folder = with_window(whisper_folder, tmp_path / "model", seconds)
    described, family = describe_model(str(folder)), family_of(str(folder))
    assert family == described.family
    assert described.identity.window_seconds == described.family.padding_seconds == window


@pytest.mark.parametrize("seconds", [0, -1, 10**9, 2.5, "30", True])
def test_a_window_that_no_model_has_is_refused(whisper_folder: Path, tmp_path: Path, seconds: Any) -> None:
    named = f'"chunk_length" (of the feature extractor is {seconds!r}; expected|is above 3,600, which no model has)'
    with pytest.raises(UserError, match=named):
        describe_model(str(with_window(whisper_folder, tmp_path / "model", seconds)))


def test_hash_follows_content_and_neither_path_nor_generation_settings(copy_of: Path, moonshine_folder: Path) -> None:
    before = describe_model(str(moonshine_folder)).identity.hash
    (copy_of / "generation_config.json").write_text('{"max_length": 5}')
    assert describe_model(str(copy_of)).identity.hash == before
    with (copy_of / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x01")
    assert describe_model(str(copy_of)).identity.hash != before


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("config.json", "config.json is missing"),
        ("tokenizer.json", "has no tokenizer"),
        ("processor_config.json", "no feature extractor"),
        ("model.safetensors", "no weights in safetensors"),
    ],
)
def test_a_missing_file_is_named(copy_of: Path, missing: str, message: str) -> None:
    (copy_of / missing).unlink()
    with pytest.raises(UserError, match=message):
        describe_model(str(copy_of))


def test_pickled_weights_are_not_read(copy_of: Path) -> None:
    (copy_of / "model.safetensors").rename(copy_of / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"pytorch_model\.bin may execute code"):
        describe_model(str(copy_of))


def test_a_missing_shard_is_named(copy_of: Path) -> None:
    (copy_of / "model.safetensors").rename(copy_of / "model-00001-of-00002.safetensors")
    shards = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (copy_of / "model.safetensors.index.json").write_text(json.dumps(shards))
    with pytest.raises(UserError, match="model-00002-of-00002"):
        describe_model(str(copy_of))


def test_an_unsupported_type_names_the_supported_ones(copy_of: Path) -> None:
    (copy_of / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(UserError, match=r"'bert', which is not supported; expected one of granite_speech, .*, whisper"):
        describe_model(str(copy_of))


def test_an_id_that_is_neither_folder_nor_on_the_hub_is_rejected() -> None:
    with pytest.raises(UserError, match="no such folder"):
        describe_model("no/such/folder/at/all")


def test_a_checkpoint_without_a_tokenizer_uses_that_of_its_base(tmp_path: Path, moonshine_folder: Path) -> None:
    base = moonshine_folder
    bare = shutil.copytree(base, tmp_path / "checkpoint-4000")
    for name in TEXT_FILES:
        (bare / name).unlink(missing_ok=True)
    with pytest.raises(UserError, match="no tokenizer"):
        describe_model(str(bare))
    files = describe_model(str(bare), tokenizer_from=str(base))
    assert (files.path, files.processor_path) == (bare, base)
    assert describe_model(str(base), tokenizer_from=str(bare)).processor_path == base


def changed(folder: Path, name: str, **values: Any) -> None:
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_settings_of_the_feature_extractor_are_taken_from_where_transformers_takes_them(copy_of: Path) -> None:
    """A tuned copy of an older model has both files, and the older one is not read."""
    (copy_of / "preprocessor_config.json").write_text('{"sampling_rate": 8000}')
    assert describe_model(str(copy_of)).sampling_rate == 16000
    changed(copy_of, "processor_config.json", feature_extractor=None)
    assert describe_model(str(copy_of)).sampling_rate == 8000


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "added_tokens.json"])
def test_a_damaged_file_of_the_tokenizer_is_named(copy_of: Path, name: str) -> None:
    (copy_of / name).write_text('{"model": ')
    with pytest.raises(UserError, match=rf"{name} cannot be read: .* Copy it again"):
        describe_model(str(copy_of))


@pytest.mark.parametrize("name", ["generation_config.json", "tokenizer_config.json", "merges.txt"])
@pytest.mark.parametrize(
    ("replace", "message"),
    [
        (lambda path: path.symlink_to("../blobs/gone"), "a link to a file that is missing; copy the file there"),
        (Path.mkdir, "not a file; copy the file there"),
        (os.mkfifo, "not a file; copy the file there"),
        (lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\n"), "is a pointer of git-lfs"),
    ],
)
def test_what_is_no_file_in_place_of_an_optional_one_is_refused(
    copy_of: Path, name: str, replace: Callable[[Path], None], message: str
) -> None:
    """Without its generation settings or a part of its tokenizer a model writes or learns other texts."""
    path = copy_of / name
    path.unlink(missing_ok=True)
    replace(path)
    with pytest.raises(UnusableModel, match=rf"{name}:? {message}"):
        describe_model(str(copy_of))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("feature_size", 128, '"feature_size" 128, but "num_mel_bins" of the model is 80 in config.json'),
        ("n_fft", 10**400, '"n_fft" is above 100,000, which no model has'),
        ("hop_length", 320, "300 frames per window .* the model takes 600"),
        ("sampling_rate", 8000, "300 frames per window .* the model takes 600"),
        ("sampling_rate", "16000", "\"sampling_rate\" is '16000'; expected a whole number"),
    ],
)
def test_a_feature_extractor_of_another_model(
    whisper_folder: Path, tmp_path: Path, key: str, value: Any, message: str
) -> None:
    folder = Path(shutil.copytree(whisper_folder, tmp_path / "model"))
    settings = json.loads((folder / "processor_config.json").read_text())["feature_extractor"]
    changed(folder, "processor_config.json", feature_extractor={**settings, key: value})
    with pytest.raises(UserError, match=message):
        describe_model(str(folder))


@pytest.mark.parametrize(
    ("command", "code", "printed"),
    [
        (["-m", "lora.runners.experiment", "--help"], 0, "usage: python -m lora.runners.experiment"),
        (["-c", "from lora.asr.model_files import describe_model; describe_model('m')"], 1, "PYTHONOPTIMIZE=2"),
    ],
)
def test_without_docstrings_commands_say_what_they_miss(command: list[str], code: int, printed: str) -> None:
    done = subprocess.run([sys.executable, "-OO", *command], capture_output=True, text=True, timeout=60)
    assert (done.returncode, printed in done.stdout + done.stderr) == (code, True), done.stderr
