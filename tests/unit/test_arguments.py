"""Options of commands that are keys of the configuration: defaults, limits and choices of the schema."""

from __future__ import annotations

import argparse
import importlib
from typing import Any

import pytest

from lora.asr.adapter.module_groups import MODULE_GROUPS
from lora.configuration.arguments import add_setting, parser_of
from lora.configuration.schema import load_schema, setting
from lora.runners.train import SETTINGS, settings_of

RUNNERS = ("train", "transcribe", "effect", "audit", "harden")


def arguments(runner: str) -> dict[str, argparse.Action]:
    parser = argparse.ArgumentParser()
    importlib.import_module(f"lora.runners.{runner}").add_arguments(parser)
    return {action.dest: action for action in parser._actions}


def test_train_has_an_option_with_the_default_of_every_training_setting() -> None:
    properties = load_schema()["$defs"]["train"]["properties"]
    assert list(SETTINGS) == list(properties)
    parser = argparse.ArgumentParser()
    importlib.import_module("lora.runners.train").add_arguments(parser)
    required = ["--run", "x", "--dataset-path", "t", "--validation-path", "v", "--output-dir", "o", "--model-id", "m"]
    assert settings_of(parser.parse_args(required)) == {key: value["default"] for key, value in properties.items()}


def test_module_groups_of_the_schema_are_those_of_the_model_code() -> None:
    assert setting("train.target_parts").default == list(MODULE_GROUPS)
    assert setting("train.target_parts").schema["items"]["enum"] == list(MODULE_GROUPS)


def test_whole_numbers_have_both_limits() -> None:
    assert parser_of(setting("train.rank"))("65536") == 65536
    with pytest.raises(
        argparse.ArgumentTypeError, match=r"'65537' is not a whole number of at least 1 and at most 65536"
    ):
        parser_of(setting("train.rank"))("65537")


@pytest.mark.parametrize("runner", RUNNERS)
def test_model_options_have_the_schema_s_defaults_and_choices(runner: str) -> None:
    options = arguments(runner)
    for key in ("revision", "language", "prompt", "device", "dtype", "cpu_threads"):
        assert options[key].default == setting(f"model.{key}").default
    assert options["device"].choices == setting("model.device").choices
    assert options["dtype"].choices == setting("model.dtype").choices


@pytest.mark.parametrize(
    ("runner", "option", "path"),
    [
        ("audit", "sample", "labels.sample"),
        ("audit", "seed", "labels.seed"),
        ("effect", "sample", "adapter.sample"),
        ("harden", "min_wer", "headroom.min_wer"),
        ("harden", "max_wer", "headroom.max_wer"),
        ("train", "processes", "model.processes"),
    ],
)
def test_options_of_one_runner_have_the_schema_s_default(runner: str, option: str, path: str) -> None:
    assert arguments(runner)[option].default == setting(path).default


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("train.rank", "4", 4),
        ("train.alpha", "16", 16.0),
        ("train.learning_rate", "0", 0.0),
        ("train.learning_rate", "5e-4", 0.0005),
        ("train.target_parts", "other, cross", ["cross", "other"]),
        ("train.modules_to_save", "proj_out,conv1,conv1", ["conv1", "proj_out"]),
        ("train.init_lora_weights", "PiSSA_niter_4", "pissa_niter_4"),
        ("train.eval_decode", '{"num_beams": 2}', {"num_beams": 2}),
        ("model.revision", "none", None),
    ],
)
def test_text_of_an_option_becomes_a_value(path: str, text: str, value: Any) -> None:
    parsed = parser_of(setting(path))(text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("train.rank", "0", "'0' is not a whole number of at least 1"),
        ("train.rank", "1.5", "'1.5' is not a whole number of at least 1"),
        ("train.warmup_steps", "-1", "'-1' is not a whole number of at least 0"),
        ("train.learning_rate", "-1", "'-1' is not a number of at least 0"),
        ("train.learning_rate", "inf", "'inf' is not a number of at least 0"),
        ("train.alpha", "0", "'0' is not a number of more than 0"),
        ("train.dropout", "1", "'1' is not a number of at least 0 and less than 1"),
        ("train.target_parts", "head", "'head' is not a list of encoder, decoder_self, cross, mlp, other"),
        ("train.init_lora_weights", "eva", "'eva' is not valid; expected PEFT initialisation: true, false"),
        ("train.eval_decode", "[]", "'[]' is not a JSON object"),
    ],
)
def test_mistakes_in_an_option_say_what_was_expected(path: str, text: str, expected: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as raised:
        parser_of(setting(path))(text)
    assert str(raised.value).startswith(expected)


def test_help_shows_description_and_default() -> None:
    parser = argparse.ArgumentParser()
    add_setting(parser, "train.max_steps")
    add_setting(parser, "train.use_dora")
    shown = " ".join(parser.format_help().split())
    assert "--max-steps N Optimiser steps (default: 100)" in shown
    assert "--use-dora Weight-decomposed LoRA" in shown
