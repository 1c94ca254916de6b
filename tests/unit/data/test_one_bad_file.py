"""Whatever is wrong with a file or a row costs that row: it is rejected with its reason, and the others stay."""

from __future__ import annotations

import gzip
import json
import os
import struct
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
import soundfile

from lora.data import existing_files
from lora.data.audio.headers import read_headers
from lora.data.audio.loading import load_audio
from lora.data.manifest import read_manifest, read_rows
from lora.data.source import Source
from lora.data.transcripts.files import read_transcript_file
from lora.records.base import UserError
from lora.records.manifests import Utterance
from lora.stages.manifests import inspect_audio, unpack_audio, validate_manifest

NOISE = (0.1 * np.random.default_rng(5).standard_normal(16000)).astype(np.float32)


def audio(path: Path, format: str = "WAV", rate: int = 16000) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    soundfile.write(path, NOISE, rate, format=format)
    return path


def usable(folder: Path, rows: list[dict[str, Any]]) -> tuple[list[str], dict[str, str]]:
    """Ids of the rows that are left after inspection and validation, and the reasons of the others by id."""
    manifest = folder / "m.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    inspect_audio(Source(manifest), folder / "measures.tsv")
    validate_manifest(
        Source(manifest), folder / "rows.jsonl", folder / "rejected.tsv", measures=folder / "measures.tsv"
    )
    lines = [line.split("\t") for line in (folder / "rejected.tsv").read_text().splitlines()[1:]]
    return [row.id for row in read_rows(folder / "rows.jsonl")], {identity: reason for _, identity, reason in lines}


def flac_of_length(path: Path, samples: int) -> None:
    content = bytearray(audio(path, "FLAC").read_bytes())
    content[21] = content[21] & 0xF0 | samples >> 32
    content[22:26] = (samples & 0xFFFFFFFF).to_bytes(4, "big")
    path.write_bytes(content)


def wav_of_rate(path: Path, rate: int) -> None:
    content = audio(path).read_bytes()
    path.write_bytes(content[:24] + struct.pack("<I", rate) + content[28:])


@pytest.mark.parametrize("duration", [{}, {"duration": 1.0}])
def test_headers_with_impossible_numbers(tmp_path: Path, duration: dict[str, float]) -> None:
    audio(tmp_path / "good.wav")
    flac_of_length(tmp_path / "stream.flac", 0)
    flac_of_length(tmp_path / "huge.flac", 2**36 - 1)
    for rate in (0, 1, 10, 999, 800_000, 2**31 - 1, 2**32 - 1):
        wav_of_rate(tmp_path / f"rate{rate}.wav", rate)
    for length in (1, 4, 8, 20, 42):
        (tmp_path / f"cut{length}.flac").write_bytes(b"fLaC\0\0\0\x22" + bytes(34)[: length - 8])
    names = sorted(path.name for path in tmp_path.iterdir())
    left, rejected = usable(tmp_path, [{"audio": name, "text": "x", "id": name, **duration} for name in names])
    assert left == ["good.wav", "stream.flac"]
    assert set(rejected) == set(names) - set(left)
    assert all(reason.startswith("unreadable audio: ") for reason in rejected.values())


def test_flac_of_unknown_length_is_decoded(tmp_path: Path) -> None:
    flac_of_length(tmp_path / "a.flac", 0)
    assert read_headers([str(tmp_path / "a.flac")]) == [1.0]
    whole = load_audio(Utterance(id="u", text="x", duration=1.0, audio="a.flac"), tmp_path)
    assert np.array_equal(whole, soundfile.read(audio(tmp_path / "b.flac", "FLAC"), dtype="float32")[0])
    part = load_audio(Utterance(id="u", text="x", duration=0.25, offset=0.5, audio="a.flac"), tmp_path)
    assert np.array_equal(part, whole[8000:12000])


