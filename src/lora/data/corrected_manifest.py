"""Write a corrected copy of a manifest into a new folder, without changing the original.

Corrected texts are applied. Rows whose reference is wrong and has no corrected text, and rows whose audio is unusable,
are left out. Ids stay, so that later judgements and transcripts fit.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lora.data.existing_files import require_new
from lora.data.manifest import rebase
from lora.records.base import write_lines, write_text
from lora.records.manifests import Utterance
from lora.records.reviews import ReviewedRow
from lora.records.temporary_files import temporary_for

ROWS = "manifest.jsonl"
ORIGIN = "origin.json"


def corrected_rows(rows: Iterable[Utterance], judged: Mapping[str, ReviewedRow]) -> list[Utterance]:
    """Rows with corrected texts, in their order; judgements are by row id."""
    kept = []
    for row in rows:
        review = judged.get(row.id)
        if review is not None and review.corrected_text is not None:
            kept.append(replace(row, text=review.corrected_text))
        elif review is None or review.judgement not in {"reference_wrong", "audio_unusable"}:
            kept.append(row)
    return kept


def write_corrected(
    rows: Sequence[Utterance], source: Path, results: Path, target: Path, origin: dict[str, object]
) -> Path:
    """Write `target/manifest.jsonl` and `target/origin.json`; return the path of the manifest.

    Audio stays where it is, except for recordings in the results folder, which a fresh run deletes: those are copied
    to `target/audio/`. All files appear at once or, on an error, none.

    Args:
        rows: rows to write.
        source: folder from which their audio paths start.
        results: results folder of the study.
        target: folder to create.
        origin: content of `origin.json`.

    Raises:
        UserError: where the target exists.
    """
    require_new(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    building = temporary_for(target)
    try:
        building.mkdir()
        # Line numbers of the original file have no meaning in the new one.
        written = [replace(row, line=None) for row in rebase(rows, source, building)]
        write_lines(building / ROWS, _with_own_audio(written, results.resolve(), building))
        write_text(building / ORIGIN, json.dumps(origin, indent=2, ensure_ascii=False) + "\n")
        building.rename(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return target / ROWS


def _with_own_audio(rows: Iterable[Utterance], results: Path, folder: Path) -> Iterator[Utterance]:
    """The same rows, with recordings in the results folder copied to `folder/audio/`."""
    copies: dict[Path, str] = {}
    for row in rows:
        recording = None if row.audio is None else (folder / row.audio).resolve()
        if recording is None or not recording.is_relative_to(results):
            yield row
            continue
        if recording not in copies:
            copies[recording] = f"audio/{len(copies) + 1:05d}{recording.suffix}"
            (folder / "audio").mkdir(exist_ok=True)
            shutil.copyfile(recording, folder / copies[recording])
        yield replace(row, audio=copies[recording])
