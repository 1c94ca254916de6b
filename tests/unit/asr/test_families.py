"""Moonshine and Whisper: model inputs, the settings that `generate` uses, and hypotheses."""

from __future__ import annotations

import copy
import json
import shutil
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_families import make_wav2vec2
from tiny_models import WINDOW, make_moonshine, make_whisper, noise

from lora.asr.decoding.decode_arguments import DEFAULTS
from lora.asr.decoding.effective_decode import effective_decode
from lora.asr.families.speech_model import SpeechModel
from lora.asr.model_files import describe_model
from lora.asr.model_loading import load_model
from lora.records.base import UserError

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def moonshine(moonshine_folder: Path) -> SpeechModel:
    return load_model(describe_model(str(moonshine_folder)))


@pytest.fixture(scope="module")
def whisper(whisper_folder: Path) -> SpeechModel:
    return load_model(describe_model(str(whisper_folder)))


@pytest.fixture(params=["moonshine", "whisper"])
def speech(request: pytest.FixtureRequest) -> SpeechModel:
    model: SpeechModel = request.getfixturevalue(request.param)
    return model


def test_half_precision_files_load_in_the_requested_dtype(moonshine: SpeechModel) -> None:
    assert {parameter.dtype for parameter in moonshine.model.parameters()} == {torch.float32}
    assert not moonshine.model.training


def test_input_names_come_from_the_forward_pass(moonshine: SpeechModel, whisper: SpeechModel) -> None:
    assert moonshine.input_names == ("input_values", "attention_mask")
    assert whisper.input_names[0] == "input_features"
    assert moonshine.inputs([noise(1, 1.5)])["input_values"].shape == (1, 32000)
    assert whisper.inputs([noise(1, 1.5)])["input_features"].shape == (1, 80, 100 * WINDOW)


def test_mixed_padding_steps_are_rejected(moonshine: SpeechModel) -> None:
    with pytest.raises(ValueError, match="one padding step"):
        moonshine.inputs([noise(1, 0.5), noise(2, 1.5)])


def test_hypotheses_do_not_depend_on_the_batch(speech: SpeechModel) -> None:
    audio = [noise(seed, 1.02 + seed * 0.08) for seed in range(8)]
    together = speech.generate(speech.inputs(audio))
    alone = [speech.generate(speech.inputs([samples])) for samples in audio]
    assert together.texts == [one.texts[0] for one in alone]
    assert together.token_ids == [one.token_ids[0] for one in alone]
    assert together.truncated == [one.truncated[0] for one in alone]
    assert len(set(together.texts)) > 4  # the models distinguish these


def test_shortest_audio_is_transcribed(speech: SpeechModel) -> None:
    assert len(speech.generate(speech.inputs([np.zeros(1, np.float32)])).texts) == 1


def test_truncation_at_the_token_limit_is_reported(speech: SpeechModel) -> None:
    audio = [noise(seed, 1.5) for seed in range(8)]
    free, capped = speech.generate(speech.inputs(audio)), speech.generate(speech.inputs(audio), {"max_new_tokens": 3})
    assert all(len(tokens) <= 3 for tokens in capped.token_ids)
    assert [tokens[:3] for tokens in free.token_ids] == capped.token_ids
    assert any(capped.truncated)


def test_a_hypothesis_with_eos_is_not_truncated(moonshine: SpeechModel) -> None:
    audio = [noise(seed, 1.5) for seed in range(24)]
    result = moonshine.generate(moonshine.inputs(audio))
    ended = [tokens[-1] == 2 for tokens in result.token_ids]
    assert any(ended)
    assert [not end for end in ended] == result.truncated


