"""Distortions are deterministic, have the stated level, and are independent of loudness."""

from __future__ import annotations

import re

import numpy as np
import pytest

from lora.data.audio.distortions import GRADES, Distortion, add_noise, distortion_by_label

RATE = 16000
SEED = "00ff00ff00ff00ff00ff00ff00ff00ff"


@pytest.fixture
def tone() -> np.ndarray:
    time = np.arange(RATE) / RATE
    return sum(0.1 * np.sin(2 * np.pi * hertz * time) for hertz in (100, 1000, 6000)).astype(np.float32)


@pytest.mark.parametrize("grade", GRADES, ids=lambda grade: grade.label)
def test_the_same_samples_give_the_same_result(grade: Distortion, tone: np.ndarray) -> None:
    once, again = grade.apply(tone, RATE, SEED), grade.apply(tone, RATE, SEED)
    assert once.tobytes() == again.tobytes()
    assert once.dtype == np.float32
    assert once.shape == (grade.length(tone.size),)
    assert np.isfinite(once).all()
    np.testing.assert_allclose(grade.apply(tone * 2, RATE, SEED), once * 2, atol=1e-5)


@pytest.mark.parametrize("grade", GRADES, ids=lambda grade: grade.label)
@pytest.mark.parametrize("size", [1, 2, 3, 1601])
def test_short_and_silent_audio_can_be_distorted(grade: Distortion, size: int) -> None:
    for samples in (np.zeros(size, np.float32), np.ones(size, np.float32)):
        distorted = grade.apply(samples, RATE, SEED)
        assert distorted.shape == (grade.length(size),)
        assert np.isfinite(distorted).all()


def test_labels_are_valid_manifest_names_and_identify_the_distortion() -> None:
    assert len({grade.label for grade in GRADES}) == len(GRADES)
    for grade in GRADES:
        assert re.fullmatch("[A-Za-z0-9_-]+", grade.label)
        assert distortion_by_label(grade.label) == grade
    assert distortion_by_label("noise-7") is None


@pytest.mark.parametrize("snr", [20.0, 0.0])
def test_noise_has_the_stated_ratio(snr: float, tone: np.ndarray) -> None:
    noise = add_noise(tone, snr, SEED).astype(float) - tone
    assert 10 * np.log10(np.mean(tone**2) / np.mean(noise**2)) == pytest.approx(snr, abs=0.01)
    assert not np.array_equal(add_noise(tone, snr, "11" * 16), add_noise(tone, snr, SEED))


@pytest.mark.parametrize("rt60", [400, 1000])
def test_reverberation_has_the_stated_decay_and_keeps_power_and_position(rt60: int) -> None:
    click = np.zeros(2 * RATE, np.float32)
    click[100] = 1.0
    wet = Distortion("reverb", rt60).apply(click, RATE, SEED).astype(float)
    assert np.mean(wet**2) == pytest.approx(np.mean(click.astype(float) ** 2))
    assert np.abs(wet).argmax() == 100
    assert np.abs(wet[:100]).max() < 1e-6
    direct, tail = wet[100] ** 2, wet[101:] ** 2
    assert 10 * np.log10(direct / tail.sum()) == pytest.approx(-10 * np.log10(rt60 / 1000), abs=0.1)
    tenth = round(rt60 / 1000 * RATE / 10)
    early, late = tail[:tenth].mean(), tail[5 * tenth : 6 * tenth].mean()
    assert 10 * np.log10(early / late) == pytest.approx(30, abs=1.5)  # half of RT60 is 30 dB


def test_recordings_have_different_rooms(tone: np.ndarray) -> None:
    room = Distortion("reverb", 600)
    assert not np.array_equal(room.apply(tone, RATE, "11" * 16), room.apply(tone, RATE, SEED))


def test_speed_shortens_and_raises_the_pitch() -> None:
    note = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE).astype(np.float32)
    faster = Distortion("speed", 150).apply(note, RATE, SEED)
    assert faster.size == round(RATE / 1.5)
    spectrum = np.abs(np.fft.rfft(faster[1000:-1000] * np.hanning(faster.size - 2000)))
    assert spectrum.argmax() * RATE / (faster.size - 2000) == pytest.approx(660, abs=3)


def test_telephone_keeps_its_band_only(tone: np.ndarray) -> None:
    spectrum = np.abs(np.fft.rfft(Distortion("telephone", 3400).apply(tone, RATE, SEED)))
    assert spectrum[1000] > 100
    assert spectrum[100] + spectrum[6000] < 1e-2


def test_silence_and_single_samples_stay() -> None:
    assert not add_noise(np.zeros(100, np.float32), 10, SEED).any()
    assert add_noise(np.ones(1, np.float32), 10, SEED).tolist() == [1.0]
