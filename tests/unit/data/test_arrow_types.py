"""Columns of Arrow and Parquet data have many types: each is read as what it says, and none costs rows of others."""

import io
from decimal import Decimal

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import soundfile

from lora.data.formats.registry import manifest_files, unpack_audio
from lora.data.manifest import read_manifest
from lora.data.source import Source
from lora.records.base import UserError


def audio(names=("a.wav", "b.wav")):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (len(names), 16000))
    rows = []
    for name, samples in zip(names, noise, strict=True):
        content = io.BytesIO()
        soundfile.write(content, samples, 16000, format="WAV")
        rows.append({"bytes": content.getvalue(), "path": name})
    return pyarrow.array(rows)


def read(folder, **columns):
    path = folder / "set.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"audio": audio(), "text": ["one", "two"]} | columns), path)
    source = Source(path)
    unpack_audio(source, folder / "unpacked")
    return read_manifest(source, folder / "unpacked")


@pytest.mark.parametrize(
    "half",
    [
        pyarrow.array([Decimal("0.5")] * 2),
        pyarrow.array([500] * 2, pyarrow.duration("ms")),
        pyarrow.array([500_000] * 2, pyarrow.time64("us")),
        pyarrow.array([500] * 2, pyarrow.time32("ms")),
        pyarrow.array(np.array([0.5] * 2, np.float16)),
        pyarrow.array([b"0.5"] * 2),
        pyarrow.array(["0.5"] * 2).dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)
def test_times_of_every_type_cut_the_piece_that_they_say(tmp_path, half):
    manifest = read(tmp_path, offset=half, duration=half)
    assert [(row.offset, row.duration) for row in manifest.rows] == [(0.5, 0.5)] * 2, manifest.rejected


@pytest.mark.parametrize(
    "irrelevant",
    [
        pyarrow.array([1, 2**50], pyarrow.timestamp("s")),
        pyarrow.array([1, 2], pyarrow.timestamp("us", tz="Mars/Olympus")),
        pyarrow.array([1, 2**30], pyarrow.date32()),
        pyarrow.array([1, 2**50], pyarrow.duration("s")),
        pyarrow.array([[1.0], None]),
        pyarrow.nulls(2),
    ],
    ids=lambda column: str(column.type),
)
def test_a_column_that_python_cannot_represent_costs_no_row(tmp_path, irrelevant):
    assert [row.text for row in read(tmp_path, seen=irrelevant).rows] == ["one", "two"]


def test_decimal_ids_keep_all_their_digits(tmp_path):
    ids = pyarrow.array([Decimal(2**53), Decimal(2**53 + 1)])
    assert [row.id for row in read(tmp_path, id=ids).rows] == [str(2**53), str(2**53 + 1)]


def test_text_stored_as_bytes_is_text_and_a_damaged_one_costs_its_row(tmp_path):
    manifest = read(tmp_path, text=pyarrow.array(["naïve".encode(), b"na\xefve"]), thumbnail=[b"\xff", b"\xff"])
    assert [row.text for row in manifest.rows] == ["naïve"]
    assert "column text: not UTF-8" in manifest.rejected[0].reason


def test_a_text_column_without_text_is_an_error_that_names_its_type(tmp_path):
    with pytest.raises(UserError, match=r"set\.parquet: column text is list<element: string>; expected text"):
        read(tmp_path, text=[["one"], ["two"]])


def test_an_impossible_suffix_of_a_recording_is_not_used(tmp_path):
    content = pyarrow.array([{"bytes": b"no audio", "path": "x." + "s" * 300}, audio()[1].as_py()])
    manifest = read(tmp_path, audio=content)
    assert [row.text for row in manifest.rows] == ["two"]
    assert manifest.rejected[0].reason.startswith("unreadable audio")


def test_samples_with_thousands_of_channels_have_their_shape_in_the_reason(tmp_path):
    stereo = {"array": [[0.1, 0.2]] * 2000, "sampling_rate": 16000, "path": None}
    content = pyarrow.array([stereo, {"array": [[0.1] * 800] * 2, "sampling_rate": 16000, "path": None}])
    manifest = read(tmp_path, audio=content)
    assert [row.duration for row in manifest.rows] == [0.05]
    assert "samples have the shape 2000 x 2; expected (samples) or (channels x samples)" in manifest.rejected[0].reason


@pytest.mark.parametrize("names", [("train", "test"), ("set-train", "set-test"), ("train_part-0", "dev_part-0")])
def test_splits_in_files_of_their_own_are_not_joined(tmp_path, names):
    for name in names:
        pyarrow.parquet.write_table(
            pyarrow.table({"audio": audio(), "text": [name, name]}), tmp_path / f"{name}.parquet"
        )
    with pytest.raises(UserError, match=r"files of several splits; choose with `split`, one of (dev|test), train"):
        manifest_files(Source(tmp_path))
    assert manifest_files(Source(tmp_path, split="train")) == [tmp_path / f"{names[0]}.parquet"]


def test_parts_without_a_split_in_their_names_are_one_manifest(tmp_path):
    for name in ("part-0", "latest-1", "contest"):
        pyarrow.parquet.write_table(pyarrow.table({"audio": audio(), "text": ["a", "b"]}), tmp_path / f"{name}.parquet")
    assert len(manifest_files(Source(tmp_path))) == 3
