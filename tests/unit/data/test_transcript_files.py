"""Every format of transcript files, recognised by suffix or content, or configured."""

import gzip
import json
import os

import pytest

from lora.data.source import Source
from lora.data.transcripts.files import guess_format, read_transcript_file
from lora.data.transcripts.reference_rows import reference_rows
from lora.records.base import UserError

LINES = {
    "jsonl": '{"id": "u1", "hypothesis": "one two"}\n{"id": "u2", "hypothesis": ""}\n',
    "csv": 'id,hypothesis\nu1,one two\n"u2",""\n',
    "tsv": 'id\thypothesis\nu1\tone two\nu2\t""\n',
    "text": "u1 one  two\r\nu2\r\n",
    "trn": ";; a comment\none two (u1)\n\n(u2)\n",
}


def write(folder, name, content):
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def texts(result):
    return {one.id: one.hypothesis for one in result.utterances}


@pytest.mark.parametrize("kind", LINES)
@pytest.mark.parametrize("how", ["suffix", "content", "named"])
def test_the_same_transcripts_in_every_format(tmp_path, kind, how):
    suffix = f".{kind}" if how == "suffix" and kind != "text" else ".txt"
    path = write(tmp_path, f"theirs{suffix}", LINES[kind])
    result = read_transcript_file(path, kind if how == "named" else None)
    assert (result.format, texts(result)) == (kind, {"u1": "one two", "u2": ""})


def test_a_json_list_and_the_output_of_nemo(tmp_path):
    rows = [{"audio_filepath": "a/u1.wav", "text": "one", "pred_text": "two", "duration": 1.5}]
    path = write(tmp_path, "out.json", json.dumps(rows, indent=1))
    (one,) = read_transcript_file(path).utterances
    assert (one.names, one.hypothesis, one.reference, one.duration) == (("a/u1.wav",), "two", "one", 1.5)
    rows[0] |= {"offset": 2.0}
    (one,) = read_transcript_file(write(tmp_path, "out.json", json.dumps(rows[0]))).utterances
    assert one.names == ("a/u1.wav#2-1.5", "a/u1.wav")


def test_text_is_the_hypothesis_where_it_is_the_only_text_column(tmp_path):
    (one,) = read_transcript_file(write(tmp_path, "x.jsonl", '{"utt_id": 3, "text": "one"}')).utterances
    assert (one.id, one.hypothesis, one.reference) == ("3", "one", None)


@pytest.mark.parametrize("neighbour", ["audio", "audio_filepath", "duration", "speaker_id"])
def test_a_manifest_is_not_taken_for_transcripts(tmp_path, neighbour):
    path = write(tmp_path, "x.jsonl", json.dumps({"id": "u1", neighbour: "a", "text": "one"}))
    with pytest.raises(UserError, match=rf"x.jsonl:1: no column of hypotheses: 'text' next to '{neighbour}'"):
        read_transcript_file(path)
    (one,) = read_transcript_file(path, columns={"hypothesis": "text"}).utterances
    assert one.hypothesis == "one"


def test_columns_can_be_configured(tmp_path):
    path = write(tmp_path, "x.csv", "who,said,truth,text\nu1,one,two,three\n")
    columns = {"id": "who", "hypothesis": "said", "reference": "truth"}
    (one,) = read_transcript_file(path, columns=columns).utterances
    assert (one.id, one.hypothesis, one.reference) == ("u1", "one", "two")


@pytest.mark.parametrize("indent", [None, 2])
def test_texts_by_id_in_one_json_object(tmp_path, indent):
    path = write(tmp_path, "x.json", json.dumps({"u1": "so it is", "u 2": ""}, indent=indent))
    assert texts(read_transcript_file(path)) == {"u1": "so it is", "u 2": ""}
    references = reference_rows(Source(path), silence=True)
    assert {row.id: row.text for row in references.rows} == {"u1": "so it is", "u 2": ""}
    path.write_text('{"uid": "u1", "said": "so it is"}\n{"uid": "u2", "said": "no"}\n')
    with pytest.raises(UserError, match=r"x\.json:1: no column for hypothesis: .*found uid, said"):
        read_transcript_file(path)


def test_percent_signs_are_no_hesitations(tmp_path):
    path = write(tmp_path, "x.trn", "10 % or %20 (%ah) (u1)\n")
    assert texts(read_transcript_file(path)) == {"u1": "10 % or %20"}


