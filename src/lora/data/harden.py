"""Deterministic distortions that make a saturated manifest harder: additive noise at falling SNR, telephone band.

They keep texts and speakers, so the same rows can be scored again; they are a proposal for where to look, no substitute
for a harder manifest of the target domain. The same samples give the same noise in every run, seeded by their hash.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

TELEPHONE_LOW = 300.0  # Hz, the lower edge of a telephone line; the upper one is the level


@dataclass(frozen=True)
class Distortion:
    """`noise`: level is the signal-to-noise ratio in dB. `telephone`: level is the upper edge of the band in Hz."""

    name: str
    level: float

    @property
    def label(self) -> str:
        return f"{self.name}-{self.level:g}"

    def apply(self, samples: Samples, sampling_rate: int, seed: str) -> Samples:
        """Distorted samples of the same length; `seed` is a hexadecimal hash. Scaling in scales the result alike."""
        if self.name == "noise":
            return add_noise(samples, self.level, seed)
        return band_pass(samples, sampling_rate, TELEPHONE_LOW, self.level)


# Mildest first within each kind; what is mildest for a model is measured.
GRADES = (Distortion("telephone", 3400), *(Distortion("noise", level) for level in (20, 15, 10, 5, 0)))


def add_noise(samples: Samples, snr_db: float, seed: str) -> Samples:
    """Pink noise (power falling as 1/f, as in rooms and streets) at a ratio to the whole utterance's power."""
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    if power == 0 or samples.size < 2:
        return samples
    generator = np.random.Generator(np.random.PCG64(int(seed[:16], 16)))
    spectrum = np.fft.rfft(generator.standard_normal(samples.size))
    spectrum[1:] /= np.sqrt(np.arange(1, spectrum.size))
    spectrum[0] = 0
    noise = np.fft.irfft(spectrum, samples.size)
    noise *= np.sqrt(power / 10 ** (snr_db / 10) / np.mean(np.square(noise)))
    return np.asarray(samples + noise, dtype=np.float32)


def band_pass(samples: Samples, sampling_rate: int, low: float, high: float) -> Samples:
    """Nothing below `low` and above `high` Hz."""
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(samples.size, 1 / sampling_rate)
    spectrum[(frequencies < low) | (frequencies > high)] = 0
    return np.asarray(np.fft.irfft(spectrum, samples.size), dtype=np.float32)
