"""What a small change recomputes: utterances decoded, and seconds compared with a full run and an idle run.

Rows are pieces of one second of the embedded study's audio, each with samples of its own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from measuring import REPOSITORY, Figure, Plan, Result, cost_of

sys.path.insert(0, str(REPOSITORY / "tests"))
from small_study import Study, Work
from whole_study import tiny_study, workflow

TITLE = "Work that is not done twice"
MINUTES = 5
ROWS = {False: (1_000, 10_000), True: (3, 6)}
DATA = REPOSITORY / "data"
HOP = 0.25  # seconds between the starts of pieces
PIECE = 1.0


def run(plan: Plan) -> Result:
    result = Result(config={"rows": list(ROWS[plan.quick]), "seconds_a_row": PIECE, "device": plan.device})
    for count in ROWS[plan.quick]:
        folder = plan.folder / str(count)
        folder.mkdir()
        result.figures += one_row_more(folder, count, plan.device)
    result.remarks.append("Of a peak up to 512 MB are samples, which are kept as long as they fit into that.")
    result.figures += other_decode(plan.folder / "study", plan.quick)
    return result


def one_row_more(folder: Path, count: int, device: str) -> list[Figure]:
    """The transcribe command over `count` rows, again without a change, and again with one row more."""
    rows = pieces(count + 1)

    def transcribe(rows: list[dict[str, Any]]) -> tuple[str, int]:
        manifest = folder / "rows.jsonl"
        manifest.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        command = [sys.executable, "-m", "lora.runners.experiment", "transcribe", "--run", "base"]
        command += ["--model-id", str(DATA / "model"), "--device", device, "--manifest", f"m={manifest}"]
        cost = cost_of([*command, "--output-dir", str(folder / "out"), "--work-dir", str(folder / "work")])
        record = json.loads((folder / "out" / "transcribe.run.json").read_text())
        decoded = int(record["utterances_decoded"])
        return f"{decoded:,} utterances decoded, {cost.seconds:.1f} s, peak {cost.peak_mb:.0f} MB", decoded

    full, again = transcribe(rows[:count]), transcribe(rows[:count])
    more = transcribe(rows)
    assert (full[1], again[1], more[1]) == (count, 0, 1), (full, again, more)
    return [
        Figure(f"`transcribe`, {count:,} rows, everything new", full[0]),
        Figure(f"`transcribe`, {count:,} rows, nothing new", again[0], "0 decoded"),
        Figure(f"`transcribe`, {count:,} rows and one more", more[0], "1 decoded"),
    ]


def other_decode(folder: Path, quick: bool) -> list[Figure]:
    """A small study through the workflow, then another decode setting of its candidate alone."""
    study = tiny_study(folder)
    workflow(study)
    before = study.records()
    study.configure({"candidates": {"lora": {"decode": {"num_beams": 2}}}})
    workflow(study)
    done = study.work_since(before)
    others = {name for name in done.decoded if not name.endswith("lora")}
    assert (others, done.steps) == (set(), 0), done
    return [
        Figure(
            "another decode setting of the run lora", decoded_by_run(done, study), "all of that run, nothing of others"
        )
    ]


def decoded_by_run(work: Work, study: Study) -> str:
    rows = sum(len(study.rows(name)) for name in ("heldout", "domain", "test"))
    decoded = ", ".join(f"{name}: {count}" for name, count in sorted(work.decoded.items()))
    return f"decoded {decoded} ({rows} evaluation rows); {work.steps} optimiser steps"


def pieces(count: int) -> list[dict[str, Any]]:
    """Rows with `offset` and `duration`, from as many recordings as it takes."""
    rows: list[dict[str, Any]] = []
    for name in ("train", "domain", "heldout"):
        for text in (DATA / f"{name}_manifest.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(text)
            for number in range(int((row["duration"] - PIECE) / HOP)):
                piece = {"audio": str(DATA / row["audio"]), "text": "a piece", "duration": PIECE}
                rows.append({**piece, "offset": HOP * number, "id": f"{row['id']}-{number}"})
                if len(rows) == count:
                    return rows
    raise ValueError(f"the study's audio has {len(rows)} pieces, not {count}")
