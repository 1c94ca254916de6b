"""Bad input: one message each that names file, line or key and what to do, without a traceback."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from small_study import Study, make_study


def error_of(study: Study, *arguments: str) -> str:
    done = study.snakemake(*arguments)
    text = done.stdout + done.stderr
    assert done.returncode != 0, text
    assert "Traceback" not in text
    return text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"manifests": {"domain": "data/nowhere.jsonl"}}, ["config.yaml:", "no such file", "data/nowhere.jsonl"]),
        ({"durations": {"treshold": [5]}}, ["config.yaml:", "'treshold'", "did you mean 'thresholds'"]),
        ({"candidates": {"lora": {"train": {"max_steps": "many"}}}}, ["config.yaml:", "max_steps", "'many'"]),
        ({"candidates": {"lora": {"adapter": "x"}}}, ["candidates.lora", "exactly one of"]),
    ],
)
def test_config_mistakes_name_file_line_and_key(
    tmp_path: Path, changes: dict[str, object], expected: list[str]
) -> None:
    study = make_study(tmp_path / "study", changes)
    text = error_of(study, "-n")
    for part in expected:
        assert part in text


def test_a_key_twice_in_a_json_file(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study")
    text = json.dumps(study.config())[:-1]
    (study.folder / "other.json").write_text(f'{text},\n"adapter": {{"sample": 7}}}}')
    assert '/other.json:2: "adapter": the key is already in line 1' in error_of(
        study, "-n", "--configfile", "other.json"
    )


def test_a_missing_configuration(tmp_path: Path) -> None:
    assert "no config.yaml in" in error_of(Study(tmp_path), "-n")


def no_tokenizer(model: Path) -> None:
    for path in model.glob("*token*"):
        path.unlink()


def no_weights(model: Path) -> None:
    (model / "model.safetensors").rename(model / "pytorch_model.bin")


@pytest.mark.parametrize(
    ("damage", "expected"), [(no_tokenizer, "tokenizer"), (no_weights, "safetensors")], ids=["tokenizer", "weights"]
)
def test_an_incomplete_model_folder(tmp_path: Path, damage: Callable[[Path], None], expected: str) -> None:
    study = make_study(tmp_path / "study")
    link = study.folder / "data/model"
    original = link.resolve()
    link.unlink()
    shutil.copytree(original, link)
    damage(link)
    text = error_of(study, "results/transcripts/base/test.jsonl")
    assert "error: model data/model" in text
    assert expected in text


def test_python_files_of_a_study_are_not_imported(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study")
    (study.folder / "data/model").unlink()
    (study.folder / "data/model").mkdir()  # the command ends soon, after its imports
    for module in ("random", "tokenizers"):
        (study.folder / f"{module}.py").write_text('raise SystemExit("a file of the study was executed")\n')
    python, *arguments = study.command("results/transcripts/base/test.jsonl")
    done = subprocess.run([python, "-P", *arguments], cwd=study.folder, capture_output=True, text=True)
    assert "config.json is missing" in done.stdout + done.stderr
    assert "was executed" not in done.stdout + done.stderr


def test_bad_rows_are_listed_with_line_and_reason_and_do_not_stop_the_run(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study")
    good = study.manifest("domain").read_text().splitlines()
    lines = [
        good[0],
        '{"audio": "broken',
        good[1].replace("audio/domain", "audio/nowhere"),
        '{"audio": "' + study.rows("domain")[2]["audio"] + '", "text": "  "}',
        good[0],
        *good[3:],
    ]
    study.manifest("domain").write_text("\n".join(lines) + "\n")
    study.run("results/manifests/domain.jsonl")
    rejected = (study.results / "manifests/domain.rejected.tsv").read_text().splitlines()
    assert [line.split("\t")[0] for line in rejected[1:]] == ["2", "3", "4", "5"]
    for line, word in zip(rejected[1:], ["JSON", "audio/nowhere", "text", "id"], strict=True):
        assert word in line
