"""Small results folders for the listening page, computed by the stages of the workflow from written texts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from lora import layout
from lora.records.base import write_lines, write_text
from lora.records.integrity import MismatchedTranscript, MismatchFacts
from lora.records.manifests import Utterance
from lora.records.transcripts import Transcript
from lora.report.study import Study
from lora.stages.listening import prepare_sounds
from lora.stages.scores import compare_runs, score_run, split_errors

Texts = Mapping[str, str]  # hypotheses by row id
LIMIT = 10.0

# Reference, baseline, tuned. Worse: b. Better: a, c. Loop (tuned): d. Beyond the limit: f. Suspected reference: g.
ROWS = (
    ("a", 2.0, "The engine hums at night", "the engine hums at knight", "the engine hums at night"),
    ("b", 3.0, "Close the valve", "close the valve", "close a valve now"),
    ("c", 4.0, "Nora waxed the hull", "nora wax", "nora waxed hull"),
    ("d", 5.0, "Turn it down", "turn it town", "turn turn turn turn turn it town"),
    ("e", 6.0, "All is well", "all is well", "all is well"),
    ("f", 12.0, "A very long story", "a very long", "a long story"),
    ("g", 2.5, "We bought pepper at the market", "we bought pillow at the market", "We bought pillow at the market"),
    ("h", 2.5, "They sell pillow and pepper", "they sell pillow and pepper", "they sell pillow and pepper"),
)
EVIL = """</script><script>window.broken = 1</script><img src=x onerror="window.broken = 1">'\\"`${1}\u2028<!--"""
TRAINING = (
    "the engine hums at night close a valve nora waxed hull turn it down all is well we bought they sell market very"
)


def write_study(
    folder: Path,
    rows: Iterable[Utterance],
    runs: Mapping[str, Texts],
    manifest: str = "domain",
    changes: Mapping[str, Any] | None = None,
    sound: bool = True,
) -> Study:
    """A results folder with one manifest; the first of the runs is the baseline."""
    results = folder / "results"
    rows = list(rows)
    config = {
        "model": None,
        "manifests": {manifest: f"data/{manifest}.jsonl"},
        "roles": {"general": [], "domain": [manifest]},
        "candidates": {run: {"hypotheses": {}} for run in list(runs)[1:]},
        "normalizer": "basic",
        "text": {"unit": "auto", "strip": []},
        **(changes or {}),
    }
    write_text(results / layout.CONFIG.path(), json.dumps(config))
    write_lines(results / layout.ROWS.path(manifest=manifest), rows)
    for run, texts in runs.items():
        transcripts = [
            Transcript(id=row.id, reference=row.text, hypothesis=texts[row.id], duration=row.duration, truncated=False)
            for row in rows
            if row.id in texts
        ]
        write_lines(results / layout.TRANSCRIPTS.path(run=run, manifest=manifest), transcripts)
        score_run(
            run=run,
            manifest_name=manifest,
            rows=results / layout.ROWS.path(manifest=manifest),
            transcripts=results / layout.TRANSCRIPTS.path(run=run, manifest=manifest),
            max_seconds=LIMIT,
            normalizer_name="basic",
            unit="auto",
            confidence=0.95,
            replicates=0,
            assumed_shared_errors=0.8,
            target_gain=0.01,
            wer=results / layout.WER.path(run=run, manifest=manifest),
        )
    for run in list(runs)[1:]:
        compare_runs(
            run=run,
            manifest_name=manifest,
            **_both_sides(results, next(iter(runs)), run, manifest),
            margin=0.005,
            confidence=0.95,
            replicates=0,
            paired=results / layout.PAIRED.path(run=run, manifest=manifest),
        )
    if sound:
        prepare_sounds(results / layout.ROWS.path(manifest=manifest), results / layout.SOUNDS.path(manifest=manifest))
    return Study(results, results / layout.CONFIG.path())


def _both_sides(results: Path, base: str, run: str, manifest: str) -> dict[str, Path]:
    return {
        f"{side}_{name}": results / kind.path(run=own, manifest=manifest)
        for side, own in (("baseline", base), ("tuned", run))
        for name, kind in (("wer", layout.WER), ("transcripts", layout.TRANSCRIPTS))
    }


def write_tone(path: Path, seconds: float, rate: int = 8000, channels: int = 1) -> None:
    """A tone whose loudness grows, in the format of the file's suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * rate)) / rate
    tone = 0.5 * np.sin(2 * np.pi * 220 * time) * time / max(seconds, 1e-9)
    soundfile.write(path, np.stack([tone] * channels, axis=1).astype(np.float32), rate)


def small_study(folder: Path) -> Study:
    """Every queue has a row. Row e has no audio file, row h is a piece of a longer recording, b is an AIFF file."""
    rows = []
    for id, seconds, text, _, _ in ROWS:
        audio = f"audio/{id} #1%.{'aiff' if id == 'b' else 'wav'}"
        if id != "e":
            write_tone(folder / audio, 30 if id == "h" else seconds)
        rows.append(
            Utterance(
                id=id,
                text=text,
                duration=seconds,
                audio=f"../../{audio}",
                speaker_id=f"s{len(id)}",
                offset=20.0 if id == "h" else None,
            )
        )
    runs = {"base": {row[0]: row[3] for row in ROWS}, "lora": {row[0]: row[4] for row in ROWS}}
    changes = {"manifests": {"train": "data/train.jsonl", "domain": "data/domain.jsonl"}}
    study = write_study(folder, rows, runs, changes=changes)
    results = study.results
    write_lines(results / layout.SPLIT_TRAIN.path(), [Utterance(id="t", text=TRAINING, duration=1.0)])
    mismatch = MismatchedTranscript(
        line=None, id="c", own_distance=0.9, other_line=None, other_id="e", other_distance=0
    )
    facts = MismatchFacts(
        manifest="domain",
        rows=8,
        compared=8,
        too_short=0,
        suspects=1,
        generic_hypotheses=0,
        comparisons=8,
        mismatched=[mismatch],
    )
    facts.write(results / layout.MISMATCHES.path(manifest="domain"))
    split_errors(
        manifest_name="domain",
        rows=results / layout.ROWS.path(manifest="domain"),
        baseline_wer=results / layout.WER.path(run="base", manifest="domain"),
        baseline_transcripts=results / layout.TRANSCRIPTS.path(run="base", manifest="domain"),
        candidate=[("lora", results / layout.TRANSCRIPTS.path(run="lora", manifest="domain"))],
        candidate_wer=[("lora", results / layout.WER.path(run="lora", manifest="domain"))],
        train=results / layout.SPLIT_TRAIN.path(),
        reachable=results / layout.REACHABLE.path(manifest="domain"),
    )
    return study


def large_study(folder: Path, count: int) -> Study:
    """Rows of twenty words each, with errors in many; nothing of their sound is prepared."""
    words = TRAINING.split()
    rows, base, tuned = [], {}, {}
    for number in range(count):
        text = " ".join(words[(number * 7 + place) % len(words)] for place in range(20))
        id = f"row-{number:05d}"
        rows.append(Utterance(id=id, text=f"{text}.", duration=5.0, speaker_id=f"speaker {number % 40}"))
        base[id] = text.replace("engine", "endgame") if number % 3 else text
        tuned[id] = text.replace("valve", "value") if number % 5 == 0 else text
    return write_study(folder, rows, {"base": base, "lora": tuned}, sound=False)
