"""Inputs of the scale benchmark: manifests of any size whose rows are pieces of few recordings, and transcripts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from score_pairs import made_up

RECORDINGS = 1_000
SPEAKERS = 2_000
WORDS = 3_000
MEASURES = (
    "line",
    "id",
    "problem",
    "manifest_duration",
    "characters",
    "seconds",
    "rate",
    "channels",
    "level",
    "clipped",
    "bandwidth",
    "audio_hash",
    "channel",
)


def write_training(folder: Path, count: int) -> tuple[Path, Path]:
    """A manifest of `count` rows of 4 to 19 words and their measures, as inspect_audio.py writes them.

    Rows follow one another in `RECORDINGS` real files, which are small: with durations in the manifest, a file has to
    exist, and nobody opens it.
    """
    import soundfile

    audio = folder / "audio"
    audio.mkdir(parents=True)
    soundfile.write(audio / "recording-0000.flac", 0.1 * np.random.default_rng(2).standard_normal(16_000), 16_000)
    content = (audio / "recording-0000.flac").read_bytes()
    for number in range(1, RECORDINGS):
        (audio / f"recording-{number:04}.flac").write_bytes(content)
    draw = np.random.default_rng(1)
    durations = np.round(0.5 + draw.gamma(4, 2, count), 3)
    words = draw.integers(0, WORDS, (count, 19))
    lengths, speakers = draw.integers(4, 20, count).tolist(), draw.integers(0, SPEAKERS, count).tolist()
    ends = np.zeros(RECORDINGS)
    manifest, measures = folder / "train_manifest.jsonl", folder / "measures.tsv"
    with manifest.open("w", encoding="utf-8") as rows, measures.open("w", encoding="utf-8") as table:
        table.write("\t".join(MEASURES) + "\n")
        for i, seconds in enumerate(durations.tolist()):
            recording = i % RECORDINGS
            text = " ".join(f"word{n}" for n in words[i, : lengths[i]].tolist())
            row = {
                "id": f"utterance-{i:07}",
                "audio_filepath": f"audio/recording-{recording:04}.flac",
                "offset": round(float(ends[recording]), 3),
                "duration": seconds,
                "text": text,
                "speaker_id": f"speaker-{speakers[i]:04}",
            }
            ends[recording] += seconds
            rows.write(json.dumps(row) + "\n")
            table.write(measures_line(i, row))
    return manifest, measures


def measures_line(number: int, row: Mapping[str, Any]) -> str:
    """The measures of a row of a manifest, its `number` from 0; every row has samples of its own."""
    characters = len(row["text"].replace(" ", ""))
    measured = f"{row['duration']}\t16000\t1\t-20.1\t0.0\t7500.0\t{row['id']:0>32}"
    return f"{number + 1}\t{row['id']}\t\t{row['duration']}\t{characters}\t{measured}\t\n"


def write_evaluation(folder: Path, count: int, speakers: int) -> tuple[Path, Path, Path, Path, Path]:
    """A manifest, hypotheses of two systems that err on 12 and 11 % of the words, transcripts, and measures.

    The transcripts are those of the first system, as the workflow writes them. The audio is that of `write_training`,
    which a comparison of hypotheses does not need.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = made_up(count)
    rows = [
        {
            "id": f"u{i:06}",
            "audio": f"audio/recording-{i % RECORDINGS:04}.flac",
            "offset": 20.0 * (i // RECORDINGS),
            "text": " ".join(words),
            "duration": round(0.4 * len(words), 3),
            "speaker_id": f"speaker-{i % speakers:05}",
        }
        for i, words in enumerate(texts.references)
    ]
    files = [folder / f"{name}.jsonl" for name in ("manifest", "base", "tuned", "transcripts")]
    write_json_lines(files[0], rows)
    for file, side in zip(files[1:3], (texts.baseline, texts.tuned), strict=True):
        hypotheses = map(" ".join, side)
        write_json_lines(file, ({"id": row["id"], "hypothesis": h} for row, h in zip(rows, hypotheses, strict=True)))
    write_json_lines(
        files[3],
        (
            {
                "id": row["id"],
                "reference": row["text"],
                "hypothesis": " ".join(words),
                "duration": row["duration"],
                "truncated": False,
            }
            for row, words in zip(rows, texts.baseline, strict=True)
        ),
    )
    measures = folder / "evaluation_measures.tsv"
    with measures.open("w", encoding="utf-8") as table:
        table.write("\t".join(MEASURES) + "\n")
        table.writelines(measures_line(number, row) for number, row in enumerate(rows))
    return files[0], files[1], files[2], files[3], measures


def write_json_lines(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(row)}\n" for row in rows)
