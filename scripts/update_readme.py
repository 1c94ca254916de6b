"""Write results of the studies that ship with the project into the README: of the embedded one and of examples/flat.

Example: python scripts/update_readme.py --results results --flat examples/flat/results
Reads: verdict, paired and WER facts, plots, and hypotheses if the sweep was run. Writes: the blocks between the markers
of the README, and copies of the plots.
"""

from __future__ import annotations

import argparse
import functools
import shutil
import sys
from pathlib import Path

from tabulate import tabulate

from lora import layout
from lora.formatting import caveat, counted_rows, outcome_words, percent, points_range, rate, signed_points
from lora.provenance.command import run_command
from lora.provenance.command_parser import CommandParser
from lora.records.base import UserError
from lora.records.sweep import HypothesisResults
from lora.records.verdict import RunOutcome, Verdict
from lora.report.brief import brief
from lora.report.documents import replace_block, update_document
from lora.report.publish import keep_together
from lora.report.sections.verdict import SEVERITY, headline
from lora.report.study import Study
from lora.report.sweep_states import STATES

BLOCK, FLAT_BLOCK, SWEEP_BLOCK = "generated: result", "generated: flat", "generated: sweep"
PICTURES = ("durations.svg", "wer.svg")
SWEEP_PICTURES = ("sweep.levels.svg", "sweep.tradeoff.svg")
HEADERS = ("manifest", "rows", "baseline WER", "tuned WER", "difference", "outcome")


def result_row(study: Study, outcome: RunOutcome) -> tuple[str, ...]:
    """One evaluation manifest: baseline and tuned WER of rows within max_seconds, and their difference."""
    facts = study.wer("base", outcome.manifest).value
    if facts is None or facts.within is None:
        raise UserError(f"{study.results}: no baseline WER for {outcome.manifest}; run the study first")
    paired = study.paired(outcome.run, outcome.manifest).value
    score = paired.within if paired else None
    ends = points_range(outcome.ci_low, outcome.ci_high) + caveat(score.interval if score else None, ", {}")
    return (
        outcome.manifest,
        f"{facts.within.utterances:,}",
        rate(facts.within.wer, facts.within.interval),
        percent(outcome.tuned_wer),
        f"{signed_points(outcome.delta)} ({ends})",
        outcome_words(outcome.outcome, outcome.smallest_change),
    )


def result_table(study: Study, verdict: Verdict) -> str:
    """One row per evaluation manifest of the gate run."""
    rows = [result_row(study, outcome) for outcome in verdict.runs if outcome.run == verdict.gate_run]
    return tabulate(rows, headers=HEADERS, tablefmt="github", disable_numparse=True)


def result_block(study: Study, pictures: str) -> str:
    verdict = study.verdict.value
    if verdict is None:
        raise UserError(f"{study.results}: no verdict; run the study first")
    reason = f" {study.decision.value.reason}" if study.decision.value is not None else ""
    causes = [f"- `{cause.code}` ({SEVERITY[cause.severity]}): {cause.because}" for cause in verdict.causes]
    return "\n".join(
        [
            f"![Word error rate of the baseline and of the tuned run]({pictures}/wer.svg)",
            "",
            f"WER on {counted_rows(verdict.max_seconds)} (`max_seconds`), here and below; differences are tuned minus "
            "baseline; 95 % intervals.",
            "",
            result_table(study, verdict),
            "",
            f"**{headline(verdict)}.**{reason}",
            "",
            *causes,
        ]
    )


def flat_block(study: Study) -> str:
    """What the terminal shows of a study whose WER stays flat."""
    return f"```text\n{brief(study, [])}```"


def first_sentence(text: str) -> str:
    """`text` up to the first full stop before a space."""
    return text.partition(". ")[0].rstrip(".") + "."


def sweep_block(decided: HypothesisResults, pictures: str) -> str:
    rows = [(h.id, h.statement, STATES[h.state], first_sentence(h.summary)) for h in decided.hypotheses]
    return "\n".join(
        [
            f"![WER over steps, share of data and learning rate, seeds as points]({pictures}/{SWEEP_PICTURES[0]})",
            "",
            tabulate(rows, headers=("", "hypothesis", "result", "why"), tablefmt="github", disable_numparse=True),
        ]
    )


def execute(args: argparse.Namespace) -> int:
    study = Study(args.results, args.results / "config.json")
    decided = study.find(layout.HYPOTHESES).value
    blocks = {BLOCK: result_block(study, args.pictures.as_posix())}
    if args.flat is not None:
        blocks[FLAT_BLOCK] = flat_block(Study(args.flat, args.flat / "config.json"))
    if decided is not None:
        blocks[SWEEP_BLOCK] = sweep_block(decided, args.pictures.as_posix())
    args.pictures.mkdir(parents=True, exist_ok=True)
    for name in (*PICTURES, *(SWEEP_PICTURES if decided is not None else ())):
        shutil.copyfile(args.results / "plots" / name, args.pictures / name)
    for name, block in blocks.items():
        body = keep_together(block)
        update_document(args.readme, "", functools.partial(replace_block, name=name, body=body, path=args.readme))
    return 0


def main(argv: list[str] | None = None) -> int:
    parser = CommandParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--flat", type=Path, metavar="RESULTS", help="results of examples/flat")
    parser.add_argument("--readme", type=Path, default=Path("README.md"))
    parser.add_argument("--pictures", type=Path, default=Path("docs/images"))
    args = parser.parse_args(argv)
    return run_command(lambda: execute(args))


if __name__ == "__main__":
    sys.exit(main())
