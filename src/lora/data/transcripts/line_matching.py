"""Match texts without ids to rows by their order, where there are as many texts as rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from lora.data.transcripts.columns import ExternalTranscript
from lora.data.transcripts.files import TranscriptFile
from lora.data.transcripts.name_matching import stem
from lora.records.base import UserError
from lora.records.manifests import Utterance

EXAMINED = 20  # cells by which a column contains texts or names
DISTINCT = 0.9  # share of the names in a column of ids that occur once


def first_words_name_rows(file: TranscriptFile, rows: Sequence[Utterance]) -> bool:
    """Whether lines that do not look like it start with ids: those of at least half of the rows."""
    if file.format != "lines":
        return False
    first = {one.hypothesis.split(" ", 1)[0] for one in file.utterances}
    return bool(rows) and 2 * sum(row.id in first for row in rows) >= len(rows)


def with_first_words_as_ids(file: TranscriptFile) -> list[ExternalTranscript]:
    split = [(one, *one.hypothesis.partition(" ")) for one in file.utterances if one.hypothesis]
    return [ExternalTranscript((name,), text, line=one.line) for one, name, _, text in split]


def match_lines(
    path: Path, file: TranscriptFile, rows: Sequence[Utterance], rejected_lines: Sequence[int]
) -> dict[str, ExternalTranscript]:
    """Hypotheses by row id.

    Args:
        path: the file, for error messages.
        file: its transcripts, which have no ids.
        rows: usable rows of the manifest.
        rejected_lines: lines of the manifest's rejected rows, whose hypotheses are left out.

    Raises:
        UserError: where the order is not that of the rows, or unknown, and where the numbers of texts and rows differ.
    """
    if (column := _column_of_names(file.utterances, rows)) is not None:
        raise UserError(
            f"{path}: no known column of ids, but {column!r} has ids or files of rows in another order than the "
            f"manifest. Name it (`columns: {{id: {column!r}}}`; in a quick comparison `--columns id={column!r}`), or "
            "remove the column to match the texts by their order"
        )
    order: list[tuple[int, str | None]] = [(row.line or number, row.id) for number, row in enumerate(rows, start=1)]
    if rejected_lines:
        order = sorted([*order, *((line, None) for line in rejected_lines)], key=lambda entry: entry[0])
        _require_known_order(path, order, rows)
    texts = list(file.utterances)
    while len(texts) > len(order) and not texts[-1].hypothesis:
        texts.pop()
    if len(texts) != len(order):
        first = texts[0].hypothesis.split(" ", 1)[0] if texts else ""
        reason = (
            f"its lines have no ids (the first starts with the word {first!r})"
            if file.format == "lines"
            else "its texts have no ids (no column of ids or audio files)"
        )
        raise UserError(
            f"{path}: {reason}, so they can be matched by their order only, but it has {len(texts):,} texts and the "
            f"manifest {len(order):,} rows. Add ids (trn: `words (id)`; JSON lines: id and hypothesis), or write one "
            "text per row, empty ones too. If each line starts with an id, name the format `text`"
        )
    return {row: text for (_, row), text in zip(order, texts, strict=True) if row is not None}


def _require_known_order(path: Path, order: Sequence[tuple[int, str | None]], rows: Sequence[Utterance]) -> None:
    """Raise UserError where it is unknown which texts belong to rejected rows.

    In a JSON manifest, rows may share a line; rows that this software has written keep the lines of another file.
    """
    shared = next(
        (line for (line, id), (after, next_id) in pairwise(order) if line == after and not (id and next_id)), None
    )
    if shared is not None or [id for _, id in order if id is not None] != [row.id for row in rows]:
        why = "their lines are those of another file" if shared is None else f"several are in line {shared}"
        raise UserError(
            f"{path}: its texts have no ids, and which of them belong to rejected rows of the manifest is unknown, "
            f"because {why}. Add ids, or correct or remove the rejected rows"
        )


def _column_of_names(texts: Sequence[ExternalTranscript], rows: Sequence[Utterance]) -> str | None:
    """The first column that names most of the rows, but in another order; a counter of the texts names none."""
    places: dict[str, int] = {}
    for column in texts[0].row or ():
        cells = [str((text.row or {}).get(column)).strip() for text in texts]
        if _is_text(cells[:EXAMINED]) or _is_counter(cells):
            continue
        places = places or {stem(name): place for place, row in enumerate(rows) for name in (row.id, row.audio) if name}
        found = [places[name] for name in map(stem, cells) if name in places]
        differ = len(set(found)) > DISTINCT * len(found)  # unlike numbers of errors where ids are numbers
        if 2 * len(found) >= len(rows) and differ and found != sorted(found):
            return column
    return None


def _is_text(cells: Sequence[str]) -> bool:
    return 2 * sum(" " in cell for cell in cells) > len(cells)


def _is_counter(cells: Sequence[str]) -> bool:
    first = cells[0]
    return first.isdecimal() and all(cell == str(int(first[:9]) + place) for place, cell in enumerate(cells))
