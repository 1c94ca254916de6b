"""External hypotheses are matched to rows by id, by file name or by time; others are reported."""

from pathlib import Path

import pytest

from lora.data.transcripts.columns import ExternalTranscript
from lora.data.transcripts.ctm import Word
from lora.data.transcripts.files import TranscriptFile
from lora.data.transcripts.row_matching import match_rows
from lora.records.base import UserError
from lora.records.manifests import Utterance

FILE = Path("theirs.trn")


def row(id, audio=None, offset=None, duration=1.0, channel=None):
    return Utterance(id=id, text="one", duration=duration, audio=audio, offset=offset, channel=channel)


def texts(*names):
    return TranscriptFile("trn", [ExternalTranscript((name,), f"text of {name}") for name in names])


def hypotheses(result):
    return {id: one.hypothesis for id, one in result.hypotheses.items()}


def test_ids_are_tried_first_then_file_names_then_both_without_case():
    rows = [row("A"), row("b", "clips/Two.wav"), row("clips/3.x.flac"), row("Spk-4")]
    result = match_rows(FILE, texts("A", "Two", "/other/3.x.wav", "spk-4"), rows, [])
    assert hypotheses(result) == {
        "A": "text of A",
        "b": "text of Two",
        "clips/3.x.flac": "text of /other/3.x.wav",
        "Spk-4": "text of spk-4",
    }
    assert result.how == {"id": 1, "file name": 2, "id without case": 1}


def test_decomposed_letters_of_file_names():
    """macOS decomposes the names of files; tables that people write do not."""
    result = match_rows(FILE, texts("caf\u00e9", "b/u\u0308ber.wav"), [row("cafe\u0301"), row("\u00fcber")], [])
    assert hypotheses(result) == {"cafe\u0301": "text of caf\u00e9", "\u00fcber": "text of b/u\u0308ber.wav"}


def test_ambiguous_and_unmatched_hypotheses_are_reported_and_kept():
    rows = [row("1", "a/x.wav"), row("2", "b/x.wav"), row("3", "c/y.wav"), row("Z")]
    result = match_rows(FILE, texts("x", "3", "y", "z", "nowhere"), rows, [])
    assert hypotheses(result) == {"3": "text of 3", "Z": "text of z"}
    assert (result.ambiguous, result.unmatched) == (["x", "y"], ["nowhere"])
    assert set(result.extra) == {"x", "y", "nowhere"}


def test_two_ids_that_differ_by_case_only_are_not_guessed():
    result = match_rows(FILE, texts("aa", "ok"), [row("AA"), row("Aa"), row("ok")], [])
    assert (hypotheses(result), result.ambiguous) == ({"ok": "text of ok"}, ["aa"])


def test_hypotheses_of_rejected_rows_are_listed_as_rejected():
    result = match_rows(FILE, texts("a", "broken"), [row("a")], ["clips/broken.wav"])
    assert (hypotheses(result), result.rejected, result.extra) == ({"a": "text of a"}, ["broken"], {})


def test_no_match_at_all_is_an_error_with_an_id_of_each_side():
    with pytest.raises(UserError, match=r"none of its 1 ids is a row .*: it has 'x' \(read as trn\).* has 'a'"):
        match_rows(FILE, texts("x"), [row("a")], [])
    ctm = TranscriptFile("ctm", words={"rec": [Word(0, 1, "hi")]})
    with pytest.raises(UserError, match=r"none of its 1 files .*: it has 'rec'"):
        match_rows(FILE, ctm, [row("a")], [])


def test_ctm_words_of_one_recording_are_assigned_to_rows_by_time():
    rows = [
        row("r#0", "rec/Day1.wav", 0.0, 2.0),
        row("r#2", "rec/Day1.wav", 2.0, 1.0),
        row("r#9", "rec/Day1.wav", 9.0, 1.0),
    ]
    words = [Word(0.5, 0.5, "a"), Word(1.8, 0.6, "b"), Word(2.9, 0.1, "c"), Word(5, 0.2, "lost"), Word(2.0, 0.0, "d")]
    result = match_rows(FILE, TranscriptFile("ctm", words={"day1": sorted(words)}), rows, [])
    assert hypotheses(result) == {"r#0": "a", "r#2": "b d c", "r#9": ""}
    assert result.how == {"time": 3}
    assert result.notes == [
        "1 words are outside of all segments that are scored and were left out, first 'lost' of day1 at 5 s"
    ]