@pytest.mark.parametrize("format", ["WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "NIST"])
def test_truncated_files(tmp_path: Path, format: str) -> None:
    whole = audio(tmp_path / "whole", format).read_bytes()
    (tmp_path / "half").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "end").write_bytes(whole[:-40])  # less than codecs may lose
    rows = [{"audio": name, "text": "x", "id": name} for name in ("whole", "half", "end")]
    left, rejected = usable(tmp_path, rows)
    assert left == ["whole", "end"]
    assert "half" in rejected
    assert usable(tmp_path, [{**row, "duration": 1.0} for row in rows])[0] == ["whole", "end"]


@pytest.mark.parametrize(("subtype", "page"), [("VORBIS", 2), ("VORBIS", 3), ("OPUS", 2), ("OPUS", 3), ("OPUS", -1)])
def test_an_ogg_file_with_a_damaged_page(tmp_path: Path, subtype: str, page: int) -> None:
    """libsndfile leaves the page out without a word, and the length that it reports is that of the rest."""
    path = tmp_path / "a.ogg"
    soundfile.write(path, np.tile(NOISE, 4), 16000, format="OGG", subtype=subtype)
    content = bytearray(path.read_bytes())
    start = [place for place in range(len(content)) if content[place : place + 4] == b"OggS"][page]
    content[start + 300 : start + 310] = bytes(10)
    path.write_bytes(content)
    rows, reasons = usable(tmp_path, [{"audio": "a.ogg", "text": "x", "id": "a"}])
    assert (rows, list(reasons)) == ([], ["a"])
    assert "damaged: its header says 4.00 s" in reasons["a"]


def test_truncated_mulaw_sphere_and_ogg(tmp_path: Path) -> None:
    for name, kind in {"u.sph": ("NIST", "ULAW"), "v.ogg": ("OGG", "VORBIS"), "o.opus": ("OGG", "OPUS")}.items():
        soundfile.write(tmp_path / name, np.tile(NOISE, 4), 16000, format=kind[0], subtype=kind[1])
        assert read_headers([str(tmp_path / name)]) == [4.0]
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) * 6 // 10])
        (reason,) = read_headers([str(tmp_path / name)])
        assert str(reason).startswith("unreadable audio: the file is truncated")
        with pytest.raises(UserError, match=r"is damaged|truncated"):
            load_audio(Utterance(id="u", text="x", duration=4.0, audio=name), tmp_path)
        piece = Utterance(id="u", text="x", duration=0.1, offset=0.1, audio=name)
        assert len(load_audio(piece, tmp_path)) == 1600


@pytest.mark.parametrize(
    ("format", "mark", "order"),
    [("AIFF", b"SSND", ">I"), ("W64", b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a", "<Q")],
)
def test_a_length_of_zero_is_one_that_is_not_known_yet(tmp_path: Path, format: str, mark: bytes, order: str) -> None:
    content = bytearray(audio(tmp_path / "a", format).read_bytes())
    struct.pack_into(order, content, content.index(mark) + len(mark), 0)
    (tmp_path / "a").write_bytes(content)
    assert usable(tmp_path, [{"audio": "a", "text": "x", "id": "a"}]) == (["a"], {})


@pytest.mark.parametrize("samples", [2**62, 2**63 - 1])
def test_an_ogg_file_that_claims_no_length_is_as_long_as_its_audio(tmp_path: Path, samples: int) -> None:
    content = bytearray(audio(tmp_path / "a.ogg", "OGG").read_bytes())
    struct.pack_into("<q", content, content.rindex(b"OggS") + 6, samples)
    (tmp_path / "a.ogg").write_bytes(content)
    (seconds,) = read_headers([str(tmp_path / "a.ogg")])
    assert 0 < float(seconds) <= 1.0


def test_a_header_of_more_than_a_season_is_rejected(tmp_path: Path) -> None:
    content = audio(tmp_path / "a.au", "AU").read_bytes()
    (tmp_path / "a.au").write_bytes(content[:8] + b"\xff\xff\xff\xff" + content[12:])  # a length that is not known
    os.truncate(tmp_path / "a.au", 2**40)  # takes no space
    for given in {}, {"duration": 1.0}:
        left, rejected = usable(tmp_path, [{"audio": "a.au", "text": "x", "id": "a", **given}])
        assert (left, "duration is 3.43597e+07 s; expected at most" in rejected["a"]) == ([], True)


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x7FFFF000, 0x7FFFFFFF, 0x80000000])
def test_a_wav_written_as_a_stream_is_whole(tmp_path: Path, length: int) -> None:
    content = audio(tmp_path / "a.wav").read_bytes()
    place = content.index(b"data") + 4
    (tmp_path / "a.wav").write_bytes(content[:place] + struct.pack("<I", length) + content[place + 4 :])
    assert usable(tmp_path, [{"audio": "a.wav", "text": "x", "id": "a"}]) == (["a"], {})


