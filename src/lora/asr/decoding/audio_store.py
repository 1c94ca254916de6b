"""The audio of a run: hashed, kept in memory as long as it fits, and read ahead while the model decodes. Torch-free.

Hashes are of the samples before loudness is changed, so that an utterance has the same hash with any preprocessing. The
key of a distorted utterance is derived from the hash of the clean one and the label of the distortion.

`AudioIndex` remembers the hashes of files, so that of a manifest of 10,000 rows with one new row a run decodes one file
to know the hashes of all.
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
from lora.data.existing_files import is_optional_file
from lora.provenance.hashes import checksum, content_hash
from lora.provenance.versions import version
from lora.records.base import UserError
from lora.records.manifests import Utterance

MEMORY_BYTES = 512 * 2**20
READERS = 2  # threads that decode and hash: the libraries for both release the interpreter's lock
DECODERS = ("soundfile", "soxr", "numpy")  # packages whose versions decide which samples a file gives

Segment = tuple[str, float | None, float | None, int | None]  # path, offset, duration, channel


@dataclass(frozen=True)
class Rows:
    """Rows of a manifest, the folder that relative audio paths start from, and a distortion of their audio."""

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
    """Audio by key.

    Attributes:
        sampling_rate: In Hz.
        target_rms: Loudness that every utterance is scaled to, None to leave it unchanged.
        lengths: Number of samples by key.
    """

    def __init__(
        self,
        sampling_rate: int,
        target_rms: float | None,
        memory_bytes: int = MEMORY_BYTES,
        index: AudioIndex | None = None,
    ) -> None:
        self.sampling_rate = sampling_rate
        self.target_rms = target_rms
        self.lengths: dict[str, int] = {}
        self._free_bytes = memory_bytes
        self._index = index
        self._samples: dict[str, Samples] = {}  # by hash of the clean samples
        self._sources: dict[str, _Source] = {}
        self._clean: dict[Segment, tuple[str, int]] = {}  # hash and number of the clean samples

    def add(self, rows: Rows) -> list[str]:
        """Keys of rows, in their order. Each segment is decoded once, even if several manifests contain it.

        Raises:
            UserError: Audio cannot be read; names row and file.
        """
        segments = [_segment(row, rows.folder) for row in rows.rows]
        clean: dict[int, tuple[str, int]] = {}
        new = self._new(segments)
        with ThreadPoolExecutor(max_workers=READERS) as readers:
            results = readers.map(lambda position: self._read(rows.rows[position], rows.folder), new)
            for position, (samples, sha, length) in zip(new, results, strict=True):
                clean[position] = sha, length
                segment = segments[position]
                if segment is not None:
                    self._clean[segment] = clean[position]
                if samples is not None:
                    self._keep(sha, samples)
        if self._index is not None:
            self._index.save()
        return [
            self._key(row, rows, *(clean[position] if segment is None else self._clean[segment]))
            for position, (row, segment) in enumerate(zip(rows.rows, segments, strict=True))
        ]

    def keep_only(self, keys: set[str]) -> None:
        """Drop the samples of all other keys from memory."""
        clean = {self._sources[key].clean for key in keys}
        self._samples = {sha: samples for sha, samples in self._samples.items() if sha in clean}

    def load(self, key: str) -> Samples:
        """Samples for the model: first distorted, then scaled to `target_rms`, as a real recording would be.

        Raises:
            UserError: A file contains other samples than those of the key: somebody replaced it.
        """
        source = self._sources[key]
        samples = self._samples.get(source.clean)
        if samples is None:
            samples = load_audio(source.row, source.folder, self.sampling_rate)
            if samples_hash(samples) != source.clean:
                raise _replaced(source.row)
            self._keep(source.clean, samples)
        if source.distortion is not None:
            samples = source.distortion.apply(samples, self.sampling_rate, source.clean)
        return at_loudness(samples, self.target_rms)

    def read_ahead(self, batches: Sequence[list[str]]) -> Iterator[tuple[list[str], list[Samples]]]:
        """Batches of keys with their audio, in order; reads the next one while the caller processes the current one."""
        with ThreadPoolExecutor(max_workers=1) as reader:
            following = reader.submit(self._load_all, batches[0]) if batches else None
            for position, keys in enumerate(batches):
                assert following is not None
                audio = following.result()
                if position + 1 < len(batches):
                    following = reader.submit(self._load_all, batches[position + 1])
                yield keys, audio

    def _new(self, segments: Sequence[Segment | None]) -> list[int]:
        """Positions of the rows to read: the first of each segment that is not known yet, and all inline samples."""
        seen: set[Segment | None] = set(self._clean)
        new = []
        for position, segment in enumerate(segments):
            if segment is None or segment not in seen:
                new.append(position)
                seen.add(segment)
        return new

    def _read(self, row: Utterance, folder: Path) -> tuple[Samples | None, str, int]:
        """Samples (None if the index has their hash), their hash and their number."""
        stamp = _stamp(row, folder) if self._index is not None else None
        if self._index is not None:
            indexed = self._index.get(stamp)
            if indexed is not None:
                return None, *indexed
        samples = load_audio(row, folder, self.sampling_rate)
        sha = samples_hash(samples)
        if self._index is not None:
            self._index.add(stamp, sha, len(samples))
        return samples, sha, len(samples)

    def _keep(self, sha: str, samples: Samples) -> None:
        if sha not in self._samples and samples.nbytes <= self._free_bytes:
            self._samples[sha] = samples
            self._free_bytes -= samples.nbytes

    def _key(self, row: Utterance, rows: Rows, clean: str, length: int) -> str:
        distortion = rows.distortion
        key = clean if distortion is None else content_hash(clean, distortion.label, str(RECIPE["harden"]))
        self.lengths[key] = length if distortion is None else distortion.length(length)
        self._sources.setdefault(key, _Source(row, rows.folder, clean, distortion))
        return key

    def _load_all(self, keys: list[str]) -> list[Samples]:
        return [self.load(key) for key in keys]


def _replaced(row: Utterance) -> UserError:
    return UserError(
        f"row {row.id}: {row.audio} has other samples than when it was read first. Run the same command again when "
        f"nobody replaces it. If that does not help, its time is as before: touch {row.audio}"
    )


def _segment(row: Utterance, folder: Path) -> Segment | None:
    """The part of an audio file that a row uses, None for inline samples."""
    if row.audio is None:
        return None
    return str(folder / row.audio), row.offset, None if row.offset is None else row.duration, row.channel


def _stamp(row: Utterance, folder: Path) -> str | None:
    segment = _segment(row, folder)
    return None if segment is None else stamp_of(Path(segment[0]), *segment[1:])


class AudioIndex:
    """Hash and number of samples of segments of audio files, by path, size and time of the file's last change.

    Reads and appends to `work/audio/<sampling rate and versions of decoders>.jsonl`. A damaged line costs reading its
    segment again: lines have a checksum (those of earlier versions have none).
    """

    def __init__(self, work_dir: Path | str, sampling_rate: int) -> None:
        name = content_hash(str(sampling_rate), *(f"{decoder} {version(decoder)}" for decoder in DECODERS))
        self._path = Path(work_dir) / "audio" / f"{name}.jsonl"
        self._entries: dict[str, tuple[str, int]] = {}
        self._new: dict[str, tuple[str, int]] = {}
        if is_optional_file(self._path):
            for line in self._path.read_text(encoding="utf-8", errors="replace").split("\n"):
                self._read(line)

    def get(self, stamp: str | None) -> tuple[str, int] | None:
        """Hash and number of samples, None if unknown."""
        return None if stamp is None else self._entries.get(stamp)

    def add(self, stamp: str | None, sha: str, length: int) -> None:
        """Add an entry; `save` writes it to disk."""
        if stamp is not None:
            self._entries[stamp] = self._new[stamp] = sha, length

    def save(self) -> None:
        """Append all new entries in a single write, because other processes may append at the same time."""
        if not self._new:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lines = [
            json.dumps([stamp, sha, length, checksum(stamp, sha, str(length))], ensure_ascii=False)
            for stamp, (sha, length) in self._new.items()
        ]
        with self._path.open("ab") as file:
            file.write("\n".join(["", *lines, ""]).encode())  # the first line break ends a line that a kill cut off
        self._new = {}

    def _read(self, line: str) -> None:
        try:
            stamp, sha, length, *written = json.loads(line)
            stamp, sha, length = str(stamp), str(sha), int(length)
            if written in ([], [checksum(stamp, sha, str(length))]):
                self._entries[stamp] = sha, length
        except (ValueError, TypeError, OverflowError, RecursionError):
            return  # empty, cut off by a kill, or damaged


def stamp_of(path: Path, *segment: float | None) -> str | None:
    """Identifies a segment of a file in its current state, None if there is no such file."""
    try:
        state = path.stat()
    except OSError:
        return None
    return json.dumps([os.path.abspath(path), state.st_size, state.st_mtime_ns, *segment])  # noqa: PTH100
