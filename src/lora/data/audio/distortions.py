"""Deterministic distortions that make a saturated manifest harder: noise, reverberation, telephone band, speed.

Texts and speakers stay, so that the same rows can be scored again. A distorted manifest shows where to look and does
not replace a harder manifest of the target domain. Random numbers are seeded by a hash of the samples, so that every
run gives the same result. Levels are whole numbers, so that labels are valid names of manifests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

TELEPHONE_LOW = 300.0  # Hz, the lower edge of a telephone line; the upper one is the level
DECAY = 3 * np.log(10)  # amplitude falls by 60 dB, a thousandth, within RT60


@dataclass(frozen=True)
class Distortion:
    """A kind of distortion and its level.

    Attributes:
        name: noise, reverb, telephone or speed.
        level: noise: signal-to-noise ratio in dB; reverb: time in which sound decays by 60 dB (RT60) in ms;
            telephone: upper edge of the band in Hz; speed: tempo in per cent of the original.
    """

    name: str
    level: float

    @property
    def label(self) -> str:
        return f"{self.name}-{self.level:g}"

    def length(self, samples: int) -> int:
        """Number of samples after the distortion, at least 1; only speed changes it."""
        return max(1, round(100 * samples / self.level)) if self.name == "speed" else samples

    def apply(self, samples: Samples, sampling_rate: int, seed: str) -> Samples:
        """Distorted samples; `seed` is a hexadecimal hash. Scaled input gives output scaled by the same factor."""
        if self.name == "noise":
            return add_noise(samples, self.level, seed)
        if self.name == "reverb":
            return reverberate(samples, sampling_rate, self.level / 1000, seed)
        if self.name == "speed":
            return resample(samples, self.level / 100, self.length(samples.size))
        return band_pass(samples, sampling_rate, TELEPHONE_LOW, self.level)


# Mildest first within each kind; which is mildest for a model has to be measured.
GRADES = (
    Distortion("telephone", 3400),
    *(Distortion("noise", level) for level in (20, 15, 10, 5, 0)),
    *(Distortion("reverb", level) for level in (200, 400, 700, 1200)),
    *(Distortion("speed", level) for level in (115, 130, 150)),
)


def distortion_by_label(label: str) -> Distortion | None:
    """The graded distortion with this label; None for any other text."""
    return next((grade for grade in GRADES if grade.label == label), None)


def add_noise(samples: Samples, snr_db: float, seed: str) -> Samples:
    """Add pink noise (power falls as 1/f, as in rooms and streets) at a ratio to the power of the whole utterance."""
    power = _power(samples)
    if power == 0 or samples.size < 2:
        return samples
    spectrum = np.fft.rfft(_generator(seed).standard_normal(samples.size))
    spectrum[1:] /= np.sqrt(np.arange(1, spectrum.size))
    spectrum[0] = 0
    noise = np.fft.irfft(spectrum, samples.size)
    noise *= np.sqrt(power / 10 ** (snr_db / 10) / np.mean(np.square(noise)))
    return np.asarray(samples + noise, dtype=np.float32)


def reverberate(samples: Samples, sampling_rate: int, rt60: float, seed: str) -> Samples:
    """Add the reverberation of a synthetic room: the direct sound, then exponentially decaying Gaussian noise.

    Polack's statistical model of late reverberation (1988), with `rt60` seconds. As in a diffuse field at a constant
    distance, the energy of the noise grows with RT60; at 1 s it equals that of the direct sound. The direct sound is
    not delayed, reverberation after the end is cut, and the power is that of the dry samples.
    """
    power = _power(samples)
    length = samples.size
    tail = np.arange(1, round(rt60 * sampling_rate) + 1) / sampling_rate
    if power == 0 or tail.size == 0:
        return samples
    response = np.concatenate([[0.0], _generator(seed).standard_normal(tail.size) * np.exp(-DECAY * tail / rt60)])
    response *= np.sqrt(rt60 / np.sum(np.square(response)))
    response[0] = 1.0
    size = 1 << (length + response.size - 1).bit_length()
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(response, size), size)[:length]
    return np.asarray(wet * np.sqrt(power / np.mean(np.square(wet))), dtype=np.float32)


def resample(samples: Samples, speed: float, length: int) -> Samples:
    """Faster speech by resampling, which raises pitch and tempo (Ko et al. 2015), with exactly `length` samples."""
    import soxr

    faster = soxr.resample(samples, speed, 1.0)[:length]
    return np.asarray(np.pad(faster, (0, length - faster.size)), dtype=np.float32)


def band_pass(samples: Samples, sampling_rate: int, low: float, high: float) -> Samples:
    """Remove everything below `low` and above `high` Hz."""
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(samples.size, 1 / sampling_rate)
    spectrum[(frequencies < low) | (frequencies > high)] = 0
    return np.asarray(np.fft.irfft(spectrum, samples.size), dtype=np.float32)


def _power(samples: Samples) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64)))


def _generator(seed: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(int(seed[:16], 16)))
