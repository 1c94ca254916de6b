"""Match names of hypotheses to rows by id, file name, or speaker and id, then by the same without case."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from lora.data.transcripts.columns import with_speaker
from lora.records.manifests import Utterance

AUDIO = {
    *(".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".sph", ".aac", ".aif", ".aiff", ".amr", ".au", ".caf"),
    *(".w64", ".wma", ".webm", ".mka", ".mp4"),
}


@dataclass(frozen=True)
class Target:
    """A row that a hypothesis may belong to, with the names under which it may appear.

    Attributes:
        id: of the row.
        row: None for a row that cannot be used, of which no more than the id is known.
    """

    id: str
    row: Utterance | None = None

    @cached_property
    def stems(self) -> tuple[str, ...]:
        """Names of its file; a segment of a recording may also appear as `name#offset-duration`."""
        names = [stem(self.id)]
        if self.row is not None and self.row.audio is not None:
            names.append(stem(self.row.audio))
            if self.row.offset is not None:
                names.append(f"{stem(self.row.audio)}#{self.row.offset:g}-{self.row.duration:g}")
        return tuple(dict.fromkeys(names))

    @cached_property
    def spoken(self) -> tuple[str, ...]:
        """Its id, or the name of its file, with the speaker in front."""
        if self.row is None or not self.row.speaker_id:
            return ()
        speaker = self.row.speaker_id
        return tuple(name for one in dict.fromkeys((self.id, *self.stems)) for name in with_speaker(speaker, one))


@dataclass
class Matching:
    """By row id, the position of its hypothesis and the way of matching; the positions of all other hypotheses."""

    rows: dict[str, int] = field(default_factory=dict)
    how: dict[str, str] = field(default_factory=dict)
    ambiguous: list[int] = field(default_factory=list)
    unmatched: list[int] = field(default_factory=list)


def stem(name: str) -> str:
    """The file name without folders and without the suffix of an audio file; other dots belong to the name.

    Letters are composed (Unicode NFC): macOS names files with decomposed ones.
    """
    path, hash_mark, piece = name.replace("\\", "/").partition("#")
    last = PurePosixPath(path)
    bare = last.stem if last.suffix.lower() in AUDIO else last.name
    return unicodedata.normalize("NFC", f"{bare}{hash_mark}{piece}")


def match(names: Sequence[tuple[str, ...]], targets: Sequence[Target]) -> Matching:
    """Match every hypothesis, given its names (most specific first), to at most one row.

    Tries `id`, then `file name`, then `speaker and id`, then these without case.
    """
    ways: list[tuple[str, Callable[[str], str], Callable[[Target], Iterable[str]]]] = [
        ("id", str, lambda t: (t.id,)),
        ("file name", stem, lambda t: t.stems),
        ("speaker and id", str, lambda t: t.spoken),
        ("id without case", str.casefold, lambda t: (t.id.casefold(),)),
        ("file name without case", lambda n: stem(n).casefold(), lambda t: (s.casefold() for s in t.stems)),
        ("speaker and id without case", str.casefold, lambda t: (s.casefold() for s in t.spoken)),
    ]
    matching = Matching()
    remaining = list(range(len(names)))
    for way, key, keys in ways:
        if not remaining:
            break
        index: dict[str, str | None] = {}  # row ids by name; None where several rows have it
        for one in targets:
            for name in keys(one):
                index[name] = one.id if index.get(name, one.id) == one.id else None
        claims: dict[str, list[int]] = {}
        unmatched: list[int] = []
        for position in remaining:
            for name in names[position]:
                known = key(name)
                if known in index:
                    break
            else:
                unmatched.append(position)
                continue
            row = index[known]
            if row is None:
                matching.ambiguous.append(position)
            else:
                claims.setdefault(row, []).append(position)
        for row, positions in claims.items():
            if row in matching.rows or len(positions) > 1:
                matching.ambiguous += positions
            else:
                matching.rows[row] = positions[0]
                matching.how[row] = way
        remaining = unmatched
    matching.unmatched = remaining
    matching.ambiguous.sort()
    return matching
