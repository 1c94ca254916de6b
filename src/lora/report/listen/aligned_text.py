"""Alignments as text, in the style of sclite's `pra` files, with all runs aligned to one reference.

As in `pra`, errors are in capitals, asterisks stand for a missing word, and a line `Eval:` below each hypothesis marks
substitutions (S), deletions (D) and insertions (I). Columns are padded by code points. Control characters are written
as escapes, because the file is shown on terminals.
"""

from __future__ import annotations

from collections.abc import Iterator

from lora.report.listen.alignment import Column, aligned
from lora.report.listen.rows import ManifestRows
from lora.scoring.alignment import counts_of
from lora.terminal import visible

HEAD = """Every row of the listening page: the reference and the hypotheses of all runs, normalised and aligned word by
word. Errors are in capitals; S substituted, D deleted, I inserted.
"""


def aligned_text(manifest: ManifestRows) -> Iterator[str]:
    """The text of one manifest, one block per row."""
    yield f"\nmanifest: {manifest.name}\n"
    for index, row in enumerate(manifest.rows):
        lines = [f"id: ({one_line(row.id)})"]
        if row.speaker_id is not None:
            lines.append(f"speaker: {one_line(row.speaker_id)}")
        runs = [run for run in manifest.runs if run.edits[index] is not None]
        edits = [run.edits[index] or [] for run in runs]
        reference = manifest.references[index]
        for run, own in zip(runs, edits, strict=True):
            hits, substitutions, deletions, insertions = counts_of(len(reference), own)
            lines.append(f"Scores {run.name}: (#C #S #D #I) {hits} {substitutions} {deletions} {insertions}")
        lines += _table(aligned(reference, edits), [run.name for run in runs])
        yield visible("\n" + "\n".join(lines) + "\n")


def _table(columns: list[Column], runs: list[str]) -> list[str]:
    labels = ["REF:", *[label for run in runs for label in (f"{run}:", "Eval:")]]
    lines: list[list[str]] = [[label.ljust(max(map(len, labels)))] for label in labels]
    for column in columns:
        wrong = any(word != column.reference for word in column.hypotheses)
        reference = None if column.reference is None else column.reference.upper() if wrong else column.reference
        cells = [reference]
        for word in column.hypotheses:
            mark = _mark(column.reference, word)
            cells += [word.upper() if word is not None and mark else word, mark]
        width = max(len(cell) for cell in cells if cell is not None)
        for place, (line, cell) in enumerate(zip(lines, cells, strict=True)):
            evaluation = place > 0 and place % 2 == 0
            missing = column.reference is None and place % 2 == 1 and cell is None
            filler = "" if evaluation or missing else "*" * width
            line.append((cell if cell is not None else filler).ljust(width))
    return [" ".join(line).rstrip() for line in lines]


def _mark(reference: str | None, word: str | None) -> str:
    if word == reference:
        return ""
    return "I" if reference is None else "D" if word is None else "S"


def one_line(text: str) -> str:
    """An id without line breaks, which would look like other lines of the file."""
    return " ".join(text.split())
