"""Run records: what they contain, when they are written; and the exit codes and error lines of commands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lora.provenance.command import command_line, run_command
from lora.provenance.hashes import content_hash, file_hash
from lora.provenance.recording import recording
from lora.provenance.versions import code_commit, versions
from lora.records.base import UserError
from lora.records.provenance import RunRecord


def test_a_run_record_states_device_fallbacks_and_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "results" / "facts.json"
    with recording([output, tmp_path / "more.tsv"], seed=13) as run:
        run.device("cpu", "float32")
        run.fallback("cuda is not available")
        run.fallback("cuda is not available")
        run.adjust("batch halved")
        run.count(decoded=3, reused=1)
        run.count(decoded=2, optimizer_steps=10)
    record = RunRecord.read(f"{output}.run.json")
    assert record.seed == 13
    assert (record.utterances_decoded, record.utterances_reused, record.optimizer_steps) == (5, 1, 10)
    assert (record.fallbacks, record.adjustments) == (["cuda is not available"], ["batch halved"])
    assert (record.device, record.dtype) == ("cpu", "float32")
    assert record.outputs == [str(output), str(tmp_path / "more.tsv")]
    assert record.seconds >= 0
    assert record.peak_memory_mb > 1
    assert record.versions["numpy"]
    assert capsys.readouterr().err.startswith("command: python ")


def test_counts_that_were_not_recorded_are_none(tmp_path: Path) -> None:
    with recording([tmp_path / "table.tsv"]):
        pass
    record = RunRecord.read(tmp_path / "table.tsv.run.json")
    assert record.utterances_decoded is record.optimizer_steps is record.device is None


def test_a_failed_command_leaves_no_record(tmp_path: Path) -> None:
    with pytest.raises(UserError), recording([tmp_path / "table.tsv"]):
        raise UserError("no")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("output", ["dev.jsonl", "./dev.jsonl", "link.jsonl"])
def test_a_file_that_the_command_reads_is_never_an_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("dev.jsonl").write_text("mine\n")
    Path("link.jsonl").symlink_to("dev.jsonl")
    Path("earlier.tsv").write_text("")
    arguments = ["--manifest", "domain=dev.jsonl", "--rejected=earlier.tsv", f"--rows={output}"]
    monkeypatch.setattr(sys, "argv", ["validate_manifest.py", *arguments])
    with pytest.raises(UserError, match=f"{output}: this command reads it"), recording(["earlier.tsv", output]):
        Path(output).write_text("ours\n")
    assert Path("dev.jsonl").read_text() == "mine\n"
    with recording(["earlier.tsv", "new.jsonl"]):
        pass


def test_a_user_error_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> int:
        raise UserError("domain.jsonl:3: no text")

    assert run_command(fail) == 2
    assert capsys.readouterr().err == "error: domain.jsonl:3: no text\n"
    assert run_command(lambda: 0) == 0


def test_hashes_depend_on_the_boundaries_of_parts(tmp_path: Path) -> None:
    assert content_hash("ab", "c") != content_hash("a", "bc")
    assert content_hash("é") == content_hash("é".encode())
    assert len(content_hash()) == 32
    (tmp_path / "file").write_bytes(b"abc")
    assert file_hash(tmp_path / "file") == "ba7816bf8f01cfea414140de5dae2223"
    with pytest.raises(UserError, match="cannot be read"):
        file_hash(tmp_path / "none")


def test_versions_are_read_without_importing_packages() -> None:
    before = set(sys.modules)
    assert versions()["torch"]
    assert not {"torch", "transformers"} & (set(sys.modules) - before)


def test_the_command_line_is_quoted_for_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["scripts/score_run.py", "--rows", "a b.jsonl"])
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    assert command_line() == "python scripts/score_run.py --rows 'a b.jsonl'"


def test_reading_the_commit_writes_nothing_into_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit_files(tmp_path, "a")
    os.utime(tmp_path / "a", (1, 1))  # the index has another time
    before = (tmp_path / ".git/index").read_bytes()
    monkeypatch.setattr("lora.provenance.versions.tool_folder", lambda: tmp_path)
    commit = code_commit.__wrapped__()
    assert commit is not None
    assert len(commit) == 40
    assert (tmp_path / ".git/index").read_bytes() == before


def test_only_changed_code_is_dirty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit_files(tmp_path, "src/a.py", "docs/experiment_plan.md", "config.yaml")
    monkeypatch.setattr("lora.provenance.versions.tool_folder", lambda: tmp_path)
    clean = code_commit.__wrapped__()
    for name in ("docs/experiment_plan.md", "config.yaml"):
        (tmp_path / name).write_text("of a study")
    assert code_commit.__wrapped__() == clean
    (tmp_path / "src/a.py").write_text("changed")
    assert code_commit.__wrapped__() == f"{clean}-dirty"


def commit_files(repository: Path, *names: str) -> None:
    git = ["git", "-C", str(repository), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for name in names:
        (repository / name).parent.mkdir(exist_ok=True)
        (repository / name).write_text("a")
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "a"]):
        subprocess.run([*git, *arguments], check=True)
