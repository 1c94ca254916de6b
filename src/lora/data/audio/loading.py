"""Load the samples of an utterance: decode, cut to its segment, mix to one channel, resample, scale to one loudness."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lora.records.base import UserError
from lora.records.manifests import Utterance

Samples = npt.NDArray[np.float32]
MISSING_SHARE = 0.01  # of a file's frames that may be missing, because codecs round the end


def load_audio(
    row: Utterance, folder: Path | str, sampling_rate: int = 16000, target_rms: float | None = None
) -> Samples:
    """Mono float32 samples, shape (n,).

    A row with an `offset` (0 included) is the segment of `duration` seconds from there; a row without one is the whole
    file, whatever duration the manifest gives. Channels are mixed to one, unless the row names its `channel`.

    Args:
        row: the utterance.
        folder: where relative audio paths start.
        sampling_rate: Hz; audio at another rate is resampled with soxr.
        target_rms: root mean square to scale the samples to, by one factor and without clipping; None leaves them.

    Raises:
        UserError: where the audio cannot be read, with row and file.
    """
    samples, rate = decode(row, folder)
    if rate != sampling_rate:
        import soxr

        samples = soxr.resample(samples, rate, sampling_rate)
    return at_loudness(samples, target_rms)


def at_loudness(samples: Samples, target_rms: float | None) -> Samples:
    """Samples scaled to a root mean square; None leaves them as they are, and silence stays silence."""
    if target_rms is not None:
        rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
        if rms > 0:
            samples = samples * np.float32(target_rms / rms)
    return np.ascontiguousarray(samples, dtype=np.float32)


def decode(row: Utterance, folder: Path | str) -> tuple[Samples, int]:
    """Mono float32 samples (at least one) and their sampling rate in Hz, neither resampled nor scaled.

    Raises:
        UserError: where the audio cannot be read, with row and file.
    """
    samples, rate = _decoded(row, Path(folder))
    where = row.audio or "its inline samples"
    if samples.size == 0:
        raise UserError(f"row {row.id}: no audio samples in {where}; correct the row's offset or replace the file")
    if not np.isfinite(samples).all():
        raise UserError(f"row {row.id}: {where} contains samples that are NaN or infinite; replace the file")
    return samples, rate


def samples_hash(samples: Samples) -> str:
    """First 32 hex digits of the SHA-256 of little-endian float32 samples."""
    return hashlib.sha256(np.ascontiguousarray(samples, dtype="<f4").tobytes()).hexdigest()[:32]


def _decoded(row: Utterance, folder: Path) -> tuple[Samples, int]:
    if row.samples is not None:
        if row.sampling_rate is None:
            raise UserError(f"row {row.id}: inline samples without sampling_rate")
        start, stop = _segment(row, row.sampling_rate)
        return np.asarray(row.samples, dtype=np.float32)[start:stop], row.sampling_rate
    if row.audio is None:
        raise UserError(f"row {row.id}: neither audio nor samples")
    import soundfile

    path = folder / row.audio
    try:
        with soundfile.SoundFile(path) as file:
            start, stop = _segment(row, file.samplerate)
            file.seek(min(start, file.frames))
            frames = file.read(-1 if stop is None else stop - start, dtype="float32", always_2d=True)
            if stop is None and len(frames) < (1 - MISSING_SHARE) * file.frames:
                raise UserError(
                    f"row {row.id}: {row.audio} is damaged: its header says {file.frames / file.samplerate:.2f} s, "
                    f"{len(frames) / file.samplerate:.2f} s can be read; replace the file or remove the row"
                )
            return _mono(row, frames), int(file.samplerate)
    except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
        raise UserError(f"row {row.id}: cannot read audio {row.audio}: {_reason(error)}") from None


def _mono(row: Utterance, frames: Samples) -> Samples:
    """The row's channel of `frames`, shape (n, channels), or the mean of all channels; shape (n,)."""
    if row.channel is not None and row.channel >= frames.shape[1]:
        raise UserError(
            f"row {row.id}: channel is {row.channel} (counted from 0), but {row.audio} has {frames.shape[1]} channels; "
            "correct the manifest's channel"
        )
    selected = frames if row.channel is None else frames[:, row.channel : row.channel + 1]
    mixed: Samples = selected.mean(axis=1, dtype=np.float32)
    return mixed


def _reason(error: Exception) -> str:
    """What libsndfile or the system says, without the path that it was given."""
    said = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    return " ".join(str(said).split())


def _segment(row: Utterance, rate: int) -> tuple[int, int | None]:
    if row.offset is None:
        return 0, None
    start = round(row.offset * rate)
    return start, start + max(1, round(row.duration * rate))
