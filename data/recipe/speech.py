"""Speak sentences with espeak-ng, as 16 kHz floats: voices, pauses, joined sentences, noise.

espeak-ng is loaded through ctypes from the wheel `espeakng-loader`; an utterance takes about
5 ms, and the same calls in the same order give the same samples.

Example:
    speaker = Speaker("en-gb-scotland", "f2", pitch=55, pitch_range=45, rate=165)
    samples = Synthesizer().speak("Where is the blue lamp?", speaker)

Reads: the library and voice data inside `espeakng-loader`. Writes: nothing.
Source: espeak-ng's `speak_lib.h` (the numbers of parameters and modes below come from there).
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import espeakng_loader
import numpy as np
import soxr

SAMPLE_RATE = 16_000
GENERAL_ACCENTS = ("en-us", "en", "en-gb-x-rp")
DOMAIN_ACCENTS = ("en-gb-scotland", "en-gb-x-gbcwmd", "en-gb-x-gbclan")
VARIANTS = ("", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "f1", "f2", "f3", "f4", "f5")

_SYNCHRONOUS, _UTF8, _RATE, _PITCH, _RANGE = 2, 1, 1, 3, 4
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


@dataclass(frozen=True)
class Speaker:
    """A fixed voice configuration; two utterances of one `Speaker` differ in text alone."""

    accent: str
    variant: str
    pitch: int
    pitch_range: int
    rate: int

    @property
    def id(self) -> str:
        """A readable name that is unique to the configuration."""
        variant = self.variant or "plain"
        return f"{self.accent}-{variant}-p{self.pitch}-i{self.pitch_range}-r{self.rate}"


def draw_speaker(rng: np.random.Generator, accents: tuple[str, ...], rates: tuple[int, int] = (135, 225)) -> Speaker:
    """A random voice of the given accents; rates are words per minute."""
    return Speaker(
        accent=str(rng.choice(accents)),
        variant=str(rng.choice(VARIANTS)),
        pitch=int(rng.integers(30, 71)),
        pitch_range=int(rng.integers(30, 71)),
        rate=int(rng.integers(rates[0], rates[1] + 1)),
    )


class Synthesizer:
    """One espeak-ng engine (the library keeps global state: use one per process)."""

    def __init__(self) -> None:
        self._chunks: list[np.ndarray] = []
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data_path = espeakng_loader.get_data_path().encode()
        self._native_rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, data_path, 0)
        if self._native_rate <= 0:
            raise RuntimeError("espeak-ng could not be initialised")
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))  # otherwise it seeds itself from the clock
        self._callback = _Callback(self._collect)  # referenced here because the library only keeps a pointer
        self._library.espeak_SetSynthCallback(self._callback)

    def _collect(self, wave, count: int, _events) -> int:
        if count > 0:
            self._chunks.append(np.ctypeslib.as_array(wave, shape=(count,)).copy())
        return 0

    def speak(self, text: str, speaker: Speaker) -> np.ndarray:
        """The text in the speaker's voice at 16 kHz, without silence at either end."""
        name = f"{speaker.accent}+{speaker.variant}" if speaker.variant else speaker.accent
        if self._library.espeak_SetVoiceByName(name.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {name!r}")
        self._library.espeak_SetParameter(_RATE, speaker.rate, 0)
        self._library.espeak_SetParameter(_PITCH, speaker.pitch, 0)
        self._library.espeak_SetParameter(_RANGE, speaker.pitch_range, 0)
        self._chunks.clear()
        encoded = text.encode() + b"\0"
        self._library.espeak_Synth(encoded, len(encoded), 0, 1, 0, _UTF8, None, None)
        native = np.concatenate(self._chunks).astype(np.float32) / 32768
        return trim(soxr.resample(native, self._native_rate, SAMPLE_RATE))


def trim(samples: np.ndarray, threshold: float = 0.003) -> np.ndarray:
    """Samples from the first to the last one louder than the threshold."""
    loud = np.flatnonzero(np.abs(samples) > threshold)
    return samples[loud[0] : loud[-1] + 1] if loud.size else samples


def silence(seconds: float) -> np.ndarray:
    """Digital silence."""
    return np.zeros(round(seconds * SAMPLE_RATE), dtype=np.float32)


def join(rng: np.random.Generator, sentences: list[np.ndarray]) -> np.ndarray:
    """One recording of several sentences: pauses between them, and at both ends down to none."""
    parts = [silence(edge_pause(rng))]
    for index, sentence in enumerate(sentences):
        if index:
            parts.append(silence(rng.uniform(0.1, 0.6)))
        parts.append(sentence)
    parts.append(silence(edge_pause(rng)))
    return np.concatenate(parts)


def edge_pause(rng: np.random.Generator) -> float:
    """Seconds of silence at an end: often none at all, at times almost a second."""
    return 0.0 if rng.random() < 0.35 else float(rng.uniform(0.0, 0.5) + rng.exponential(0.1))


def coloured_noise(rng: np.random.Generator, count: int, exponent: float) -> np.ndarray:
    """Noise of unit power whose spectrum falls as 1/f**exponent (0 white, 1 pink, 2 brown)."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequency = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    # Below 60 Hz a falling spectrum would have all its power where there is no speech.
    spectrum *= np.maximum(frequency, 60.0) ** (-exponent / 2)
    noise = np.fft.irfft(spectrum, count)
    return (noise / noise.std()).astype(np.float32)


def add_noise(samples: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Speech plus noise of unit power at a signal-to-noise ratio measured on the speech alone."""
    speech = samples[np.abs(samples) > 1e-4]
    power = float(np.mean(speech**2)) if speech.size else 1e-4
    mixed = samples + noise[: samples.size] * np.sqrt(power / 10 ** (snr_db / 10))
    peak = float(np.abs(mixed).max())
    return (mixed / peak * 0.95 if peak > 0.95 else mixed).astype(np.float32)
