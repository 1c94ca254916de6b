"""Loading samples: segments, channels, rates, loudness, and a hash that is the same on every machine."""

import numpy as np
import pytest

from lora.data.audio.loading import load_audio, samples_hash
from lora.data.identity import audio_hashes, manifest_identity
from lora.records.base import UserError
from lora.records.manifests import Utterance


def row(**fields):
    return Utterance(**{"id": "a", "text": "x", "duration": 1.0, "audio": "a.wav"} | fields)


def test_a_row_without_offset_is_the_whole_file(wav, tmp_path):
    wav("a.wav", 2.0)
    assert load_audio(row(duration=0.5), tmp_path).shape == (32000,)


def test_a_segment_by_offset_and_duration(wav, tmp_path):
    wav("a.wav", 2.0)
    whole = load_audio(row(), tmp_path)
    piece = load_audio(row(offset=0.5, duration=0.25), tmp_path)
    np.testing.assert_array_equal(piece, whole[8000:12000])
    assert load_audio(row(offset=0.0, duration=0.25), tmp_path).shape == (4000,)


def test_stereo_at_another_rate_becomes_mono_at_16_khz(wav, tmp_path):
    wav("a.wav", 1.0, rate=8000, channels=2)
    samples = load_audio(row(), tmp_path)
    assert samples.shape == (16000,)
    assert samples.dtype == np.float32
    assert np.abs(samples[1000:-1000]).max() == pytest.approx(0.3, abs=0.01)


def test_loudness_scales_by_one_factor_and_silence_stays(wav, tmp_path):
    wav("a.wav")
    samples = load_audio(row(), tmp_path, target_rms=0.1)
    assert np.sqrt(np.mean(samples.astype(float) ** 2)) == pytest.approx(0.1, rel=1e-4)
    silent = row(samples=[0.0] * 100, sampling_rate=16000, audio=None)
    assert not load_audio(silent, tmp_path, target_rms=0.1).any()


def test_inline_samples_and_their_hash(tmp_path):
    samples = load_audio(row(samples=[0.0, 0.5], sampling_rate=16000, audio=None), tmp_path)
    np.testing.assert_array_equal(samples, np.array([0.0, 0.5], np.float32))
    assert samples_hash(samples) == samples_hash(np.array([0, 0.5], ">f4").astype("<f4"))
    # sha256 of 00000000 0000003f, the two little-endian floats
    assert samples_hash(samples) == "0051cfd064ea4a91086438ce7f6b3d21"


def test_unreadable_audio_is_an_error_with_row_and_file(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"row a: cannot read audio .*a\.wav"):
        load_audio(row(), tmp_path)
    with pytest.raises(UserError, match="no audio samples"):
        load_audio(row(samples=[], sampling_rate=16000, audio=None), tmp_path)


def test_identity_of_rows_does_not_depend_on_their_order(wav, tmp_path):
    wav("a.wav")
    wav("b.wav", 2.0)
    rows = [row(), row(id="b", audio="b.wav", text="y")]
    hashes = audio_hashes(rows, tmp_path)
    first = manifest_identity("m", rows, hashes)
    assert (first.name, first.rows) == ("m", 2)
    assert manifest_identity("m", rows[::-1], hashes[::-1]) == first
    assert manifest_identity("m", rows, hashes[::-1]).content_hash != first.content_hash
