"""Match external hypotheses to the rows of a manifest, and record how each of them was matched.

Other tools write ids in lower case, or the name of the audio file without folder and suffix. A hypothesis is matched by
id, else by a file name that only one row has, else by speaker and id, else by the same without case. A match has to be
unique on both sides; ambiguous ones are reported, never guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from lora.data.column_names import folded_name
from lora.data.transcripts.columns import HYPOTHESES, TEXTS, ExternalTranscript
from lora.data.transcripts.ctm import CHANNELS, Word, joined
from lora.data.transcripts.files import TranscriptFile
from lora.data.transcripts.line_matching import first_words_name_rows, match_lines, with_first_words_as_ids
from lora.data.transcripts.name_matching import Target, match, stem
from lora.data.transcripts.word_assignment import assign, of_channel
from lora.records.base import UserError
from lora.records.manifests import Utterance


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
        UserError: where the file has no transcript, none matches a row, or a row has only a reference.
    """
    _require_hypotheses(path, file)
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
        by_time, rest = _recordings(path, file, rows)
        _by_name(matched, [ExternalTranscript((name,), joined(words)) for name, words in rest.items()], rows, rejected)
        _by_time(path, matched, file, by_time)
        _merged_channels(
            matched, {**rest, **{n: file.words[n] for n, rows in by_time.items() if _have_no_channel(rows)}}
        )
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


def _require_hypotheses(path: Path, file: TranscriptFile) -> None:
    """Raise UserError for a row without the column of hypotheses of the others, whose `text` is then its reference."""
    names = {one.column: folded_name(one.column) for one in file.utterances if one.column is not None}
    column = next((column for column, name in names.items() if name in HYPOTHESES), None)
    bare = next((one for one in file.utterances if one.column is not None and names[one.column] in TEXTS), None)
    if column is not None and bare is not None:
        raise UserError(
            f"{path}:{bare.line}: {bare.id!r} has no {column!r} as other rows have, only {bare.column!r}, which is "
            "its reference; add its hypothesis, which may be empty, or remove the row"
        )


def _by_name(
    matched: Matched, transcripts: Sequence[ExternalTranscript], rows: Sequence[Utterance], rejected: Sequence[str]
) -> None:
    usable = {row.id for row in rows}
    unusable = set(rejected) - usable  # a duplicate id belongs to the usable row
    targets = [*(Target(row.id, row) for row in rows), *(Target(name) for name in sorted(unusable))]
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
    path: Path, file: TranscriptFile, rows: Sequence[Utterance]
) -> tuple[dict[str, list[Utterance]], dict[str, list[Word]]]:
    """Rows by the recording that they are pieces or channels of, for files of such recordings; words of other files.

    Raises UserError where it is not clear which recording a file is, or two files are the same one.
    """
    pieces: dict[str, list[Utterance]] = defaultdict(list)
    for row in rows:
        if row.audio is not None and (row.offset is not None or row.channel is not None):
            pieces[row.audio].append(row)
    by_name: dict[str, list[str]] = defaultdict(list)
    for audio in pieces:
        by_name[stem(audio).casefold()].append(audio)
    ids = {row.id for row in rows}
    by_time: dict[str, list[Utterance]] = {}
    owner: dict[str, str] = {}
    for name in file.words:
        recordings = [] if name in ids else _of_folder(name, by_name.get(stem(name).casefold(), []))
        if len(recordings) > 1:
            raise UserError(
                f"{path}: {name!r} could be {' or '.join(recordings[:2])}; name recordings differently, or with their "
                "folder in ctm"
            )
        for audio in recordings:
            if audio in owner:
                raise UserError(f"{path}: {owner[audio]!r} and {name!r} are both transcripts of {audio}; keep one")
            owner[audio] = name
            by_time[name] = pieces[audio]
    return by_time, {name: words for name, words in file.words.items() if name not in by_time}


