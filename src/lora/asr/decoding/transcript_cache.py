"""Cache of hypotheses: `work/transcripts/<fingerprint>/**/cache.jsonl`, one utterance per line. Torch-free.

The fingerprint covers everything that can change a hypothesis (`lora.asr.decoding.run_settings`); the key of a line is
the hash of the samples. One new row therefore costs one decode, a killed job resumes at the utterance it had reached,
and a manifest can be renamed, shortened or reordered without decoding anything. A file is only appended to; an
incomplete line after a kill is ignored. Lines have a checksum: a damaged one costs its utterance. Earlier versions
wrote none. Each shard of a run appends to a file of its own, below `shards/`; everyone reads all files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lora.asr.decoding.shards import Shard
from lora.asr.work_lock import locked
from lora.data.existing_files import is_optional_file
from lora.provenance.hashes import checksum

FIELDS = {"key", "hypothesis", "truncated"}  # of a line, next to its checksum


@dataclass(frozen=True)
class Hypothesis:
    """Raw text of the model for an utterance, and whether the token limit truncated it."""

    text: str
    truncated: bool

    def checksum(self, key: str) -> str:
        """Of the line that has this hypothesis."""
        return checksum(key, self.text, str(self.truncated))


class TranscriptCache:
    """Hypotheses by audio hash. Open it with `open_cache`, which locks the folder of its file while it is in use.

    Args:
        path: File that new hypotheses are appended to.
        others: Files that are only read.
    """

    def __init__(self, path: Path, others: Iterable[Path] = ()) -> None:
        self.path = path
        self._hypotheses: dict[str, Hypothesis] = {}
        for other in filter(is_optional_file, others):
            self._read(other.read_bytes())
        # bytes up to the last complete line
        self._end = self._read(path.read_bytes()) if is_optional_file(path) else 0

    def __contains__(self, key: str) -> bool:
        return key in self._hypotheses

    def __getitem__(self, key: str) -> Hypothesis:
        return self._hypotheses[key]

    def __len__(self) -> int:
        return len(self._hypotheses)

    def add(self, hypotheses: Iterable[tuple[str, Hypothesis]]) -> None:
        """Append a batch of (key, hypothesis) and flush it to disk."""
        hypotheses = list(hypotheses)
        data = "".join(f"{_line(key, item)}\n" for key, item in hypotheses).encode()
        with self.path.open("r+b" if self.path.exists() else "w+b") as file:
            file.truncate(self._end)
            file.seek(self._end)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self._end += len(data)
        self._hypotheses.update(hypotheses)

    def _read(self, data: bytes) -> int:
        """Add the hypotheses of a file; returns the number of bytes of its complete lines."""
        *complete, _ = data.split(b"\n")  # what follows the last line end is incomplete: the next batch overwrites it
        self._hypotheses.update(filter(None, map(_entry, complete)))
        return sum(len(line) + 1 for line in complete)


def _line(key: str, item: Hypothesis) -> str:
    entry = {"key": key, "hypothesis": item.text, "truncated": item.truncated, "checksum": item.checksum(key)}
    return json.dumps(entry, ensure_ascii=False)


def _entry(line: bytes) -> tuple[str, Hypothesis] | None:
    """Key and hypothesis of a line; None for a damaged one."""
    try:
        entry = json.loads(line)
        key, hypothesis = str(entry["key"]), Hypothesis(str(entry["hypothesis"]), bool(entry["truncated"]))
        expected = hypothesis.checksum(key)
        whole = entry.pop("checksum", expected) == expected and entry.keys() == FIELDS
        return (key, hypothesis) if whole else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


@contextmanager
def open_cache(work_dir: Path | str, fingerprint: str, shard: Shard | None = None) -> Iterator[TranscriptCache]:
    """Open and lock the cache of a fingerprint, or of a shard. A second process waits and then finds all done."""
    root = Path(work_dir) / "transcripts" / fingerprint
    folder = root if shard is None else root / "shards" / shard.name
    with locked(folder):
        path = folder / "cache.jsonl"
        yield TranscriptCache(path, (other for other in sorted(root.glob("**/cache.jsonl")) if other != path))
