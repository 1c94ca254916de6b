"""NeMo, Common Voice, audiofolder, and tables with any columns and mappings."""

import gzip
import json

import pyarrow
import pyarrow.parquet
import pytest

from lora.data.manifest import read_manifest
from lora.data.source import Source
from lora.records.base import UserError


def reasons(manifest):
    return {entry.line: entry.reason for entry in manifest.rejected}


def test_nemo_rows_segments_and_placeholders(wav, manifest):
    wav("a.wav", 3)
    path = manifest(
        {"audio_filepath": "a.wav", "duration": 3.0, "text": "one", "text_pnc": "One.", "speaker": 7},
        {"audio_filepath": "a.wav", "duration": 1.0, "offset": 1.5, "text": "two", "text_pnc": "Two."},
        {"audio_filepath": "a.wav", "duration": 3.0, "text": "-"},
        {"audio_filepath": ["a.wav", "b.wav"], "duration": 3.0, "text": "both"},
        name="m.json",
    )
    result = read_manifest(path)
    assert result.format == "nemo"
    assert [(row.id, row.text, row.offset, row.duration) for row in result.rows] == [
        ("a.wav", "one", None, 3.0),
        ("a.wav#1.5-1", "two", 1.5, 1.0),
    ]
    assert result.rows[0].speaker_id == "7"
    assert reasons(result) == {3: "empty text", 4: "no audio: audio_filepath is a list; expected one file per row"}
    cased = read_manifest(Source(path, columns={"text": "text_pnc"}))
    assert [row.text for row in cased.rows] == ["One.", "Two."]


def test_a_tarred_nemo_manifest_needs_its_extracted_files(wav, manifest):
    row = {"audio_filepath": "a.wav", "duration": 1.0, "text": "one", "shard_id": 0}
    path = manifest(row)
    with pytest.raises(UserError, match=r"a tarred NeMo manifest .*tar xf .*before it was tarred"):
        read_manifest(path)
    wav("a.wav")
    assert len(read_manifest(path).rows) == 1


def test_one_row_of_a_shard_does_not_make_a_nemo_manifest_tarred(wav, manifest):
    rows = [{"audio_filepath": wav(f"{name}.wav").name, "duration": 1.0, "text": "one"} for name in "abc"]
    result = read_manifest(manifest({**rows[0], "audio_filepath": "gone.wav", "shard_id": 0}, *rows))
    assert [row.id for row in result.rows] == ["a.wav", "b.wav", "c.wav"]
    assert reasons(result) == {1: "missing file: gone.wav"}


def test_common_voice_clips_with_and_without_suffix(wav, manifest, tmp_path):
    wav("clips/one.wav")
    wav("two.mp3.wav")
    (tmp_path / "clips/two.mp3").write_bytes((tmp_path / "two.mp3.wav").read_bytes())
    path = manifest(
        "client_id\tpath\tsentence\tup_votes",
        's1\tone.wav\tHe said "no\t2',
        "s2\ttwo\tFine.\t2",
        "s2\tgone.mp3\tLost.\t2",
        name="validated.tsv",
    )
    result = read_manifest(path)
    assert (result.format, result.columns["text"]) == ("common_voice", "sentence")
    assert [(row.id, row.audio, row.speaker_id, row.text) for row in result.rows] == [
        ("one.wav", "clips/one.wav", "s1", 'He said "no'),
        ("two", "clips/two.mp3", "s2", "Fine."),
    ]
    assert reasons(result) == {4: "missing file: gone.mp3"}
    assert read_manifest(tmp_path).notes == ("the only split was taken: validated.tsv",)
    assert len(read_manifest(Source(tmp_path, split="validated")).rows) == 2
    with pytest.raises(UserError, match="no split 'dev' in it; choose with `split`, one of validated"):
        read_manifest(Source(tmp_path, split="dev"))
    (tmp_path / "test.tsv").write_bytes(path.read_bytes())
    with pytest.raises(UserError, match="contains several splits; choose with `split`, one of test, validated"):
        read_manifest(tmp_path)


