"""A full or read-only disk, and files that are edited while they are read: one message, and nothing half-written."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lora.asr.decoding.transcript_cache import Hypothesis, TranscriptCache
from lora.configuration.loading import load_configuration
from lora.data import manifest as reading
from lora.data.source import Source
from lora.provenance.command import run_command
from lora.provenance.disk_problem import disk_problem, why_absent
from lora.records.base import UserError, write_text
from lora.records.temporary_files import temporary_for
from lora.stages import manifests
from lora.stages.manifests import validate_manifest


def fails_with(number: int, path: Path) -> Callable[[], int]:
    def command() -> int:
        raise OSError(number, "what the system says", str(path))

    return command


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "no space is left"),
        (errno.EDQUOT, "no space"),
        (errno.EROFS, "accessible"),
        (errno.EFBIG, "`ulimit -f`"),
    ],
)
def test_one_message_says_what_and_what_to_do(tmp_path: Path, capsys, number: int, words: str) -> None:
    assert run_command(fails_with(number, tmp_path / "x.json")) == 2
    (message,) = capsys.readouterr().err.splitlines()
    assert message.startswith(f"error: {tmp_path / 'x.json'}: ")
    assert words in message
    assert "run the same command again" in message


def test_a_temporary_file_that_cannot_be_created_is_named_by_its_folder(tmp_path: Path) -> None:
    temporary = temporary_for(tmp_path / "rows.jsonl")
    message = disk_problem(PermissionError(errno.EACCES, "Permission denied", str(temporary)))
    assert str(message).startswith(f"{tmp_path}: Permission denied.")


def test_other_errors_of_the_system_begin_with_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.json" / "b.json"
    assert run_command(fails_with(errno.ENOTDIR, path)) == 2
    assert capsys.readouterr().err == f"error: {path}: what the system says\n"


def test_errors_of_libraries_about_a_full_disk_are_recognised() -> None:
    cause = OSError(errno.ENOSPC, "No space left on device")
    wrapped = RuntimeError("cannot save")
    wrapped.__cause__ = cause
    assert "no space is left" in str(disk_problem(wrapped))
    assert "no space is left" in str(
        disk_problem(RuntimeError("[enforce fail] PytorchStreamWriter failed writing file"))
    )
    assert disk_problem(RuntimeError("shapes differ")) is None


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    """Also where a temporary file is renamed to it, whose name nobody knows."""
    folder = tmp_path / "commands.sh"
    folder.mkdir()
    (folder / "mine.txt").write_text("x")
    for write in (folder.write_text, lambda text: write_text(folder, text)):
        with pytest.raises(IsADirectoryError) as raised:
            write("x")
        assert str(disk_problem(raised.value)).startswith(f"{folder}: a folder is where this file has to be. Move it")
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    with pytest.raises(ZeroDivisionError):
        run_command(lambda: 1 // 0)


def test_too_little_memory(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> int:
        raise MemoryError

    assert run_command(fail) == 2
    assert capsys.readouterr().err.startswith("error: not enough memory;")


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch):
    """Files cannot grow beyond 1 MB (the system says EFBIG, and writes what fits, as on a full disk)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_file_that_does_not_fit_leaves_the_earlier_one(tmp_path: Path, full_disk: None) -> None:
    write_text(tmp_path / "a.json", "earlier")
    with pytest.raises(OSError, match=r"File too large") as failed:
        write_text(tmp_path / "a.json", "x" * 5_000_000)
    assert failed.value.filename == str(tmp_path / "a.json")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.json": "earlier"}


def test_a_cache_that_does_not_fit_keeps_its_lines_and_goes_on(tmp_path: Path, full_disk: None) -> None:
    cache = TranscriptCache(tmp_path / "cache.jsonl")
    cache.add([("k1", Hypothesis("one", False))])
    with pytest.raises(OSError, match=r"File too large"):
        cache.add([("k2", Hypothesis("x" * 5_000_000, False))])
    again = TranscriptCache(tmp_path / "cache.jsonl")
    assert (again["k1"], "k2" in again) == (Hypothesis("one", False), False)
    again.add([("k2", Hypothesis("two", False))])
    assert len(TranscriptCache(tmp_path / "cache.jsonl")) == 2


def test_a_manifest_that_is_edited_while_it_is_read_is_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps({"audio": "a.wav", "text": "x", "duration": 1.0}) + "\n")
    outputs = tmp_path / "rows.jsonl", tmp_path / "rejected.tsv"

    def edited(source: Source, unpacked: Path | None = None) -> reading.OpenManifest:
        found = reading.open_manifest(source, unpacked)
        path.write_text(path.read_text() * 2)
        return found

    monkeypatch.setattr(manifests, "open_manifest", edited)
    assert run_command(lambda: validate_manifest(Source(path), *outputs) or 0) == 2
    assert f"{path}: changed while it was read" in capsys.readouterr().err
    assert not any(output.exists() for output in outputs)
    monkeypatch.undo()
    assert run_command(lambda: validate_manifest(Source(path), *outputs) or 0) == 0


def test_a_folder_without_permission_is_not_called_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system refuses as for a user who may not look into the folder; root may."""
    stat = os.stat

    def refuse(path: Any, **options: Any) -> os.stat_result:
        if "closed" in Path(path).parts[:-1]:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", refuse)
    assert why_absent(tmp_path / "nowhere") == "no such file or folder"
    assert why_absent(tmp_path / "closed/train.jsonl") == "permission denied for a folder of this path"
    (tmp_path / "config.yaml").touch()
    config: dict[str, Any] = {
        "model": None,
        "manifests": {"dev": "closed/dev.jsonl"},
        "candidates": {"a": {"hypotheses": {"dev": "config.yaml"}}},
    }
    config["base"] = config["candidates"]["a"]
    with pytest.raises(UserError, match=r"manifests\.dev: permission denied for a folder of this path: closed/dev"):
        load_configuration(config, None, tmp_path)
