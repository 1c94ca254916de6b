"""Found by `make fuzz`: a damaged line of a manifest costs itself in every format, and its reason is plain text."""

from __future__ import annotations

import bz2
import contextlib
import json
import os
import time
from pathlib import Path

import pytest

from lora.data.json_lines import MARK_INSIDE
from lora.data.json_rows import document_rows
from lora.data.manifest import Rejected, read_manifest
from lora.data.tables import read_cells, write_table
from lora.data.text_encoding import NOT_TEXT
from lora.data.transcripts.files import read_transcript_file
from lora.data.transcripts.recorded_settings import adjacent_settings, read_settings
from lora.provenance.command import run_command
from lora.records.base import UserError
from lora.terminal import visible

ROW = '{"audio": "a.wav", "text": "x", "id": "%s"}'
BROKEN = [
    '{"audio": "a.wav", "text": "x',
    '{"audio": "a.wav",, "text": "x"}',
    '{"audio": "a.wav", "text": "x"} 7',
    '{"audio": "a.wav", "duration": ' + "9" * 5000 + "}",
    "[" * 3000,
]


def test_a_null_byte_costs_its_line(tmp_path: Path, wav) -> None:
    wav("a.wav")
    path = tmp_path / "m.jsonl"
    path.write_bytes(f"{ROW % 1}\n{ROW % 2}\n".encode() + b"{\0\0}\n")
    manifest = read_manifest(path)
    assert ([row.id for row in manifest.rows], [row.line for row in manifest.rejected]) == (["1", "2"], [3])


@pytest.mark.parametrize("broken", BROKEN, ids=range(len(BROKEN)))
@pytest.mark.parametrize("indentation", ["", "  "])
def test_a_broken_row_of_a_json_list_costs_itself(broken: str, indentation: str) -> None:
    rows = [ROW % 1, broken, ROW % 3]
    text = "[\n" + ",\n".join(f"{indentation}{row}" for row in rows) + "\n]\n"
    found = list(document_rows(text))
    assert [line for line, _ in found] == [2, 3, 4]
    assert [row["id"] for line, row in found if line != 3 and isinstance(row, dict)] == ["1", "3"]


@pytest.mark.parametrize("between", [", ", ",\n", "\n"])
def test_a_byte_that_is_no_character_costs_its_row(tmp_path: Path, wav, between: str) -> None:
    """Also in a JSON list, where the row would have a replacement character in its text."""
    rows = [f'{{"audio": "{wav(f"{name}.wav").name}", "text": "k\u00f6nnen"}}'.encode() for name in "abc"]
    rows[1] = rows[1].replace(b"nnen", b"nn\xffen")
    (tmp_path / "m.json").write_bytes(between.encode().join(rows).join([b"[", b"]"] if "," in between else [b"", b""]))
    manifest = read_manifest(tmp_path / "m.json")
    assert [(row.audio, row.text) for row in manifest.rows] == [("a.wav", "können"), ("c.wav", "können")]
    assert [(row.line, row.reason) for row in manifest.rejected] == [(2, NOT_TEXT)]


def test_a_broken_row_of_an_object_by_id_costs_itself() -> None:
    text = '{\n"u1": {"a": 1},\n"u2": {"a": 1,, },\n"u3": {"a": 3}\n}'
    found = [row["id"] if isinstance(row, dict) else row for _, row in document_rows(text)]
    assert found[::2] == ["u1", "u3"]
    assert found[1].startswith("broken line: not JSON")


def test_an_integer_of_thousands_of_digits_costs_its_row(tmp_path: Path, wav) -> None:
    wav("a.wav")
    path = tmp_path / "m.jsonl"
    path.write_text(f'{ROW % 1}\n{{"audio": "a.wav", "text": "x", "id": "2", "duration": {"9" * 5000}}}\n{ROW % 3}\n')
    manifest = read_manifest(path)
    assert [row.id for row in manifest.rows] == ["1", "3"]
    (rejected,) = manifest.rejected
    assert rejected.line == 2
    assert rejected.reason.startswith("duration is not a number: inf")


