"""Pieces of shared recordings: lost offsets overlap; padding, windows, channels and two speakers do not count."""

from __future__ import annotations

from typing import Any

import pytest

from lora.data.audio.pieces import PieceTable, overlapping_pieces
from lora.records.manifests import Utterance


def row(line: int, offset: float | None, duration: float, audio: str = "long.wav", **fields: object) -> Utterance:
    place: dict[str, Any] = {"audio": audio, "offset": offset, "duration": duration, "line": line}
    return Utterance(id=f"u{line}", text="x", **place | fields)


def lines(*rows: Utterance) -> list[tuple[int | None, int | None]]:
    return [(piece.line, piece.other_line) for piece in overlapping_pieces(rows)]


def test_lost_offsets() -> None:
    rows = [row(line, 0.0, 3.0 + 0.1 * line) for line in range(1, 6)]
    assert [line for line, _ in lines(*rows)] == [2, 3, 4, 5]
    table = PieceTable()
    for piece in rows:
        table.add(piece)
    assert table.shared() == 5


def test_lost_offsets_of_several_speakers() -> None:
    rows = [row(line, 0.0, 3.0 + 0.1 * line, speaker_id=f"s{line}") for line in range(1, 6)]
    assert [line for line, _ in lines(*rows)] == [2, 3, 4, 5]


@pytest.mark.parametrize(
    "rows",
    [
        [row(1, 0.0, 3.0), row(2, 3.0, 4.0), row(3, 7.0, 2.0)],
        [row(1, 0.0, 3.4), row(2, 3.0, 4.0)],  # padded
        [row(1, 0.0, 10.0), row(2, 5.0, 10.0), row(3, 10.0, 10.0)],  # windows
        [row(1, 0.0, 3.0, channel=0), row(2, 0.0, 3.2, channel=1)],
        [row(1, 0.0, 5.0, speaker_id="a"), row(2, 1.0, 2.0, speaker_id="b")],
        [row(1, 0.0, 3.0), row(2, 0.0, 3.0)],  # a repeated row
        [row(1, 0.0, 3.0, audio="a.wav"), row(2, 0.0, 3.1, audio="b.wav")],
    ],
)
def test_sound_pieces(rows: list[Utterance]) -> None:
    assert lines(*rows) == []


def test_a_row_without_an_offset_is_the_whole_recording() -> None:
    assert lines(row(1, None, 9.0), row(2, 4.0, 2.0)) == [(2, 1)]
