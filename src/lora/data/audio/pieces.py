"""Pieces of shared recordings: rows whose (offset, duration) overlaps that of another row.

Segments of a recording follow one another. Padding lets neighbours overlap a little, windows that move by half of their
length share half, and two speakers may talk at once. A piece that is more than half inside another one of the same
speaker has a wrong offset or duration (often all offsets were lost, and every row starts at 0 s).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from lora.records.manifests import OverlappingPiece, Utterance

LEAST_SHARE = 0.5  # of the shorter piece; windows that move by half of their length share exactly this
SAME = 0.001  # seconds up to which two pieces are equal: a repeated row, which the hash of its samples shows


def shared_recordings(rows: Iterable[Utterance]) -> list[list[Utterance]]:
    """Rows by the recording and channel that they share with other rows."""
    by_recording: defaultdict[tuple[str, int | None], list[Utterance]] = defaultdict(list)
    for row in rows:
        if row.audio is not None:
            by_recording[row.audio, row.channel].append(row)
    return [pieces for pieces in by_recording.values() if len(pieces) > 1]


def overlapping_pieces(rows: Iterable[Utterance]) -> list[OverlappingPiece]:
    """Rows that are more than half inside an earlier piece of their recording, in the order of lines."""
    found = [piece for pieces in shared_recordings(rows) for piece in _overlapping(pieces)]
    return sorted(found, key=lambda piece: (piece.line or 0, piece.id))


def _overlapping(pieces: Sequence[Utterance]) -> list[OverlappingPiece]:
    """Sweep over the pieces by their start; `active` are those that have not ended."""
    found = []
    active: list[Utterance] = []
    for row in sorted(pieces, key=lambda piece: (_start(piece), piece.line or 0)):
        active = [other for other in active if _end(other) > _start(row)]
        shared = [(min(_end(row), _end(other)) - _start(row), other) for other in active if _comparable(row, other)]
        inside = [
            (seconds, other)
            for seconds, other in shared
            if seconds > LEAST_SHARE * min(row.duration, other.duration) + SAME
        ]
        if inside:
            seconds, other = max(inside, key=lambda item: (item[0], -(item[1].line or 0)))
            found.append(
                OverlappingPiece(
                    line=row.line,
                    id=row.id,
                    other_line=other.line,
                    other_id=other.id,
                    shared_seconds=round(seconds, 3),
                )
            )
        if not any(_equal(row, other) for other in active):
            active.append(row)
    return found


def _comparable(row: Utterance, other: Utterance) -> bool:
    same_speaker = None in {row.speaker_id, other.speaker_id} or row.speaker_id == other.speaker_id
    same_start = abs(_start(row) - _start(other)) <= SAME  # two speakers hardly begin in the same millisecond
    return (same_speaker or same_start) and not _equal(row, other)


def _equal(row: Utterance, other: Utterance) -> bool:
    return abs(_start(row) - _start(other)) <= SAME and abs(row.duration - other.duration) <= SAME


def _start(row: Utterance) -> float:
    return row.offset or 0.0


def _end(row: Utterance) -> float:
    return _start(row) + row.duration