def test_trn_alternations_hesitations_and_brackets(tmp_path):
    lines = "{ uh / @ } i {am / 'm { not / n't }} (%hesitation) %uh (really) here (Spk1_u-1)\n{ / a } b (u2)\n"
    result = read_transcript_file(write(tmp_path, "x.trn", lines))
    assert texts(result) == {"Spk1_u-1": "uh i am really here", "u2": "b"}
    assert result.notes == [
        "4 alternations {a / b} were replaced by their first alternative",
        "2 hesitations marked with % were left out",
        "1 words in parentheses count as words",
    ]


def test_ctm_words_are_sorted_by_time(tmp_path):
    lines = ";; c\nr1 1 0.5 0.2 two 0.9\nr1 1 0.1 0.2 one\nr1 1 0.9 0.1 @\nr2 B 0 1 three\nr2 A 1 1 four\n"
    lines += "r3 1 * * <ALT_BEGIN>\nr3 1 0 1 five\nr3 1 * * <ALT>\nr3 1 0 1 six\nr3 1 * * <ALT_END>\nr3 1 1 1 seven\n"
    path = write(tmp_path, "x.words", lines)
    assert guess_format(path) == "ctm"
    result = read_transcript_file(path)
    words_by_file = {name: [word.text for word in words] for name, words in result.words.items()}
    assert words_by_file == {"r1": ["one", "two"], "r2": ["three", "four"], "r3": ["five", "seven"]}
    assert result.notes == ["1 alternations were replaced by their first alternative"]


@pytest.mark.parametrize(
    "lines",
    [
        ["r 1 0.5 0 no 0.9 lex x", "r 1 0.5 0 no NA", "r 1 0.6 0.4 never -3.5"],  # words that take no time
        ["r 1 0.5 0.6 a", "r 1 0.7 0.8 b", "r 1 1.2 1.0 c", "r 1 1.5 1.1 d"],  # two people at once
        ["r A 1 1 a", "r B 1.5 1.5 b", "r A 2 1 c", "r B 3 1 d", "r A 3 0.5 a"],
    ],
)
def test_ctm_of_words_without_length_of_overlapping_speech_and_of_channels(tmp_path, lines):
    words = read_transcript_file(write(tmp_path, "x.ctm", "\n".join(lines))).words["r"]
    assert sorted(word.text for word in words) == sorted(line.split()[4] for line in lines)


def test_a_recording_whose_name_is_not_utf8_is_an_error(tmp_path):
    write(tmp_path, os.fsdecode(b"\xff.json"), '{"text": "a"}')
    with pytest.raises(UserError, match="its name is not UTF-8"):
        read_transcript_file(tmp_path)


def test_a_row_with_a_list_does_not_make_a_file_one_object_of_lists(tmp_path):
    path = write(tmp_path, "h.jsonl", '{"id": "u1", "prediction": "a"}\n{"id": "u2", "prediction": ["b"]}\n')
    with pytest.raises(UserError, match=r"h\.jsonl:2: prediction is \['b'\]; expected a string"):
        read_transcript_file(path)


