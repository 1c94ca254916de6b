"""Pieces of shared recordings: rows whose (offset, duration) overlaps that of another row.

Segments of a recording follow one another. Padding lets neighbours overlap a little, windows that move by half of their
length share half, and two speakers may talk at once. A piece that is more than half inside another one of the same
speaker has a wrong offset or duration (often all offsets were lost, and every row starts at 0 s).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lora.records.manifests import OverlappingPiece, Utterance

LEAST_SHARE = 0.5  # of the shorter piece; windows that move by half of their length share exactly this
SAME = 0.001  # seconds up to which two pieces are equal: a repeated row, which the hash of its samples shows
NO_SPEAKER = NO_LINE = -1
Indices = npt.NDArray[np.intp]


class _Piece(NamedTuple):
    line: int | None
    id: str
    start: float  # seconds
    duration: float
    speaker: int

    @property
    def end(self) -> float:
        return self.start + self.duration


class PieceTable:
    """The recording, start and duration of every row of a manifest, in about 50 bytes a row besides its id."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._lines = array("q")
        # A number for each name: of the recording its hash, because a manifest may have as many of them as rows.
        self._recordings = array("q")
        self._speakers = array("q")
        self._starts = array("d")
        self._durations = array("d")
        self._speaker_numbers: dict[str, int] = {}

    def add(self, row: Utterance) -> None:
        """Add a row; inline audio shares nothing."""
        if row.audio is None:
            return
        self._ids.append(row.id)
        self._lines.append(NO_LINE if row.line is None else row.line)
        self._recordings.append(hash((row.audio, row.channel)))
        number = self._speaker_numbers
        speaker = row.speaker_id
        self._speakers.append(NO_SPEAKER if speaker is None else number.setdefault(speaker, len(number)))
        self._starts.append(row.offset or 0.0)
        self._durations.append(row.duration)

    def shared(self) -> int:
        """Rows whose recording and channel other rows have too."""
        _, counts = np.unique(np.frombuffer(self._recordings, np.int64), return_counts=True)
        return int(counts[counts > 1].sum())

    def overlapping(self) -> list[OverlappingPiece]:
        """Rows that are more than half inside an earlier piece of their recording, in the order of lines."""
        found = [piece for rows in self._overlapping_recordings() for piece in _overlapping(self._pieces(rows))]
        return sorted(found, key=lambda piece: (piece.line or 0, piece.id))

    def _pieces(self, rows: Indices) -> list[_Piece]:
        return [
            _Piece(
                line=None if self._lines[row] == NO_LINE else self._lines[row],
                id=self._ids[row],
                start=self._starts[row],
                duration=self._durations[row],
                speaker=self._speakers[row],
            )
            for row in rows.tolist()
        ]

    def _overlapping_recordings(self) -> Iterator[Indices]:
        """The rows of each recording in which a piece starts before all earlier ones have ended."""
        recordings = np.frombuffer(self._recordings, np.int64)
        starts = np.frombuffer(self._starts, np.float64)
        ends = starts + np.frombuffer(self._durations, np.float64)
        order = np.lexsort((starts, recordings))
        _, firsts, counts = np.unique(recordings[order], return_index=True, return_counts=True)
        several = counts > 1
        for first, count in zip(firsts[several].tolist(), counts[several].tolist(), strict=True):
            rows = order[first : first + count]
            if (np.maximum.accumulate(ends[rows])[:-1] - starts[rows][1:] > SAME).any():
                yield rows


def overlapping_pieces(rows: Sequence[Utterance]) -> list[OverlappingPiece]:
    """`PieceTable.overlapping` of some rows."""
    table = PieceTable()
    for row in rows:
        table.add(row)
    return table.overlapping()


def _overlapping(pieces: Sequence[_Piece]) -> list[OverlappingPiece]:
    """Sweep over the pieces of a recording by their start; `active` are those that have not ended."""
    found = []
    active: list[_Piece] = []
    for row in sorted(pieces, key=lambda piece: (piece.start, piece.line or 0)):
        active = [other for other in active if other.end > row.start]
        shared = [(min(row.end, other.end) - row.start, other) for other in active if _comparable(row, other)]
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


def _comparable(row: _Piece, other: _Piece) -> bool:
    same_speaker = NO_SPEAKER in {row.speaker, other.speaker} or row.speaker == other.speaker
    same_start = abs(row.start - other.start) <= SAME  # two speakers hardly begin in the same millisecond
    return (same_speaker or same_start) and not _equal(row, other)


def _equal(row: _Piece, other: _Piece) -> bool:
    return abs(row.start - other.start) <= SAME and abs(row.duration - other.duration) <= SAME
