"""Which row of a manifest a brought hypothesis belongs to: by id, else by a file name that only one row has.

Tools write ids in lower case, or the name of the audio without its folder and ending. A way of matching counts only
where it is unique on both sides; what fits several rows is told, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from lora.records.utterances import Utterance

AUDIO = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".sph", ".aac", ".wma", ".webm", ".mp4"}


@dataclass(frozen=True)
class Target:
    """A row that a hypothesis may belong to, by its id and the file names it goes by."""

    id: str
    stems: tuple[str, ...] = ()


@dataclass
class Matching:
    """By row id the position of its hypothesis and the way it was found; the positions of all other hypotheses."""

    rows: dict[str, int] = field(default_factory=dict)
    how: dict[str, str] = field(default_factory=dict)
    ambiguous: list[int] = field(default_factory=list)
    unmatched: list[int] = field(default_factory=list)


def target(row: Utterance) -> Target:
    """A piece of a recording also goes by `name#offset-duration`."""
    stems = [stem(row.id)]
    if row.audio is not None:
        stems.append(stem(row.audio))
        if row.offset is not None:
            stems.append(f"{stem(row.audio)}#{row.offset:g}-{row.duration:g}")
    return Target(row.id, tuple(dict.fromkeys(stems)))


def stem(name: str) -> str:
    """The file name without folders and the ending of audio; other dots belong to the name."""
    path, hash_mark, piece = name.replace("\\", "/").partition("#")
    last = PurePosixPath(path)
    bare = last.stem if last.suffix.lower() in AUDIO else last.name
    return f"{bare}{hash_mark}{piece}"


def match(names: Sequence[tuple[str, ...]], targets: Sequence[Target]) -> Matching:
    """Every hypothesis, by what it can be found by (the most telling name first), to at most one row.

    The ways are tried one after the other: `id`, `file name`, and both without case.
    """
    ways: list[tuple[str, Callable[[str], str], Callable[[Target], Iterable[str]]]] = [
        ("id", str, lambda t: (t.id,)),
        ("file name", stem, lambda t: t.stems),
        ("id without case", str.casefold, lambda t: (t.id.casefold(),)),
        ("file name without case", lambda n: stem(n).casefold(), lambda t: (s.casefold() for s in t.stems)),
    ]
    matching, left = Matching(), list(range(len(names)))
    for way, key, keys in ways:
        index: dict[str, set[str]] = {}
        for one in targets:
            for name in keys(one):
                index.setdefault(name, set()).add(one.id)
        claims: dict[str, list[int]] = {}
        still = []
        for position in left:
            fitting = next((ids for name in names[position] if (ids := index.get(key(name)))), None)
            if fitting is None:
                still.append(position)
            elif len(fitting) > 1:
                matching.ambiguous.append(position)
            else:
                claims.setdefault(next(iter(fitting)), []).append(position)
        for row, positions in claims.items():
            if row in matching.rows or len(positions) > 1:
                matching.ambiguous += positions
            else:
                matching.rows[row] = positions[0]
                matching.how[row] = way
        left = still
    matching.unmatched = left
    matching.ambiguous.sort()
    return matching
