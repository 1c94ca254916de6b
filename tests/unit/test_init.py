"""A study folder from a few paths: what can be found out is written down, and nothing is overwritten."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml
from stand_in import WORKFLOW, terminated

from lora.runners.diagnose import main

RATE = 8000


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = Path("my model")
    model.mkdir()
    (model / "config.json").write_text('{"model_type": "whisper"}')
    manifest("train.jsonl", audio_filepath="a.wav", text="one two", duration=3.5, lang="de-CH")
    manifest("dev/test.jsonl", audio="a.wav", sentence="one two", duration=2)
    manifest("other/test.jsonl", audio="a.wav", text="one two", duration=2)
    manifest("clean_manifest.jsonl", audio="a.wav", text="one two", duration=2)
    manifest("far-field/manifest.jsonl", audio="a.wav", text="one two", duration=2)


def manifest(name: str, **row: Any) -> None:
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    rows = [{**row, "id": f"u{n}"} for n in range(3)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    tone = 0.1 * np.sin(np.arange(4 * RATE) / 10)
    soundfile.write(path.parent / "a.wav", tone, RATE)


def init(*arguments: str) -> int:
    return main(["init", "study", "--model", "my model", "--train", "train.jsonl", *arguments])


def test_what_can_be_found_out_is_written_down(capsys: pytest.CaptureFixture[str]) -> None:
    assert init("--domain", "dev/test.jsonl", "other/test.jsonl", "--general", "clean_manifest.jsonl") == 0
    text = Path("study/config.yaml").read_text()
    config = yaml.safe_load(text)
    assert config == {
        "model": {"id": "../my model", "language": "de"},
        "manifests": {
            "train": "../train.jsonl",
            "clean": "../clean_manifest.jsonl",
            "test": "../dev/test.jsonl",
            "test-2": "../other/test.jsonl",
        },
        "roles": {"general": ["clean"], "domain": ["test", "test-2"]},
        "candidates": {"lora": {"train": {}}},
    }
    assert "# whisper" in text
    assert "text=sentence" in text
    assert "3 rows" in text
    assert Path("study/.gitignore").read_text().split() == ["results/", "work/", ".snakemake/"]
    printed = capsys.readouterr().out
    assert "lora-diagnose run -d study" in printed
    assert "not watched" not in printed


def test_a_common_file_name_gives_way_to_the_folders() -> None:
    assert init("--domain", "dev/test.jsonl", "--general", "far-field/manifest.jsonl") == 0
    assert yaml.safe_load(Path("study/config.yaml").read_text())["roles"]["general"] == ["far-field"]


def test_names_adapters_and_models_on_the_hub(capsys: pytest.CaptureFixture[str]) -> None:
    Path("runs").mkdir()
    arguments = ["--train", "train.jsonl", "--domain", "dev=dev/test.jsonl", "--adapter", "last-week=runs"]
    assert main(["init", "a study", "--model", "openai/whisper-tiny", "--language", "fr", *arguments]) == 0
    config = yaml.safe_load(Path("a study/config.yaml").read_text())
    assert config["model"] == {"id": "openai/whisper-tiny"}
    assert config["roles"] == {"general": [], "domain": ["dev"]}
    assert config["candidates"]["last-week"] == {"adapter": "../runs"}
    assert "forgetting is not watched" in capsys.readouterr().out


def test_nothing_is_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    Path("study").mkdir()
    Path("study/config.yaml").write_text("mine\n")
    assert init("--domain", "dev/test.jsonl") == 2
    assert "never overwrites" in capsys.readouterr().err
    assert Path("study/config.yaml").read_text() == "mine\n"
    assert [path.name for path in Path("study").iterdir()] == ["config.yaml"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--domain", "absent.jsonl"], "absent"),
        (["--domain", "a=dev/test.jsonl", "--general", "a=clean_manifest.jsonl"], "the name 'a' is taken"),
        (["--domain", "train=dev/test.jsonl"], "the name 'train' is taken"),
        (["--domain", "dev/test.jsonl", "--adapter", "gone"], "no such file or folder: gone"),
    ],
)
def test_a_mistake_writes_nothing(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert init(*arguments) == 2
    assert message in capsys.readouterr().err
    assert not Path("study").exists()


def test_hostile_column_names_stay_in_their_comment() -> None:
    manifest("odd.jsonl", audio="a.wav", duration=2, **{"Text": "x"})
    assert init("--domain", "odd.jsonl") == 0
    assert yaml.safe_load(Path("study/config.yaml").read_text())["roles"]["domain"] == ["odd"]


def test_a_folder_that_is_no_study_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("run", "plan", "gate"):
        assert main([command, "-d", "dev"]) == 2
        assert "lora-diagnose init" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"model: null\nmanifests: {a: [\n", "config.yaml:3: not YAML"),
        ("model: null\n".encode("utf-16"), "config.yaml:1: the file is not UTF-8"),
        (b"model: null\n\tbase: null\n", "config.yaml:2: not YAML"),
        (b"", "config.yaml:1: expected keys and values"),
    ],
)
def test_a_configuration_that_is_no_yaml_is_named_with_its_line(
    content: bytes, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("dev/config.yaml").write_bytes(content)
    assert main(["run", "-d", "dev"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: dev/{message}")


@pytest.mark.parametrize("command", ["gate", "plan"])
@pytest.mark.parametrize(
    "options", [["--configfile", "first.yaml", "second.yaml"], ["-n", "--configfiles=second.yaml"]]
)
def test_so_is_one_that_is_named_for_snakemake(
    command: str, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("dev/config.yaml", "first.yaml"):
        Path(name).write_text("model: null\n")
    Path("second.yaml").write_text("model: null\nsplit: {seed\n")
    assert main([command, "-d", "dev", "--", *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: second.yaml:3: not YAML")
    Path("second.yaml").unlink()
    assert main([command, "-d", "dev", "--", *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: second.yaml: cannot be read: No such file or directory")


@pytest.mark.parametrize("name", ["convert", "quick"])
def test_other_commands_are_the_same_as_by_themselves(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = {
        "convert": ["--manifest", "dev/test.jsonl", "--output", "out.jsonl"],
        "quick": ["--baseline", "dev/test.jsonl", "--tuned", "absent.trn"],
    }[name]
    assert main([name, *arguments]) == (0 if name == "convert" else 2)
    assert Path("out.jsonl").exists() == (name == "convert")


def test_unknown_subcommands_and_options_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, words in ((["inti"], "did you mean 'init'?"), (["run", "--coers", "2"], "did you mean '--cores'?")):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
        assert words in capsys.readouterr().err


def test_shells_can_complete_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("shtab")
    with pytest.raises(SystemExit) as ended:
        main(["--print-completion", "bash"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert "--fail-on" in printed
    assert "--domain" in printed


def test_the_command_is_installed_under_its_name(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    module, _, function = project["scripts"]["lora-diagnose"].partition(":")
    assert getattr(importlib.import_module(module), function) is main


def test_the_configuration_of_a_model_is_json_whose_indentation_may_be_tabs() -> None:
    Path("my model/config.json").write_text('{\n\t"model_type": "new_kind"\n}')
    assert main(["init", "study", "--model", "my model", "--train", "train.jsonl", "--domain", "dev/test.jsonl"]) == 0
    assert "new_kind" in Path("study/config.yaml").read_text()


@pytest.mark.parametrize("stem", ["2024", "1e3", "null", "yes", "0x10", "2024-13-45"])
def test_names_that_yaml_reads_as_other_values_are_quoted(stem: str) -> None:
    manifest(f"{stem}.jsonl", audio="a.wav", text="one two", duration=2)
    assert main(["init", "study", "--model", "my model", "--train", "train.jsonl", "--domain", f"{stem}.jsonl"]) == 0
    assert stem in yaml.safe_load(Path("study/config.yaml").read_text())["manifests"]


def test_a_name_that_is_not_utf8_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    odd = os.fsdecode(b"\xff.jsonl")
    Path("train.jsonl").rename(odd)
    with pytest.raises(SystemExit, match="2"):
        main(["init", "study", "--model", "my model", "--train", odd, "--domain", "dev/test.jsonl"])
    assert "\\udcff.jsonl: this name is not UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize("cores", ["0", "-1", "two", "1.5", "²"])
def test_a_run_without_cores_is_refused(cores: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["run", "-c", cores])
    assert "a whole number from 1" in capsys.readouterr().err


def test_usage_errors_show_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["\x1b[31m"])
    assert "unknown subcommand \\u001b[31m" in capsys.readouterr().err


def test_a_run_becomes_snakemake_so_that_signals_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    monkeypatch.setattr(os, "execve", lambda program, command, environment: started.append((program, command)))
    Path("my study").mkdir()
    Path("my study/config.yaml").write_text("model: null\n")
    assert main(["gate", "-d", "my study", "--cores", "2"]) == 0
    ((program, command),) = started
    assert program == sys.executable
    assert command[:5] == [sys.executable, "-P", "-m", "snakemake", "gate"]
    assert command[-6:] == ["--directory", "my study", "--configfile", "my study/config.yaml", "--cores", "2"]


def test_a_signal_to_a_plan_ends_its_snakemake(tmp_path: Path) -> None:
    """A dry run of a large study takes minutes, and `durations` writes results."""
    assert init("--domain", "dev/test.jsonl") == 0
    (tmp_path / "snakemake").mkdir()
    (tmp_path / "snakemake/__init__.py").touch()  # without it, the installed package comes first
    (tmp_path / "snakemake/utils.py").write_text("update_config = dict.update\n")
    (tmp_path / "snakemake/__main__.py").write_text(WORKFLOW)
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]))
    command = subprocess.Popen(
        [sys.executable, "-m", "lora.runners.diagnose", "plan", "-d", "study"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert "ended by SIGTERM; run the same command again" in terminated(command, tmp_path)
    assert Path("ended").exists()
