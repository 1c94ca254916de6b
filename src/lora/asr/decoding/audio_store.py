"""The audio of a run: decoded to be hashed unless its hash is known, kept while memory allows, read ahead beside the
model. Torch-free.

Hashes are of samples before loudness is changed, so that an utterance is the same utterance under any preprocessing.
A distorted utterance is known by the hash of the clean one and the name of the distortion.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lora.asr.decoding.padding import Samples
from lora.asr.recipe import RECIPE
from lora.data.audio.distortions import Distortion
from lora.data.audio.loading import at_loudness, load_audio, samples_hash
from lora.provenance.hashes import content_hash
from lora.provenance.versions import version
from lora.records.manifests import Utterance

MEMORY_BYTES = 512 * 2**20
READERS = 2  # threads that decode and hash: libraries for both work outside the interpreter's lock
DECODERS = ("soundfile", "soxr", "numpy")  # libraries whose versions decide what samples a file gives

Place = tuple[str, float | None, float | None, int | None]


@dataclass(frozen=True)
class Rows:
    """Rows of a manifest, the folder their relative audio paths start from, and what is done to their audio."""

    rows: list[Utterance]
    folder: Path
    distortion: Distortion | None = None


@dataclass(frozen=True)
class _Source:
    """Where the samples of a key come from; `clean` is their hash before any distortion."""

    row: Utterance
    folder: Path
    clean: str
    distortion: Distortion | None


class AudioStore:
    """Audio by key. `sampling_rate` in Hz; `target_rms` scales every utterance, null leaves it as it is.

    `lengths` are samples, by key.
    """

    def __init__(
        self,
        sampling_rate: int,
        target_rms: float | None,
        memory_bytes: int = MEMORY_BYTES,
        known: KnownAudio | None = None,
    ) -> None:
        self.sampling_rate = sampling_rate
        self.target_rms = target_rms
        self.lengths: dict[str, int] = {}
        self._free = memory_bytes
        self._known = known
        self._kept: dict[str, Samples] = {}
        self._sources: dict[str, _Source] = {}
        self._clean: dict[Place, tuple[str, int]] = {}

    def add(self, rows: Rows) -> list[str]:
        """Keys of rows, in their order; each piece of audio is decoded once, however many manifests name it.

        Raises UserError naming row and file where audio cannot be read.
        """
        places = [_place(row, rows.folder) for row in rows.rows]
        clean: dict[int, tuple[str, int]] = {}
        fresh = self._fresh(places)
        with ThreadPoolExecutor(max_workers=READERS) as readers:
            read = readers.map(lambda at: self._read(rows.rows[at], rows.folder), fresh)
            for at, (samples, name, length) in zip(fresh, read, strict=True):
                clean[at] = name, length
                if (place := places[at]) is not None:
                    self._clean[place] = clean[at]
                if samples is not None:
                    self._keep(name, samples)
        if self._known is not None:
            self._known.save()
        return [
            self._key(row, rows, *(clean[at] if place is None else self._clean[place]))
            for at, (row, place) in enumerate(zip(rows.rows, places, strict=True))
        ]

    def retain(self, keys: set[str]) -> None:
        """Forget the samples of all other keys."""
        clean = {self._sources[key].clean for key in keys}
        self._kept = {key: samples for key, samples in self._kept.items() if key in clean}

    def load(self, key: str) -> Samples:
        """Samples, ready for the model: distorted first, then brought to one loudness, as a recording would be."""
        source = self._sources[key]
        samples = self._kept.get(source.clean)
        if samples is None:
            samples = load_audio(source.row, source.folder, self.sampling_rate)
            self._keep(source.clean, samples)
        if source.distortion is not None:
            samples = source.distortion.apply(samples, self.sampling_rate, source.clean)
        return at_loudness(samples, self.target_rms)

    def read_ahead(self, batches: Sequence[list[str]]) -> Iterator[tuple[list[str], list[Samples]]]:
        """Batches with their audio, in order; the next one is read while the caller works on the last."""
        with ThreadPoolExecutor(max_workers=1) as reader:
            following = reader.submit(self._load_all, batches[0]) if batches else None
            for position, keys in enumerate(batches):
                assert following is not None
                audio = following.result()
                if position + 1 < len(batches):
                    following = reader.submit(self._load_all, batches[position + 1])
                yield keys, audio

    def _fresh(self, places: Sequence[Place | None]) -> list[int]:
        """Positions of what has to be decoded: the first of each place that is not known yet."""
        seen: set[Place | None] = set(self._clean)
        fresh = []
        for at, place in enumerate(places):
            if place is None or place not in seen:
                fresh.append(at)
                seen.add(place)
        return fresh

    def _read(self, row: Utterance, folder: Path) -> tuple[Samples | None, str, int]:
        """Samples, their hash and number; no samples where hash and number are known already."""
        stamp = _stamp(row, folder) if self._known is not None else None
        if self._known is not None and (found := self._known.get(stamp)) is not None:
            return None, *found
        samples = load_audio(row, folder, self.sampling_rate)
        name, length = samples_hash(samples), len(samples)
        if self._known is not None:
            self._known.add(stamp, name, length)
        return samples, name, length

    def _keep(self, name: str, samples: Samples) -> None:
        if name not in self._kept and samples.nbytes <= self._free:
            self._kept[name] = samples
            self._free -= samples.nbytes

    def _key(self, row: Utterance, rows: Rows, clean: str, length: int) -> str:
        distortion = rows.distortion
        key = clean if distortion is None else content_hash(clean, distortion.label, str(RECIPE["harden"]))
        self.lengths[key] = length if distortion is None else distortion.length(length)
        self._sources.setdefault(key, _Source(row, rows.folder, clean, distortion))
        return key

    def _load_all(self, keys: list[str]) -> list[Samples]:
        return [self.load(key) for key in keys]


def _stamp(row: Utterance, folder: Path) -> str | None:
    """What tells whether a piece of a file is the one that was decoded before, null for inline samples."""
    place = _place(row, folder)
    return None if place is None else stamp_of(Path(place[0]), *place[1:])


def _place(row: Utterance, folder: Path) -> Place | None:
    """What tells two pieces of audio files apart, null for inline samples."""
    if row.audio is None:
        return None
    return str(folder / row.audio), row.offset, None if row.offset is None else row.duration, row.channel


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
