"""Deterministic distortions that make a saturated manifest harder: noise, reverberation, telephone band, speed.

They keep texts and speakers, so the same rows can be scored again; they are a proposal for where to look, no substitute
for a harder manifest of the target domain. The same samples give the same result in every run: what is random is seeded
by their hash. Levels are whole numbers, so that a version's label is a manifest's name.
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
    """`noise`: level is the signal-to-noise ratio in dB. `telephone`: the upper edge of the band in Hz.

    `reverb`: the time in which sound decays by 60 dB (RT60), in ms. `speed`: the tempo in per cent of the original.
    """

    name: str
    level: float

    @property
    def label(self) -> str:
        return f"{self.name}-{self.level:g}"

    def length(self, samples: int) -> int:
        """Samples after the distortion; only speed changes their number, and never to none."""
        return max(1, round(100 * samples / self.level)) if self.name == "speed" else samples

    def apply(self, samples: Samples, sampling_rate: int, seed: str) -> Samples:
        """Distorted samples; `seed` is a hexadecimal hash. Scaling in scales the result alike."""
        if self.name == "noise":
            return add_noise(samples, self.level, seed)
        if self.name == "reverb":
            return reverberate(samples, sampling_rate, self.level / 1000, seed)
        if self.name == "speed":
            return resample(samples, self.level / 100, self.length(samples.size))
        return band_pass(samples, sampling_rate, TELEPHONE_LOW, self.level)


# Mildest first within each kind; what is mildest for a model is measured.
GRADES = (
    Distortion("telephone", 3400),
    *(Distortion("noise", level) for level in (20, 15, 10, 5, 0)),
    *(Distortion("reverb", level) for level in (200, 400, 700, 1200)),
    *(Distortion("speed", level) for level in (115, 130, 150)),
)


def distortion_by_label(label: str) -> Distortion | None:
    """The graded distortion that a label names, null for any other text."""
    return next((grade for grade in GRADES if grade.label == label), None)


def add_noise(samples: Samples, snr_db: float, seed: str) -> Samples:
    """Pink noise (power falling as 1/f, as in rooms and streets) at a ratio to the whole utterance's power."""
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
    """A synthetic room: direct sound, and exponentially decaying Gaussian noise behind it.

    Polack's statistical model of late reverberation (1988), with `rt60` seconds. As in a diffuse field at one distance,
    the energy of the noise grows with RT60; at 1 s it is that of the direct sound. The direct sound keeps its place,
    what rings on behind the end is cut, and the power is that of the dry samples.
    """
    power, length = _power(samples), samples.size
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
    """Faster speech by resampling, which raises pitch and tempo alike (Ko et al. 2015), of exactly `length` samples."""
    import soxr

    faster = soxr.resample(samples, speed, 1.0)[:length]
    return np.asarray(np.pad(faster, (0, length - faster.size)), dtype=np.float32)


def band_pass(samples: Samples, sampling_rate: int, low: float, high: float) -> Samples:
    """Nothing below `low` and above `high` Hz."""
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(samples.size, 1 / sampling_rate)
    spectrum[(frequencies < low) | (frequencies > high)] = 0
    return np.asarray(np.fft.irfft(spectrum, samples.size), dtype=np.float32)


def _power(samples: Samples) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64)))


def _generator(seed: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(int(seed[:16], 16)))