def test_a_damaged_line_of_a_kaldi_table_costs_its_utterance(tmp_path: Path, wav) -> None:
    wav("a.wav")
    wav("b.wav")
    (tmp_path / "text").write_text("u1 one\nu2 two\nu3 three\n")
    (tmp_path / "wav.scp").write_bytes(b"u1 a.wav\nu2 \xff\xfe\nu3 b.wav\n")
    manifest = read_manifest(tmp_path)
    assert ([row.id for row in manifest.rows], [row.id for row in manifest.rejected]) == (["u1", "u3"], ["u2"])


@pytest.mark.parametrize("path", ["", ".", "text", "../data"])
def test_a_path_that_names_something_else_does_not_move_the_other_recordings(tmp_path: Path, wav, path: str) -> None:
    """Paths of recipes start at their working folder, which is that of most files."""
    for name in ("wavs/a.wav", "wavs/b.wav"):
        wav(name)
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "text").write_text("u1 one\nu2 two\nu3 three\n")
    (folder / "wav.scp").write_text(f"u1 {path}\nu2 wavs/a.wav\nu3 wavs/b.wav\n")
    manifest = read_manifest(folder)
    assert ([row.id for row in manifest.rows], [row.id for row in manifest.rejected]) == (["u2", "u3"], ["u1"])


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
@pytest.mark.parametrize("empty", [1, 2])
def test_an_empty_line_of_a_fairseq_manifest_costs_itself(tmp_path: Path, wav, empty: int, end: str) -> None:
    names = ["a.wav", "b.wav", "c.wav"]
    for name in names:
        wav(name)
    lines = ["" if position == empty else f"{name}\t16000" for position, name in enumerate(names)]
    (tmp_path / "m.tsv").write_text("\n".join([str(tmp_path), *lines]) + "\n" + end)
    (tmp_path / "m.wrd").write_text("one\ntwo\nthree\n")
    manifest = read_manifest(tmp_path / "m.tsv")
    assert [row.text for row in manifest.rows] == [text for n, text in enumerate(("one", "two", "three")) if n != empty]
    assert [(row.line, row.reason) for row in manifest.rejected] == [(2 + empty, "broken line: empty")]


ROWS_BY_FORMAT = {
    "nemo": '{"audio_filepath": "%s", "duration": 1.0, "text": "x"}',
    "funasr": '{"key": "%s", "source": "a.wav", "target": "x"}',
    "seamless": '{"source": {"id": "%s", "audio_local_path": "a.wav"}, "target": {"id": "1", "text": "x"}}',
    "speechbrain": '{"ID": "%s", "wav": "a.wav", "length": 1.0, "words": "x"}',
    "audiofolder": '{"file_name": "%s", "text": "x"}',
    "lhotse": '{"id": "%s", "start": 0, "duration": 1, "supervisions": [{"start": 0, "duration": 1, "text": "x"}],'
    ' "recording": {"sources": [{"type": "file", "channels": [0], "source": "a.wav"}]}}',
}


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("broken", ["{}", '{"file_name": 1, "start": 2, "supervisions": [], "recording_id": 3}'])
@pytest.mark.parametrize("name", ROWS_BY_FORMAT)
def test_a_damaged_row_does_not_decide_the_format(tmp_path: Path, wav, name: str, broken: str, place: int) -> None:
    """Also where it is the first one."""
    rows = [ROWS_BY_FORMAT[name] % wav(f"{letter}.wav").name for letter in "ab"]
    path = tmp_path / "m.jsonl"
    path.write_text("\n".join([*rows[:place], broken, *rows[place:]]) + "\n")
    manifest = read_manifest(path)
    assert (manifest.format, len(manifest.rows)) == (name, 2)
    assert [row.line for row in manifest.rejected] == [place + 1]


