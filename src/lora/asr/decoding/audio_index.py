"""What audio files were found to hold: hash and length of their samples, by path, size and time of their last change.

So of a manifest of 10,000 rows with one new row a run decodes one file to know them all by their samples. A replaced
file has another time of change and is decoded again. Torch-free.
Reads and writes: `work/audio/<sampling rate and versions of what decodes>.jsonl`, only ever appended to.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from lora.provenance.hashes import content_hash
from lora.provenance.versions import version

DECODERS = ("soundfile", "soxr", "numpy")


class KnownAudio:
    """Looked up by `stamp`; what is added lies on disk after `save`."""

    def __init__(self, work_dir: Path | str, sampling_rate: int) -> None:
        name = content_hash(str(sampling_rate), *(f"{decoder} {version(decoder)}" for decoder in DECODERS))
        self._path = Path(work_dir) / "audio" / f"{name}.jsonl"
        self._found: dict[str, tuple[str, int]] = {}
        self._new: dict[str, tuple[str, int]] = {}
        if self._path.is_file():
            for line in self._path.read_text(encoding="utf-8", errors="replace").split("\n"):
                self._read(line)

    def get(self, stamp: str | None) -> tuple[str, int] | None:
        """Hash and number of samples."""
        return None if stamp is None else self._found.get(stamp)

    def add(self, stamp: str | None, samples_hash: str, length: int) -> None:
        if stamp is not None:
            self._found[stamp] = self._new[stamp] = samples_hash, length

    def save(self) -> None:
        """Append what is new, in one write: processes may save at the same time."""
        if not self._new:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps([stamp, *found], ensure_ascii=False) for stamp, found in self._new.items()]
        with self._path.open("ab") as file:
            file.write("\n".join(["", *lines, ""]).encode())  # a line that a kill cut off ends before these
        self._new = {}

    def _read(self, line: str) -> None:
        try:
            stamp, samples_hash, length = json.loads(line)
        except (ValueError, TypeError):
            return  # blank, or cut off by a kill
        self._found[str(stamp)] = str(samples_hash), int(length)


def stamp_of(path: Path, *piece: float | None) -> str | None:
    """Names a piece of a file in its present state; null where there is no such file."""
    try:
        state = path.stat()
    except OSError:
        return None
    return json.dumps([os.path.abspath(path), state.st_size, state.st_mtime_ns, *piece])  # noqa: PTH100
