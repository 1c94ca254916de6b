"""Durations from parsed headers equal those of libsndfile, which reads every unusual file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from lora.data.audio.headers import plain_seconds, read_headers
from lora.data.audio.ogg import opus_seconds

PLAIN = [
    ("WAV", "PCM_16"),
    ("WAV", "PCM_24"),
    ("WAV", "FLOAT"),
    ("WAVEX", "PCM_16"),
    ("FLAC", "PCM_16"),
    ("OGG", "VORBIS"),
]
UNUSUAL = [("WAV", "ULAW"), ("WAV", "IMA_ADPCM"), ("RF64", "PCM_16"), ("AIFF", "PCM_16"), ("OGG", "OPUS")]


def audio(path: Path, format: str, subtype: str, channels: int = 2) -> str:
    noise = 0.1 * np.random.default_rng(1).standard_normal((4321, channels))
    soundfile.write(path, noise, 24000, format=format, subtype=subtype)
    return str(path)


@pytest.mark.parametrize(("format", "subtype"), PLAIN)
def test_parsed_headers_give_the_duration_of_libsndfile(tmp_path: Path, format: str, subtype: str) -> None:
    path = audio(tmp_path / "a", format, subtype)
    assert plain_seconds(path) == soundfile.info(path).duration


@pytest.mark.parametrize(("format", "subtype"), UNUSUAL)
def test_unusual_headers_are_left_to_libsndfile(tmp_path: Path, format: str, subtype: str) -> None:
    path = audio(tmp_path / "a", format, subtype, channels=1)
    assert plain_seconds(path) is None
    assert read_headers([path]) == [soundfile.info(path).duration]


def test_truncated_and_empty_files_are_left_to_libsndfile(tmp_path: Path) -> None:
    whole = Path(audio(tmp_path / "a.wav", "WAV", "PCM_16")).read_bytes()
    flac = Path(audio(tmp_path / "a.flac", "FLAC", "PCM_16")).read_bytes()
    unknown_length = flac[:21] + bytes([flac[21] & 0xF0, 0, 0, 0, 0]) + flac[26:]  # as a stream is written
    cut = tmp_path / "cut"
    for content in (whole[:1000], whole[:30], whole[:44], b"RIFF", flac[:20], flac[:42], unknown_length, b""):
        cut.write_bytes(content)
        assert plain_seconds(str(cut)) is None
    assert plain_seconds(str(tmp_path / "none.wav")) is None
    assert plain_seconds("a\0b") is None


def test_durations_are_in_the_order_of_the_files(tmp_path: Path) -> None:
    kinds = [PLAIN[0], UNUSUAL[4], PLAIN[4], UNUSUAL[0]]
    paths = [audio(tmp_path / str(i), *kind) for i, kind in enumerate(kinds)]
    (tmp_path / "noise").write_bytes(b"not audio at all")
    result = read_headers([*paths, str(tmp_path / "noise")])
    assert result[:4] == [soundfile.info(path).duration for path in paths]
    assert str(result[4]).startswith("unreadable audio: ")


@pytest.mark.parametrize("rate", [8000, 48000])
@pytest.mark.parametrize("seconds", [0.02, 1.0, 3.37])
def test_opus_streams_from_their_beginning(tmp_path: Path, rate: int, seconds: float) -> None:
    path = tmp_path / "a.opus"
    noise = np.random.default_rng(1).normal(0, 0.1, round(seconds * rate))
    soundfile.write(path, noise, rate, format="OGG", subtype="OPUS")
    assert opus_seconds(str(path)) == pytest.approx(soundfile.info(path).duration, abs=1e-9)
    content = path.read_bytes()
    pages = [place for place in range(len(content)) if content.startswith(b"OggS", place)]
    if len(pages) > 3:  # cut out of a longer stream
        path.write_bytes(content[: pages[2]] + content[pages[3] :])
        assert opus_seconds(str(path)) is None


def test_only_whole_vorbis_streams_from_their_beginning_are_parsed(tmp_path: Path) -> None:
    path = Path(audio(tmp_path / "a.ogg", "OGG", "VORBIS"))
    whole = path.read_bytes()
    pages = [place for place in range(len(whole)) if whole.startswith(b"OggS", place)]
    late = bytearray(whole)  # cut out of a longer stream: every page of audio counts from its beginning
    for place in pages[2:]:
        samples = int.from_bytes(whole[place + 6 : place + 14], "little")
        late[place + 6 : place + 14] = (samples + 10**6).to_bytes(8, "little")
    other = bytearray(whole)
    other[pages[-1] + 14] ^= 1  # the last page is of another stream
    open_end = bytearray(whole)
    open_end[pages[-1] + 5] &= ~4
    for content in (whole[:-1], bytes(late), bytes(other), bytes(open_end), whole[:40], whole[:20]):
        path.write_bytes(content)
        assert plain_seconds(str(path)) is None
