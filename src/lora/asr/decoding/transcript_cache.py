"""Transcripts that outlive a run: `work/transcripts/<fingerprint>/cache.jsonl`, one decoded utterance a line.

The fingerprint names everything that could change a text (`lora.asr.decoding.run_settings`); the key of a line is
the hash of the samples. So one new row costs one decode, a killed job goes on at the utterance, and a
manifest may be renamed, cut or reordered for free. The file is only ever appended to; of a line torn by a
kill nothing is believed. Torch-free, so that a fully cached run never pays for importing torch.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lora.asr.work_lock import locked


@dataclass(frozen=True)
class Heard:
    """What the model said to some samples: raw text, and whether the token cap cut it."""

    hypothesis: str
    truncated: bool


class TranscriptCache:
    """Open it with `opened`, which holds the folder's lock for as long as it is used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._texts: dict[str, Heard] = {}
        self._end = 0  # of the last whole line; anything behind it is torn
        if path.is_file():
            self._read(path.read_bytes())

    def __contains__(self, key: str) -> bool:
        return key in self._texts

    def __getitem__(self, key: str) -> Heard:
        return self._texts[key]

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, texts: Iterable[tuple[str, Heard]]) -> None:
        """Append a batch and force it to disk before it counts as done."""
        texts = list(texts)
        lines = [
            json.dumps({"key": key, "hypothesis": heard.hypothesis, "truncated": heard.truncated}, ensure_ascii=False)
            for key, heard in texts
        ]
        data = "".join(f"{line}\n" for line in lines).encode()
        with self.path.open("r+b" if self.path.exists() else "w+b") as file:
            file.truncate(self._end)
            file.seek(self._end)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self._end += len(data)
        self._texts.update(texts)

    def _read(self, data: bytes) -> None:
        for line in data.splitlines(keepends=True):
            try:
                entry = json.loads(line)
                heard = Heard(str(entry["hypothesis"]), bool(entry["truncated"]))
            except (ValueError, KeyError, TypeError):
                heard = None
            if not line.endswith(b"\n"):
                return  # torn, even where it happens to parse: the next batch is written over it
            self._end += len(line)
            if heard is not None:
                self._texts[str(entry["key"])] = heard


@contextmanager
def opened(work_dir: Path | str, fingerprint: str) -> Iterator[TranscriptCache]:
    """The cache of a fingerprint, locked: a second process with the same settings waits, then finds all done."""
    folder = Path(work_dir) / "transcripts" / fingerprint
    with locked(folder):
        yield TranscriptCache(folder / "cache.jsonl")
