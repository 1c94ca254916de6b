"""What a manifest contains, counted row by row."""

from __future__ import annotations

from lora.data.audio.pieces import PieceTable
from lora.records.manifests import Utterance
from lora.scoring.markup import MarkupCounter
from lora.scoring.odd_characters import OddCharacters


class RowCounts:
    """Counts over the usable rows of a manifest.

    Attributes:
        rows, rejected: numbers of usable and of rejected rows.
        seconds: duration of the usable rows.
        speakers: their known speakers.
        odd, markup, pieces: invisible and look-alike characters, markup, and shared recordings.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.rejected = 0
        self.seconds = 0.0
        self.speakers: set[str] = set()
        self.odd = OddCharacters()
        self.markup = MarkupCounter()
        self.pieces = PieceTable()

    def add(self, row: Utterance) -> None:
        self.rows += 1
        self.seconds += row.duration
        if row.speaker_id is not None:
            self.speakers.add(row.speaker_id)
        self.odd.add(row)
        self.markup.add(row.text)
        self.pieces.add(row)