def _of_folder(name: str, recordings: list[str]) -> list[str]:
    """Of recordings with the same name those in the folder that `name` begins with, if it names one."""
    if len(recordings) < 2:
        return recordings
    end = f"/{PurePosixPath(name).with_name(stem(name))}".casefold()
    return [
        audio for audio in recordings if f"/{PurePosixPath(audio).with_name(stem(audio))}".casefold().endswith(end)
    ] or recordings


def _require_times(path: Path, name: str, words: Sequence[Word], rows: Sequence[Utterance]) -> None:
    """Raise UserError for a text without times whose words could belong to several rows."""
    if not all(word.timed for word in words) and (len(rows) > 1 or rows[0].offset):
        raise UserError(
            f"{path}: the transcript of {name!r} has no times of the whole recording, but {len(rows)} rows are pieces "
            "of it; write segments with times that never start again (in the pipeline of transformers "
            "`return_timestamps=True, chunk_length_s=30`), or a text per row; times of words (`words`, `result`) are "
            "read within segments only"
        )


def _by_time(path: Path, matched: Matched, file: TranscriptFile, by_time: dict[str, list[Utterance]]) -> None:
    outside: list[tuple[str, Word]] = []
    in_gaps: list[tuple[str, Word]] = []
    first_channel = _first_channel(by_time, file.words)
    if first_channel:
        matched.notes.append("channels of the manifest are read as counted from 1: none is 0, and the last has no word")
    for name, rows in by_time.items():
        by_channel: dict[int | None, list[Utterance]] = defaultdict(list)
        for row in rows:
            by_channel[None if row.channel is None else row.channel - first_channel].append(row)
        _require_times(path, name, file.words[name], rows)
        for channel, segments in by_channel.items():
            # One channel on each side is the same one, whatever it is called: tools number an extracted channel as 1.
            one = len(by_channel) == 1 and len({word.channel for word in file.words[name]}) == 1
            assigned = assign(of_channel(file.words[name], None if one else channel), segments)
            texts = {row: ExternalTranscript((row,), joined(words)) for row, words in assigned.by_row.items()}
            matched.hypotheses |= texts
            matched.how["time"] = matched.how.get("time", 0) + len(texts)
            outside += [(name, word) for word in assigned.outside]
            in_gaps += [(name, word) for word in assigned.in_gaps]
    for words, what in (
        (outside, "are outside of all segments that are scored and were left out"),
        (in_gaps, "are between segments of the stm and belong to the next one, as for sclite"),
    ):
        if words:
            name, word = words[0]
            first = f"first {word.text!r} of {name} at {word.start:g} s"
            matched.notes.append(f"{len(words)} words {what}, {first}")


def _first_channel(by_time: Mapping[str, Sequence[Utterance]], words: Mapping[str, Sequence[Word]]) -> int:
    """1 where rows count several channels from 1, as by their numbers alone those of the words are; else 0."""
    of_rows = {row.channel or 0 for rows in by_time.values() for row in rows}
    of_words = {CHANNELS.get(word.channel.upper(), len(CHANNELS)) for name in by_time for word in words[name]}
    return int(len(of_rows) > 1 and 0 not in of_rows and max(of_rows) == max(of_words, default=0) + 1)


def _have_no_channel(rows: Sequence[Utterance]) -> bool:
    return any(row.channel is None for row in rows)


def _merged_channels(matched: Matched, words: Mapping[str, Sequence[Word]]) -> None:
    """Note the recordings whose channels became one text, because their rows name none."""
    several = [name for name, said in words.items() if len({word.channel for word in said}) > 1]
    if several:
        matched.notes.append(
            f"{len(several)} files have several channels, whose words are merged in order of time; first: {several[0]}"
        )


def _silent_rows(matched: Matched, rows: Sequence[Utterance]) -> None:
    """Add empty hypotheses for rows without a word in the ctm: as for sclite, all of their words are deleted."""
    empty = [row.id for row in rows if row.id not in matched.hypotheses]
    if not empty or not matched.hypotheses:
        return
    matched.hypotheses |= {row: ExternalTranscript((row,), "") for row in empty}
    matched.notes.append(f"{len(empty)} rows have no word in the ctm and count as empty hypotheses, first {empty[0]}")
