"""Data sets that contain their audio are unpacked to the same files each time, then read as rows."""

import json
import os

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import soundfile

from lora.data.audio.loading import load_audio
from lora.data.formats.registry import contains_audio, manifest_files, unpack_audio
from lora.data.manifest import read_manifest
from lora.data.source import Source
from lora.data.transcripts.reference_rows import reference_rows
from lora.records.base import UserError


@pytest.fixture
def recordings(tmp_path):
    """Bytes of small recordings in every format that soundfile writes."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 16000)
    contents = {}
    for kind, options in {
        "wav": {},
        "flac": {},
        "ogg": {},
        "opus": {"format": "OGG", "subtype": "OPUS"},
        "mp3": {},
    }.items():
        path = tmp_path / f"recording.{kind}"
        soundfile.write(path, noise, 16000, **options)
        contents[kind] = path.read_bytes()
    return contents


def saved(folder, table, shards=1):
    folder.mkdir(parents=True)
    names = [f"data-{n:05d}-of-{shards:05d}.arrow" for n in range(shards)]
    rows = -(-table.num_rows // shards)
    for n, name in enumerate(names):
        with pyarrow.ipc.new_stream(folder / name, table.schema) as stream:
            stream.write_table(table.slice(n * rows, rows))
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    (folder / "dataset_info.json").write_text("{}")
    return folder


def table(recordings, **columns):
    audio = [{"bytes": content, "path": f"{kind}.{kind}"} for kind, content in recordings.items()]
    return pyarrow.table({"audio": audio, "text": [f"text {kind}" for kind in recordings]} | columns)


def read(source, folder):
    unpack_audio(source, folder)
    return read_manifest(source, folder)


def test_recordings_of_every_audio_format_are_unpacked_and_named(recordings, tmp_path):
    source = Source(saved(tmp_path / "set", table(recordings, speaker=[1, 2, 3, 4, 5]), shards=2))
    assert contains_audio(source)
    assert [path.name for path in manifest_files(source)] == ["data-00000-of-00002.arrow", "data-00001-of-00002.arrow"]
    result = read(source, tmp_path / "unpacked")
    assert [row.id for row in result.rows] == ["wav.wav", "flac.flac", "ogg.ogg", "opus.opus", "mp3.mp3"]
    assert [row.line for row in result.rows] == [1, 2, 3, 4, 5]
    for row in result.rows:
        assert 15000 < len(load_audio(row, result.folder)) < 18000
        assert row.duration == pytest.approx(1.0, abs=0.1)
    names = {path.name for path in (tmp_path / "unpacked").iterdir()}
    assert names == {"000001.wav", "000002.flac", "000003.ogg", "000004.ogg", "000005.mp3", "rows.jsonl"}
    read(source, tmp_path / "again")
    for name in names:
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "unpacked" / name).read_bytes()


def test_rows_without_audio_are_rejected_and_duplicate_names_are_not_used_as_ids(recordings, tmp_path):
    audio = [{"bytes": recordings["wav"], "path": "audio.wav"}, {"bytes": recordings["flac"], "path": "audio.wav"}]
    audio += [None, {"bytes": None, "path": "gone.wav"}, {"bytes": b"noise", "path": None}]
    data = pyarrow.table({"audio": audio, "text": ["a", "b", "c", "d", "e"]})
    result = read(Source(saved(tmp_path / "set", data)), tmp_path / "unpacked")
    assert [(len(row.id), row.text) for row in result.rows] == [(32, "a"), (32, "b")]
    assert [entry.reason.split(":")[0] for entry in result.rejected] == ["no audio", "missing file", "unreadable audio"]
    assert result.rejected[0].reason.endswith("(data-00000-of-00001.arrow, row 3)")


def test_arrays_keep_every_sample(tmp_path):
    samples = [0.125, -0.5, 1.0 / 3]
    data = pyarrow.table({"audio": [{"array": samples, "sampling_rate": 8000}], "text": ["x"]})
    result = read(Source(saved(tmp_path / "set", data)), tmp_path / "unpacked")
    samples_read = load_audio(result.rows[0], result.folder, 8000)
    np.testing.assert_array_equal(samples_read, np.array(samples, np.float32))


def test_lists_of_samples_in_mapped_columns(tmp_path):
    data = pyarrow.table({"wave": [[0.5, 0.25], []], "hz": [8000, 8000], "text": ["x", "y"]})
    columns = {"samples": "wave", "sampling_rate": "hz"}
    result = read(Source(saved(tmp_path / "set", data), columns=columns), tmp_path / "unpacked")
    np.testing.assert_array_equal(load_audio(result.rows[0], result.folder, 8000), np.array([0.5, 0.25], np.float32))
    assert [entry.reason.split(" (")[0] for entry in result.rejected] == ["zero length"]


@pytest.mark.parametrize("rate", [0, -1, 0.5, None])
def test_arrays_without_a_sampling_rate_are_rejected(tmp_path, rate):
    audio = [{"array": [[0.1]], "sampling_rate": found} for found in (rate, 8000)]
    data = pyarrow.table({"audio": audio, "text": ["x", "y"]})
    result = read(Source(saved(tmp_path / "set", data)), tmp_path / "unpacked")
    assert [entry.reason.split(":")[0] for entry in result.rejected] == ["unreadable audio"]
    assert [row.text for row in result.rows] == ["y"]


def test_the_split_of_a_dataset_dict_must_be_named(recordings, tmp_path):
    for split in ("train", "validation"):
        saved(tmp_path / "dict" / split, table(recordings))
    (tmp_path / "dict/dataset_dict.json").write_text('{"splits": ["train", "validation"]}')
    with pytest.raises(UserError, match="contains several splits; choose with `split`, one of train, validation"):
        contains_audio(Source(tmp_path / "dict"))
    for source in (Source(tmp_path / "dict", split="validation"), Source(tmp_path / "dict/validation")):
        assert len(manifest_files(source)) == 1


def test_parquet_by_file_and_by_split(recordings, tmp_path):
    (tmp_path / "hub/data").mkdir(parents=True)
    for split in ("train", "test"):
        pyarrow.parquet.write_table(table(recordings), tmp_path / f"hub/data/{split}-00000-of-00001.parquet")
    with pytest.raises(UserError, match="files of several splits; choose with `split`, one of test, train"):
        manifest_files(Source(tmp_path / "hub"))
    with pytest.raises(UserError, match="no files of split dev; choose with `split`, one of test, train"):
        manifest_files(Source(tmp_path / "hub", split="dev"))
    source = Source(tmp_path / "hub", split="test")
    assert [path.name for path in manifest_files(source)] == ["test-00000-of-00001.parquet"]
    assert len(read(source, tmp_path / "unpacked").rows) == 5
    assert len(read(Source(manifest_files(source)[0]), tmp_path / "again").rows) == 5


@pytest.mark.parametrize("missing", [True, False])
def test_a_missing_file_of_several_is_noted(recordings, tmp_path, missing):
    (tmp_path / "hub").mkdir()
    for number in (0, 2) if missing else (0, 1, 2):
        pyarrow.parquet.write_table(table(recordings), tmp_path / f"hub/train-{number:05d}-of-00003.parquet")
    notes = read(Source(tmp_path / "hub"), tmp_path / "unpacked").notes
    expected = "1 of 3 files are missing, and their rows with them; the first: train-00001-of-00003"
    assert notes == ((expected,) if missing else ())


def test_audio_in_columns_of_other_names(recordings, tmp_path):
    data = table(recordings).rename_columns(["speech", "said"])
    source = Source(saved(tmp_path / "set", data))
    with pytest.raises(UserError, match=r"set: no column for audio; found speech, said"):
        unpack_audio(source, tmp_path / "unpacked")
    wrong = Source(source.path, columns={"audio": "sound"})
    with pytest.raises(UserError, match=r"columns\.audio is 'sound', which is not a column; found speech, said"):
        unpack_audio(wrong, tmp_path / "unpacked")
    mapped = Source(source.path, columns={"audio": "speech", "text": "said"})
    assert read(mapped, tmp_path / "again").rows[0].text == "text wav"


def test_damaged_tables_raise_one_error(recordings, tmp_path):
    folder = saved(tmp_path / "set", table(recordings))
    [shard] = folder.glob("*.arrow")
    shard.write_bytes(shard.read_bytes()[:200])
    with pytest.raises(UserError, match=r"data-00000-of-00001\.arrow: cannot be read as datasets"):
        unpack_audio(Source(folder), tmp_path / "unpacked")
    shard.unlink()
    with pytest.raises(UserError, match="cannot be read as datasets"):
        unpack_audio(Source(folder), tmp_path / "unpacked")
    (folder / "state.json").write_text("{}")
    with pytest.raises(UserError, match=r"state\.json: not the state of a saved data set"):
        manifest_files(Source(folder))
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and nothing more")
    with pytest.raises(UserError, match=r"x\.parquet: cannot be read as parquet"):
        unpack_audio(Source(tmp_path / "x.parquet"), tmp_path / "unpacked")


def test_reading_before_unpacking_names_the_command(recordings, tmp_path):
    folder = saved(tmp_path / "set", table(recordings))
    with pytest.raises(UserError, match=r"tables contain the recordings.*lora-diagnose convert"):
        read_manifest(folder)


def test_references_are_read_where_recordings_stay_in_the_tables(recordings, tmp_path):
    folder = saved(tmp_path / "set", table(recordings))
    unpacked = [row.id for row in read(Source(folder), tmp_path / "unpacked").rows]
    before = sorted(tmp_path.rglob("*"))
    rows = reference_rows(Source(folder), silence=True).rows
    assert [row.id for row in rows] == unpacked
    assert [row.text for row in rows] == [f"text {kind}" for kind in recordings]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("columns", [{}, {"audio": ["a/1.wav", None]}])
def test_references_in_a_table_need_no_audio(tmp_path, columns):
    texts = pyarrow.table({"id": ["a", "b"], "text": ["one", "two"], "duration": [1.0, 2.0]} | columns)
    pyarrow.parquet.write_table(texts, tmp_path / "a.parquet")
    rows = reference_rows(Source(tmp_path / "a.parquet"), silence=True).rows
    assert [(row.id, row.text, row.duration) for row in rows] == [("a", "one", 1.0), ("b", "two", 2.0)]


def test_a_table_without_audio_is_refused_where_audio_is_used(tmp_path):
    pyarrow.parquet.write_table(pyarrow.table({"id": ["a"], "text": ["one"]}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"a\.parquet: no column for audio; found id, text"):
        unpack_audio(Source(tmp_path / "a.parquet"), tmp_path / "unpacked")


def test_audio_may_be_a_column_of_bytes(recordings, tmp_path):
    audio = pyarrow.array(recordings.values(), pyarrow.binary())
    pyarrow.parquet.write_table(table(recordings, audio=audio), tmp_path / "a.parquet")
    assert len(read(Source(tmp_path / "a.parquet"), tmp_path / "unpacked").rows) == len(recordings)


@pytest.mark.parametrize("declared", ["speech", "text_of_speech"])
def test_a_declared_column_of_audio_may_have_been_renamed(recordings, tmp_path, declared):
    """`rename_columns` of pyarrow keeps what `datasets` has declared."""
    path = tmp_path / "train.parquet"
    features = {"info": {"features": {declared: {"_type": "Audio"}}}}
    renamed = table(recordings).replace_schema_metadata({"huggingface": json.dumps(features)})
    pyarrow.parquet.write_table(renamed, path)
    assert len(read(Source(path), tmp_path / "audio").rows) == len(recordings)


@pytest.mark.parametrize("features", [["audio"], {"audio": 5}, None])
def test_features_that_are_none_leave_the_usual_column(recordings, tmp_path, features):
    path = tmp_path / "train.parquet"
    damaged = {"huggingface": json.dumps({"info": {"features": features}})}
    pyarrow.parquet.write_table(table(recordings).replace_schema_metadata(damaged), path)
    assert len(read(Source(path), tmp_path / "audio").rows) == len(recordings)


def test_the_file_without_texts_is_named(recordings, tmp_path):
    folder = saved(tmp_path / "set", table(recordings), shards=2)
    other = table(recordings, text=[["a"]] * len(recordings))
    with pyarrow.ipc.new_stream(folder / "data-00001-of-00002.arrow", other.schema) as stream:
        stream.write_table(other)
    with pytest.raises(UserError, match=r"data-00001-of-00002\.arrow: column text is list"):
        unpack_audio(Source(folder), tmp_path / "audio")


def test_two_columns_of_one_name_and_selected_rows_are_refused(recordings, tmp_path):
    twice = table(recordings).append_column("text", pyarrow.array(["other"] * len(recordings)))
    pyarrow.parquet.write_table(twice, tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"a\.parquet: the header has two columns named 'text'"):
        unpack_audio(Source(tmp_path / "a.parquet"), tmp_path / "unpacked")
    state = saved(tmp_path / "set", table(recordings)) / "state.json"
    state.write_text(json.dumps({**json.loads(state.read_text()), "_indices_data_files": [{"filename": "i.arrow"}]}))
    with pytest.raises(UserError, match=r"state\.json: a selection of the rows"):
        manifest_files(Source(tmp_path / "set"))


@pytest.mark.parametrize("name", ["a.parquet", "data/a.parquet", "a.arrow"])
def test_a_pipe_in_a_folder_of_tables_is_refused(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    os.mkfifo(tmp_path / name)
    for read_files in (manifest_files, lambda source: unpack_audio(source, tmp_path / "unpacked")):
        with pytest.raises(UserError, match=rf"{name}: not a file but a pipe"):
            read_files(Source(tmp_path))


def test_paths_of_audio_in_a_table_are_ids_as_in_other_formats(recordings, tmp_path):
    (tmp_path / "a").mkdir()
    for name in ("a/one.wav", "two.wav"):
        (tmp_path / name).write_bytes(recordings["wav"])
    names = ["a/one.wav", "two.wav", "two.wav", "", "s3://bucket/three.wav"]
    path = tmp_path / "m.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"audio": names, "text": ["a", "b", "c", "d", "e"]}), path)
    result = read(Source(path), tmp_path / "study/results/audio")
    assert (result.rows[0].id, result.rows[0].audio) == ("a/one.wav", "../../../a/one.wav")
    assert [(row.line, row.reason.partition(" (m.p")[0][:25]) for row in result.rejected] == [
        (3, "duplicate id, first used "),
        (4, "no audio: expected one of"),
        (5, "no audio: a URL, which is"),
    ]
