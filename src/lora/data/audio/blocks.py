"""Read a sound file block by block: memory depends on what the file contains, not on its header."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lora.data.audio.limits import LONGEST, MOST_FRAMES

if TYPE_CHECKING:
    import soundfile

BLOCK = 2**20  # frames
Frames = npt.NDArray[np.float32]


class TooLongError(Exception):
    """More audio than can be decoded at once."""


def blocks(file: soundfile.SoundFile, frames: int | None) -> Iterator[Frames]:
    """Blocks of at most `frames` frames from the present position (None: up to the end), shape (n, channels).

    Raises:
        TooLongError: beyond the most that is decoded at once.
    """
    read = 0
    while frames is None or read < frames:
        wanted = BLOCK if frames is None else min(BLOCK, frames - read)
        block = file.read(wanted, dtype="float32", always_2d=True)
        read += len(block)
        if read > MOST_FRAMES:
            raise TooLongError(f"more than {MOST_FRAMES} samples in one row; cut the recording into utterances")
        yield block
        if len(block) < wanted:
            return


def open_stream(path: Path | str) -> soundfile.SoundFile:
    """Open a file whose header does not say its length: it is read from the start, because nobody can seek in it."""
    import soundfile

    class Stream(soundfile.SoundFile):
        def seekable(self) -> bool:
            return False

    return Stream(path)


def skip(file: soundfile.SoundFile, frames: int) -> None:
    """Read up to a position in a file in which nobody can seek."""
    for _ in blocks(file, frames):
        pass


def counted_seconds(path: Path | str) -> float:
    """Duration in seconds of a file whose header does not say it, by decoding it."""
    frames = 0
    with open_stream(path) as file:
        while len(block := file.read(BLOCK, dtype="float32", always_2d=True)):
            frames += len(block)
            if frames > LONGEST * file.samplerate:
                raise TooLongError("no end of the audio is in sight")
        return float(frames / file.samplerate)