@pytest.mark.parametrize("names", [("1", "2"), ("A", "b")])
def test_ctm_words_are_assigned_to_rows_of_their_channel(names):
    """Two speakers on two channels of a call, talking at the same time."""
    rows = [row("left", "call.wav", 0.0, 9.0, channel=0), row("right", "call.wav", 0.0, 9.0, channel=1)]
    words = [Word(1.0, 0.5, "yes", names[0]), Word(1.1, 0.5, "no", names[1])]
    result = match_rows(FILE, TranscriptFile("ctm", words={"call": words}), rows, [])
    assert hypotheses(result) == {"left": "yes", "right": "no"}


def test_channels_of_whole_files():
    rows = [row("left", "call.wav", channel=0), row("right", "call.wav", channel=1)]
    words = [Word(1.0, 0.5, "yes", "A"), Word(1.1, 0.5, "no", "B")]
    result = match_rows(FILE, TranscriptFile("ctm", words={"call": words}), rows, [])
    assert (hypotheses(result), result.notes) == ({"left": "yes", "right": "no"}, [])
    extracted = [word._replace(channel="1") for word in words]
    result = match_rows(FILE, TranscriptFile("ctm", words={"call": extracted}), rows[1:], [])
    assert hypotheses(result) == {"right": "yes no"}


def test_channels_counted_from_1_have_the_words_of_their_number():
    """As where the audio, which shows it, is not there."""
    rows = [row("left", "call.wav", channel=1), row("right", "call.wav", channel=2)]
    words = [Word(1.0, 0.5, "yes", "1"), Word(1.1, 0.5, "no", "2")]
    result = match_rows(FILE, TranscriptFile("ctm", words={"call": words}), rows, [])
    assert hypotheses(result) == {"left": "yes", "right": "no"}
    assert result.notes == ["channels of the manifest are read as counted from 1: none is 0, and the last has no word"]
    third = match_rows(FILE, TranscriptFile("ctm", words={"call": [*words, Word(2.0, 0.5, "so", "3")]}), rows, [])
    assert hypotheses(third) == {"left": "no", "right": "so"}


def test_channels_are_merged_where_rows_name_none():
    words = [Word(1.0, 0.5, "yes", "A"), Word(1.1, 0.5, "no", "B")]
    for rows in ([row("call", "call.wav")], [row("r", "call.wav", 0.0, 9.0)]):
        result = match_rows(FILE, TranscriptFile("ctm", words={"call": words}), rows, [])
        assert list(hypotheses(result).values()) == ["yes no"]
        assert result.notes == ["1 files have several channels, whose words are merged in order of time; first: call"]


def test_a_file_without_a_transcript_is_an_error():
    with pytest.raises(UserError, match=r"theirs.trn: contains no transcript \(read as trn\)"):
        match_rows(FILE, TranscriptFile("trn"), [row("a")], [])


def test_ctm_files_named_like_rows_and_rows_without_a_word():
    rows = [row("u1", "x/u1.wav"), row("u2", "x/u2.wav")]
    result = match_rows(FILE, TranscriptFile("ctm", words={"u1": [Word(0, 1, "a"), Word(1, 1, "b")]}), rows, [])
    assert hypotheses(result) == {"u1": "a b", "u2": ""}
    assert result.notes == ["1 rows have no word in the ctm and count as empty hypotheses, first u2"]


@pytest.mark.parametrize("columns", [("pred_text", "Text"), ("sentence", "hyp")])
def test_a_row_that_has_only_its_reference_is_no_hypothesis(columns):
    transcripts = [
        ExternalTranscript((name,), "x", line=1, column=column) for name, column in zip("ab", columns, strict=True)
    ]
    place = 0 if columns[0] == "sentence" else 1
    reason = f"{FILE}:1: '{'ab'[place]}' has no '{columns[1 - place]}' as other rows have, only '{columns[place]}'"
    with pytest.raises(UserError, match=reason):
        match_rows(FILE, TranscriptFile("jsonl", transcripts), [row("a"), row("b")], [])
    alike = [one._replace(column=columns[0]) for one in transcripts]
    assert len(match_rows(FILE, TranscriptFile("jsonl", alike), [row("a"), row("b")], []).hypotheses) == 2