@pytest.mark.parametrize(
    ("marks", "line"),
    [(("<ALT_BEGIN>", "<ALT>"), 1), (("<ALT>", "<ALT_END>"), 1), (("<ALT_BEGIN>", "<ALT_BEGIN>"), 3)],
)
def test_a_lost_mark_of_an_alternation_of_ctm_is_an_error(tmp_path, marks, line):
    lines = [part for number, mark in enumerate(marks) for part in (f"r1 1 * * {mark}", f"r1 1 {number} 1 word")]
    path = write(tmp_path, "x.ctm", "\n".join([*lines, "r2 1 0 1 lost"]))
    with pytest.raises(UserError, match=rf"x\.ctm:{line}: <ALT.* correct it"):
        read_transcript_file(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.trn", "one (u1)\ntwo\n", ":2: no id in parentheses at the end of the line: 'two'"),
        ("x.trn", "one (u1)\ntwo (u1)\n", ":2: duplicate hypothesis for id 'u1' (first in line 1)"),
        ("x.ctm", "u1 1 0.0 0.5 one\nu1 1 nan 0.5 two\n", ":2: expected file, channel, start, duration and word"),
        ("x.ctm", "u1 1 -1 0.5 one\n", ":1: expected file, channel"),
        ("x.ctm", "u1 1 0.1\n", ":1: expected file, channel"),
        (
            "x.ctm",
            "u1 1 0 1 one 0.9\nu1 1 1 1 two three\n",
            ":2: expected a confidence or nothing after the word 'two'",
        ),
        (
            "x.ctm",
            "u1 1 0 1 one\nu1 1 1 0 no\n" * 2,
            ": the words of 'u1' are in the file 2 times, such as 'one' at 0 s",
        ),
        (
            "x.ctm",
            "u1 1 9 9.4 a\nu1 1 9.5 10 b\nu1 1 10 10.6 c\nu1 1 11 12 d\n",
            ": the fourth field is an end and no dur",
        ),
        ("x.csv", "id,hypothesis\nu1,one,two\n", ":2: broken line: 3 columns where the header has 2"),
        ("x.csv", 'id,hypothesis\nu1,"one\n', ":2: broken line: unexpected end of data"),
        ("x.csv", "a,b\n1,2\n", ":2: no column for hypothesis: expected one of hypothesis"),
        ("x.csv", "id,b\n1,2\n", ":2: no column for hypothesis: expected one of hypothesis"),
        ("x.jsonl", "[1]", ":1: broken line: a JSON int, not an object"),
        ("x.jsonl", "[{", ":1: broken line: not JSON: Expecting property name enclosed in double quotes: column 3"),
        (
            "x.txt",
            "{'id': 'u', 'text': 'one'}\n{'id': 'v', 'text': 'two'}\n",
            ":1: broken line: not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1); "
            "write it with `json.dumps`",
        ),
        ("x.csv", "id,hyp,prediction\nu1,a,a\nu2,b,c\n", ":3: two columns of texts, which differ: hyp is 'b' and pred"),
        ("x.csv", "id,text,transcription\nu1,a,b\n", ":2: two columns of texts, which differ: text is 'a' and transc"),
        ("x.jsonl", "3\n", ":1: broken line: a JSON int, not an object"),
        ("x.jsonl", '{"id": ["a"], "hyp": "x"}', ":1: id is ['a']; expected a string"),
        ("x.jsonl", '{"id": "a", "pred_text": null}', ":1: no pred_text (null); expected a string"),
        ("x.jsonl", '{"id": "a", "hyp": "x", "ref": 3}', ":1: ref is 3; expected a string"),
        ("x.jsonl", '{"id": " ", "hyp": "x"}', ":1: id is ' '; expected the name of an utterance"),
        ("x.txt", "a\0b", ": not a text file; transcripts are one of predictions, segments, jsonl, trn"),
    ],
)
def test_a_broken_file_raises_one_error(tmp_path, name, content, message):
    path = write(tmp_path, name, content)
    with pytest.raises(UserError) as error:
        read_transcript_file(path)
    assert str(error.value).startswith(f"{path}{message}")


ENCODINGS = {"cp1252": "not UTF-8, read as cp1252: line", "utf-16": "read as UTF-16", "utf-16-le": "read as UTF-16"}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.txt", "u1 le café était fermé à midi\n"),
        ("x.trn", "le café était fermé à midi (u1)\n"),
        ("x.csv", "id;hypothesis\nu1;le café était fermé à midi\n"),
        ("x.tsv", "id\thypothesis\nu1\tle café était fermé à midi\n"),
        ("x.csv", "id\thypothesis\nu1\tle café était fermé à midi\n"),
        ("x.jsonl", '{"id": "u1", "hypothesis": "le café était fermé à midi"}\n'),
        ("x.json", '[\n {"id": "u1",\n  "hypothesis": "le café était fermé à midi"}\n]\n'),
        ("x.json", '{"id": ["u1"], "predictions": ["le café était fermé à midi"]}'),
        ("x.txt", "u1: hyp=['le', 'café', 'était', 'fermé', 'à', 'midi']\n"),
    ],
)
def test_other_encodings_are_read_and_named(tmp_path, encoding, name, content):
    path = tmp_path / name
    path.write_bytes(content.encode(encoding))
    result = read_transcript_file(path)
    assert texts(result) == {"u1": "le café était fermé à midi"}
    assert result.encoding[0].startswith(ENCODINGS[encoding])


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encodings_of_timed_words(tmp_path, encoding):
    for name, content in {
        "a.ctm": "r1 1 0 1 fermé\nr1 1 1 1 à\n",
        "b.stm": "r1 1 s 0 2 fermé à\n",
        "r1.json": '{"segments": [{"start": 0, "end": 2, "text": "fermé à"}]}',
    }.items():
        path = tmp_path / name
        path.write_bytes(content.encode(encoding))
        result = read_transcript_file(path)
        words = [word.text for word in result.words.get("r1", [])] or result.utterances[0].hypothesis.split()
        assert words == ["fermé", "à"]
        assert ENCODINGS[encoding] in result.encoding[0]