def test_a_table_of_an_audiofolder_that_is_a_link_to_nothing_is_refused(tmp_path):
    (tmp_path / "metadata.csv").symlink_to(tmp_path / "gone")
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "a.wav", "text": "x"}')
    with pytest.raises(UserError, match=r"metadata\.csv: a link to a file that is missing"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_audiofolder(wav, tmp_path, kind):
    wav("train/clips/one.wav")
    row = {"file_name": "clips/one.wav", "transcription": "one", "speaker_id": 3}
    path = tmp_path / f"train/metadata.{kind}"
    if kind == "parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row]), path)
    elif kind == "jsonl":
        path.write_text(json.dumps(row))
    else:
        path.write_text("file_name,transcription,speaker_id\nclips/one.wav,one,3\n")
    for source in (Source(tmp_path / "train"), Source(path), Source(tmp_path, split="train")):
        result = read_manifest(source)
        assert result.format == "audiofolder"
        assert [(r.audio, r.text, r.speaker_id, r.duration) for r in result.rows] == [
            ("clips/one.wav", "one", "3", 1.0)
        ]
    assert read_manifest(tmp_path).notes == ("the only split was taken: train",)


def test_columns_of_any_name(wav, manifest):
    wav("a.wav")
    path = manifest("wav_path,text,normalized,who", "a.wav,RAW,tidy,s1", name="m.csv")
    mapped = {"audio": "wav_path", "text": "normalized", "speaker_id": "who"}
    [row] = read_manifest(Source(path, columns=mapped)).rows
    assert (row.audio, row.text, row.speaker_id) == ("a.wav", "tidy", "s1")


def test_a_missing_mapped_column_is_an_error_that_lists_the_columns(wav, manifest):
    wav("a.wav")
    path = manifest({"audio": "a.wav", "text": "x"})
    with pytest.raises(UserError, match=r"m\.jsonl: columns\.text is 'norm', which is not a column; found audio, text"):
        read_manifest(Source(path, columns={"text": "norm"}))


def test_a_mapped_column_hides_its_synonyms(wav, manifest):
    wav("a.wav")
    path = manifest({"audio": "a.wav", "text": "x", "norm": "y"}, {"audio": "a.wav", "text": "x", "norm": ""})
    result = read_manifest(Source(path, columns={"text": "norm"}))
    assert [row.text for row in result.rows] == ["y"]
    assert reasons(result) == {2: "empty text"}


def test_channels_of_rows_and_of_the_whole_manifest(wav, manifest):
    wav("a.wav", channels=2)
    path = manifest(
        {"audio": "a.wav", "text": "x", "channel": 1},
        {"audio": "a.wav", "text": "y", "channel": "BBC"},
        {"audio": "a.wav", "text": "z", "channel": -1},
    )
    result = read_manifest(path)
    assert [(row.id, row.channel) for row in result.rows] == [("a.wav#channel1", 1), ("a.wav", None)]
    assert reasons(result) == {3: "channel is not a whole number from 0: -1"}
    mapped = read_manifest(Source(path, columns={"channel": "channel"}))
    assert reasons(mapped)[2] == "channel is not a whole number from 0: 'BBC'"
    assert [row.channel for row in read_manifest(Source(path, channel=0)).rows] == [0, 0]


def test_compressed_files_are_decompressed(wav, tmp_path):
    wav("a.wav")
    (tmp_path / "m.csv.gz").write_bytes(gzip.compress(b"audio,text\na.wav,hello\n"))
    assert [row.text for row in read_manifest(tmp_path / "m.csv.gz").rows] == ["hello"]
    (tmp_path / "m.jsonl.gz").write_bytes(gzip.compress(b'{"audio": "a.wav", "text": "x"}\n')[:-12])
    with pytest.raises(UserError, match=r"m\.jsonl\.gz: incomplete or damaged gzip file"):
        read_manifest(tmp_path / "m.jsonl.gz")