def test_a_duration_in_one_row_does_not_replace_the_lengths_of_the_others(tmp_path: Path, wav) -> None:
    """SpeechBrain JSON has `length`; the file of `duration` may be rounded."""
    wav("a.wav")
    rows = {f"u{number}": {"wav": "a.wav", "length": 1.25, "words": "x"} for number in range(3)}
    rows["u1"]["duration"] = "no"
    (tmp_path / "m.json").write_text(json.dumps(rows))
    manifest = read_manifest(tmp_path / "m.json")
    assert manifest.format == "speechbrain"
    assert {row.duration for row in manifest.rows} == {1.25}


@pytest.mark.parametrize("broken", ["a.wav", "\0\0", "a.wav\tlong"])
def test_a_damaged_first_row_of_a_fairseq_manifest_costs_itself(tmp_path: Path, wav, broken: str) -> None:
    rows = [f"{wav(name).name}\t16000" for name in ("b.wav", "c.wav")]
    (tmp_path / "m.tsv").write_text("\n".join([str(tmp_path), broken, *rows]) + "\n")
    (tmp_path / "m.wrd").write_text("one\ntwo\nthree\n")
    manifest = read_manifest(tmp_path / "m.tsv")
    assert (manifest.format, [row.text for row in manifest.rows][-2:]) == ("fairseq", ["two", "three"])


def test_half_a_character_in_transcripts_or_settings_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "recogs-x.txt").write_text("u1: ref=['a']\nu1: hyp=['\\ud800']\n")
    with pytest.raises(UserError, match=r"recogs-x\.txt:2"):
        read_transcript_file(tmp_path / "recogs-x.txt")
    for name, content in (
        ("h.json", '{"id": ["u1"], "predictions": ["\\ud800"]}'),
        ("w.json", '{"text": "\\ud800", "segments": [{"start": 0, "end": 1, "text": "\\ud800"}]}'),
    ):
        (tmp_path / name).write_text(content)
        with pytest.raises(UserError, match=f"{name}: a text has half of a character"):
            read_transcript_file(tmp_path / name)
    (tmp_path / "s.json").write_text('{"model": {"id": "\\ud800", "hash": "x"}}')
    with pytest.raises(UserError, match="lone surrogate"):
        read_settings(tmp_path / "s.json", "run", "test", set())


def test_settings_with_values_one_in_the_other_are_one_error(tmp_path: Path) -> None:
    """Deeper than what can be written again."""
    (tmp_path / "s.json").write_text('{"decode": {"language": ' + "[" * 300 + "]" * 300 + "}}")
    with pytest.raises(UserError, match=r"s\.json: a value has hundreds of others in it"):
        read_settings(tmp_path / "s.json", "run", "test", {"language"})


def test_a_link_to_nothing_in_place_of_settings_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "s.json").symlink_to(tmp_path / "gone")
    with pytest.raises(UserError, match=r"s\.json: cannot be read: No such file"):
        read_settings(tmp_path / "s.json", "run", "test", set())


def test_a_pipe_in_place_of_settings_is_one_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "s.json")
    with pytest.raises(UserError, match=r"s\.json: not a file but a pipe or device; save the settings"):
        read_settings(tmp_path / "s.json", "run", "test", set())


ESCAPES = "a\x1b[31mb\x9b2J\x07\u202ec"


def test_reasons_tables_and_printed_lines_show_control_characters(tmp_path: Path, capsys) -> None:
    shown = r"a\u001b[31mb\u009b2J\u0007\u202ec"
    assert visible(ESCAPES) == shown == Rejected(1, None, ESCAPES).reason
    write_table(tmp_path / "t.tsv", ("id", "reason"), [{"id": ESCAPES, "reason": ESCAPES}])
    assert shown in (tmp_path / "t.tsv").read_text()
    assert list(read_cells(tmp_path / "t.tsv", ("id", "reason"))) == [[ESCAPES, shown]]
    run_command(lambda: print(ESCAPES) or 0)
    assert capsys.readouterr().out == f"{shown}\n"


def test_every_control_character_is_shown() -> None:
    controls = [
        chr(code) for code in (*range(32), *range(127, 160), 0x2028, 0x202E, 0xD800, 0xE0001) if chr(code) not in "\n\t"
    ]
    assert [character for character in controls if not visible(character).isprintable()] == []


