"""Audio that decodes to less than its header says, or to NaN, is an error that names row and file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from lora.data.audio.headers import header_seconds
from lora.data.audio.loading import load_audio
from lora.records.base import UserError
from lora.records.manifests import Utterance


def row(audio: str) -> Utterance:
    return Utterance(id="u", text="x", duration=4.0, audio=audio)


def test_a_file_truncated_in_the_middle(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 64000).astype(np.float32)
    whole = tmp_path / "whole.flac"
    soundfile.write(whole, noise, 16000)
    assert load_audio(row("whole.flac"), tmp_path).shape == (64000,)
    (tmp_path / "cut.flac").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(UserError, match=r"row u: .*cut\.flac"):
        load_audio(row("cut.flac"), tmp_path)


def test_samples_that_are_not_finite(tmp_path: Path) -> None:
    samples = np.zeros(16000, dtype=np.float32)
    samples[100] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, 16000, subtype="FLOAT")
    with pytest.raises(UserError, match=r"row u: nan\.wav contains samples that are NaN or infinite"):
        load_audio(row("nan.wav"), tmp_path)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("values", [(3e38, 3e38), (np.inf, -np.inf)])
def test_channels_whose_mean_is_not_finite_are_one_error_without_warnings(
    tmp_path: Path, values: tuple[float, float]
) -> None:
    samples = np.tile(np.array(values, dtype=np.float32), (16000, 1))
    soundfile.write(tmp_path / "huge.wav", samples, 16000, subtype="FLOAT")
    with pytest.raises(UserError, match=r"row u: huge\.wav contains samples that are NaN or infinite"):
        load_audio(row("huge.wav"), tmp_path)


def test_integers_that_were_stored_as_floats(tmp_path: Path) -> None:
    speech = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
    soundfile.write(tmp_path / "integers.wav", speech * 32768, 16000, subtype="FLOAT")
    with pytest.raises(UserError, match=r"row u: integers\.wav: the peak is 1[\d.]+; expected samples from -1 to 1"):
        load_audio(row("integers.wav"), tmp_path)
    inline = Utterance(id="u", text="x", duration=1.0, samples=[0.0, -20000.0, 3.0], sampling_rate=16000)
    with pytest.raises(UserError, match=r"row u: its inline samples: the peak is 20000"):
        load_audio(inline, tmp_path)


def test_a_recording_somewhat_over_full_scale(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "loud.wav", np.full(16000, 1.5, np.float32), 16000, subtype="FLOAT")
    assert load_audio(row("loud.wav"), tmp_path).max() == 1.5


def lossy(path: Path, format: str, subtype: str) -> bytes:
    noise = np.random.default_rng(0).normal(0, 0.1, 64000).astype(np.float32)
    soundfile.write(path, noise, 16000, format=format, subtype=subtype)
    return path.read_bytes()


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
@pytest.mark.parametrize("page", [2, 3, -1])
def test_bytes_that_were_added_to_or_lost_from_a_page_of_ogg(tmp_path: Path, subtype: str, page: int) -> None:
    """libsndfile leaves out the page, and what follows the last one that it can read."""
    path = tmp_path / "a.ogg"
    content = lossy(path, "OGG", subtype)
    place = [place for place in range(len(content)) if content.startswith(b"OggS", place)][page] + 200
    for damaged in (content[:place] + b"x" * 16 + content[place:], content[:place] + content[place + 16 :]):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"row u: .*a\.ogg.*(damaged|truncated|malformed)"):
            load_audio(row("a.ogg"), tmp_path)


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_file_with_a_tag_after_its_last_page(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "a.ogg"
    path.write_bytes(lossy(path, "OGG", subtype) + b"TAG" + b"x" * 125)
    assert load_audio(row("a.ogg"), tmp_path).shape == (64000,)


def test_an_mp3_file_whose_xing_header_cannot_be_used(tmp_path: Path) -> None:
    """libsndfile then reads as much as if all frames were as long as that of the header: here half of it."""
    path = tmp_path / "a.mp3"
    content = lossy(path, "MP3", "MPEG_LAYER_III")
    assert header_seconds(str(path)) == 4.0
    for damaged in (content[:160] + b"xx" + content[160:], content[:8] + b"x" + content[9:]):
        path.write_bytes(damaged)
        assert "less can be read than the Xing header of this MP3 file counts" in str(header_seconds(str(path)))
        with pytest.raises(UserError, match=r"row u: a\.mp3: the file is damaged"):
            load_audio(row("a.mp3"), tmp_path)


@pytest.mark.parametrize("name", ["a.au", "a.snd", "a.gsm", "a.vox", "a.AU"])
def test_a_page_under_the_name_of_headerless_audio_is_rejected(tmp_path: Path, name: str) -> None:
    """libsndfile takes any file of these names for raw telephone speech."""
    (tmp_path / name).write_bytes(b"<html><body>404 not found</body></html>\n" * 50)
    row = Utterance(id="u", text="x", duration=0.5, audio=name)
    assert header_seconds(str(tmp_path / name)) == "unreadable audio: it has no header of an audio file"
    with pytest.raises(UserError, match=rf"row u: {name}: it has no header of an audio file"):
        load_audio(row, tmp_path)


@pytest.mark.parametrize(("suffix", "subtype"), [("gsm", "GSM610"), ("vox", "VOX_ADPCM")])
def test_raw_telephone_speech_is_read(tmp_path: Path, suffix: str, subtype: str) -> None:
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, 16000)
    with (tmp_path / f"a.{suffix}").open("wb") as file:
        soundfile.write(file, noise, 8000, format="RAW", subtype=subtype)
    assert header_seconds(str(tmp_path / f"a.{suffix}")) == 2.0
    assert len(load_audio(Utterance(id="u", text="x", duration=2.0, audio=f"a.{suffix}"), tmp_path)) == 32000


def test_silence_of_raw_telephone_speech_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.vox").write_bytes(b"\x08\x00" * 4000)
    assert header_seconds(str(tmp_path / "a.vox")) == 2.0
