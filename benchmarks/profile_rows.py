"""Profiling the durations of a manifest, against reading the same file with pyarrow and with json.

Ours is the work of scripts/profile_durations.py: read canonical rows, make the table of six thresholds.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from measuring import Cost, Figure, Goal, Plan, Result, cost_of, line, script

TITLE = "Durations of a manifest"
MINUTES = 3
THRESHOLDS = (5.0, 8.0, 10.0, 15.0, 20.0)
SIZES = {False: (10_000, 100_000, 1_000_000), True: (200, 2_000)}
PAIRS = {False: 7, True: 2}
BARE = "import pyarrow.json, sys; pyarrow.json.read_json(sys.argv[1])"


def run(plan: Plan) -> Result:
    import pyarrow.json

    from lora.data.durations import duration_table
    from lora.data.row_columns import read_columns

    sizes, pairs = SIZES[plan.quick], PAIRS[plan.quick]
    result = Result(config={"rows": list(sizes), "thresholds": list(THRESHOLDS), "pairs": pairs})
    for rows in sizes:
        path = write_rows(plan.folder / f"{rows}.jsonl", rows)

        def profile(path: Path = path) -> object:
            return duration_table("m", read_columns(path), THRESHOLDS)

        def bare(path: Path = path) -> object:
            return pyarrow.json.read_json(path)

        def loop(path: Path = path) -> object:
            with path.open(encoding="utf-8") as lines:
                return [json.loads(each) for each in lines]

        name, judged = f"profile {rows:,} rows", rows == max(sizes)
        result.lines += [
            line(name, profile, "pyarrow.json.read_json", bare, Goal(2 if judged else None, "at_most"), pairs),
            line(name, profile, "json.loads a line", loop, Goal(3 if judged else None), pairs),
        ]
        costs = whole_commands(path, plan.folder)
        result.figures += [
            Figure(f"whole command, {rows:,} rows: {name}", f"{cost.seconds:.2f} s, peak {cost.peak_mb:.0f} MB")
            for name, cost in costs.items()
        ]
    return result


def whole_commands(path: Path, folder: Path) -> dict[str, Cost]:
    """What the commands cost as processes, start and imports included."""
    table, rows = ("--table", folder / "table.tsv"), ("--rows", path)
    retention = script("profile_retention", *rows, "--thresholds", *THRESHOLDS, "--retention", folder / "r.json")
    return {
        "`profile_durations`": cost_of(
            script("profile_durations", *rows, "--manifest-name", "m", "--thresholds", *THRESHOLDS, *table)
        ),
        "`profile_retention` (speakers and words)": cost_of(retention),
        "bare `pyarrow.json.read_json`": cost_of([sys.executable, "-c", BARE, str(path)]),
    }


def write_rows(path: Path, count: int) -> Path:
    """Canonical rows as validate_manifest.py writes them: 4 to 19 words of 3,000, 2,000 speakers."""
    draw = np.random.default_rng(1)
    durations = np.round(draw.gamma(4, 2, count), 3).tolist()
    words = draw.integers(0, 3000, (count, 19))
    lengths, speakers = draw.integers(4, 20, count).tolist(), draw.integers(0, 2000, count).tolist()
    with path.open("w", encoding="utf-8") as file:
        for i in range(count):
            row = {
                "id": f"utterance-{i:07}",
                "text": " ".join(f"word{n}" for n in words[i, : lengths[i]].tolist()),
                "duration": durations[i],
                "audio": f"../../data/audio/utterance-{i:07}.flac",
                "speaker_id": f"speaker-{speakers[i]:04}",
                "line": i + 1,
            }
            file.write(json.dumps(row, separators=(",", ":")) + "\n")
    return path
