"""Text that people write survives every publish; broken markers are refused with a remedy."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from lora.records.base import UserError
from lora.report import documents
from lora.report.documents import append_block, begin, end, has_block, replace_block, update_document

NAME = "generated: diagnosis"
DOCUMENT = f"# Mine\n\nbefore\n{begin(NAME)}\nold\n{end(NAME)}\nafter\n"


def replace(document: str, body: str = "new") -> str:
    return replace_block(document, NAME, body, "plan.md")


def test_only_the_block_changes() -> None:
    assert replace(DOCUMENT) == DOCUMENT.replace("old", "new")


def test_replacing_twice_changes_nothing() -> None:
    once = replace(DOCUMENT, "a\n\nb\n")
    assert replace(once, "a\n\nb\n") == once


def test_a_deleted_block_is_appended_after_the_human_text() -> None:
    healed = replace("# Mine\n\nwords without line end")
    assert healed == f"# Mine\n\nwords without line end\n\n{begin(NAME)}\nnew\n{end(NAME)}\n"
    assert replace(healed) == healed


def test_a_block_without_text_between_its_markers() -> None:
    assert replace(f"{begin(NAME)}\n{end(NAME)}\n") == f"{begin(NAME)}\nnew\n{end(NAME)}\n"


def test_windows_line_endings_stay() -> None:
    document = DOCUMENT.replace("\n", "\r\n")
    changed = replace(document, "a\nb")
    assert changed == DOCUMENT.replace("old", "a\nb").replace("\n", "\r\n")
    assert replace(changed, "a\nb") == changed


def test_a_marker_after_a_byte_order_mark_is_one() -> None:
    document = f"\ufeff{begin(NAME)}\nold\n{end(NAME)}\n"
    assert replace(document) == document.replace("old", "new")
    assert has_block(document, NAME)


def test_a_last_line_without_newline() -> None:
    assert replace(DOCUMENT.removesuffix("\nafter\n")) == DOCUMENT.replace("old", "new").removesuffix("\nafter\n")


def test_a_marker_within_a_sentence_is_text() -> None:
    document = f"Our marker `{begin(NAME)}` is explained here.\n{DOCUMENT}"
    assert replace(document) == document.replace("old", "new")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (DOCUMENT.replace(f"{end(NAME)}\n", ""), "line 4 but no"),
        (DOCUMENT.replace(f"{begin(NAME)}\n", ""), "line 5 but no"),
        (DOCUMENT + DOCUMENT, "once each, found BEGIN in line 4, BEGIN in line 11"),
        (f"{end(NAME)}\nx\n{begin(NAME)}\n", "wrong order"),
        (DOCUMENT + f"{end(NAME)}\n", "keep one pair"),
        (DOCUMENT.replace("old", f"old\n{begin('entry 1')}"), "line 6 is a marker of another block"),
    ],
)
def test_broken_markers_are_refused(document: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.md"
    path.write_text(document)
    with pytest.raises(UserError) as refused:
        update_document(path, "", lambda text: replace_block(text, NAME, "new", path))
    assert message in str(refused.value)
    assert str(path) in str(refused.value)
    assert path.read_text() == document


def test_a_body_cannot_imitate_markers() -> None:
    once = replace(DOCUMENT, f"evil\n{end(NAME)}\n{begin(NAME)}\nmore")
    assert replace(once, "tame") == DOCUMENT.replace("old", "tame")


def test_entries_are_found_by_name() -> None:
    document = append_block("", "entry abc", "x")
    assert has_block(document, "entry abc")
    assert not has_block(document, "entry ab")
    assert has_block("\n> ".join(document.splitlines()), "entry abc")


def test_a_missing_document_is_created_from_the_template(tmp_path: Path) -> None:
    path = tmp_path / "docs" / "plan.md"
    assert update_document(path, DOCUMENT, replace)
    assert path.read_text() == DOCUMENT.replace("old", "new")
    assert not update_document(path, DOCUMENT, replace)


def test_an_unchanged_document_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "plan.md"
    path.write_text(replace(DOCUMENT))
    os.utime(path, ns=(1, 1))
    assert not update_document(path, "", replace)
    assert path.stat().st_mtime_ns == 1


def test_mode_stays_and_links_are_followed(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.md"
    target.write_text(DOCUMENT)
    target.chmod(0o640)
    path = tmp_path / "plan.md"
    path.symlink_to(target)
    assert update_document(path, "", replace)
    assert path.is_symlink()
    assert target.read_text() == DOCUMENT.replace("old", "new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_the_owner_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plan.md"
    path.write_text(DOCUMENT)
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(documents.os, "chown", lambda _, user, group: given.append((user, group)))
    assert update_document(path, "", replace)
    assert given == [(path.stat().st_uid, path.stat().st_gid)]


def test_a_read_only_document_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plan.md"
    path.write_text(DOCUMENT)
    monkeypatch.setattr(documents.os, "access", lambda *_: False)  # an administrator may write to any file
    with pytest.raises(UserError, match="read-only, and the diagnosis has changed"):
        update_document(path, "", replace)
    assert path.read_text() == DOCUMENT
    assert not update_document(path, "", lambda document: document)


def test_a_merge_conflict_across_a_marker_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.md"
    inside = DOCUMENT.replace("old", "<<<<<<< ours\nold\n=======\nolder\n>>>>>>> theirs")
    assert replace(inside) == DOCUMENT.replace("old", "new")
    across = "<<<<<<< ours\n" + DOCUMENT.replace("old", "old\n=======\nmy own words\n>>>>>>> theirs")
    into_and_out = across.replace("after", "=======\n>>>>>>> theirs").replace(
        "\n>>>>>>> theirs", "\n>>>>>>> x\n<<<<<<< y", 1
    )
    for document in (across, into_and_out):
        path.write_text(document)
        with pytest.raises(UserError, match="merge conflict begins or ends between the markers of lines"):
            update_document(path, "", replace)
        assert path.read_text() == document


def test_bytes_outside_the_block_never_change(tmp_path: Path) -> None:
    path = tmp_path / "plan.md"
    strange = "\ufeff# Überschrift\t \n\n\n𝄞 trailing  \n"
    path.write_bytes((strange + DOCUMENT).encode())
    update_document(path, "", replace)
    assert path.read_bytes() == (strange + DOCUMENT.replace("old", "new")).encode()


def test_an_edit_in_the_meantime_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "plan.md"
    path.write_text(DOCUMENT)
    edits = iter(["my late edit\n"])

    def change(text: str) -> str:
        late = next(edits, None)
        if late is not None:
            path.write_text(late + DOCUMENT)
        return replace(text)

    assert update_document(path, "", change)
    assert path.read_text() == "my late edit\n" + DOCUMENT.replace("old", "new")


def test_gives_up_if_somebody_keeps_saving(tmp_path: Path) -> None:
    path = tmp_path / "plan.md"
    path.write_text(DOCUMENT)
    versions = (f"edit {number}\n{DOCUMENT}" for number in range(100))

    def change(text: str) -> str:
        path.write_text(next(versions))
        return replace(text)

    with pytest.raises(UserError, match="keeps saving"):
        update_document(path, "", change)
    assert path.read_text().startswith("edit ")
    assert "old" in path.read_text()
    assert list(tmp_path.glob(".*")) == []


def test_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.md"
    path.write_bytes(b"caf\xe9\n")
    with pytest.raises(UserError, match="byte 3 is not UTF-8"):
        update_document(path, "", replace)
    assert path.read_bytes() == b"caf\xe9\n"
    path.write_bytes("mine".encode("utf-16-le"))
    with pytest.raises(UserError, match="byte 1 is not UTF-8"):
        update_document(path, "", replace)


def test_what_is_no_file_in_place_of_the_document_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    link = tmp_path / "link.md"
    link.symlink_to(pipe)  # as one to /dev/null would be
    for path in (tmp_path, link):
        with pytest.raises(UserError, match=f"{path}: a folder, pipe or device"):
            update_document(path, "", replace)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_link_to_a_disk_that_is_not_mounted_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.md"
    path.symlink_to(tmp_path / "disk" / "plan.md")
    with pytest.raises(UserError, match=f"cannot write the document {tmp_path}/disk/plan.md, to which it links"):
        update_document(path, DOCUMENT, replace)
    assert not (tmp_path / "disk").exists()


def test_old_temporary_files_are_removed_and_recent_ones_kept(tmp_path: Path) -> None:
    path = tmp_path / "plan.md"
    path.write_text(DOCUMENT)
    old, young = (tmp_path / f".plan.md.{name}{documents.SUFFIX}" for name in ("old", "young"))
    for leftover in (old, young):
        leftover.write_text("torn")
    os.utime(old, (time.time() - 3600,) * 2)
    update_document(path, "", replace)
    assert not old.exists()
    assert young.exists()


def test_a_failed_write_does_not_change_the_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plan.md"
    path.write_text(DOCUMENT)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(documents.os, "fsync", full)
    with pytest.raises(UserError, match="No space left"):
        update_document(path, "", replace)
    assert path.read_text() == DOCUMENT
    assert list(tmp_path.iterdir()) == [path]
