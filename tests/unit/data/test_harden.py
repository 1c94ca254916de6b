"""Distortions are deterministic, of the size they claim, and independent of loudness."""

from __future__ import annotations

import numpy as np
import pytest

from lora.data.harden import GRADES, Distortion, add_noise

RATE = 16000
SEED = "00ff00ff00ff00ff00ff00ff00ff00ff"


@pytest.fixture
def tone() -> np.ndarray:
    time = np.arange(RATE) / RATE
    return sum(0.1 * np.sin(2 * np.pi * hertz * time) for hertz in (100, 1000, 6000)).astype(np.float32)


@pytest.mark.parametrize("grade", GRADES, ids=lambda grade: grade.label)
def test_same_samples_same_result(grade: Distortion, tone: np.ndarray) -> None:
    once, again = grade.apply(tone, RATE, SEED), grade.apply(tone, RATE, SEED)
    assert once.tobytes() == again.tobytes()
    assert once.dtype == np.float32
    assert once.shape == tone.shape
    np.testing.assert_allclose(grade.apply(tone * 2, RATE, SEED), once * 2, atol=1e-5)


@pytest.mark.parametrize("snr", [20.0, 0.0])
def test_noise_has_the_ratio_it_claims(snr: float, tone: np.ndarray) -> None:
    noise = add_noise(tone, snr, SEED).astype(float) - tone
    assert 10 * np.log10(np.mean(tone**2) / np.mean(noise**2)) == pytest.approx(snr, abs=0.01)
    assert not np.array_equal(add_noise(tone, snr, "11" * 16), add_noise(tone, snr, SEED))


def test_telephone_keeps_its_band_only(tone: np.ndarray) -> None:
    spectrum = np.abs(np.fft.rfft(Distortion("telephone", 3400).apply(tone, RATE, SEED)))
    assert spectrum[1000] > 100
    assert spectrum[100] + spectrum[6000] < 1e-2


def test_silence_and_single_samples_stay() -> None:
    assert not add_noise(np.zeros(100, np.float32), 10, SEED).any()
    assert add_noise(np.ones(1, np.float32), 10, SEED).tolist() == [1.0]
