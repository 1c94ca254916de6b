"""Write WAV files: a full disk is an OSError with the path, as everywhere, and never an error of the row."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt


def write_wav(path: Path, samples: npt.NDArray[np.float32], rate: int, subtype: str) -> None:
    """Write samples, shape (n,) or (n, channels), at `rate` Hz in an encoding of libsndfile."""
    import soundfile

    content = io.BytesIO()
    soundfile.write(content, samples, rate, format="WAV", subtype=subtype)
    path.write_bytes(content.getbuffer())
