"""brought_rows: hypotheses find their rows by id, by file name, by time; what does not is told."""

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


def heard(found):
    return {id: one.hypothesis for id, one in found.heard.items()}


def test_ids_as_written_come_first_then_file_names_then_case():
    rows = [row("A"), row("b", "clips/Two.wav"), row("clips/3.x.flac"), row("Spk-4")]
    found = match_rows(FILE, texts("A", "Two", "/other/3.x.wav", "spk-4"), rows, [])
    assert heard(found) == {
        "A": "text of A", "b": "text of Two", "clips/3.x.flac": "text of /other/3.x.wav", "Spk-4": "text of spk-4"
    }  # fmt: skip
    assert found.how == {"id": 1, "file name": 2, "id without case": 1}


def test_what_fits_two_rows_or_shares_one_is_told_and_kept():
    rows = [row("1", "a/x.wav"), row("2", "b/x.wav"), row("3", "c/y.wav"), row("Z")]
    found = match_rows(FILE, texts("x", "3", "y", "z", "nowhere"), rows, [])
    assert heard(found) == {"3": "text of 3", "Z": "text of z"}
    assert (found.ambiguous, found.unmatched) == (["x", "y"], ["nowhere"])
    assert set(found.extra) == {"x", "y", "nowhere"}


def test_two_ids_that_differ_by_case_only_are_not_guessed():
    found = match_rows(FILE, texts("aa", "ok"), [row("AA"), row("Aa"), row("ok")], [])
    assert (heard(found), found.ambiguous) == ({"ok": "text of ok"}, ["aa"])


def test_rejected_rows_take_their_hypotheses_along():
    found = match_rows(FILE, texts("a", "broken"), [row("a")], ["clips/broken.wav"])
    assert (heard(found), found.rejected, found.extra) == ({"a": "text of a"}, ["broken"], {})


def test_nothing_that_fits_is_one_error_with_an_example_of_each_side():
    with pytest.raises(UserError, match=r"none of its 1 ids is a row .*: it has 'x' \(read as trn\).* has 'a'"):
        match_rows(FILE, texts("x"), [row("a")], [])
    ctm = TranscriptFile("ctm", words={"rec": [Word(0, 1, "hi")]})
    with pytest.raises(UserError, match=r"none of its 1 files .*: it has 'rec'"):
        match_rows(FILE, ctm, [row("a")], [])


def test_ctm_words_of_one_recording_go_to_rows_by_time():
    rows = [
        row("r#0", "rec/Day1.wav", 0.0, 2.0),
        row("r#2", "rec/Day1.wav", 2.0, 1.0),
        row("r#9", "rec/Day1.wav", 9.0, 1.0),
    ]
    words = [Word(0.5, 0.5, "a"), Word(1.8, 0.6, "b"), Word(2.9, 0.1, "c"), Word(5, 0.2, "lost"), Word(2.0, 0.0, "d")]
    found = match_rows(FILE, TranscriptFile("ctm", words={"day1": sorted(words)}), rows, [])
    assert heard(found) == {"r#0": "a", "r#2": "b d c", "r#9": ""}
    assert found.how == {"time": 3}
    assert found.notes == [
        "1 words lie in no row's piece of its recording and were left out, first 'lost' of day1 at 5 s"
    ]


@pytest.mark.parametrize("names", [("1", "2"), ("A", "b")])
def test_ctm_words_go_to_rows_of_their_own_channel(names):
    """Two speakers on two channels of a call, talking at the same time."""
    rows = [row("left", "call.wav", 0.0, 9.0, channel=0), row("right", "call.wav", 0.0, 9.0, channel=1)]
    words = [Word(1.0, 0.5, "yes", names[0]), Word(1.1, 0.5, "no", names[1])]
    found = match_rows(FILE, TranscriptFile("ctm", words={"call": words}), rows, [])
    assert heard(found) == {"left": "yes", "right": "no"}


def test_a_file_without_a_transcript_is_one_error():
    with pytest.raises(UserError, match=r"theirs.trn: holds no transcript \(read as trn\)"):
        match_rows(FILE, TranscriptFile("trn"), [row("a")], [])


def test_ctm_files_that_are_utterances_and_rows_without_a_word():
    rows = [row("u1", "x/u1.wav"), row("u2", "x/u2.wav")]
    found = match_rows(FILE, TranscriptFile("ctm", words={"u1": [Word(0, 1, "a"), Word(1, 1, "b")]}), rows, [])
    assert heard(found) == {"u1": "a b", "u2": ""}
    assert found.notes == ["1 rows have no word in the ctm and count as rows in which nothing was heard, first u2"]
