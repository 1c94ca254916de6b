"""Kaldi data folders: every file is read, and nothing in them is executed."""

import os

import pytest

from lora.data.manifest import read_manifest
from lora.data.source import Source
from lora.records.base import UserError


@pytest.fixture
def folder(tmp_path):
    """Write files of lines into a Kaldi data folder `data/train`."""

    def write(**files):
        path = tmp_path / "data/train"
        path.mkdir(parents=True, exist_ok=True)
        for name, lines in files.items():
            (path / name.replace("wav_scp", "wav.scp")).write_text("\n".join(lines) + "\n")
        return path

    return write


def reasons(manifest):
    return {entry.id: entry.reason for entry in manifest.rejected}


@pytest.mark.parametrize("written", ["wavs/a.wav", "wavs\\a.wav"])
def test_paths_relative_to_the_folder_in_which_the_recipe_runs(wav, folder, tmp_path, written):
    wav("wavs/a.wav", 2.0)
    path = folder(
        wav_scp=[f"utt-a {written}"], text=["utt-a  Hello   there"], utt2spk=["utt-a spk"], utt2dur=["utt-a 2.0"]
    )
    result = read_manifest(path)
    assert (result.format, result.folder) == ("kaldi", tmp_path)
    [row] = result.rows
    assert (row.id, row.text, row.speaker_id, row.audio, row.duration, row.offset) == (
        "utt-a",
        "Hello there",
        "spk",
        "wavs/a.wav",
        2.0,
        None,
    )


def test_without_segments_utterances_have_the_durations_of_recordings(wav, folder):
    wav("data/train/a.wav", 2.0)
    [row] = read_manifest(folder(wav_scp=["u a.wav"], text=["u x"], reco2dur=["u 1.25"])).rows
    assert row.duration == 1.25


@pytest.mark.parametrize("name", ["segments", "utt2spk", "utt2dur", "reco2dur"])
def test_an_optional_file_that_cannot_be_read_is_not_left_out(wav, folder, tmp_path, name):
    wav("data/train/a.wav", 2.0)
    path = folder(wav_scp=["u a.wav"], text=["u x"])
    (path / name).symlink_to(tmp_path / "gone")
    with pytest.raises(UserError, match=f"{name}: a link to a file that is missing; copy the file there"):
        read_manifest(path)
    (path / name).unlink()
    (path / name).mkdir()
    with pytest.raises(UserError, match=f"{name}: not a file"):
        read_manifest(path)


def test_segments_give_offsets_and_may_name_a_channel(wav, folder):
    wav("data/train/a.wav", 4.0, channels=2)
    path = folder(
        wav_scp=["rec a.wav"],
        text=["u1 one", "u2 two", "u3 three", "u4 four", "u5 five"],
        segments=["u1 rec 0.5 1.5", "u2 rec 2 -1 1", "u3 other 0 1", "u4 rec zero 1", "u9 rec 0 1"],
    )
    result = read_manifest(path)
    assert [(r.id, r.offset, r.duration, r.channel) for r in result.rows] == [("u1", 0.5, 1.0, None), ("u2", 2, 2.0, 1)]
    assert reasons(result) == {
        "u3": "no audio: wav.scp has no entry for other (wav.scp)",
        "u4": "no audio: expected `utterance recording start end`, times in seconds (segments:4)",
        "u5": "no audio: segments has no entry for u5 (segments)",
        "u9": "no text: no line in `text` (segments:5)",
    }


def test_commands_are_never_run_and_archives_not_read(wav, folder, tmp_path):
    wav("data/train/fine.wav")
    bait = tmp_path / "executed"
    path = folder(
        wav_scp=[
            f"u1 touch {bait}; cat fine.wav |",
            f"u2 | touch {bait}",
            "u3 -",
            "u4 raw.ark:1234",
            "u5 fine.wav",
            f"u6 $(touch {bait})",
        ],
        text=[f"u{n} words" for n in range(1, 7)],
    )
    before = dict(os.environ)
    result = read_manifest(path)
    assert [row.id for row in result.rows] == ["u5"]
    reason = reasons(result)
    for key, line in (("u1", 1), ("u2", 2), ("u3", 3)):
        assert "a command, which is never run" in reason[key]
        assert reason[key].endswith(f"(wav.scp:{line})")
    assert "a position in an archive" in reason["u4"]
    assert reason["u6"].startswith("missing file")
    assert not bait.exists()
    assert dict(os.environ) == before


def test_rejected_rows_name_the_file_at_fault(wav, folder):
    wav("data/train/a.wav", 2.0)
    path = folder(
        text=["u1 one", "u2 two", "u3 three", "u4 four", "u4 again"],
        wav_scp=["rec a.wav", "rec2 gone.wav"],
        segments=["u3 rec 5 -1", "u1 rec 1 0.5", "u2 rec2 0 1", "u4 rec 0 1", "u5"],
    )
    assert [entry.reason for entry in read_manifest(path).rejected if entry.id != "u5"] == [
        "zero length: duration is -0.5 s (segments:2)",
        "missing file: gone.wav (wav.scp:2)",
        "zero length: no audio after the offset (segments:1)",
        "duplicate id, first used in line 4 (text:5)",
    ]


def test_a_segment_without_values_is_rejected(wav, folder):
    wav("data/train/a.wav", 2.0)
    path = folder(text=["u1 one", "u2 two"], wav_scp=["rec a.wav"], segments=["u1", "u2 rec 0 1"])
    assert "(segments:1)" in reasons(read_manifest(path))["u1"]


def test_wrong_durations_name_their_file(wav, folder):
    wav("data/train/a.wav", 2.0)
    path = folder(text=["u1 one"], wav_scp=["u1 a.wav"], utt2dur=["u0 1", "u1 long"])
    assert (
        reasons(read_manifest(path))["u1"]
        == "duration is not a number: 'long'; expected seconds such as 3.2, '3.2 s' or '0:03.2' (utt2dur:2)"
    )


def test_a_binary_file_is_an_error(wav, folder):
    path = folder(text=["u1 one"], wav_scp=["u1 a.wav"])
    (path / "text").write_bytes(b"u1 " + bytes(range(32)))
    with pytest.raises(UserError, match=r"text: not a text file; expected lines of `key value`"):
        read_manifest(path)


def test_split_has_to_be_removed_for_a_folder_without_splits(wav, folder):
    path = folder(text=["u1 one"], wav_scp=["u1 a.wav"])
    with pytest.raises(UserError, match="no split 'dev' in it; it is one kaldi manifest: remove `split`"):
        read_manifest(Source(path, split="dev"))


def test_missing_files_and_meaningless_settings_are_errors_and_duplicate_keys_cost_their_row(wav, folder):
    path = folder(wav_scp=["u1 a.wav"])
    with pytest.raises(UserError, match=r"a Kaldi data folder needs wav\.scp and text; text is missing"):
        read_manifest(path)
    folder(text=["u1 x"], wav_scp=["u1 a.wav", "u1 b.wav"])
    assert reasons(read_manifest(path)) == {
        "u1": "two entries for u1 in wav.scp (first in line 1); keep one (wav.scp:2)"
    }
    with pytest.raises(UserError, match=r"a file of a Kaldi data folder; name the folder"):
        read_manifest(path / "wav.scp")
    with pytest.raises(UserError, match="`columns` has no meaning for a manifest of format kaldi"):
        read_manifest(Source(path, columns={"text": "x"}))
