"""Put the embedded study's result into the README: picture and table of the last run.

Example: python scripts/update_readme.py --results results --readme README.md --pictures docs/images
Reads: verdict, paired and WER facts, plots. Writes: the block between the README's markers, and copies of the plots.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from tabulate import tabulate

from lora.formatting import caveat, percent, percent_range, points_range, signed_points
from lora.provenance.command import run_command
from lora.records.base import UserError
from lora.records.scores import WerFacts
from lora.records.verdict import Verdict
from lora.report.documents import replace_block, update_document
from lora.report.study import Study

BLOCK = "generated: result"
PICTURES = ("durations.svg", "wer.svg")
HEADERS = ("manifest", "rows", "baseline WER (95 %)", "tuned WER", "difference in points (95 %)", "outcome")


def result_table(study: Study, verdict: Verdict) -> str:
    """One row per evaluation manifest of the gate run, counting rows within max_seconds."""
    rows = []
    for outcome in verdict.runs:
        if outcome.run != verdict.gate_run:
            continue
        facts = study.find(f"wer/base/{outcome.manifest}.json", WerFacts).value
        if facts is None or facts.within is None:
            raise UserError(f"{study.results}: no baseline WER for {outcome.manifest}; run the study first")
        base = facts.within
        ends = percent_range(base.interval.low, base.interval.high) + caveat(base.interval, ", {}")
        paired = study.paired(outcome.run, outcome.manifest).value
        score = paired.within if paired else None
        difference = points_range(outcome.ci_low, outcome.ci_high) + caveat(score.interval if score else None, ", {}")
        rows.append(
            (
                outcome.manifest,
                base.utterances,
                f"{percent(base.wer)} ({ends})",
                percent(outcome.tuned_wer),
                f"{signed_points(outcome.delta)} ({difference})",
                outcome.outcome,
            )
        )
    return tabulate(rows, headers=HEADERS, tablefmt="github", disable_numparse=True)


def result_block(study: Study, pictures: str) -> str:
    verdict = study.verdict.value
    if verdict is None:
        raise UserError(f"{study.results}: no verdict; run the study first")
    ready = {True: "**Ready for the sweep.**", False: "**Not ready for the sweep.**", None: "**No verdict.**"}
    lines = [f"![Word error rate of the baseline and of the tuned run]({pictures}/wer.svg)", ""]
    lines += [result_table(study, verdict), "", ready[verdict.ready_for_sweep]]
    if study.decision.value is not None:
        lines.append(study.decision.value.reason)
    lines += [f"- `{cause.code}` ({cause.severity}): {cause.because}" for cause in verdict.causes]
    return "\n".join(lines)


def execute(args: argparse.Namespace) -> int:
    study = Study(args.results, args.results / "config.json")
    block = result_block(study, args.pictures.as_posix())
    args.pictures.mkdir(parents=True, exist_ok=True)
    for name in PICTURES:
        shutil.copyfile(args.results / "plots" / name, args.pictures / name)
    update_document(args.readme, "", lambda document: replace_block(document, BLOCK, block, args.readme))
    return 0


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--readme", type=Path, default=Path("README.md"))
    parser.add_argument("--pictures", type=Path, default=Path("docs/images"))
    args = parser.parse_args(argv)
    return run_command(lambda: execute(args))


if __name__ == "__main__":
    sys.exit(main())
