"""Evaluation rows without speech: an explicitly empty text is silence, a missing one is a missing transcript."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from comparison_files import compared_rows, rows_of
from field_cases import Expected, field_case
from situations_hypotheses import references, spoiled

SILENT = 10


def with_silence(folder: Path, silent: dict[str, Any]) -> list[str]:
    """Ten rows whose text is as in `silent`; the tuned run writes two words into each."""
    texts = references()
    quiet = [{"id": f"q{n}", "audio": f"q{n}.wav", "duration": 3.0, **silent} for n in range(SILENT)]
    written = spoiled(texts)
    return compared_rows(folder, rows_of(texts) + quiet, written + [""] * SILENT, written + ["thank you"] * SILENT)


@field_case(
    name="empty references",
    area="text",
    situation="clips of silence with an empty text: words written into them are insertions, as jiwer counts",
    source="jitsi/jiwer#98",
    command="quick",
    expected=Expected(causes=("adapter.words_in_silence",), absent=("data.empty_transcripts",)),
)
def empty_references(folder: Path) -> list[str]:
    return with_silence(folder, {"text": ""})


@field_case(
    name="missing references",
    area="text",
    situation="rows whose text is null: transcripts that are missing, not silence",
    source="relative",
    command="quick",
    expected=Expected(causes=("data.empty_transcripts",), absent=("adapter.words_in_silence",)),
)
def missing_references(folder: Path) -> list[str]:
    return with_silence(folder, {"text": None})


@field_case(
    name="lost references",
    area="text",
    situation="a join left the text of every eighth row empty; somebody speaks there",
    source="embedded study",
    command="quick",
    expected=Expected(first="data.empty_transcripts", absent=("headroom.baseline_broken", "adapter.words_in_silence")),
)
def lost_references(folder: Path) -> list[str]:
    texts = references()
    rows = [{**row, "text": ""} if n % 8 == 0 else row for n, row in enumerate(rows_of(texts))]
    return compared_rows(folder, rows, spoiled(texts), texts)


@field_case(
    name="phrases in silence",
    area="text",
    situation="both runs write one of two phrases into rows that are silent",
    source="neighbour",
    command="quick",
    expected=Expected(absent=("data.empty_transcripts",)),
)
def phrases_in_silence(folder: Path) -> list[str]:
    quiet = [{**row, "text": ""} for row in rows_of(references())[:SILENT]]
    phrases = ["thank you for watching", "please subscribe to my channel"] * (SILENT // 2)
    texts = references()[SILENT:]
    rows = quiet + rows_of(references())[SILENT:]
    return compared_rows(folder, rows, phrases + spoiled(texts), phrases + texts)