@pytest.mark.parametrize("decode", [{}, {"num_beams": 2, "length_penalty": 0.5}, {"begin_suppress_tokens": None}])
def test_the_recorded_decode_is_the_one_in_effect(
    speech: SpeechModel, decode: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[Any] = []
    original = type(speech.model)._prepare_generation_config

    def spy(self: Any, *args: Any, **kwargs: Any) -> Any:
        config, rest = original(self, *args, **kwargs)
        used.append(copy.deepcopy(config))  # Whisper empties it later
        return config, rest

    monkeypatch.setattr(type(speech.model), "_prepare_generation_config", spy)
    before = speech.model.generation_config.to_dict()
    effective = effective_decode(speech.files, decode)
    speech.generate(speech.inputs([noise(3, 1.5)]), decode)
    assert speech.model.generation_config.to_dict() == before
    for key in set(DEFAULTS) - {"max_length", "max_new_tokens"}:
        assert getattr(used[0], key) == effective[key], key
    if speech.family == "moonshine":
        assert used[0].max_new_tokens == speech.token_limit(1.5, decode)
    else:
        assert used[0].max_length == effective["max_length"]


def test_without_any_limit_generation_exceeds_twenty_tokens(tmp_path: Path) -> None:
    folder = make_moonshine(tmp_path / "unlimited", seed=3)
    (folder / "generation_config.json").write_text(
        '{"eos_token_id": 2, "pad_token_id": 0, "bos_token_id": 1, "decoder_start_token_id": 1}'
    )
    speech = load_model(describe_model(str(folder)))
    result = speech.generate(speech.inputs([noise(seed, 3.5) for seed in range(8)]))
    assert max(map(len, result.token_ids)) > 20


def test_whisper_language_reaches_the_model(whisper: SpeechModel) -> None:
    inputs = whisper.inputs([noise(1, 1.5)])
    assert effective_decode(whisper.files, {})["language"] == "en"
    assert whisper.generate(inputs, {"language": "de"}).texts != whisper.generate(inputs).texts
    with pytest.raises(UserError, match="rejects the settings"):
        whisper.generate(inputs, {"language": "xx"})


def test_with_timestamps_only_hypotheses_at_the_limit_are_truncated(whisper_folder: Path) -> None:
    """Their EOS is lost and padding looks like EOS."""
    speech = load_model(describe_model(str(whisper_folder)))
    audio = [noise(seed, 2.0) for seed in range(3)]
    timestamps = {"return_timestamps": True}
    endless = speech.generate(speech.inputs(audio), timestamps)
    assert all(endless.truncated)
    said_most, _ = Counter(chain.from_iterable(endless.token_ids)).most_common(1)[0]
    with torch.no_grad():
        weight = speech.model.proj_out.weight
        weight[speech.tokenizer.eos_token_id] = 1.1 * weight[said_most]
    together = speech.generate(speech.inputs(audio), timestamps)
    assert together.truncated == [False] * 3
    assert all(ids[-1] == speech.tokenizer.eos_token_id for ids in together.token_ids)
    alone = [speech.generate(speech.inputs([samples]), timestamps) for samples in audio]
    assert [made.token_ids[0] for made in alone] == together.token_ids


@pytest.mark.parametrize(
    "decode", [{"no_speech_threshold": 0.6, "logprob_threshold": -1.0}, {"no_speech_threshold": 0.6}]
)
def test_settings_that_generate_rejects_give_one_message(whisper: SpeechModel, decode: dict[str, Any]) -> None:
    """The fallback of transformers on low likelihood compares a temperature that is not set."""
    with pytest.raises(UserError, match="generate of whisper rejects"):
        whisper.generate(whisper.inputs([noise(1, 0.5)]), decode)


def test_a_broken_tokenizer_gives_one_message(tmp_path: Path) -> None:
    folder = make_moonshine(tmp_path / "broken")
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(UserError, match="cannot be loaded"):
        load_model(describe_model(str(folder)))


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("config.json", "dtype", []),
        ("generation_config.json", "num_return_sequences", 3),
        ("processor_config.json", "feature_extractor", {"sampling_rate": 16000, "feature_extractor_type": 2}),
        ("tokenizer.json", "post_processor", {"type": "TemplateProcessing", "single": [{}]}),
        ("tokenizer_config.json", "unk_token", 3.7),
    ],
)
def test_the_file_whose_value_a_library_reports_is_named(tmp_path: Path, name: str, key: str, value: Any) -> None:
    folder = make_moonshine(tmp_path / "model")
    (folder / name).write_text(json.dumps(json.loads((folder / name).read_text()) | {key: value}))
    with pytest.raises(UserError, match=rf"model: .*\b{name}\b.* cannot be loaded: .*Copy .*\b{name}\b"):
        load_model(describe_model(str(folder)))


@pytest.mark.parametrize("maker", [make_moonshine, make_whisper])
def test_an_utterance_has_one_hypothesis_whatever_the_model_returns(tmp_path: Path, maker: Any) -> None:
    """A model that returns several beams gave more hypotheses than utterances."""
    folder = maker(tmp_path / "model")
    beams = load_model(describe_model(str(folder)))
    audio = [noise(1, 0.5), noise(2, 0.6)]
    expected = beams.generate(beams.inputs(audio), {"num_beams": 3}).texts
    path = folder / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"num_beams": 3, "num_return_sequences": 2}))
    several = load_model(describe_model(str(folder)))
    assert several.generate(several.inputs(audio)).texts == expected


def test_tokens_before_the_text_are_no_text_where_the_tokenizer_does_not_know_them_as_special(
    whisper_folder: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(whisper_folder, tmp_path / "model"))
    tokens = json.loads((folder / "tokenizer.json").read_text())
    for token in tokens["added_tokens"]:
        token["special"] = token["content"] == "<|endoftext|>"
    (folder / "tokenizer.json").write_text(json.dumps(tokens))
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    del settings["extra_special_tokens"]
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    changed, healthy = (load_model(describe_model(str(path))) for path in (folder, whisper_folder))
    assert "<|en|>" not in changed.tokenizer.all_special_tokens
    audio = [noise(1, 0.5), noise(2, 0.6)]
    texts, expected = (speech.generate(speech.inputs(audio)).texts for speech in (changed, healthy))
    assert texts == expected


def test_features_have_no_random_noise(whisper_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(whisper_folder, tmp_path / "model"))
    path = folder / "processor_config.json"
    path.write_text(path.read_text().replace('"dither": 0.0', '"dither": 0.1'))
    speech = load_model(describe_model(str(folder)))
    first, second = (speech.inputs([noise(1, 0.5)])["input_features"] for _ in range(2))
    assert torch.equal(first, second)


def test_the_blank_of_a_ctc_model_is_the_padding_token_of_its_tokenizer(tmp_path: Path) -> None:
    """Otherwise a letter would be missing from every hypothesis."""
    folder = make_wav2vec2(tmp_path / "model")
    path = folder / "config.json"
    path.write_text(path.read_text().replace('"pad_token_id": 0', '"pad_token_id": 9'))
    with pytest.raises(
        UserError, match=r'blank is token 9 by "pad_token_id" in config\.json, but token 0 by the token'
    ):
        load_model(describe_model(str(folder)))


def test_a_ctc_model_with_a_language_model_is_decoded_greedily(tmp_path: Path) -> None:
    folder = make_wav2vec2(tmp_path / "model")
    expected = load_model(describe_model(str(folder)))
    path = folder / "processor_config.json"
    path.write_text(path.read_text().replace("Wav2Vec2Processor", "Wav2Vec2ProcessorWithLM"))
    speech = load_model(describe_model(str(folder)))
    texts = [one.generate(one.inputs([noise(1, 0.8)])).texts for one in (expected, speech)]
    assert texts[0] == texts[1] != [""]
