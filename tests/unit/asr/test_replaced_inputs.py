"""A model, adapter or recording that is replaced while a command works with it leaves nothing behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile
from tiny_models import Train, noise

from lora.asr.decoding.audio_store import AudioStore, Rows
from lora.asr.model_files import describe_model
from lora.asr.model_loading import load_model
from lora.records.base import UserError
from lora.records.manifests import Utterance
from lora.runners.experiment import main


def sound(path: Path, seed: int) -> None:
    soundfile.write(path, noise(seed, 1.5), 16000, subtype="FLOAT", format="WAV")


def test_a_recording_is_not_decoded_under_the_key_of_another(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav", 1)
    store = AudioStore(16000, None, memory_bytes=0)
    (key,) = store.add(Rows([Utterance(id="a", text="x", duration=1.5, audio="a.wav")], tmp_path))
    assert len(store.load(key)) == 24000
    sound(tmp_path / "a.wav", 2)
    with pytest.raises(UserError, match=r"a\.wav has other samples"):
        store.load(key)


def test_a_model_is_not_used_under_the_hash_of_another(tmp_path: Path, moonshine_folder: Path) -> None:
    shutil.copytree(moonshine_folder, tmp_path / "model")
    files = describe_model(str(tmp_path / "model"))
    load_model(files)
    weights = tmp_path / "model/model.safetensors"
    (tmp_path / "new").write_bytes(weights.read_bytes())
    (tmp_path / "new").rename(weights)
    with pytest.raises(UserError, match=r"model\.safetensors: changed while it was read"):
        load_model(files)


def test_an_adapter_is_not_used_under_the_hash_of_another(
    tmp_path: Path,
    moonshine_folder: Path,
    make_manifest: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from peft import LoraConfig, get_peft_model

    from lora.asr.adapter import loading

    model = load_model(describe_model(str(moonshine_folder))).model
    get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj"])).save_pretrained(tmp_path / "adapter")
    load = loading.load_adapter

    def replaced(speech: Any, folder: Path) -> None:
        config = folder / "adapter_config.json"
        config.write_text(config.read_text().replace('"lora_alpha": 8', '"lora_alpha": 16'))
        load(speech, folder)

    monkeypatch.setattr(loading, "load_adapter", replaced)
    command = ["transcribe", "--run", "tuned", "--manifest", f"domain={make_manifest('domain', [0.6])}"]
    command += ["--model-id", str(moonshine_folder), "--adapter", str(tmp_path / "adapter"), "--device", "cpu"]
    assert main([*command, "--output-dir", str(tmp_path / "out"), "--work-dir", str(tmp_path / "work")]) == 2
    assert "adapter: changed while it was read" in capsys.readouterr().err
    assert not list((tmp_path / "out").rglob("*.jsonl"))


def test_a_training_whose_audio_is_replaced_begins_anew(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from lora.asr.training import fit

    write = fit._Fitted.write

    def replaced(self: Any, *arguments: Any) -> None:
        write(self, *arguments)
        sound(next(tmp_path.rglob("*.wav")), 77)

    with monkeypatch.context() as patched:
        patched.setattr(fit._Fitted, "write", replaced)
        with pytest.raises(AssertionError):
            train("replaced")
    assert "run replaced: audio of its rows was replaced" in capsys.readouterr().err
    assert not list(tmp_path.glob("work/replaced/train/*/finished"))
    assert not list(tmp_path.glob("work/replaced/train/*/checkpoints/*"))
    assert train("replaced").optimizer_steps == 5
