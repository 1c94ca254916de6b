"""Load the samples of an utterance: decode, cut to its segment, mix to one channel, resample, scale to one loudness."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lora.data.audio.blocks import TooLongError, blocks, open_stream, skip
from lora.data.audio.headers import MISSING_SHARE, header_problem, plain_seconds
from lora.data.audio.library_errors import reason_of
from lora.data.audio.limits import HIGHEST_PEAK, MOST_FRAMES, UNKNOWN_FRAMES, rate_problem
from lora.data.audio.ogg import opus_seconds
from lora.data.audio.promised_length import missing_share
from lora.data.audio.unread_parts import unread_flac, unread_part
from lora.data.existing_files import exists, is_file
from lora.records.base import UserError
from lora.records.manifests import Utterance

if TYPE_CHECKING:
    import soundfile

MPEG_DELAY = 2304  # samples, two frames: what encoder and decoder add, which some headers count
Samples = npt.NDArray[np.float32]


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

        if len(samples) / rate * sampling_rate > MOST_FRAMES:
            raise UserError(f"row {row.id}: more than {MOST_FRAMES} samples at {sampling_rate} Hz; cut the recording")
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
    try:
        samples, rate = _decoded(row, Path(folder))
    except (UserError, MemoryError):
        raise
    except TooLongError as error:
        raise UserError(f"row {row.id}: {row.audio}: {error}") from None
    except Exception as error:  # whatever a damaged file leads to costs this row only
        raise UserError(f"row {row.id}: cannot read audio {row.audio}: {reason_of(error)}") from None
    where = row.audio or "its inline samples"
    if samples.size == 0:
        raise UserError(f"row {row.id}: no audio samples in {where}; correct the row's offset or replace the file")
    if not np.isfinite(samples).all():
        raise UserError(f"row {row.id}: {where} contains samples that are NaN or infinite; replace the file")
    if (peak := max(samples.max(), -samples.min())) > HIGHEST_PEAK:
        raise UserError(
            f"row {row.id}: {where}: the peak is {peak:g}; expected samples from -1 to 1; divide those of 16-bit "
            "integers by 32768"
        )
    return samples, rate


def samples_hash(samples: Samples) -> str:
    """First 32 hex digits of the SHA-256 of little-endian float32 samples."""
    return hashlib.sha256(np.ascontiguousarray(samples, dtype="<f4").tobytes()).hexdigest()[:32]


def _decoded(row: Utterance, folder: Path) -> tuple[Samples, int]:
    if row.samples is not None:
        if row.sampling_rate is None:
            raise UserError(f"row {row.id}: inline samples without sampling_rate")
        if (problem := rate_problem(row.sampling_rate)) is not None:
            raise UserError(f"row {row.id}: {problem}; correct sampling_rate")
        start, stop = _segment(row, row.sampling_rate)
        return np.asarray(row.samples, dtype=np.float32)[start:stop], row.sampling_rate
    if row.audio is None:
        raise UserError(f"row {row.id}: neither audio nor samples")
    path = folder / row.audio
    if not exists(path):  # libsndfile calls it a system error
        raise UserError(f"row {row.id}: {row.audio}: no such file; restore it, or correct the manifest")
    if not is_file(path):
        raise UserError(f"row {row.id}: {row.audio} is not a file but a pipe, device or folder; name an audio file")
    return _read_file(row, path)


def _read_file(row: Utterance, path: Path) -> tuple[Samples, int]:
    import soundfile

    with soundfile.SoundFile(path) as file:
        rate, frames = file.samplerate, file.frames
        if (problem := header_problem(path, file)) is not None:
            raise UserError(f"row {row.id}: {row.audio}: {problem}; replace the file or remove the row")
        unread = unread_part(str(path), frames, whole=row.offset is None)
        if unread is None and row.offset is None:
            unread = unread_flac(str(path))
        if unread is not None:
            raise UserError(f"row {row.id}: {row.audio}: {unread}")
        delay = MPEG_DELAY if file.subtype.startswith("MPEG") else 0
        if frames < UNKNOWN_FRAMES:
            samples = _segment_of(file, row)
    if frames >= UNKNOWN_FRAMES:
        with open_stream(path) as file:
            return _segment_of(file, row), int(rate)
    if row.offset is None:
        promised = frames / (1 - missing) if (missing := missing_share(str(path))) < 1 else frames
        # Of an Ogg file with damaged pages, libsndfile counts the others only.
        promised = max(promised, (plain_seconds(str(path)) or opus_seconds(str(path)) or 0.0) * rate)
        if len(samples) < (1 - MISSING_SHARE) * promised - delay:
            raise UserError(
                f"row {row.id}: {row.audio} is damaged: its header says {promised / rate:.2f} s, "
                f"{len(samples) / rate:.2f} s can be read; replace the file or remove the row"
            )
    return samples, int(rate)


def _segment_of(file: soundfile.SoundFile, row: Utterance) -> Samples:
    """The row's mono samples of an open file."""
    start, stop = _segment(row, file.samplerate)
    if start and file.seekable():
        file.seek(min(start, file.frames))
    elif start:
        skip(file, start)
    read = [_mono(row, block) for block in blocks(file, None if stop is None else stop - start)]
    return np.concatenate(read) if read else np.zeros(0, np.float32)


def _mono(row: Utterance, frames: Samples) -> Samples:
    """The row's channel of `frames`, shape (n, channels), or the mean of all channels; shape (n,)."""
    if row.channel is not None and row.channel >= frames.shape[1]:
        raise UserError(
            f"row {row.id}: channel is {row.channel} (counted from 0), but {row.audio} has {frames.shape[1]} channels; "
            "correct the manifest's channel"
        )
    selected = frames if row.channel is None else frames[:, row.channel : row.channel + 1]
    with np.errstate(over="ignore", invalid="ignore"):  # samples that are not finite are an error of the row
        mixed: Samples = selected.mean(axis=1, dtype=np.float32)
    return mixed


def _segment(row: Utterance, rate: int) -> tuple[int, int | None]:
    if row.offset is None:
        return 0, None
    start = round(row.offset * rate)
    return start, start + max(1, round(row.duration * rate))
