"""Match external hypotheses to the rows of a manifest, and record how each of them was matched.

Other tools write ids in lower case, or the name of the audio file without folder and suffix. A hypothesis is matched by
id, else by a file name that only one row has, else by speaker and id, else by the same without case. A match has to be
unique on both sides; ambiguous ones are reported, never guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from lora.data.transcripts.columns import ExternalTranscript, with_speaker
from lora.data.transcripts.ctm import Word, of_channel, words_by_time
from lora.data.transcripts.files import TranscriptFile
from lora.data.transcripts.line_matching import first_words_name_rows, match_lines, with_first_words_as_ids
from lora.records.base import UserError
from lora.records.manifests import Utterance

AUDIO = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".sph", ".aac", ".wma", ".webm", ".mp4"}


@dataclass
class Matched:
    """Result of matching the hypotheses of a file.

    Attributes:
        hypotheses: by row id.
        extra: by their own id, hypotheses that match no row or are ambiguous.
        how: number of matches by way of matching.
        unmatched: ids of hypotheses that match no row.
        ambiguous: ids of hypotheses that match several rows, or a row that another one matches too.
        rejected: ids of hypotheses whose row cannot be used.
        notes: decisions for the record.
    """

    hypotheses: dict[str, ExternalTranscript] = field(default_factory=dict)
    extra: dict[str, ExternalTranscript] = field(default_factory=dict)
    how: dict[str, int] = field(default_factory=dict)
    unmatched: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def match_rows(
    path: Path,
    file: TranscriptFile,
    rows: Sequence[Utterance],
    rejected: Sequence[str],
    rejected_lines: Sequence[int] = (),
) -> Matched:
    """Match the transcripts of a file to rows.

    Args:
        path: the file, for error messages.
        file: its transcripts.
        rows: usable rows of the manifest.
        rejected: ids of rows that cannot be used.
        rejected_lines: their lines in the manifest, by which texts without ids are matched.

    Raises:
        UserError: where the file has no transcript, or none matches a row.
    """
    matched = Matched(notes=[*file.encoding, *file.notes])
    if first_words_name_rows(file, rows):
        _by_name(matched, with_first_words_as_ids(file), rows, rejected)
    elif file.numbered and rows:
        matched.hypotheses = match_lines(path, file, rows, rejected_lines)
        matched.how["line"] = len(matched.hypotheses)
        matched.notes.append(
            "its texts have no ids and were matched by their order alone: check that no text is missing"
        )
    elif not file.timed:
        _by_name(matched, file.utterances, rows, rejected)
    else:
        by_time, rest = _recordings(file, rows)
        _by_name(matched, [ExternalTranscript((name,), _text(words)) for name, words in rest.items()], rows, rejected)
        _by_time(matched, file, by_time)
        if file.format == "ctm":
            _silent_rows(matched, rows)
    transcripts = [*file.utterances, *file.words]
    if rows and not transcripts:
        raise UserError(f"{path}: contains no transcript (read as {file.format}); name another file or its format")
    if transcripts and rows and not matched.how and not matched.rejected:
        first_id = file.utterances[0].id if file.utterances else next(iter(file.words))
        raise UserError(
            f"{path}: none of its {len(transcripts)} {'files' if file.timed else 'ids'} is a row of the "
            f"manifest: it has {first_id!r} (read as {file.format}), the manifest has {rows[0].id!r}. Ids are "
            "matched as written, by the name of the audio file, with the speaker in front, and without case. Name "
            "the format if it is another one "
            "(`{path: ..., format: trn}`; in a quick comparison `--baseline-format`, `--tuned-format`), or the column "
            "of the ids (`columns: {id: ...}`)"
        )
    return matched


def _by_name(
    matched: Matched, transcripts: Sequence[ExternalTranscript], rows: Sequence[Utterance], rejected: Sequence[str]
) -> None:
    usable = {row.id for row in rows}
    unusable = set(rejected) - usable  # a duplicate id belongs to the usable row
    targets = [*(target(row) for row in rows), *(Target(name, (stem(name),)) for name in sorted(unusable))]
    matching = match([one.names for one in transcripts], targets)
    for row, position in matching.rows.items():
        if row in unusable:
            matched.rejected.append(transcripts[position].id)
        else:
            matched.hypotheses[row] = transcripts[position]
            matched.how[matching.how[row]] = matched.how.get(matching.how[row], 0) + 1
    matched.ambiguous += [transcripts[position].id for position in matching.ambiguous]
    matched.unmatched += [transcripts[position].id for position in matching.unmatched]
    matched.extra |= {transcripts[i].id: transcripts[i] for i in (*matching.ambiguous, *matching.unmatched)}


def _recordings(
    file: TranscriptFile, rows: Sequence[Utterance]
) -> tuple[dict[str, list[Utterance]], dict[str, list[Word]]]:
    """Rows by the recording of which they are segments, for files of such recordings; words of all other files."""
    segments: dict[str, list[Utterance]] = defaultdict(list)
    for row in rows:
        if row.audio is not None and row.offset is not None:
            segments[stem(row.audio).casefold()].append(row)
    ids = {row.id for row in rows}
    by_time = {
        name: segments[key] for name in file.words if name not in ids and (key := stem(name).casefold()) in segments
    }
    return by_time, {name: words for name, words in file.words.items() if name not in by_time}


def _by_time(matched: Matched, file: TranscriptFile, by_time: dict[str, list[Utterance]]) -> None:
    outside: list[tuple[str, Word]] = []
    for name, rows in by_time.items():
        by_channel: dict[int | None, list[Utterance]] = defaultdict(list)
        for row in rows:
            by_channel[row.channel].append(row)
        for channel, segments in by_channel.items():
            texts, unassigned = words_by_time(of_channel(file.words[name], channel), segments)
            matched.hypotheses |= {row: ExternalTranscript((row,), " ".join(words)) for row, words in texts.items()}
            matched.how["time"] = matched.how.get("time", 0) + len(texts)
            outside += [(name, word) for word in unassigned]
    if outside:
        name, word = outside[0]
        matched.notes.append(
            f"{len(outside)} words are outside of all segments of their recording and were left out, first "
            f"{word.text!r} of {name} at {word.start:g} s"
        )


def _silent_rows(matched: Matched, rows: Sequence[Utterance]) -> None:
    """Add empty hypotheses for rows without a word in the ctm: as for sclite, all of their words are deleted."""
    empty = [row.id for row in rows if row.id not in matched.hypotheses]
    if not empty or not matched.hypotheses:
        return
    matched.hypotheses |= {row: ExternalTranscript((row,), "") for row in empty}
    matched.notes.append(f"{len(empty)} rows have no word in the ctm and count as empty hypotheses, first {empty[0]}")


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


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