def test_the_encoding_of_a_folder_names_one_file(tmp_path):
    for name, encoding in {"a": "utf-8", "b": "cp1252", "c": "cp1252"}.items():
        (tmp_path / f"{name}.txt").write_bytes("était fermé à midi".encode(encoding))
    (note,) = read_transcript_file(tmp_path).encoding
    assert note.startswith("b.txt: not UTF-8, read as cp1252: line 1")
    assert note.endswith("(1 other files are not UTF-8 either)")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("u1 été\n".encode() + b"u2 \xe9t\xe9\n", ":2: broken line: not in the encoding of the other lines: b'u2"),
        ("u1 one\nu2 ".encode("utf-16") + b"\x00\xd8a\0", ":2: broken line: not in the encoding of the other lines"),
        (b"u1 a\n" + bytes(range(128, 256)) * 3, ":2: the file is not UTF-8, and its encoding cannot be recognised"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", ": not a text file; transcripts are one of"),
    ],
)
def test_files_that_are_in_no_encoding(tmp_path, content, message):
    path = tmp_path / "x.txt"
    path.write_bytes(content)
    with pytest.raises(UserError) as error:
        read_transcript_file(path)
    assert str(error.value).startswith(f"{path}{message}")


def test_columns_need_a_format_with_columns_and_must_exist(tmp_path):
    path = write(tmp_path, "x.trn", "one (u1)\n")
    with pytest.raises(UserError, match="but format trn has no columns"):
        read_transcript_file(path, columns={"id": "x"})
    with pytest.raises(UserError, match=r"columns\.id is 'x', which is not a column; found id, hyp"):
        read_transcript_file(write(tmp_path, "y.csv", "id,hyp\na,b\n"), columns={"id": "x"})


def test_kaldi_text_of_digits_needs_a_format(tmp_path):
    path = write(tmp_path, "said.txt", "u0 4 7 1 9\nu1 3 3 0 2\n")
    with pytest.raises(UserError, match=r"could be ctm, or Kaldi text of digits; name the format"):
        read_transcript_file(path)
    assert texts(read_transcript_file(path, "text")) == {"u0": "4 7 1 9", "u1": "3 3 0 2"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "id,hypothesis,hypothesis\nu1,one,two\n", r"a.csv:1: the header has two columns named 'hypothesis'"),
        ("a.tsv", "id\tid\thypothesis\nu1\tu1\tone\n", r"a.tsv:1: the header has two columns named 'id'"),
        ("a.jsonl", '{"id": "u1", "hypothesis": "\\ud800 x"}\n', r"a.jsonl:1: .*half of a character"),
        ("a.json", '[{"id": "u1", "hypothesis": "\\ud800 x"}]', r"a.json:1: .*half of a character"),
        (
            "a.jsonl",
            '{"id": "u1", "hypothesis": "x", "hypothesis": "y"}\n',
            r"a.jsonl:1: .*'hypothesis' has two values",
        ),
        ("a.json", '[{"id": "u1", "hypothesis": "x", "id": "u2"}]', r"the key 'id' has two values"),
        ("a.json", '{"u1": "x", "u2": "y", "u1": "z"}', r"the key 'u1' has two values"),
    ],
)
def test_duplicate_columns_and_lone_surrogates_raise_one_error(tmp_path, name, content, message):
    with pytest.raises(UserError, match=message):
        read_transcript_file(write(tmp_path, name, content))


def test_line_ends_of_classic_mac_os(tmp_path):
    path = tmp_path / "a.trn"
    path.write_bytes(b"one (u1)\rtwo (u2)\r")
    assert texts(read_transcript_file(path)) == {"u1": "one", "u2": "two"}


def test_an_empty_folder_and_a_compressed_file_are_errors(tmp_path):
    with pytest.raises(UserError, match="a folder without transcripts; expected one"):
        read_transcript_file(tmp_path)
    path = tmp_path / "a.trn"
    path.write_bytes(gzip.compress(b"one (u1)"))
    with pytest.raises(UserError, match="decompress"):
        read_transcript_file(path)


@pytest.mark.parametrize(
    "times", [{"offset": 2, "duration": 1.5}, {"start": 2, "end": 3.5}, {"start_ms": 2000, "end_ms": "3500"}]
)
def test_pieces_are_named_by_their_times(tmp_path, times):
    row = {"audio": "a.wav", **times, "pred_text": "one"}
    (one,) = read_transcript_file(write(tmp_path, "x.jsonl", json.dumps(row))).utterances
    assert (one.names, one.duration) == (("a.wav#2-1.5", "a.wav"), 1.5)


