"""A changed document is noticed by its content: it may have any time."""

from __future__ import annotations

import os
from pathlib import Path

from lora.report.published import remove_outdated_mark, write_mark


def test_the_mark_goes_where_a_document_changes_whatever_its_time(tmp_path: Path) -> None:
    documents = [tmp_path / "plan.md", tmp_path / "notes.md"]
    for path in documents:
        path.write_text("mine\n")
    mark = tmp_path / "work/published"
    assert not remove_outdated_mark(mark, documents)
    write_mark(mark, documents)
    os.utime(documents[0], (2e9, 2e9))
    assert not remove_outdated_mark(mark, documents)
    documents[1].write_text("from a backup\n")
    os.utime(documents[1], (1, 1))
    assert remove_outdated_mark(mark, documents)
    assert not mark.exists()


def test_a_mark_without_content_is_outdated(tmp_path: Path) -> None:
    mark, document = tmp_path / "published", tmp_path / "notes.md"
    document.touch()
    mark.touch()
    assert remove_outdated_mark(mark, [document])
