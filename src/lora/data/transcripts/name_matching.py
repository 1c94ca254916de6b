"""Match names of hypotheses to rows by id, file name, or speaker and id, then by the same without case."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from lora.data.transcripts.columns import with_speaker
from lora.records.manifests import Utterance

AUDIO = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".sph", ".aac", ".wma", ".webm", ".mp4"}


@dataclass(frozen=True)
class Target:
    """A row that a hypothesis may belong to: its id, and the names under which it may appear.

    Attributes:
        id: of the row.
        stems: names of its file.
        spoken: its id, or the name of its file, with the speaker in front.
    """

    id: str
    stems: tuple[str, ...] = ()
    spoken: tuple[str, ...] = ()


@dataclass
class Matching:
    """By row id, the position of its hypothesis and the way of matching; the positions of all other hypotheses."""

    rows: dict[str, int] = field(default_factory=dict)
    how: dict[str, str] = field(default_factory=dict)
    ambiguous: list[int] = field(default_factory=list)
    unmatched: list[int] = field(default_factory=list)


def target(row: Utterance) -> Target:
    """The target of a row; a segment of a recording may also appear as `name#offset-duration`."""
    stems = [stem(row.id)]
    if row.audio is not None:
        stems.append(stem(row.audio))
        if row.offset is not None:
            stems.append(f"{stem(row.audio)}#{row.offset:g}-{row.duration:g}")
    bare = dict.fromkeys((row.id, *stems))
    spoken = [name for one in bare for name in with_speaker(row.speaker_id, one)] if row.speaker_id else []
    return Target(row.id, tuple(dict.fromkeys(stems)), tuple(spoken))


def stem(name: str) -> str:
    """The file name without folders and without the suffix of an audio file; other dots belong to the name."""
    path, hash_mark, piece = name.replace("\\", "/").partition("#")
    last = PurePosixPath(path)
    bare = last.stem if last.suffix.lower() in AUDIO else last.name
    return f"{bare}{hash_mark}{piece}"


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
        index: dict[str, set[str]] = {}
        for one in targets:
            for name in keys(one):
                index.setdefault(name, set()).add(one.id)
        claims: dict[str, list[int]] = {}
        unmatched: list[int] = []
        for position in remaining:
            fitting = next((ids for name in names[position] if (ids := index.get(key(name)))), None)
            if fitting is None:
                unmatched.append(position)
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
        remaining = unmatched
    matching.unmatched = remaining
    matching.ambiguous.sort()
    return matching
