"""Audio files of every container with damaged bytes, in a manifest next to good ones."""

from __future__ import annotations

import io
import random
from functools import partial
from pathlib import Path

import soundfile

from fuzzing import hostile, material
from fuzzing.cases import Case, Outcome, Reader
from fuzzing.manifests import json_lines, outcome_of
from lora.data.audio.loading import load_audio
from lora.data.manifest import read_rows
from lora.data.source import Source
from lora.records.base import UserError
from lora.stages.manifests import inspect_audio, validate_manifest

FILES = 6  # damaged files of a case
GOOD = 2


def make(container: str, folder: Path, choice: random.Random) -> Case:
    """Damaged files, by whole files and pieces, with durations and without."""
    healthy = material.audio(container, choice.choice((1, 2)))
    others = [material.audio(name) for name in material.CONTAINERS]
    rows = []
    for number in range(FILES + GOOD):
        path = folder / f"a{number}.{container}"
        damaged = number < FILES
        path.write_bytes(hostile.damaged_bytes(healthy, choice, others) if damaged else healthy)
        row: dict[str, object] = {"id": path.name, "audio": path.name, "text": f"utterance number {number}"}
        if choice.random() < 0.5:
            row["duration"] = 0.1
        if choice.random() < 0.2:
            row |= {"offset": 0.02, "duration": 0.05}
        if choice.random() < 0.2:
            row["channel"] = 0
        rows.append(row)
    source = Source(json_lines(folder / "m.jsonl", rows).path)
    seconds = round(soundfile.info(io.BytesIO(healthy)).duration, 2)  # of ADPCM whole blocks
    good = {
        str(row["text"]): (row["audio"], row.get("duration", seconds), row.get("offset", 0)) for row in rows[FILES:]
    }
    out = folder / "out"

    def read() -> None:
        inspect_audio(source, out / "measures.tsv")
        validate_manifest(source, out / "rows.jsonl", out / "rejected.tsv", measures=out / "measures.tsv")

    def outcome() -> Outcome:
        found = outcome_of(out / "rows.jsonl", out / "rejected.tsv", out / "measures.tsv")
        found.silent = len(rows) - len(found.kept) - len(found.rejected)
        for row in read_rows(out / "rows.jsonl"):
            try:
                load_audio(row, out)
            except UserError as error:  # what was inspected must be what is transcribed
                found.silent += 1
                found.rejected.append(f"accepted, and then: {error}")
        return found

    return Case(read, outcome, good, refusable=False, rows=len(rows), files=FILES)


READERS = [Reader(f"audio: {container}", partial(make, container)) for container in material.CONTAINERS]
