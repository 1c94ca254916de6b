"""Judgements of listeners: what is read, what is rejected with which reason, and how several listeners are merged."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest

from lora.data.corrected_manifest import corrected_rows, write_corrected
from lora.data.manifest import read_manifest
from lora.data.merged_reviews import merge_reviews
from lora.data.review_files import COLUMNS, Judged, read_review_file
from lora.records.base import UserError
from lora.records.manifests import Utterance
from lora.records.reviews import RejectedJudgement, ReviewedRow

HEADER = "\t".join(COLUMNS)
REFERENCES = {"domain": {f"d{n}": f"text {n}" for n in range(8)}, "heldout": {"h0": "hello there"}}


def read(folder: Path, *lines: str, header: str = HEADER) -> tuple[list[Judged], list[RejectedJudgement]]:
    path = folder / "anna.tsv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return read_review_file(path, REFERENCES)


def test_lines_of_the_page_are_read(tmp_path: Path) -> None:
    judged, rejected = read(
        tmp_path,
        "domain\td0\treference_right\t\t\tyes",
        "domain\td1\treference_wrong\tthe  real\\ttext\tsays \\\\ and\\nmore\tno",
        "heldout\th0\taudio_unusable\t\t\tno",
    )
    assert not rejected
    assert [(one.line, one.row, one.judgement, one.sample) for one in judged] == [
        (2, ("domain", "d0"), "reference_right", True),
        (3, ("domain", "d1"), "reference_wrong", False),
        (4, ("heldout", "h0"), "audio_unusable", False),
    ]
    assert (judged[1].corrected_text, judged[1].note) == ("the real text", "says \\ and more")


def test_a_spreadsheet_may_add_a_byte_order_mark_line_ends_and_columns(tmp_path: Path) -> None:
    path = tmp_path / "anna.tsv"
    header = "listener\tsample\tnote\tcorrected_text\tjudgement\tid\tmanifest"
    path.write_text(f"{header}\r\nanna\tyes\t\ta\u2028b\treference_wrong\td1\tdomain\r\n\r\n", encoding="utf-8-sig")
    (judged,), rejected = read_review_file(path, REFERENCES)
    assert not rejected
    assert (judged.row, judged.corrected_text, judged.sample) == (("domain", "d1"), "a b", True)


EXCEL = f'{HEADER}\r\ndomain\td1\treference_wrong\t"he said ""no"", twice"\t"well, yes"\tyes\r\n'


@pytest.mark.parametrize(
    "content",
    [
        EXCEL.encode(),
        EXCEL.encode("utf-16"),
        EXCEL.replace("\r\n", "\r").encode(),
        EXCEL.replace("\r\n", "\r").encode() + b"\n",
        b"\xef\xbb\xbf\xef\xbb\xbf" + EXCEL.encode(),
    ],
)
def test_a_spreadsheet_may_add_quotes_and_save_in_another_encoding(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "anna.tsv"
    path.write_bytes(content)
    (judged,), rejected = read_review_file(path, REFERENCES)
    assert (judged.corrected_text, judged.note, rejected) == ('he said "no", twice', "well, yes", [])


@pytest.mark.parametrize("text", ['"well then"', '"well" or "then"', 'a "b", c', '"'])
def test_other_quotes_belong_to_the_text(tmp_path: Path, text: str) -> None:
    (judged,), _ = read(tmp_path, f"domain\td1\treference_wrong\t{text}\t\tno")
    assert judged.corrected_text == text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("domian\td0\treference_right\t\t\tno", ["'domian'", "domain, heldout"]),
        ("domain\th0\treference_right\t\t\tno", ["'h0'", "no usable row of domain"]),
        ("domain\td0\twrong\t\t\tno", ["'wrong'", "reference_right, reference_wrong, cannot_tell or audio_unusable"]),
        ("domain\td0\t\t\t\tno", ["judgement is ''"]),
        ("domain\td0\treference_right\t\t\tmaybe", ["'maybe'", "yes or no"]),
        ("domain\td0\treference_right\t\tno", ["1 fewer cells", "\\t"]),
        ("domain\td0\treference_right\t\t\tno\tno", ["1 more cells"]),
        ("domain\td0\treference_wrong\ttext  0\t\tno", ["the reference as it is", "remove the line"]),
        ("domain\td0\treference_wrong\t#NAME?\t\tno", ["'#NAME?'", "no text", "leave it empty"]),
        ("domain\td0\treference_wrong\t\u200b\t\tno", ["no text", "leave it empty"]),
        ("domain\td0\treference_right\tanother\t\tno", ["'another'", "Set reference_wrong"]),
    ],
)
def test_a_bad_line_costs_one_line_and_says_why(tmp_path: Path, line: str, words: list[str]) -> None:
    judged, (rejected,) = read(tmp_path, "domain\td1\treference_right\ttext 1\t\tno", line)
    assert [one.id for one in judged] == ["d1"]
    assert (rejected.file, rejected.line) == (str(tmp_path / "anna.tsv"), 3)
    assert all(word in rejected.reason for word in words)


def test_a_judgement_of_another_reference_is_rejected(tmp_path: Path) -> None:
    """As after the manifest was corrected; such a row would still count as wrong."""
    lines = [f"domain\td{n}\treference_wrong\t\t\tno\t{text}" for n, text in enumerate(("text  0", "txet 1", ""))]
    judged, (rejected,) = read(tmp_path, *lines, header=f"{HEADER}\treference")
    assert [one.id for one in judged] == ["d0", "d2"]
    assert rejected.reason == "the reference was 'txet 1' when it was judged, and is 'text 1' now. Judge the row again."


def test_a_text_of_an_undecided_row_is_ignored(tmp_path: Path) -> None:
    (judged,), rejected = read(tmp_path, "domain\td0\tcannot_tell\tperhaps this\t\tno")
    assert (judged.corrected_text, rejected) == (None, [])


def test_lines_that_contradict_each_other_are_all_rejected(tmp_path: Path) -> None:
    judged, rejected = read(
        tmp_path,
        "domain\td0\treference_right\t\t\tno",
        "domain\td1\treference_right\t\tfirst\tno",
        "domain\td0\treference_wrong\tsomething\t\tno",
        "domain\td1\treference_right\t\tagain\tno",
    )
    assert [(one.line, one.note) for one in judged] == [(3, "first; again")]
    assert [(one.line, one.id) for one in rejected] == [(2, "d0"), (4, "d0")]
    assert "reference_wrong ('something') in line 4" in rejected[0].reason


def test_many_lines_of_one_row_take_no_longer_than_those_of_many(tmp_path: Path) -> None:
    start = time.process_time()
    (one,), rejected = read(tmp_path, *["domain\td1\treference_wrong\tanother\t\tno"] * 8_000)
    assert (one.line, rejected) == (2, [])
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, ["no such review file", "`reviews`"]),
        (b"", ["anna.tsv:1", "header"]),
        (b"id,judgement\n", ["anna.tsv:1", "'id,judgement'", "manifest, id, judgement, corrected_text, note, sample"]),
        (b"\xff\xfe\x00", ["anna.tsv:1", "header"]),
        (b"PK\x03\x04", ["anna.tsv: a zip archive or spreadsheet"]),
        (gzip.compress(HEADER.encode(), mtime=0), ["anna.tsv: compressed with gzip; decompress it"]),
        (HEADER.replace("sample", "note\tsample").encode(), ["anna.tsv:1", "two columns named 'note'"]),
    ],
)
def test_a_file_that_is_no_review_file_is_one_error(tmp_path: Path, content: bytes | None, words: list[str]) -> None:
    path = tmp_path / "anna.tsv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as error:
        read_review_file(path, REFERENCES)
    assert str(path) in str(error.value)
    assert all(word in str(error.value) for word in words)


def judged(file: str, judgement: str, text: str | None = None, id: str = "d0", sample: bool = False) -> Judged:
    return Judged(file, 2, "domain", id, judgement, text, "", sample)  # type: ignore[arg-type]


def merged(*entries: Judged) -> list[ReviewedRow]:
    return merge_reviews(entries, lambda text: text.lower().split())


@pytest.mark.parametrize("name", ["x" * 300 + ".tsv", "anna.tsv/x", "loop.tsv"])
def test_a_path_that_cannot_be_opened_is_one_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "anna.tsv").write_text(HEADER)
    (tmp_path / "loop.tsv").symlink_to("loop.tsv")
    with pytest.raises(UserError, match=r"cannot be read: .*`reviews`"):
        read_review_file(tmp_path / name, REFERENCES)


def test_a_folder_of_review_files_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a folder\. Name the review files"):
        read_review_file(tmp_path, REFERENCES)


def test_listeners_who_agree_count_once() -> None:
    (row,) = merged(
        judged("a", "reference_wrong"),
        judged("b", "reference_wrong", "The kettle", sample=True),
        judged("c", "reference_wrong", "the kettle"),
    )
    assert (row.judgement, row.corrected_text, row.sample) == ("reference_wrong", "The kettle", True)
    assert (row.places, row.disagreement, row.texts_differ) == (["a:2", "b:2", "c:2"], [], False)


def test_listeners_who_disagree_leave_the_row_undecided_and_are_named() -> None:
    row, other = merged(
        judged("a", "reference_wrong", "x"), judged("b", "reference_right"), judged("b", "cannot_tell", id="d1")
    )
    assert (row.judgement, row.corrected_text) == ("cannot_tell", None)
    assert row.disagreement == ["reference_wrong", "reference_right"]
    assert (other.id, other.judgement) == ("d1", "cannot_tell")


def test_different_corrected_texts_count_as_none() -> None:
    (row,) = merged(judged("a", "reference_wrong", "the kettle"), judged("b", "reference_wrong", "the kennel"))
    assert (row.judgement, row.corrected_text, row.texts_differ) == ("reference_wrong", None, True)


def test_a_corrected_manifest_leaves_the_original_alone(tmp_path: Path) -> None:
    results, target = tmp_path / "results", tmp_path / "data/domain corrected"
    for audio in ("clips/a.wav", "results/audio/domain/b.wav"):
        (tmp_path / audio).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / audio).write_bytes(b"audio")
    own, unpacked = "../../clips/a.wav", "../audio/domain/b.wav"
    rows = [
        Utterance(id=id, text=text, duration=1.0, audio=audio, line=n)
        for n, (id, text, audio) in enumerate(
            [
                ("kept", "as it is", own),
                ("fixed", "as it was", unpacked),
                ("wrong", "no text", own),
                ("noise", "crackle", own),
                ("same", "also as it is", unpacked),
            ]
        )
    ]
    reviews = merged(
        judged("a", "reference_wrong", "as it should be", id="fixed"),
        judged("a", "reference_wrong", id="wrong"),
        judged("a", "audio_unusable", id="noise"),
        judged("a", "cannot_tell", id="same"),
    )
    kept = corrected_rows(rows, {row.id: row for row in reviews})
    path = write_corrected(kept, results / "manifests", results, target, {"source": "domain"})
    written = read_manifest(path)
    assert not written.rejected
    assert [(row.id, row.text) for row in written.rows] == [
        ("kept", "as it is"),
        ("fixed", "as it should be"),
        ("same", "also as it is"),
    ]
    # Recordings in the results folder are copied, each once; a fresh run deletes that folder.
    assert [row.audio for row in written.rows] == ["../../clips/a.wav", "audio/00001.wav", "audio/00001.wav"]
    with pytest.raises(UserError, match="is not overwritten"):
        write_corrected(kept, results / "manifests", results, target, {})
    assert [path.name for path in target.parent.iterdir()] == ["domain corrected"]


def test_a_line_that_is_not_utf8_is_rejected_alone(tmp_path: Path) -> None:
    path = tmp_path / "anna.tsv"
    lines = ["\t".join(COLUMNS).encode(), b"heldout\tu1\treference_wrong\t\xff\t\tyes", b"x\ty\tz\t\t\tno"]
    path.write_bytes(b"\n".join(lines))
    rejected = read_review_file(path, REFERENCES)[1]
    assert [entry.line for entry in rejected] == [2, 3]
    assert rejected[0].reason.startswith("not UTF-8")