N = 30_000
SECONDS = 30.0  # of processor time; each of these files took minutes, and now at most 2 s
LARGE = {
    "a dictionary of Python per line": ("m.json", "[\n" + ",\n".join(["{'id': 'a'}"] * N) + "\n]\n"),
    "spaces after a brace": ("m.jsonl", "{" + " " * 10 * N + "x\n"),
    "spaces after a key": ("m.jsonl", '{"a":' + " " * N + "x\n"),
    "different columns": ("m.csv", f"{','.join(map(str, range(10 * N)))}\n" * 2),
    "different keys": ("m.jsonl", json.dumps(dict.fromkeys(map(str, range(3 * N)), 1)) + "\n{}\n"),
    "quotes and no separator": ("m.tsv", "('a" * 10 * N + "\n"),
}


@pytest.mark.parametrize(("name", "content"), LARGE.values(), ids=LARGE)
def test_a_large_damaged_file_takes_seconds(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    started = time.process_time()
    with contextlib.suppress(UserError):
        assert read_manifest(tmp_path / name).rows == []
    assert time.process_time() - started < SECONDS


def test_an_error_with_a_long_value_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> int:
        raise UserError(f"m.csv:1: {'x' * 10**6} is no column")

    assert run_command(fail) == 2
    printed = capsys.readouterr().err
    assert len(printed) < 5_000
    assert printed.startswith("error: m.csv:1: xxx")
    assert printed.endswith("xxx is no column\n")


def test_many_broken_rows_of_a_json_list_keep_the_good_ones_and_name_their_columns() -> None:
    rows = ["{'id': 1}", '{"id": "good"}', '{"id": "x",\n "a": ?}', '{"id": "long", "text": "' + "x" * 9_000 + '"}']
    found = list(document_rows("[\n" + ",\n".join(rows) + "\n]"))
    assert [row if isinstance(row, str) else row["id"] for _, row in found] == [
        "broken line: not JSON: Expecting property name enclosed in double quotes: column 2",
        "good",
        "broken line: not JSON: Expecting value: column 7, 1 lines below",
        "long",
    ]


OTHERS = {
    "tar": b"m.jsonl".ljust(257, b"\0") + b"ustar\0",
    "zip": b"PK\x03\x04\x14\0\0\0\0\0",
    "git-lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"1f" * 32 + b"\nsize 12\n",
    "xz": b"\xfd7zXZ\0\0\4",
    "bzip2": bz2.compress(b"m"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_an_archive_is_named_and_never_read_as_lines(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "m.jsonl"
    path.write_bytes(OTHERS[kind] + f"\n{ROW % 1}\n{ROW % 2}\n".encode())
    with pytest.raises(UserError, match=rf"m\.jsonl: .*{kind}"):
        read_manifest(path)
    with pytest.raises(UserError, match=rf"m\.jsonl: .*{kind}"):
        read_transcript_file(path, "lines")


def test_an_id_may_begin_as_an_archive_does(tmp_path: Path) -> None:
    (tmp_path / "hyp.txt").write_text("BZh1 hello\n")
    assert read_transcript_file(tmp_path / "hyp.txt", "text").utterances[0].id == "BZh1"


@pytest.mark.parametrize("separator", [",", "\t"])
def test_null_bytes_cost_a_line_of_a_table_and_refuse_transcripts(tmp_path: Path, wav, separator: str) -> None:
    wav("a.wav")
    rows = [("id", "audio", "text"), ("u1", "a.wav", "one"), ("u2", "a.wav", "tw\0"), ("u3", "a.wav", "three")]
    path = tmp_path / ("m.csv" if separator == "," else "m.tsv")
    path.write_text("".join(f"{separator.join(row)}\n" for row in rows))
    manifest = read_manifest(path)
    assert [row.id for row in manifest.rows] == ["u1", "u3"]
    assert [(row.line, row.reason) for row in manifest.rejected] == [(3, NOT_TEXT)]
    with pytest.raises(UserError, match=rf"{path.name}:3: broken line: null bytes"):
        read_transcript_file(path, path.suffix[1:], {"hypothesis": "text"})


@pytest.mark.parametrize("name", ["m.jsonl", "m.csv"])
def test_lines_may_end_in_carriage_returns_alone(tmp_path: Path, wav, name: str) -> None:
    wav("a.wav")
    lines = [ROW % 1, ROW % 2] if name == "m.jsonl" else ["id,audio,text", "1,a.wav,one", "2,a.wav,two"]
    (tmp_path / name).write_text("".join(f"{line}\r" for line in lines), newline="")
    assert [row.id for row in read_manifest(tmp_path / name).rows] == ["1", "2"]


@pytest.mark.parametrize("folder", [".", "", "/", ".."])
def test_settings_next_to_a_folder_without_a_name_have_a_path(folder: str) -> None:
    assert adjacent_settings(Path(folder)).name.endswith(".settings.json")


@pytest.mark.parametrize("as_list", [False, True])
def test_a_key_with_two_values_costs_its_row(tmp_path: Path, wav, as_list: bool) -> None:
    wav("a.wav")
    rows = [
        '{"id": "1", "audio": "a.wav", "text": "\\"so\\": he said"}',
        '{"id": "2", "audio": "a.wav", "text": "one", "text": "two"}',
        '{"id": "3", "audio": "a.wav", "text": "one", "text": "one"}',
        '{"id": "4", "audio": {"path": "a.wav", "path": "b.wav"}, "text": "one"}',
        '{"id" : "5", "audio" : "a.wav", "text" : "one", "text" : "two"}',
        '{"id" : "6", "audio" : "a.wav", "text" : "one"}',
    ]
    path = tmp_path / "m.jsonl"
    path.write_text("[\n" + ",\n".join(rows) + "\n]\n" if as_list else "\n".join(rows) + "\n")
    manifest = read_manifest(path)
    assert [row.id for row in manifest.rows] == ["1", "3", "6"]
    assert [row.reason.partition("not JSON: ")[2] for row in manifest.rejected] == [
        "the key 'text' has two values",
        "the key 'path' has two values",
        "the key 'text' has two values",
    ]


def test_a_byte_order_mark_between_joined_files_is_named(tmp_path: Path, wav) -> None:
    wav("a.wav")
    path = tmp_path / "m.jsonl"
    path.write_text("".join(f"\ufeff{ROW % name}\n" for name in "12"))
    manifest = read_manifest(path)
    assert [row.id for row in manifest.rows] == ["1"]
    assert [(row.line, row.reason) for row in manifest.rejected] == [(2, MARK_INSIDE)]


@pytest.mark.parametrize(("name", "separator"), [("m.csv", ","), ("m.tsv", "\t"), ("kaldi", " ")])
def test_byte_order_marks_between_joined_tables_are_no_part_of_ids(
    tmp_path: Path, wav, name: str, separator: str
) -> None:
    audio = wav("a.wav")
    rows = "".join(f"\ufeff{key}{separator}{audio}{separator}word\n" for key in "12")
    if name == "kaldi":
        (tmp_path / name).mkdir()
        (tmp_path / name / "wav.scp").write_text("".join(f"\ufeff{key} {audio}\n" for key in "12"))
        (tmp_path / name / "text").write_text("1 word\n\ufeff2 word\n")
    else:
        (tmp_path / name).write_text(f"{separator.join(('id', 'audio', 'text'))}\n{rows}")
    manifest = read_manifest(tmp_path / name)
    assert [row.id for row in manifest.rows] == ["1", "2"]
    assert manifest.rejected == []


def test_a_setting_with_two_values_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text('{"decode": {"num_beams": 1, "num_beams": 5}}')
    with pytest.raises(UserError, match=r"s\.json: not JSON: the key 'num_beams' has two values"):
        read_settings(tmp_path / "s.json", "run", "test", {"num_beams"})
