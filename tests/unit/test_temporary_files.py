"""What a killed process left is removed when its file is written again; what others are writing stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from lora.records.base import write_text
from lora.records.temporary_files import HOST, SUFFIX, temporary_for

WRITE = """
import signal, sys, os
from pathlib import Path
from lora.records.base import replacing

with replacing(Path(sys.argv[1])) as file:
    file.write("half of it")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_killed_writer_leaves_a_file_that_the_next_one_removes(tmp_path: Path) -> None:
    path = tmp_path / "rows [1].jsonl"
    killed = subprocess.run([sys.executable, "-c", WRITE, str(path)])
    assert killed.returncode == -signal.SIGKILL
    assert len(names(tmp_path)) == 1
    assert not path.exists()
    write_text(path, "whole\n")
    assert names(tmp_path) == {path.name}


def test_folders_of_killed_processes_are_removed(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    for process in (ended.pid, os.getpid()):  # a container that is started again numbers its processes as before
        (tmp_path / f".hardened.{HOST}.{process}{SUFFIX}" / "audio").mkdir(parents=True)
    temporary_for(tmp_path / "hardened").mkdir()
    assert names(tmp_path) == {f".hardened.{HOST}.{os.getpid()}{SUFFIX}"}
    assert not any((tmp_path / f".hardened.{HOST}.{os.getpid()}{SUFFIX}").iterdir())


def test_files_of_running_processes_other_machines_and_other_names_stay(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    others = {
        f".rows.{HOST}.{os.getppid()}{SUFFIX}",
        f".rows.00000000.{ended.pid}{SUFFIX}",
        f".rows.more.{HOST}.{ended.pid}{SUFFIX}",
        f".rows.{HOST}.notes{SUFFIX}",
    }
    for name in others:
        (tmp_path / name).touch()
    assert temporary_for(tmp_path / "rows") == tmp_path / f".rows.{HOST}.{os.getpid()}{SUFFIX}"
    assert names(tmp_path) == others