@pytest.mark.parametrize(
    "fault",
    [
        {"offset": 1e305},
        {"duration": 1e305},
        {"duration": 1e6},
        {"duration": 10**400},
        {"duration": "9" * 5000},
        {"duration": "9" * 5000 + ":00:00"},
        {"offset": "9" * 5000 + ":00:00,5"},
        {"channel": "9" * 5000},
        {"channel": 70_000},
        {"samples": [0.1] * 200, "sampling_rate": 24},
        {"samples": [0.1, 1e39] * 100, "sampling_rate": 16_000},
        {"samples": [0.1] * 200, "sampling_rate": 2**31},
        {"samples": [0.1] * 200, "sampling_rate": 1e30},
        {"audio": "x" * 300},
        {"audio": "a\0b"},
        {"audio": "."},
        {"audio": "pipe"},
        {"audio": "/dev/zero"},
        {"text": "\u200b\u200d"},
        {"text": "\u3164 \u2800"},
        {"text": "\ufe0f\u034f\U000e0101"},
        {"text": "\0"},
    ],
    ids=lambda fault: repr(fault)[:30],
)
def test_rows_with_impossible_values(tmp_path: Path, fault: dict[str, Any]) -> None:
    audio(tmp_path / "ok.wav")
    os.mkfifo(tmp_path / "pipe")
    row = {"audio": "ok.wav", "text": "fine", "duration": 1.0}
    bad = {**row, "id": "bad", **fault}
    if "samples" in fault:
        del bad["audio"], bad["duration"]
    left, rejected = usable(tmp_path, [{**row, "id": "ok"}, bad])
    assert (left, list(rejected)) == (["ok"], ["bad"])


def test_ids_that_differ_in_white_space_are_different(tmp_path: Path) -> None:
    audio(tmp_path / "ok.wav")
    (tmp_path / "bad.wav").write_bytes(b"no audio at all")
    ids = {"u  1": "bad.wav", "u 1": "ok.wav", "v\t2": "bad.wav", "v 2": "ok.wav", '"w"': "bad.wav", "w\n": "ok.wav"}
    rows = [{"audio": name, "text": "x", "duration": 1.0, "id": identity} for identity, name in ids.items()]
    left, rejected = usable(tmp_path, rows)
    assert left == ["u 1", "v 2", "w"]
    assert sorted(json.loads(identity) for identity in rejected) == ['"w"', "u  1", "v\t2"]


def test_a_path_through_a_link_names_what_the_system_opens(tmp_path: Path) -> None:
    audio(tmp_path / "real" / "x.wav")
    soundfile.write(tmp_path / "x.wav", NOISE[:4000], 16000)
    (tmp_path / "real" / "deep").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "deep")
    rows = [{"audio": "link/../x.wav", "text": "x", "id": "a"}]
    assert usable(tmp_path, rows) == (["a"], {})
    (tmp_path / "out").mkdir()
    validate_manifest(Source(tmp_path / "m.jsonl"), tmp_path / "out" / "rows.jsonl", tmp_path / "out" / "rejected.tsv")
    row = read_rows(tmp_path / "out" / "rows.jsonl")[0]
    assert len(load_audio(row, tmp_path / "out")) == 16000


def test_names_of_files_that_are_written_another_way(tmp_path: Path) -> None:
    composed, decomposed = "caf\u00e9.wav", "cafe\u0301.wav"
    for name in (decomposed, "na\u00efve.wav", "wavs/a.wav", "b.wav"):
        audio(tmp_path / name)
    written = {
        composed: decomposed,
        "nai\u0308ve.wav": "na\u00efve.wav",
        "wavs\\a.wav": "wavs/a.wav",
        " b.wav ": "b.wav",
    }
    (tmp_path / "m.jsonl").write_text("".join(json.dumps({"audio": name, "text": "x"}) + "\n" for name in written))
    rows = read_manifest(tmp_path / "m.jsonl").rows
    assert {row.id: row.audio for row in rows} == written


