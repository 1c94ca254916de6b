"""What numbers of audio headers and manifests can be, checked before anything is computed from them."""

from __future__ import annotations

LOWEST_RATE, HIGHEST_RATE = 1000, 768_000  # Hz; below, nothing of speech is left
LONGEST = 10_000_000.0  # seconds, 115 days
# Silence in FLAC is the densest audio: 65,535 samples in a frame of 14 bytes.
FRAMES_PER_BYTE = 5000
# What a short file may claim at most, and each byte above that.
SECONDS_OF_ANY_FILE, SECONDS_PER_BYTE = 3600.0, 1.0
MOST_FRAMES = 2**30  # decoded at once: 4 GiB of samples, 18 hours at 16 kHz
HIGHEST_PEAK = 100.0  # of samples from -1 to 1; 40 dB over full scale they are integers that were stored as floats
UNKNOWN_FRAMES = 2**62  # from here libsndfile says that the header has no length


def rate_problem(rate: float) -> str | None:
    """What is wrong with a sampling rate in Hz; None for a usable one."""
    if LOWEST_RATE <= rate <= HIGHEST_RATE:
        return None
    return f"sampling rate is {rate:g} Hz; expected {LOWEST_RATE} to {HIGHEST_RATE}"


def frames_problem(frames: int, size: int) -> str | None:
    """What is wrong with the frames that a header claims for a file of `size` bytes; None for a possible number."""
    if frames <= FRAMES_PER_BYTE * size or frames >= UNKNOWN_FRAMES:
        return None
    return f"its header says {frames} samples, which cannot be in a file of {size} bytes"


def seconds_problem(field: str, seconds: float, size: int | None = None) -> str | None:
    """What is wrong with a time of a manifest, in an audio file of `size` bytes; None for a possible one."""
    if seconds > LONGEST:
        return f"{field} is {seconds:g} s; expected at most {LONGEST:.0f} s"
    if size is not None and seconds > SECONDS_OF_ANY_FILE + SECONDS_PER_BYTE * size:
        return f"{field} is {seconds:g} s, which cannot be in a file of {size} bytes"
    return None
