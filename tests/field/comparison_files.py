"""Files of a quick comparison: a manifest and the transcripts of two runs as JSON lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def write_lines(path: Path, rows: list[Row]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def rows_of(texts: list[str]) -> list[Row]:
    """Rows of three seconds, of ten speakers."""
    return [
        {"id": f"u{n}", "audio": f"{n}.wav", "text": text, "duration": 3.0, "speaker_id": f"s{n % 10}"}
        for n, text in enumerate(texts)
    ]


def compared(folder: Path, references: list[str], base: list[str], tuned: list[str]) -> list[str]:
    """Write the three files of plain rows; returns the arguments of quick mode."""
    return compared_rows(folder, rows_of(references), base, tuned)


def compared_rows(folder: Path, rows: list[Row], base: list[str], tuned: list[str]) -> list[str]:
    """As `compared`, with the rows of the manifest as given."""
    write_lines(folder / "dev.jsonl", rows)
    for name, texts in (("base", base), ("tuned", tuned)):
        hypotheses = [{"id": row["id"], "hypothesis": text} for row, text in zip(rows, texts, strict=True)]
        write_lines(folder / f"{name}.jsonl", hypotheses)
    return ["--manifest", "dev.jsonl", "--baseline", "base.jsonl", "--tuned", "tuned.jsonl"]
