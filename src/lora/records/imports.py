"""How transcripts made elsewhere found their rows: the format they were read as, and by what ids were matched."""

from __future__ import annotations

from lora.records.base import Record


class ImportFacts(Record):
    """`results/transcripts/<run>/<m>.import.json`: what became of every hypothesis of a brought file.

    `hypotheses` stand in the file (of a ctm: rows and recordings that its words were given to), `rows` in the manifest.
    `matched` counts rows by how they were found: `id`, `file name`, either of them `without case`, `time`.
    `unmatched` fit no row, `ambiguous` fit several rows or share one row with another hypothesis; both are kept under
    their own ids, as hypotheses that the manifest never had. `rejected` belong to rows that cannot be used and were
    left out. `missing` rows have no hypothesis. Lists are whole. `notes` say what else was done for a person.
    """

    run: str
    manifest: str
    source: str | None
    format: str | None
    hypotheses: int = 0
    rows: int = 0
    matched: dict[str, int] = {}
    unmatched: list[str] = []
    ambiguous: list[str] = []
    rejected: list[str] = []
    missing: list[str] = []
    notes: list[str] = []
