"""Reading manifests, and every reason for which a line can be rejected."""

import json
from pathlib import Path

import pytest

from lora.data.audio import headers
from lora.data.manifest import read_manifest, read_rows, rebase
from lora.records.base import UserError, write_lines


@pytest.mark.parametrize("audio", ["audio", "audio_filepath", "audio_path", "path", "wav", "file"])
@pytest.mark.parametrize("text", ["text", "transcript", "transcription", "sentence"])
def test_synonyms_are_read_without_configuration(wav, manifest, audio, text):
    wav("a.wav")
    [row] = read_manifest(manifest({audio: "a.wav", text: "Hello.", "duration": 1.5, "client_id": 7})).rows
    assert (row.id, row.audio, row.text, row.duration) == ("a.wav", "a.wav", "Hello.", 1.5)
    assert (row.speaker_id, row.line) == ("7", 1)


def test_missing_durations_come_from_headers(wav, manifest):
    wav("a.wav", 2.5)
    path = manifest({"audio": "a.wav", "text": "x"}, {"audio": "a.wav", "text": "y", "offset": 1.0})
    first, second = read_manifest(path).rows
    assert (first.duration, first.id) == (2.5, "a.wav")
    assert (second.duration, second.id) == (1.5, "a.wav#1-")


def test_segments_of_one_file_have_different_ids(wav, manifest):
    wav("a.wav", 3)
    pieces = [{"audio": "a.wav", "text": "x", "offset": o, "duration": 1.5} for o in (0, 1.5)]
    assert [row.id for row in read_manifest(manifest(*pieces)).rows] == ["a.wav#0-1.5", "a.wav#1.5-1.5"]


def test_every_unusable_line_is_rejected_with_its_reason(wav, manifest, tmp_path):
    wav("a.wav")
    (tmp_path / "noise.wav").write_bytes(b"not audio at all")
    (tmp_path / "empty.wav").write_bytes(b"")
    wav("silent.wav", 0)
    good = {"audio": "a.wav", "text": "whole \U0001f600", "id": "one", "duration": 1}
    cases = [
        (good, None),
        ('{"audio": "a.wav", "text": ', "broken line: not JSON"),
        ('["a.wav", "x"]', "broken line: a JSON list, not an object"),
        ('{"audio": "a.wav", "text": "cut \\uD83D"}', "broken line: half of a character"),
        ({"audio": "a.wav"}, "no text: expected one of text, transcript"),
        ({"audio": "a.wav", "text": "  "}, "empty text"),
        ({"audio": "a.wav", "text": None}, "empty text"),
        ({"text": "x"}, "no audio: expected one of audio, audio_filepath"),
        ({"audio": "gone.wav", "text": "x"}, "missing file: gone.wav"),
        ({"audio": "noise.wav", "text": "x"}, "unreadable audio"),
        ({"audio": "empty.wav", "text": "x"}, "unreadable audio: empty.wav is an empty file"),
        ({"audio": "silent.wav", "text": "x"}, "zero length"),
        ({"audio": "a.wav", "text": "x", "id": "zero", "duration": 0}, "zero length"),
        ({"audio": "a.wav", "text": "x", "duration": "long"}, "duration is not a number: 'long'"),
        ({"audio": "a.wav", "text": "x", "duration": 10**400}, "duration is not a number: 1000"),
        ({"audio": "a.wav", "text": "x", "id": "late", "offset": 2}, "zero length: no audio after the offset"),
        ({"audio": "a.wav", "text": "x", "samples": [0.1]}, "inline samples need a sampling_rate"),
        (good, "duplicate id, first used in line 1"),
    ]
    result = read_manifest(manifest(*[line for line, _ in cases]))
    assert [row.id for row in result.rows] == ["one"]
    reasons = {entry.line: entry.reason for entry in result.rejected}
    assert sorted(reasons) == list(range(2, len(cases) + 1))
    for number, (_, reason) in enumerate(cases, start=1):
        assert reason is None or reasons[number].startswith(reason), (number, reasons[number])


