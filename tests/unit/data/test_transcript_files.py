"""transcript_files: every format that pipelines write, told by suffix, by content or by a person."""

import gzip
import json

import pytest

from lora.data.transcripts.files import guess, read_transcript_file
from lora.records.base import UserError

LINES = {
    "jsonl": '{"id": "u1", "hypothesis": "one two"}\n{"id": "u2", "hypothesis": ""}\n',
    "csv": 'id,hypothesis\nu1,one two\n"u2",""\n',
    "tsv": 'id\thypothesis\nu1\tone two\nu2\t""\n',
    "text": "u1 one  two\r\nu2\r\n",
    "trn": ";; made by someone\none two (u1)\n\n(u2)\n",
}


def write(folder, name, content):
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def texts(found):
    return {one.id: one.hypothesis for one in found.utterances}


@pytest.mark.parametrize("kind", LINES)
@pytest.mark.parametrize("how", ["suffix", "content", "named"])
def test_the_same_transcripts_in_every_format(tmp_path, kind, how):
    suffix = f".{kind}" if how == "suffix" and kind != "text" else ".txt"
    path = write(tmp_path, f"theirs{suffix}", LINES[kind])
    found = read_transcript_file(path, kind if how == "named" else None)
    assert (found.format, texts(found)) == (kind, {"u1": "one two", "u2": ""})


def test_a_json_list_and_what_nemo_writes(tmp_path):
    rows = [{"audio_filepath": "a/u1.wav", "text": "one", "pred_text": "two", "duration": 1.5}]
    path = write(tmp_path, "out.json", json.dumps(rows, indent=1))
    (one,) = read_transcript_file(path).utterances
    assert (one.names, one.hypothesis, one.reference, one.duration) == (("a/u1.wav",), "two", "one", 1.5)
    rows[0] |= {"offset": 2.0}
    (one,) = read_transcript_file(write(tmp_path, "out.json", json.dumps(rows[0]))).utterances
    assert one.names == ("a/u1.wav#2-1.5", "a/u1.wav")


def test_text_is_the_hypothesis_where_nothing_else_is(tmp_path):
    (one,) = read_transcript_file(write(tmp_path, "x.jsonl", '{"utt_id": 3, "text": "one"}')).utterances
    assert (one.id, one.hypothesis, one.reference) == ("3", "one", None)


def test_a_person_names_the_columns(tmp_path):
    path = write(tmp_path, "x.csv", "who,said,truth,text\nu1,one,two,three\n")
    columns = {"id": "who", "hypothesis": "said", "reference": "truth"}
    (one,) = read_transcript_file(path, columns=columns).utterances
    assert (one.id, one.hypothesis, one.reference) == ("u1", "one", "two")


def test_trn_alternations_hesitations_and_brackets(tmp_path):
    lines = "{ uh / @ } i {am / 'm { not / n't }} (%hesitation) %uh (really) here (Spk1_u-1)\n{ / a } b (u2)\n"
    found = read_transcript_file(write(tmp_path, "x.trn", lines))
    assert texts(found) == {"Spk1_u-1": "uh i am really here", "u2": "b"}
    assert found.notes == [
        "of 4 alternations {a / b} the first was taken",
        "2 hesitations marked with % are no words",
        "1 words in brackets count as words",
    ]


