"""The effective decode: merged as JSON and checked early. test_families.py checks that `generate` uses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lora.asr.decoding.decode_arguments import DEFAULTS
from lora.asr.decoding.effective_decode import WITHOUT_EFFECT, effective_decode, token_limit
from lora.asr.model_files import ModelFiles, describe_model
from lora.records.base import UserError


@pytest.fixture(scope="module")
def moonshine(moonshine_folder: Path) -> ModelFiles:
    return describe_model(str(moonshine_folder))


def test_decode_overrides_the_models_settings(moonshine: ModelFiles) -> None:
    decode = effective_decode(moonshine, {"num_beams": 3})
    assert decode["num_beams"] == 3
    assert decode["max_length"] == 384
    assert decode["repetition_penalty"] == 1.0
    assert list(decode) == sorted(decode)
    assert "transformers_version" not in decode


def test_config_json_replaces_a_missing_generation_config(moonshine: ModelFiles) -> None:
    decode = effective_decode(ModelFiles(**{**vars(moonshine), "generation": {}}), {})
    assert (decode["decoder_start_token_id"], decode["eos_token_id"], decode["pad_token_id"]) == (1, 2, 0)


def test_token_limit_follows_padded_seconds_up_to_the_model_limit(moonshine: ModelFiles) -> None:
    decode = effective_decode(moonshine, {})
    assert token_limit(decode, 2.0) == 48  # a small vocabulary: 20 tokens per second and 8 spare ones
    assert token_limit(decode, 30.0) == 383


def test_a_large_vocabulary_needs_fewer_tokens_per_second(moonshine: ModelFiles) -> None:
    large = ModelFiles(**{**vars(moonshine), "config": moonshine.config | {"vocab_size": 32768}})
    assert token_limit(effective_decode(large, {}), 2.0) == 21


@pytest.mark.parametrize("limit", [{"max_new_tokens": 7}, {"max_length": 8}])
def test_a_limit_in_decode_replaces_the_limit_by_duration(moonshine: ModelFiles, limit: dict[str, int]) -> None:
    decode = effective_decode(moonshine, limit)
    assert decode["tokens_per_second"] is None
    assert token_limit(decode, 30.0) == 7


@pytest.mark.parametrize(
    ("decode", "message"),
    [
        ({"num_beam": 2}, "did you mean num_beams"),
        ({"language": "en"}, "moonshine models take no argument 'language'"),
        ({"num_beams": "two"}, "num_beams is 'two'; expected an integer of at least 1"),
        ({"num_beams": 0}, "num_beams"),
        ({"length_penalty": "big"}, "length_penalty is 'big'; expected a number"),
        ({"do_sample": True}, "needs reproducible hypotheses"),
    ],
)
def test_an_invalid_decode_argument_is_named(moonshine: ModelFiles, decode: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        effective_decode(moonshine, decode)


def test_defaults_equal_those_of_transformers() -> None:
    from transformers import GenerationConfig

    known = GenerationConfig().to_dict()
    theirs = GenerationConfig._get_default_generation_params()
    for key, value in DEFAULTS.items():
        assert key in known
        if key != "max_length":  # 20 there; a speech model without a limit is left to its cap
            assert theirs.get(key) == value, key
    assert not set(DEFAULTS) & WITHOUT_EFFECT