def test_a_cell_of_several_lines_of_which_one_is_not_utf8_costs_its_row(wav, tmp_path):
    wav("a.wav")
    path = tmp_path / "m.csv"
    lines = [
        "id,audio,text,duration",
        "1,a.wav,één,1",
        '2,a.wav,"two',
        "BROKEN",
        'lines",1',
        "3,a.wav,\N{REPLACEMENT CHARACTER},1",
    ]
    path.write_bytes("\n".join([*lines, "4,a.wav,four,1"]).encode().replace(b"BROKEN", b"caf\xe9"))
    result = read_manifest(path)
    assert [(row.id, row.text) for row in result.rows] == [
        ("1", "één"),
        ("3", "\N{REPLACEMENT CHARACTER}"),
        ("4", "four"),
    ]
    assert [(row.line, row.reason) for row in result.rejected] == [(3, "broken line: not UTF-8, or null bytes in it")]


def test_bom_crlf_blank_lines_and_line_separators(wav, tmp_path):
    wav("a.wav")
    row = json.dumps({"audio": "a.wav", "text": "one\u2028two", "duration": 1}, ensure_ascii=False)
    path = tmp_path / "m.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + f"\r\n{row}\r\n\r\n".encode() + b'{"text": "\xff"}\r\n')
    result = read_manifest(path)
    assert [(r.line, r.text) for r in result.rows] == [(2, "one two")]
    assert [(r.line, r.reason) for r in result.rejected] == [(4, "broken line: not UTF-8, or null bytes in it")]


def test_csv_with_quotes_and_wrong_columns(wav, manifest):
    wav("a.wav")
    wav("b c.wav")
    path = manifest(
        "path,sentence,duration,client_id",
        'a.wav,"Yes, ""indeed""",1.5,',
        "",
        "b c.wav,No,,s1",
        "a.wav,too,many,columns,here",
        name="m.csv",
    )
    result = read_manifest(path)
    assert [(r.line, r.text, r.duration, r.speaker_id) for r in result.rows] == [
        (2, 'Yes, "indeed"', 1.5, None),
        (4, "No", 1.0, "s1"),
    ]
    assert [(r.line, r.reason) for r in result.rejected] == [(5, "broken line: 5 columns where the header has 4")]


@pytest.mark.parametrize("broken", ['a.wav,"open', 'a.wav,"open\na.wav,"open', '"', 'a.wav,"x"y', "a.wav,1,2"])
def test_an_unclosed_csv_quote_costs_its_line_only(wav, manifest, broken):
    wav("a.wav")
    wav("b.wav")
    path = manifest("audio,text", "a.wav,fine", *broken.split("\n"), 'b.wav,"said ""no"", and\nleft"', name="m.csv")
    result = read_manifest(path)
    assert [row.text for row in result.rows] == ["fine", 'said "no", and left']
    assert [entry.line for entry in result.rejected] == list(range(3, 4 + broken.count("\n")))
    assert all(entry.reason.startswith("broken line: ") for entry in result.rejected)


def test_an_unbalanced_quote_in_a_tsv_loses_no_row(wav, manifest):
    wav("a.wav")
    wav("b.wav")
    path = manifest("path\tsentence", 'a.wav\t"He said', 'b.wav\t"a ""b"""', name="m.tsv")
    assert [row.text for row in read_manifest(path).rows] == ['"He said', 'a "b"']


def test_inline_samples(manifest):
    hf = {"audio": {"array": [0.0, 0.5], "sampling_rate": 16000}, "text": "x"}
    own = {"samples": [0.0, 0.25], "sampling_rate": 8000, "text": "y"}
    first, second = read_manifest(manifest(hf, own)).rows
    assert (first.samples, first.sampling_rate, first.duration) == ([0.0, 0.5], 16000, 2 / 16000)
    assert len(first.id) == 32
    assert first.id != second.id


def test_manifests_that_cannot_be_read_at_all(manifest, tmp_path):
    with pytest.raises(UserError, match="no such manifest"):
        read_manifest(tmp_path / "none.jsonl")
    with pytest.raises(UserError, match=r"m\.jsonl:1: none of 2 lines can be read; the first: broken line"):
        read_manifest(manifest("what", "ever"))
    with pytest.raises(UserError, match=r"no column for audio: expected one of audio, .*found clip, text"):
        read_manifest(manifest({"clip": "a.wav", "text": "x"}))
    with pytest.raises(UserError, match="no column for text"):
        read_manifest(manifest("audio;sentence,audio", "a,b", name="m.csv"))
    (tmp_path / "binary.jsonl").write_bytes(bytes(100))
    with pytest.raises(UserError, match="not a text file"):
        read_manifest(tmp_path / "binary.jsonl")


