"""A result that is not as it was computed is set aside, so that the next run computes it again."""

from __future__ import annotations

import os
import shutil
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from lora.provenance.recording import recording
from lora.records.base import UserError
from lora.workflow.changed_results import set_aside_changed, set_aside_unrecorded


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two scores, and a training with a file inside a folder that was computed as a whole."""
    monkeypatch.chdir(tmp_path)
    folder = Path("results")
    (folder / "adapters/best").mkdir(parents=True)
    (folder / "wer").mkdir()
    with recording([folder / "wer/a.json", folder / "wer/b.json"]):
        for name in "ab":
            (folder / f"wer/{name}.json").write_text("1\n")
    weights = folder / "adapters/best/weights"
    outputs = [folder / "adapters/train.json", folder / "adapters/best"]
    with recording(outputs, record_path=folder / "adapters/train.run.json", within=[weights]):
        outputs[0].write_text("{}\n")
        weights.write_bytes(bytes(1_000_000))
    return folder


@pytest.mark.parametrize("text", ["", "2\n", "1\n\n"])
def test_a_changed_result_is_kept_elsewhere_whatever_its_time(results: Path, text: str) -> None:
    assert set_aside_changed(results) == []
    path = results / "wer/b.json"
    path.write_text(text)
    os.utime(path, (1, 1))
    assert set_aside_changed(results) == [path]
    assert not path.exists()
    assert (Path("work/changed") / path).read_text() == text
    assert (results / "wer/a.json").exists()
    assert set_aside_changed(results) == []
    path.write_text("another one\n")
    assert set_aside_changed(results) == [path]
    assert [(Path("work/changed/results/wer") / name).read_text() for name in ("b.json", "b.json~1")] == [
        text,
        "another one\n",
    ]


@pytest.mark.parametrize(
    ("record", "result"), [("wer/a.json.run.json", "wer/a.json"), ("adapters/train.run.json", "adapters/train.json")]
)
def test_a_folder_in_place_of_a_record_is_kept_elsewhere_with_its_result(
    results: Path, record: str, result: str
) -> None:
    (results / record).unlink()
    (results / record).mkdir()
    (results / record / "mine").write_text("notes\n")
    (results / result).write_text("edited\n")
    assert set_aside_changed(results, pretend=True) == [results / record]
    assert set_aside_changed(results) == [results / record]
    assert not (results / record).exists()
    assert not (results / result).exists()
    assert (Path("work/changed/results") / record / "mine").read_text() == "notes\n"
    assert (Path("work/changed/results") / result).read_text() == "edited\n"
    assert set_aside_changed(results) == []


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: path.symlink_to("nowhere")])
def test_what_is_no_file_in_place_of_a_result_is_kept_elsewhere(results: Path, make: Callable[[Path], None]) -> None:
    path = results / "wer/b.json"
    for _ in range(2):
        path.unlink(missing_ok=True)
        make(path)
        assert set_aside_changed(results) == [path]
        assert not os.path.lexists(path)
    assert len(list(Path("work/changed/results/wer").iterdir())) == 2


def test_with_a_file_inside_a_folder_goes_what_snakemake_misses(results: Path) -> None:
    weights = results / "adapters/best/weights"
    weights.write_bytes(weights.read_bytes()[:-1])
    assert set_aside_changed(results) == [weights]
    assert not (results / "adapters/train.json").exists()


def test_a_record_elsewhere_or_of_a_killed_command_says_nothing(results: Path) -> None:
    shutil.copytree(results, results / "before")
    (results / "before/wer/a.json").write_text("mine\n")
    (results / "wer/a.json").write_text("new\n")
    (results / "wer/b.json").write_text("new\n")
    with pytest.raises(KeyboardInterrupt), recording([results / "wer/a.json", results / "wer/b.json"]):
        raise KeyboardInterrupt
    (results / "adapters/train.json").write_text("new\n")
    (results / "adapters/train.run.json").write_text("")
    assert set_aside_changed(results) == []


def test_a_result_of_another_command_than_before_is_as_written(results: Path) -> None:
    with recording([results / "adapters/train.json"]):
        (results / "adapters/train.json").write_text("imported\n")
    assert set_aside_changed(results) == []
    (results / "adapters/train.json").write_text("edited\n")
    assert set_aside_changed(results) == [results / "adapters/train.json"]


def test_a_result_whose_record_of_snakemake_is_damaged_is_set_aside(results: Path) -> None:
    metadata = Path(".snakemake/metadata")
    paths = [results / "wer/a.json", results / "wer/b.json", results / "adapters/best", Path("config.yaml")]
    Path("config.yaml").touch()
    for path, content in zip(paths, ('{"rule": "x", "params": []}', '{"params": [', "", ""), strict=True):
        key = urlsafe_b64encode(str(path).encode()).decode()
        record = metadata / f"@{key[:4]}" / key[4:]  # as of a long path
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(content)
    (metadata / "notes").write_text("of another program")
    assert set_aside_unrecorded(metadata, results) == [results / "wer/b.json"]
    assert [path.exists() for path in paths] == [True, False, True, True]
    assert set_aside_unrecorded(metadata, results) == []


@pytest.mark.parametrize("content", ["{}", "[]", "null", "[1]", '"rule"', '{"rule": 1, "params": []}', '{"rule": "x"}'])
def test_json_that_is_no_record_of_snakemake_is_a_damaged_one(results: Path, content: str) -> None:
    record = Path(".snakemake/metadata") / urlsafe_b64encode(b"results/wer/a.json").decode()
    record.parent.mkdir(parents=True)
    record.write_text(content)
    assert set_aside_unrecorded(record.parent, results) == [results / "wer/a.json"]
    assert not record.exists()


def test_a_folder_in_place_of_a_record_is_kept_elsewhere(results: Path) -> None:
    record = Path(".snakemake/metadata") / urlsafe_b64encode(b"results/wer/a.json").decode()
    record.mkdir(parents=True)
    (record / "mine").write_text("text")
    with pytest.raises(UserError, match="a folder is where Snakemake keeps a file"):
        set_aside_unrecorded(record.parent, results, pretend=True)
    assert set_aside_unrecorded(record.parent, results) == [results / "wer/a.json"]
    assert (Path("work/changed") / record / "mine").read_text() == "text"
    assert not record.exists()


def test_results_in_a_linked_folder_are_looked_at_once(results: Path) -> None:
    shutil.move(results / "wer", "elsewhere")
    (results / "wer").symlink_to(Path("elsewhere").absolute())
    Path("elsewhere/loop").symlink_to(results.absolute())
    assert set_aside_changed(results) == []
    (results / "wer/b.json").write_text("2\n")
    assert set_aside_changed(results) == [results / "wer/b.json"]
    assert (Path("work/changed/results/wer/b.json")).read_text() == "2\n"


def test_a_link_to_nothing_is_a_damaged_record(results: Path) -> None:
    record = Path(".snakemake/metadata") / urlsafe_b64encode(b"results/wer/b.json").decode()
    record.parent.mkdir(parents=True)
    record.symlink_to("nowhere")
    assert set_aside_unrecorded(record.parent, results) == [results / "wer/b.json"]
    assert not record.is_symlink()
