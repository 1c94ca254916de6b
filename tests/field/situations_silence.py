"""Evaluation rows without speech: an explicitly empty text is silence, a missing one is a missing transcript."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from field_cases import Expected, field_case
from situations_hypotheses import references, spoiled
from situations_text import write_lines

SILENT = 10


def with_silence(folder: Path, silent: dict[str, Any]) -> list[str]:
    """Ten rows whose text is as in `silent`; the tuned run writes two words into each."""
    texts = references()
    rows = [{"id": f"r{n}", "audio": f"r{n}.wav", "text": text, "duration": 3.0} for n, text in enumerate(texts)]
    quiet = [{"id": f"q{n}", "audio": f"q{n}.wav", "duration": 3.0, **silent} for n in range(SILENT)]
    write_lines(folder / "dev.jsonl", [*rows, *quiet])
    for name, into_silence in (("base", ""), ("tuned", "thank you")):
        written = {f"r{n}": text for n, text in enumerate(spoiled(texts))}
        written |= {f"q{n}": into_silence for n in range(SILENT)}
        write_lines(folder / f"{name}.jsonl", [{"id": id, "hypothesis": text} for id, text in written.items()])
    return ["--manifest", "dev.jsonl", "--baseline", "base.jsonl", "--tuned", "tuned.jsonl"]


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
