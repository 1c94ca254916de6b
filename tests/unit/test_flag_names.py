"""Other names of options that people type, and suggestions for misspelt ones."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any

import pytest

from lora.configuration.flag_names import ALIASES, names_of
from lora.configuration.schema import setting
from lora.runners.experiment import main
from lora.runners.train import settings_of

TYPED = [
    *("--max-steps", "7", "--lr", "3e-4", "--eval-interval", "5", "--lora-r", "4", "--lora-alpha", "8"),
    *("--lora-dropout", "0.1", "--lora-targets", "q_proj,v_proj", "--batch-size", "2", "--seed", "3"),
    *("--gradient-accumulation-steps", "2", "--use-dora", "--init-lora-weights", "gaussian", "--device", "cpu"),
]
OWN_NAMES = [
    *("--max-steps", "7", "--learning-rate", "3e-4", "--eval-steps", "5", "--rank", "4", "--alpha", "8"),
    *("--dropout", "0.1", "--target-modules", "q_proj,v_proj", "--train-batch-size", "2", "--seed", "3"),
    *("--gradient-accumulation", "2", "--use-dora", "--init-lora-weights", "gaussian", "--device", "cpu"),
]
REQUIRED = {
    "train": "--run x --dataset-path t --validation-path v --output-dir o --model-id m",
    "run": "--dataset-path t --manifest-path d --safety-manifest-path g --max-seconds 10 --output-dir o --model-id m",
}


def parser_of(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    importlib.import_module(f"lora.runners.{command}").add_arguments(parser)
    return parser


def settings(command: str, arguments: list[str]) -> dict[str, Any]:
    return settings_of(parser_of(command).parse_args([*REQUIRED[command].split(), *arguments]))


@pytest.mark.parametrize("command", ["train", "run"])
def test_both_names_of_an_option_set_the_same(command: str) -> None:
    typed = settings(command, TYPED)
    assert typed == settings(command, OWN_NAMES)
    assert {key: typed[key] for key in ("rank", "alpha", "dropout", "batch_size", "gradient_accumulation")} == {
        "rank": 4,
        "alpha": 8.0,
        "dropout": 0.1,
        "batch_size": 2,
        "gradient_accumulation": 2,
    }
    assert typed["rank"] != settings(command, [])["rank"]


@pytest.mark.parametrize("command", ["train", "run"])
def test_help_shows_both_names(command: str) -> None:
    shown = " ".join(parser_of(command).format_help().split())
    for path, aliases in ALIASES.items():
        flag = f"--{path.partition('.')[2].replace('_', '-')}"
        assert setting(path).description
        assert names_of(path, flag) == [flag, *aliases]
        assert {flag, *aliases} <= set(shown.replace(",", "").split())


def test_a_training_takes_the_evaluation_manifests_of_run() -> None:
    given = ["--manifest", "other=o", "--manifest-path", "d", "--safety-manifest-path", "g", "--eval-rows", "5"]
    arguments = parser_of("train").parse_args([*REQUIRED["train"].split(), *given])
    assert arguments.manifest == [("other", Path("o")), ("evaluation", Path("d")), ("safety", Path("g"))]
    assert parser_of("train").parse_args(REQUIRED["train"].split()).manifest == []


def test_an_evaluation_manifest_needs_rows_to_transcribe(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *REQUIRED["train"].split(), "--manifest-path", "d.jsonl"]) == 2
    assert "--manifest evaluation=d.jsonl: it needs --eval-rows N" in capsys.readouterr().err


def test_the_training_batch_is_not_that_of_transcription() -> None:
    arguments = parser_of("run").parse_args([*REQUIRED["run"].split(), "--batch-size", "2", "--decode-batch-size", "5"])
    assert (settings_of(arguments)["batch_size"], arguments.batch_size) == (2, 5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "--lora-rr", "4"], "unknown option --lora-rr; did you mean '--lora-r'?"),
        (["train", "--lora-rr=4"], "unknown option --lora-rr; did you mean '--lora-r'?"),
        (["run", "--outputdir", "o"], "unknown option --outputdir; did you mean '--output-dir'?"),
        (["run", "--xyzzy"], "unknown option --xyzzy; expected one of --help, --version, --dataset-path"),
        (["trian", "--rank", "8"], "unknown subcommand trian; did you mean 'train'?"),
        (["train", "--max-seconds", "8"], "--max-seconds: `train` trains on every row of --dataset-path"),
    ],
)
def test_an_unknown_option_is_named_before_missing_ones(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--version"], ["train", "--version"]])
def test_every_command_knows_its_version(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("lora-tuning-diagnostics ")


@pytest.mark.parametrize("arguments", [["train", "--max-st", "4"], ["run", "--help"]])
def test_abbreviations_and_help_are_no_mistakes(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert "unknown option" not in capsys.readouterr().err
