"""A study that was copied with hard links does not write into the original."""

from __future__ import annotations

import os
from pathlib import Path

from lora.workflow.hard_links import unlink_from_copies


def test_files_with_other_links_become_copies(tmp_path: Path) -> None:
    (tmp_path / "study/@long").mkdir(parents=True)
    for name in ("original", "study/own"):
        (tmp_path / name).write_text("{}")
    os.link(tmp_path / "original", tmp_path / "study/@long/linked")
    inode = (tmp_path / "study/own").stat().st_ino
    unlink_from_copies(tmp_path / "study")
    unlink_from_copies(tmp_path / "missing")
    assert (tmp_path / "study/@long/linked").read_text() == "{}"
    assert (tmp_path / "original").stat().st_nlink == 1
    assert (tmp_path / "study/own").stat().st_ino == inode
    assert sorted(path.name for path in (tmp_path / "study").rglob("*")) == ["@long", "linked", "own"]