def test_an_empty_manifest_has_no_rows_and_is_not_an_error(tmp_path):
    (tmp_path / "m.jsonl").write_text("\n\n")
    result = read_manifest(tmp_path / "m.jsonl")
    assert (result.rows, result.rejected) == ([], [])


def test_written_rows_can_be_read_as_a_manifest_and_keep_their_lines(wav, manifest, tmp_path):
    wav("clips/ä b.wav", 1.25)
    source = manifest("", {"wav": "clips/ä b.wav", "text": "x", "spk": "s"})
    rows = read_manifest(source).rows
    target = tmp_path / "results" / "manifests" / "m.jsonl"
    write_lines(target, rebase(rows, tmp_path, target.parent))
    again = read_manifest(target)
    assert again.rows == read_rows(target)
    assert again.rows[0].audio == "../../clips/ä b.wav"
    assert (again.rows[0].line, again.rows[0].id) == (2, rows[0].id)


def test_rebasing_keeps_absolute_paths_and_follows_symbolic_links(wav, manifest, tmp_path):
    path = wav("a.wav")
    rows = read_manifest(manifest({"audio": str(path), "text": "x"}, {"audio": "a.wav", "text": "x"})).rows
    real = tmp_path / "deep" / "er" / "scratch"
    real.mkdir(parents=True)
    (tmp_path / "results").symlink_to(real)
    moved = list(rebase(rows, tmp_path, tmp_path / "results"))
    assert moved[0].audio == str(path)
    assert (tmp_path / "results" / moved[1].audio).samefile(path)


def test_parallel_reading_of_headers_gives_the_same_durations(wav, tmp_path, monkeypatch):
    paths = [str(wav(f"{i}.wav", 0.5 + i / 10)) for i in range(5)] + [str(Path("gone.wav"))]
    alone = headers.read_headers(paths, workers=1)
    monkeypatch.setattr(headers, "PARALLEL_FROM", 1)
    assert headers.read_headers(paths, workers=2) == alone
    assert alone[:2] == [0.5, 0.6]
    assert str(alone[5]).startswith("unreadable audio")


def test_missing_values_of_data_frames_count_as_missing(wav, manifest):
    wav("a.wav")
    nan = float("nan")
    rows = [
        {"audio": "a.wav", "text": "x", "id": 7.0, "speaker_id": 12.0, "duration": nan, "offset": nan},
        {"audio": "a.wav", "text": "x", "id": "b", "speaker_id": nan, "duration": 1},
        {"audio": "a.wav", "text": nan},
        {"audio": "a.wav", "text": "x", "speaker_id": 1.5},
    ]
    result = read_manifest(manifest(*rows))
    assert [(row.id, row.speaker_id, row.duration) for row in result.rows] == [("7", "12", 1.0), ("b", None, 1.0)]
    reasons = ["empty text", "speaker_id is neither a string nor a whole number: 1.5"]
    assert [entry.reason for entry in result.rejected] == reasons


def test_white_space_in_texts_is_collapsed(wav, manifest):
    wav("a.wav")
    [row] = read_manifest(manifest({"audio": "a.wav", "text": "  two\u00a0 words \n"})).rows
    assert row.text == "two words"


def test_a_duplicate_column_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("audio,text,text\na.wav,one,two\n")
    with pytest.raises(UserError, match=r"the header has two columns named 'text'"):
        read_manifest(path)


@pytest.mark.parametrize(
    ("name", "content", "hinted"),
    [
        ("m.csv", "clip-1|So it is.|so it is\n", True),
        ("m.tsv", "1\tclip-1.wav\tso it is\n", True),
        ("m.jsonl", '{"clip": "1", "said": "so it is"}\n', False),
    ],
)
def test_a_table_without_a_header_is_named_as_such(tmp_path, name, content, hinted):
    (tmp_path / name).write_text(content * 2)
    with pytest.raises(UserError, match="no column for audio") as error:
        read_manifest(tmp_path / name)
    assert ("If the first line is a row, add one" in str(error.value)) is hinted
