"""Files of audio that were joined: libsndfile reads the first of them without a word, so they are rejected."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lora.data.audio.headers import header_seconds, read_headers
from lora.data.audio.loading import load_audio
from lora.records.base import UserError
from lora.records.manifests import Utterance

KINDS = {
    "vorbis.ogg": {"format": "OGG", "subtype": "VORBIS"},
    "opus.opus": {"format": "OGG", "subtype": "OPUS"},
    "mp3.mp3": {"format": "MP3", "subtype": "MPEG_LAYER_III"},
}
TAG = b"ID3\4\0\0" + bytes([0, 0, 16, 0]) + b"\0" * 2048
OLD_TAG = b"TAG" + b"x" * 125
APE = b"APETAGEX" + struct.pack("<IIII", 2000, 32, 1, 0xA0000000) + b"\0" * 3000
GAIN = b"\x0b" + b"\0" * 7 + b"REPLAYGAIN\0-1.230000dB"
GAIN_TAG = b"".join(
    b"APETAGEX" + struct.pack("<IIII8x", 2000, 32 + len(GAIN), 1, flags) + items
    for flags, items in ((0xA0000000, GAIN), (0x80000000, b""))
)


def encoded(kind: str, rate: int, seconds: float = 1.0) -> bytes:
    content = io.BytesIO()
    noise = np.random.default_rng(rate).uniform(-0.3, 0.3, int(rate * seconds))
    soundfile.write(content, noise, rate, **KINDS[kind])
    return content.getvalue()


def wav(samples: int, rate: int = 8000) -> bytes:
    content = io.BytesIO()
    noise = np.random.default_rng(samples).uniform(-0.3, 0.3, samples)
    soundfile.write(content, noise, rate, format="WAV", subtype="PCM_16")
    return content.getvalue()


def test_a_wav_file_with_more_audio_than_its_header_counts_is_rejected(tmp_path: Path) -> None:
    """As of a recorder that stopped between two updates of the header."""
    content = bytearray(wav(8000))
    content[40:44] = struct.pack("<I", 8000)
    (tmp_path / "a.wav").write_bytes(content)
    for seconds in read_headers([str(tmp_path / "a.wav")]):
        assert "counts 8,000 bytes of audio, and 8,000 more follow" in str(seconds)
    with pytest.raises(UserError, match=r"--ignore-length"):
        load_audio(row("a.wav"), tmp_path, 8000)


@pytest.mark.parametrize("end", [b"", OLD_TAG], ids=["plain", "tag"])
@pytest.mark.parametrize("container", ["AU", "CAF", "RF64"])
def test_joined_files_of_containers_that_count_their_samples(tmp_path: Path, container: str, end: bytes) -> None:
    name = f"a.{container.lower()}"
    content = io.BytesIO()
    soundfile.write(
        content, np.zeros(8001), 8000, format=container, subtype="PCM_U8" if container == "RF64" else "PCM_S8"
    )
    (tmp_path / name).write_bytes(content.getvalue() + end)
    assert read_headers([str(tmp_path / name)]) == [8001 / 8000]
    assert len(load_audio(row(name), tmp_path, 8000)) == 8001
    (tmp_path / name).write_bytes(2 * content.getvalue() + end)
    assert "several ones that were joined" in str(read_headers([str(tmp_path / name)])[0])
    with pytest.raises(UserError, match=r"several ones that were joined"):
        load_audio(row(name), tmp_path, 8000)


def test_an_au_file_with_more_audio_than_its_header_counts_is_rejected(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, 8000)
    soundfile.write(tmp_path / "a.au", noise, 8000, subtype="PCM_16")
    content = bytearray((tmp_path / "a.au").read_bytes())
    content[8:12] = struct.pack(">I", 6000)
    (tmp_path / "a.au").write_bytes(content)
    assert "counts 6,000 bytes of audio, and 10,000 more follow" in str(header_seconds(str(tmp_path / "a.au")))
    content[8:12] = b"\xff" * 4  # a program that does not know the length
    (tmp_path / "a.au").write_bytes(content)
    assert header_seconds(str(tmp_path / "a.au")) == 1.0


@pytest.mark.parametrize(
    "following",
    [b"LIST" + struct.pack("<I", 9000) + b"\1" * 9000, TAG * 9, OLD_TAG * 9, APE * 9, b"\0" * 9000, b"\1" * 99],
)
def test_a_wav_file_may_end_with_tags_and_zeros(tmp_path: Path, following: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(wav(8000) + following)
    assert read_headers([str(tmp_path / "a.wav")]) == [1.0]
    assert load_audio(row("a.wav"), tmp_path, 8000).shape == (8000,)


def row(audio: str, offset: float | None = None) -> Utterance:
    return Utterance(id="u", text="x", duration=0.5, audio=audio, offset=offset)


@pytest.mark.parametrize("second_rate", [16000, 48000])
@pytest.mark.parametrize("kind", KINDS)
def test_joined_files_are_rejected(tmp_path: Path, kind: str, second_rate: int) -> None:
    path = tmp_path / kind
    path.write_bytes(encoded(kind, 16000) + encoded(kind, second_rate, 2.0))
    (header,) = read_headers([str(path)])
    assert isinstance(header, str)
    assert header.startswith("unreadable audio: the file consists of several ones that were joined")
    for offset in (None, 0.2):
        with pytest.raises(UserError, match=r"row u: .*: the file consists of several ones"):
            load_audio(row(kind, offset), tmp_path)


@pytest.mark.parametrize("end", [OLD_TAG, GAIN_TAG, GAIN_TAG + OLD_TAG], ids=["id3", "ape", "both"])
def test_mp3_files_with_tags_at_their_ends_that_were_joined(tmp_path: Path, end: bytes) -> None:
    """As `lame --tt` writes ID3 of both versions, and mp3gain a tag of APE before the old one."""
    one = TAG + encoded("mp3.mp3", 16000) + end
    (tmp_path / "one.mp3").write_bytes(one)
    (tmp_path / "two.mp3").write_bytes(one + one)
    assert header_seconds(str(tmp_path / "one.mp3")) == pytest.approx(1.0, abs=0.05)
    assert "several ones that were joined" in str(header_seconds(str(tmp_path / "two.mp3")))
    with pytest.raises(UserError, match=r"several ones that were joined"):
        load_audio(row("two.mp3"), tmp_path)


@pytest.mark.parametrize("tag", [b"", TAG], ids=["plain", "id3"])
def test_joined_flac_files_are_rejected_as_a_whole(tmp_path: Path, tag: bytes) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.random.default_rng(1).uniform(-0.3, 0.3, 16000), 16000)
    path.write_bytes(tag + path.read_bytes())
    assert len(load_audio(row("a.flac"), tmp_path)) == 16000
    path.write_bytes(2 * path.read_bytes())
    with pytest.raises(UserError, match=r"several ones that were joined"):
        load_audio(row("a.flac"), tmp_path)
    assert len(load_audio(row("a.flac", 0.2), tmp_path)) == 8000


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_mp3_of_variable_bit_rate_that_does_not_say_its_length(tmp_path: Path, mode: str) -> None:
    """As encoders write it that cannot go back in their output, `lame - -`: libsndfile reads a quarter of it."""
    path = tmp_path / "a.mp3"
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, 64000)
    noise[:16000] = 0
    soundfile.write(path, noise, 16000, format="MP3", bitrate_mode=mode, compression_level=0.5)
    content = path.read_bytes()
    assert header_seconds(str(path)) == 4.0
    place = max(content.find(b"Xing"), content.find(b"Info"))
    for start, end in (
        (place, place + 4),
        (place + 8, place + 16),
    ):  # without the header, or with zeros as a killed encoder
        path.write_bytes(content[:start] + bytes(end - start) + content[end:])
        if mode == "CONSTANT":
            assert header_seconds(str(path)) == pytest.approx(4.0, abs=0.2)
        else:
            assert "an MP3 file of variable bit rate that does not say its length" in str(header_seconds(str(path)))


def test_a_stream_joined_with_itself(tmp_path: Path) -> None:
    """Both have one serial number, so that the header looks like that of one stream."""
    (tmp_path / "x.ogg").write_bytes(2 * encoded("vorbis.ogg", 16000))
    with pytest.raises(UserError, match=r"several ones that were joined"):
        load_audio(row("x.ogg"), tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_whole_files_with_tags_and_other_ends(tmp_path: Path, kind: str) -> None:
    content = encoded(kind, 16000)
    ends = [(b"", b"")] if kind != "mp3.mp3" else [(b"", b""), (TAG, OLD_TAG), (TAG + TAG, APE)]
    for first, last in ends:
        (tmp_path / kind).write_bytes(first + content + last)
        assert header_seconds(str(tmp_path / kind)) == pytest.approx(1.0, abs=0.05)
        assert len(load_audio(row(kind), tmp_path)) == pytest.approx(16000, abs=800)


@pytest.mark.parametrize("name", ["page.mp3", "a.m4a"])
def test_a_file_of_another_format_has_a_reason(tmp_path: Path, name: str) -> None:
    begins = {"page.mp3": b"<!DOCTYPE html>", "a.m4a": b"\0\0\0\x20ftypM4A "}
    (tmp_path / name).write_bytes(begins[name] * 500)
    reason = "no audio in a format that libsndfile reads; convert it to WAV or FLAC"
    assert header_seconds(str(tmp_path / name)) == f"unreadable audio: {reason}"
    with pytest.raises(UserError, match=reason):
        load_audio(row(name), tmp_path)


def test_the_delay_of_an_mpeg_decoder_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MP3 in a WAV file counts the delay, which libsndfile does not return: over 1 % of a file of two seconds."""
    (tmp_path / "short.mp3").write_bytes(encoded("mp3.mp3", 16000))
    monkeypatch.setattr(soundfile.SoundFile, "frames", property(lambda self: 16000 + 1105))
    assert len(load_audio(row("short.mp3"), tmp_path)) == pytest.approx(16000, abs=800)
    monkeypatch.setattr(soundfile.SoundFile, "frames", property(lambda self: 20000))
    with pytest.raises(UserError, match=r"short\.mp3 is damaged"):
        load_audio(row("short.mp3"), tmp_path)
