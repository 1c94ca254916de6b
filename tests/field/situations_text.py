"""Texts that are scored: markup, units, notation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from field_cases import Expected, field_case

SENTENCES = [f"the {animal} sat on the {place}" for animal in ("cat", "dog", "cow", "hen") for place in
             ("mat", "roof", "stone", "car", "chair", "table", "grass", "hill", "bench", "wall")]  # fmt: skip


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


@field_case(
    name="plain English",
    area="text",
    situation="a healthy comparison: tuning repairs the one wrong word of every second row",
    source="neighbour",
    command="quick",
    expected=Expected(first="", outcome="better", wer=(20 / 240, 0.0)),
)
def plain_english(folder: Path) -> list[str]:
    rows = [{"id": f"u{n}", "audio": f"{n}.wav", "text": text, "duration": 2.0} for n, text in enumerate(SENTENCES)]
    write_lines(folder / "dev.jsonl", rows)
    wrong = [text.replace("sat", "sang") if n % 2 else text for n, text in enumerate(SENTENCES)]
    write_lines(folder / "base.jsonl", [{"id": f"u{n}", "hypothesis": text} for n, text in enumerate(wrong)])
    write_lines(folder / "tuned.jsonl", [{"id": f"u{n}", "hypothesis": text} for n, text in enumerate(SENTENCES)])
    return ["--manifest", "dev.jsonl", "--baseline", "base.jsonl", "--tuned", "tuned.jsonl"]
