"""Match texts without ids to rows by their order, where there are as many texts as rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lora.data.transcripts.columns import ExternalTranscript
from lora.data.transcripts.files import TranscriptFile
from lora.records.base import UserError
from lora.records.manifests import Utterance


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
        UserError: where the numbers of texts and rows differ.
    """
    order: list[tuple[int, str | None]] = [(row.line or number, row.id) for number, row in enumerate(rows, start=1)]
    order = sorted([*order, *((line, None) for line in rejected_lines)], key=lambda entry: entry[0])
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