def test_columns_that_are_no_times_name_no_piece(tmp_path):
    row = {"audio": "a.wav", "start": "soon", "duration": True, "pred_text": "one"}
    (one,) = read_transcript_file(write(tmp_path, "x.jsonl", json.dumps(row))).utterances
    assert (one.names, one.duration) == (("a.wav",), None)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("h.trn", ["one (a)", "two (b)"]),
        ("h.txt", ["a-1 one", "b-1 two"]),
        ("h.csv", ["id,hypothesis", "a,one", "b,two"]),
        ("h.stm", ["r 1 s 0 1 one", "r 1 s 1 2 two"]),
        ("h.ctm", ["r 1 0.0 0.5 one", "r 1 1.0 0.5 two"]),
    ],
)
def test_byte_order_marks_between_joined_files_are_no_part_of_texts(tmp_path, name, lines):
    path = tmp_path / name
    path.write_text("\n".join(lines))
    plain = read_transcript_file(path)
    path.write_text("\n".join([*lines[:-1], f"\ufeff{lines[-1]}"]))
    assert read_transcript_file(path) == plain


@pytest.mark.parametrize(
    ("line", "damaged", "message"),
    [
        ("one two (u%d)", "one two", "no id in parentheses at the end of the line"),
        ("one two (u%d)", "one two (u", "no id in parentheses at the end of the line"),
        ("u%d: hyp=['one']", "hyp=['one']", "expected `id: ref="),
        ("r%d 1 s 0.0 1.5 one two", "r 1 s 0.0 x one two", "expected file, channel, speaker, start and end"),
    ],
)
def test_a_damaged_line_does_not_decide_the_format(tmp_path, line, damaged, message):
    lines = [line % number for number in range(12)]
    path = write(tmp_path, "x.txt", "\n".join([*lines[:3], damaged, *lines[3:]]))
    with pytest.raises(UserError, match=rf"x\.txt:4: {message}"):
        read_transcript_file(path)


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (["[noise] so it is", "that is all"], "lines"),
        (["{uh} so it is", "[that] is all"], "lines"),
        (["[noise] so it is (a)", "that is all (b)"], "trn"),
        (['[{"id": "a", "hyp": "x"},', '{"id": "b", "hyp": "y"}]'], "jsonl"),
        (["[", '{"id": "a", "hyp": "x"}', "]"], "jsonl"),
        (["{", '"a": {"hyp": "x"}}'], "jsonl"),
        (['{id": "a", "hyp": "x"}', '{"id": "b", "hyp": "y"}', '{"id": "c", "hyp": "y"}'], "jsonl"),
    ],
)
def test_texts_that_begin_with_a_bracket_are_no_json(tmp_path, lines, kind):
    assert guess_format(write(tmp_path, "x.txt", "\n".join(lines))) == kind


@pytest.mark.parametrize("key", ["%d", "u-%d" + "x" * 5000])
def test_an_object_of_lists_by_id_is_refused_in_a_short_line(tmp_path, key):
    texts = {key % number: ["so it is"] for number in range(3000)}
    with pytest.raises(UserError, match=r"x\.json:1: no column for ") as error:
        read_transcript_file(write(tmp_path, "x.json", json.dumps(texts)))
    assert len(str(error.value)) < 1000


def test_remarks_at_the_end_of_most_lines_are_no_ids(tmp_path):
    path = write(tmp_path, "x.txt", "\n".join([*["so it is (laughs)"] * 9, "that is all"]))
    assert guess_format(path) == "lines"


@pytest.mark.parametrize(("separator", "kind"), [(",", "csv"), (";", "csv"), ("|", "csv"), ("\t", "tsv")])
def test_tables_with_every_separator_and_another_suffix(tmp_path, separator, kind):
    lines = (("id", "Prediction"), ("a-1", "one, two"), ("b-2", '"so"'))
    if separator == ",":
        lines = (*lines[:1], ("a-1", '"one, two"'), ("b-2", '"""so"""'))
    content = "\n".join(separator.join(line) for line in lines)
    file = read_transcript_file(write(tmp_path, "x.txt", content))
    assert (file.format, [one.names[0] for one in file.utterances]) == (kind, ["a-1", "b-2"])
    assert file.utterances[0].hypothesis == "one, two"
