"""What the stages without a model cost over a million rows and over 100,000 scored utterances, each as a process.

Figures are seconds of processor time, which hardly depends on what else the machine does, and the largest resident set.
"""

from __future__ import annotations

import sys
from pathlib import Path

from measuring import Cost, Figure, Plan, Result, cost_of, script
from scale_inputs import write_evaluation, write_training

TITLE = "Scale"
MINUTES = 8
ROWS = {False: 1_000_000, True: 1_000}
SCORED = {False: 100_000, True: 100}
SPEAKERS = {False: 10_000, True: 20}
THRESHOLDS = (5, 8, 10, 15, 20)
REPLICATES = 2_000


def run(plan: Plan) -> Result:
    rows, scored, speakers = ROWS[plan.quick], SCORED[plan.quick], SPEAKERS[plan.quick]
    result = Result(config={"rows": rows, "scored": scored, "speakers": speakers, "replicates": REPLICATES})
    result.figures += training_stages(plan.folder / "rows", rows)
    result.figures += scoring_stages(plan.folder / "scored", scored, speakers)
    result.remarks.append(
        "Seconds of processor time, which other work on the machine raises less than those of a clock. Rows are "
        "pieces of 1,000 files, with durations; the evaluation has 5 to 34 words per utterance. Goals "
        "are for two idle cores."
    )
    return result


def training_stages(folder: Path, count: int) -> list[Figure]:
    """From a manifest to rows and tables."""
    validated = validation(folder, count)
    rows, retention = folder / "rows.jsonl", folder / "retention.json"
    thresholds = ("--thresholds", *THRESHOLDS)
    profiled = cost_of(
        script(
            "profile_durations",
            "--rows",
            rows,
            "--manifest-name",
            "train",
            *thresholds,
            "--table",
            folder / "table.tsv",
        )
    )
    kept = cost_of(script("profile_retention", "--rows", rows, *thresholds, "--retention", retention))
    return [
        figure("validate_manifest", f"{count:,} rows", validated, "20 s, 500 MB"),
        figure("profile_durations", f"{count:,} rows", profiled),
        figure("profile_retention", f"{count:,} rows", kept, "6 s"),
    ]


def validation(folder: Path, count: int) -> Cost:
    """The cost of validating a manifest of `count` rows, whose canonical rows are then in `folder`."""
    manifest, measures = write_training(folder, count)
    return cost_of(
        script(
            "validate_manifest",
            "--manifest",
            manifest,
            "--measures",
            measures,
            "--rows",
            folder / "rows.jsonl",
            "--rejected",
            folder / "rejected.tsv",
            "--facts",
            folder / "facts.json",
        )
    )


def scoring_stages(folder: Path, count: int, speakers: int) -> list[Figure]:
    """A quick comparison of two files of transcripts, and the score of one of them."""
    manifest, baseline, tuned, transcripts, _ = write_evaluation(folder, count, speakers)
    quick = [sys.executable, "-m", "lora.runners.quick", "--manifest", str(manifest)]
    compared = cost_of([*quick, "--baseline", str(baseline), "--tuned", str(tuned)])
    scored = cost_of(
        script(
            "score_run",
            "--run",
            "base",
            "--manifest-name",
            "evaluation",
            "--rows",
            manifest,
            "--transcripts",
            transcripts,
            "--max-seconds",
            "none",
            "--normalizer",
            "basic",
            "--confidence",
            0.95,
            "--replicates",
            REPLICATES,
            "--assumed-shared-errors",
            0.8,
            "--target-gain",
            0.01,
            "--wer",
            folder / "wer.json",
        )
    )
    return [
        figure("quick", f"{count:,} utterances, {speakers:,} speakers", compared, "12 s, 400 MB"),
        figure("score_run", f"{count:,} utterances, {speakers:,} speakers", scored, "5 s, 400 MB"),
    ]


def figure(name: str, size: str, cost: Cost, goal: str = "") -> Figure:
    return Figure(f"`{name}`, {size}", f"{cost.processor_seconds:.1f} s, peak {cost.peak_mb:.0f} MB", goal)
