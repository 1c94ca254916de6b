"""ExternalTranscript hypotheses under the ids of the manifest's rows, and the account of how each of them was matched.

Which row of a manifest a brought hypothesis belongs to: by id, else by a file name that only one row has.

Tools write ids in lower case, or the name of the audio without its folder and ending. A way of matching counts only
where it is unique on both sides; what fits several rows is told, never guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from lora.data.transcripts.columns import ExternalTranscript
from lora.data.transcripts.ctm import Word, of_channel, words_by_time
from lora.data.transcripts.files import TranscriptFile
from lora.records.base import UserError
from lora.records.manifests import Utterance


@dataclass
class Matched:
    """`heard` by row id; `extra` by their own ids: hypotheses that fit no row, or more than one thing."""

    heard: dict[str, ExternalTranscript] = field(default_factory=dict)
    extra: dict[str, ExternalTranscript] = field(default_factory=dict)
    how: dict[str, int] = field(default_factory=dict)
    unmatched: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def match_rows(path: Path, brought: TranscriptFile, rows: Sequence[Utterance], rejected: Sequence[str]) -> Matched:
    """`rejected` are ids of rows that cannot be used. Raises UserError where nothing fits any row."""
    found = Matched(notes=list(brought.notes))
    if brought.format != "ctm":
        _by_name(found, brought.utterances, rows, rejected)
    else:
        by_time, rest = _recordings(brought, rows)
        _by_name(found, [ExternalTranscript((name,), _text(words)) for name, words in rest.items()], rows, rejected)
        _by_time(found, brought, by_time)
        _silent_rows(found, rows)
    given = [*brought.utterances, *brought.words]
    if rows and not given:
        raise UserError(f"{path}: holds no transcript (read as {brought.format})")
    if given and rows and not found.how and not found.rejected:
        theirs = brought.utterances[0].id if brought.utterances else next(iter(brought.words))
        raise UserError(
            f"{path}: none of its {len(given)} {'files' if brought.format == 'ctm' else 'ids'} is a row of the "
            f"manifest: it has {theirs!r} (read as {brought.format}), the manifest has {rows[0].id!r}. Ids are "
            "matched as written, by the name of the audio file, and without case; name the format if it is another one "
            "(`{path: ..., format: trn}`; of a quick comparison `--baseline-format`, `--tuned-format`), or the column "
            "that holds the ids (`columns: {id: ...}`)"
        )
    return found


def _by_name(
    found: Matched, given: Sequence[ExternalTranscript], rows: Sequence[Utterance], rejected: Sequence[str]
) -> None:
    usable = {row.id for row in rows}
    unusable = set(rejected) - usable  # a repeated id belongs to the row that was kept
    targets = [*(target(row) for row in rows), *(Target(name, (stem(name),)) for name in sorted(unusable))]
    matching = match([one.names for one in given], targets)
    for row, position in matching.rows.items():
        if row in unusable:
            found.rejected.append(given[position].id)
        else:
            found.heard[row] = given[position]
            found.how[matching.how[row]] = found.how.get(matching.how[row], 0) + 1
    found.ambiguous += [given[position].id for position in matching.ambiguous]
    found.unmatched += [given[position].id for position in matching.unmatched]
    found.extra |= {given[i].id: given[i] for i in (*matching.ambiguous, *matching.unmatched)}


def _recordings(
    brought: TranscriptFile, rows: Sequence[Utterance]
) -> tuple[dict[str, list[Utterance]], dict[str, list[Word]]]:
    """Files that are recordings of which rows are pieces (by row), and the words of all other files."""
    pieces: dict[str, list[Utterance]] = defaultdict(list)
    for row in rows:
        if row.audio is not None and row.offset is not None:
            pieces[stem(row.audio).casefold()].append(row)
    ids = {row.id for row in rows}
    by_time = {
        name: pieces[key] for name in brought.words if name not in ids and (key := stem(name).casefold()) in pieces
    }
    return by_time, {name: words for name, words in brought.words.items() if name not in by_time}


def _by_time(found: Matched, brought: TranscriptFile, by_time: dict[str, list[Utterance]]) -> None:
    outside: list[tuple[str, Word]] = []
    for name, rows in by_time.items():
        by_channel: dict[int | None, list[Utterance]] = defaultdict(list)
        for row in rows:
            by_channel[row.channel].append(row)
        for channel, pieces in by_channel.items():
            texts, beyond = words_by_time(of_channel(brought.words[name], channel), pieces)
            found.heard |= {row: ExternalTranscript((row,), " ".join(words)) for row, words in texts.items()}
            found.how["time"] = found.how.get("time", 0) + len(texts)
            outside += [(name, word) for word in beyond]
    if outside:
        name, word = outside[0]
        found.notes.append(
            f"{len(outside)} words lie in no row's piece of its recording and were left out, first "
            f"{word.text!r} of {name} at {word.start:g} s"
        )


def _silent_rows(found: Matched, rows: Sequence[Utterance]) -> None:
    """A ctm has no line for a row in which nothing was heard: as sclite scores them, all of its words are missing."""
    silent = [row.id for row in rows if row.id not in found.heard]
    if not silent or not found.heard:
        return
    found.heard |= {row: ExternalTranscript((row,), "") for row in silent}
    found.notes.append(
        f"{len(silent)} rows have no word in the ctm and count as rows in which nothing was heard, first {silent[0]}"
    )


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


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
