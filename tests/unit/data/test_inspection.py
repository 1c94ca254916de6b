"""Measures of recordings with a known fault and of the same recording without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from lora.data.audio.inspection import inspect_row, inspect_rows
from lora.data.manifest import without_undecodable
from lora.data.manifest_rows import Rejected
from lora.records.base import UserError
from lora.records.integrity import AudioMeasure
from lora.records.manifests import Utterance

RATE = 16000


def speech(seconds: float = 3.0, seed: int = 0) -> np.ndarray:
    """Noise with a falling spectrum and a syllable rhythm, 0.1 RMS: wide, loud, not clipped."""
    dice = np.random.default_rng(seed)
    spectrum = np.fft.rfft(dice.normal(size=round(seconds * RATE)))
    spectrum[1:] /= np.sqrt(np.arange(1, spectrum.size))
    samples = np.fft.irfft(spectrum, round(seconds * RATE))
    samples *= 0.55 + 0.45 * np.sin(2 * np.pi * 4 * np.arange(samples.size) / RATE)
    return (0.1 * samples / np.sqrt(np.mean(samples**2))).astype(np.float32)


def measure(folder: Path, samples: np.ndarray, rate: int = RATE, name: str = "a.wav", **row: object) -> AudioMeasure:
    soundfile.write(folder / name, samples, rate)
    fields: dict[str, Any] = {"id": "u", "text": "a b c", "duration": 3.0, "line": 7, "audio": name, **row}
    return inspect_row(Utterance(**fields), str(folder))


def test_a_recording_that_vanishes_is_an_error_and_no_unreadable_one(tmp_path: Path) -> None:
    row = Utterance(id="u", text="a", duration=3.0, line=7, audio="gone.wav")
    with pytest.raises(UserError, match=r"row u: gone\.wav .* is missing now"):
        inspect_row(row, str(tmp_path))
    (tmp_path / "gone.wav").touch()
    assert str(inspect_row(row, str(tmp_path)).problem).startswith("unreadable audio: ")


def test_a_healthy_recording(tmp_path: Path) -> None:
    result = measure(tmp_path, speech())
    assert (result.line, result.seconds, result.rate, result.channels, result.characters) == (7, 3.0, RATE, 1, 3)
    assert result.problem is None
    assert result.level is not None
    assert -25 < result.level < -10
    assert result.clipped == 0
    assert result.bandwidth == 8000


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg"])
def test_telephone_speech_in_a_wideband_file(tmp_path: Path, name: str) -> None:
    narrow = soxr.resample(soxr.resample(speech(), RATE, 8000), 8000, RATE)
    assert (measure(tmp_path, narrow, name=name).bandwidth or 0) <= 4500
    assert (measure(tmp_path, speech(), name=name).bandwidth or 0) >= 6000
    assert measure(tmp_path, soxr.resample(speech(), RATE, 8000), rate=8000).bandwidth == 4000


@pytest.mark.parametrize("gain", [1.0, 0.3])
def test_clipped_speech_also_when_scaled_down_again(tmp_path: Path, gain: float) -> None:
    loud = speech() / np.abs(speech()).max()
    assert measure(tmp_path, 0.99 * gain * loud).clipped == 0
    assert (measure(tmp_path, gain * np.clip(3 * loud, -0.99, 0.99)).clipped or 0) > 0.0005


def test_silence_faint_noise_and_an_offset(tmp_path: Path) -> None:
    silent = measure(tmp_path, np.zeros(RATE))
    assert (silent.level, silent.bandwidth, silent.clipped) == (-120, None, 0)
    assert (measure(tmp_path, 0.002 * speech()).level or 0) < -60
    assert (measure(tmp_path, np.full(RATE, 0.5)).level or 0) < -60


def test_channels_segments_and_very_short_audio(tmp_path: Path) -> None:
    assert measure(tmp_path, np.stack([speech(), speech()], axis=1)).channels == 2
    assert measure(tmp_path, speech(), offset=1.0, duration=0.5).seconds == 0.5
    assert measure(tmp_path, speech(), offset=2.5, duration=2.0).seconds == 0.5
    assert measure(tmp_path, speech()[:3]).problem is None
    inline = Utterance(id="i", text="a", duration=3.0, samples=speech().tolist(), sampling_rate=RATE)
    assert inspect_row(inline, str(tmp_path)).channels == 1


def test_the_same_samples_have_the_same_hash_in_any_file(tmp_path: Path) -> None:
    here, there = measure(tmp_path, speech()), measure(tmp_path, speech(), name="b.aiff")
    assert here.audio_hash == there.audio_hash
    assert here.audio_hash != measure(tmp_path, speech(seed=1)).audio_hash


def test_a_row_with_damaged_audio_is_rejected_with_the_reason(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "cut.flac", speech(), RATE)
    whole = (tmp_path / "cut.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(whole[: len(whole) // 2])
    measure(tmp_path, speech())
    rows = [Utterance(id=n, text="x", duration=3.0, audio=n, line=i) for i, n in enumerate(["a.wav", "cut.flac"], 1)]
    measures = inspect_rows(rows, tmp_path)
    assert [m.problem is None for m in measures] == [True, False]
    assert str(measures[1].problem).startswith("unreadable audio: ")
    assert str(tmp_path) not in str(measures[1].problem)
    problems = {measure.id: measure.problem for measure in measures if measure.problem is not None}
    usable, damaged = without_undecodable(rows, problems)
    assert usable == rows[0]
    assert damaged == Rejected(2, "cut.flac", str(measures[1].problem))