@pytest.mark.parametrize("start", ["file://", "FILE://localhost"])
def test_a_local_url_names_a_file(tmp_path: Path, start: str) -> None:
    audio(tmp_path / "a b é.wav")
    there = f"{start}{quote(str(tmp_path))}/a%20b%20%C3%A9.wav"
    rows = [{"audio": there, "text": "x"}, {"audio": "file:///gone.wav", "text": "y"}]
    (tmp_path / "m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    manifest = read_manifest(tmp_path / "m.jsonl")
    assert [(row.id, row.audio) for row in manifest.rows] == [(there, str(tmp_path / "a b é.wav"))]
    assert [row.reason for row in manifest.rejected] == ["missing file: file:///gone.wav"]


def test_audio_that_is_gone_says_so(tmp_path: Path) -> None:
    (tmp_path / "dead.wav").symlink_to(tmp_path / "gone.wav")
    for name in "gone.wav", "dead.wav", "x" * 300:
        with pytest.raises(UserError, match=r": no such file; restore it"):
            load_audio(Utterance(id="u", text="x", duration=1.0, audio=name), tmp_path)


def test_audio_that_is_no_file_says_what_it_is(tmp_path: Path) -> None:
    rows = [{"audio": audio, "text": "x"} for audio in ("https://x.org/a.wav", ["a.wav", "b.wav"])]
    (tmp_path / "m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    reasons = [row.reason for row in read_manifest(tmp_path / "m.jsonl").rejected]
    assert reasons == [
        "no audio: a URL, which is never opened (https://x.org/a.wav); download it and name the file",
        "audio is a list of files: ['a.wav', 'b.wav']; expected one file per row",
    ]


def test_one_long_path_costs_one_row_of_every_format(tmp_path: Path) -> None:
    audio(tmp_path / "k" / "ok.wav")
    long = "x" * 300 + ".wav"
    (tmp_path / "k" / "wav.scp").write_text(f"a {long}\nb ok.wav\n")
    (tmp_path / "k" / "text").write_text("a one\nb two\n")
    audio(tmp_path / "clips" / "ok.wav")
    (tmp_path / "cv.tsv").write_text(f"client_id\tpath\tsentence\ns\t{long}\tone\ns\tok.wav\ttwo\n")
    nemo = [{"audio_filepath": name, "duration": 1.0, "text": "x", "shard_id": 1} for name in (long, "clips/ok.wav")]
    (tmp_path / "nemo.jsonl").write_text("".join(json.dumps(row) + "\n" for row in nemo))
    for path, format in (
        (tmp_path / "k", "kaldi"),
        (tmp_path / "cv.tsv", "common_voice"),
        (tmp_path / "nemo.jsonl", "nemo"),
    ):
        manifest = read_manifest(path)
        assert (manifest.format, len(manifest.rows), len(manifest.rejected)) == (format, 1, 1)


def test_a_huge_number_in_a_lhotse_cut_costs_one_row(tmp_path: Path) -> None:
    audio(tmp_path / "ok.wav")
    recording = {"sources": [{"type": "file", "channels": [0], "source": "ok.wav"}], "duration": 1.0}
    part = {"id": "s", "start": 0.0, "duration": 1.0, "text": "x"}
    cut = {
        "start": 0.0,
        "duration": 1.0,
        "channel": 0,
        "type": "MonoCut",
        "supervisions": [part],
        "recording": recording,
    }
    cuts = [{**cut, "id": "a"}, {**cut, "id": "b", "duration": 10**400}]
    (tmp_path / "cuts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in cuts))
    manifest = read_manifest(tmp_path / "cuts.jsonl")
    assert ([row.id for row in manifest.rows], [row.id for row in manifest.rejected]) == (["a"], ["b"])


def test_a_header_that_is_too_long_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(f"audio,text,{'x' * 140_000}\nok.wav,fine,1\n")
    with pytest.raises(UserError, match=r"m\.csv:1: .*header"):
        read_manifest(tmp_path / "m.csv")


@pytest.mark.parametrize("rate", [float("inf"), float("nan"), -1.0, 0.0, 1e30, 2.0**31])
def test_samples_in_parquet_with_an_impossible_rate(tmp_path: Path, rate: float) -> None:
    import pyarrow
    import pyarrow.parquet

    good, bad = ({"array": [0.1] * 1600, "sampling_rate": value} for value in (16000.0, rate))
    table = pyarrow.table({"id": ["ok", "bad"], "audio": [good, bad], "text": ["x", "y"]})
    pyarrow.parquet.write_table(table, tmp_path / "m.parquet")
    unpack_audio(Source(tmp_path / "m.parquet"), tmp_path / "audio")
    manifest = read_manifest(tmp_path / "m.parquet", tmp_path / "audio")
    assert ([row.id for row in manifest.rows], len(manifest.rejected)) == (["ok"], 1)


def test_parquet_with_text_that_is_not_utf8_loses_that_row(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    content = audio(tmp_path / "ok.wav").read_bytes()
    texts = pyarrow.array([b"fine", b"\xff\xfe", b"good"], pyarrow.binary()).view(pyarrow.utf8())
    table = pyarrow.table({"audio": [{"path": f"{n}.wav", "bytes": content} for n in range(3)], "text": texts})
    pyarrow.parquet.write_table(table, tmp_path / "m.parquet")
    unpack_audio(Source(tmp_path / "m.parquet"), tmp_path / "audio")
    manifest = read_manifest(tmp_path / "m.parquet", tmp_path / "audio")
    assert [row.text for row in manifest.rows] == ["fine", "good"]
    assert [(row.line, row.reason.partition(" (")[0]) for row in manifest.rejected] == [
        (2, "broken row: column text: not UTF-8")
    ]
    table = pyarrow.table({"file_name": ["ok.wav"] * 3, "id": ["1", "2", "3"], "text": texts})
    pyarrow.parquet.write_table(table, tmp_path / "metadata.parquet")
    manifest = read_manifest(tmp_path / "metadata.parquet")
    assert ([row.text for row in manifest.rows], len(manifest.rejected)) == (["fine", "good"], 1)


def test_arrow_lengths_beyond_the_data_lose_their_rows(tmp_path: Path) -> None:
    import pyarrow

    content = audio(tmp_path / "ok.wav").read_bytes()
    lengths = np.array([0, 4, 2**30, 12], dtype=np.int32)
    data = pyarrow.py_buffer(b"finelostgood")
    texts = pyarrow.Array.from_buffers(pyarrow.utf8(), 3, [None, pyarrow.py_buffer(lengths.tobytes()), data])
    table = pyarrow.table({"audio": [{"path": f"{n}.wav", "bytes": content} for n in range(3)], "text": texts})
    with pyarrow.ipc.new_stream(tmp_path / "m.arrow", table.schema) as stream:
        stream.write_table(table)
    unpack_audio(Source(tmp_path / "m.arrow"), tmp_path / "audio")
    manifest = read_manifest(tmp_path / "m.arrow", tmp_path / "audio")
    assert ([row.text for row in manifest.rows], len(manifest.rejected)) == (["fine"], 2)


def test_pipes_and_devices_are_refused_by_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.jsonl")
    for path in (tmp_path / "m.jsonl", Path("/dev/zero")):
        with pytest.raises(UserError, match=f"{path}: not a file"):
            read_manifest(path)
        with pytest.raises(UserError, match=f"{path}: not a file"):
            read_transcript_file(path, "text")


def test_a_gzip_file_that_expands_beyond_reason_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(existing_files, "EXPANDED", 2**20)
    (tmp_path / "m.jsonl.gz").write_bytes(gzip.compress(b" " * 2**23))
    with pytest.raises(UserError, match=r"m\.jsonl\.gz: .*expands"):
        read_manifest(tmp_path / "m.jsonl.gz")