def test_ctm_words_stand_in_the_order_of_time(tmp_path):
    lines = ";; c\nr1 1 0.5 0.2 two 0.9\nr1 1 0.1 0.2 one\nr1 1 0.9 0.1 @\nr2 B 0 1 three\nr2 A 1 1 four\n"
    lines += "r3 1 * * <ALT_BEGIN>\nr3 1 0 1 five\nr3 1 * * <ALT>\nr3 1 0 1 six\nr3 1 * * <ALT_END>\nr3 1 1 1 seven\n"
    path = write(tmp_path, "x.words", lines)
    assert guess(path) == "ctm"
    found = read_transcript_file(path)
    heard = {name: [word.text for word in words] for name, words in found.words.items()}
    assert heard == {"r1": ["one", "two"], "r2": ["three", "four"], "r3": ["five", "seven"]}
    assert found.notes == [
        "of 1 alternations the first was taken",
        "1 files hold several channels, whose words are put in one order of time: r2",
    ]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("x.trn", "one (u1)\ntwo\n", ":2: no id in brackets at the end: 'two'"),
        ("x.trn", "one { two (u1)\n", ":1: a brace without its partner"),
        ("x.trn", "one (u1)\ntwo (u1)\n", ":2: a second hypothesis for id 'u1' (first in line 1)"),
        ("x.ctm", "u1 1 0.0 0.5 one\nu1 1 nan 0.5 two\n", ":2: expected file, channel, start, duration and word"),
        ("x.ctm", "u1 1 -1 0.5 one\n", ":1: expected file, channel"),
        ("x.ctm", "u1 1 0.1\n", ":1: expected file, channel"),
        ("x.csv", "id,hypothesis\nu1,one,two\n", ":2: broken line: 3 columns where the header has 2"),
        ("x.csv", 'id,hypothesis\nu1,"one\n', ":2: broken line: unexpected end of data"),
        ("x.csv", "a,b\n1,2\n", ":2: no column for id: expected one of id, utt_id"),
        ("x.jsonl", "[1]", ":1: entry 1 of the list is a int, not an object"),
        ("x.jsonl", "[{", ": begins as a JSON list and is none"),
        ("x.jsonl", "3\n", ":1: broken line: a JSON int, not an object"),
        ("x.jsonl", '{"id": ["a"], "hyp": "x"}', ":1: expected id as a string, found ['a']"),
        ("x.jsonl", '{"id": "a", "pred_text": null}', ":1: expected pred_text as a string, found None"),
        ("x.jsonl", '{"id": "a", "hyp": "x", "ref": 3}', ":1: expected ref as a string, found 3"),
        ("x.jsonl", '{"id": " ", "hyp": "x"}', ":1: no column for id"),
        ("x.txt", "a\0b", ": not a text file; transcripts are one of jsonl, csv"),
    ],
)
def test_a_broken_file_is_one_message(tmp_path, name, content, told):
    path = write(tmp_path, name, content)
    with pytest.raises(UserError) as error:
        read_transcript_file(path)
    assert str(error.value).startswith(f"{path}{told}")


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"u1 \xff\n", ":1: broken line: not UTF-8"), (b"\xff\xfea\0", ": the transcripts are UTF-16")],
)
def test_bytes_that_are_no_text(tmp_path, content, told):
    path = tmp_path / "x.txt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=told):
        read_transcript_file(path)


def test_columns_make_no_sense_in_a_trn(tmp_path):
    path = write(tmp_path, "x.trn", "one (u1)\n")
    with pytest.raises(UserError, match="a file of the format trn has none"):
        read_transcript_file(path, columns={"id": "x"})
    with pytest.raises(UserError, match="no column 'x', named for id; found id, hyp"):
        read_transcript_file(write(tmp_path, "y.csv", "id,hyp\na,b\n"), columns={"id": "x"})


def test_kaldi_text_of_digits_is_not_taken_for_ctm(tmp_path):
    path = write(tmp_path, "said.txt", "u0 4 7 1 9\nu1 3 3 0 2\n")
    with pytest.raises(UserError, match=r"could be ctm, or Kaldi text of digits; name the format"):
        read_transcript_file(path)
    assert texts(read_transcript_file(path, "text")) == {"u0": "4 7 1 9", "u1": "3 3 0 2"}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", "id,hypothesis,hypothesis\nu1,one,two\n", r"a.csv:1: two columns named 'hypothesis'"),
        ("a.tsv", "id\tid\thypothesis\nu1\tu1\tone\n", r"a.tsv:1: two columns named 'id'"),
        ("a.jsonl", '{"id": "u1", "hypothesis": "\\ud800 x"}\n', r"a.jsonl:1: .*half of a character"),
        ("a.json", '[{"id": "u1", "hypothesis": "\\ud800 x"}]', r"a.json:1: .*half of a character"),
    ],
)
def test_what_would_be_read_wrongly_is_one_message(tmp_path, name, content, told):
    with pytest.raises(UserError, match=told):
        read_transcript_file(write(tmp_path, name, content))


def test_line_ends_of_an_old_macintosh(tmp_path):
    path = tmp_path / "a.trn"
    path.write_bytes(b"one (u1)\rtwo (u2)\r")
    assert texts(read_transcript_file(path)) == {"u1": "one", "u2": "two"}


def test_a_folder_and_a_compressed_file_are_refused(tmp_path):
    with pytest.raises(UserError, match="not a folder or a pipe"):
        read_transcript_file(tmp_path)
    path = tmp_path / "a.trn"
    path.write_bytes(gzip.compress(b"one (u1)"))
    with pytest.raises(UserError, match="decompress"):
        read_transcript_file(path)
