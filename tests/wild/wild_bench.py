"""Run the studies of a real Whisper on real recordings, plant faults, and write docs/real-models.md.

Example:
    make wild                      # two studies and planted faults (about two hours on two cores)
    make wild ARGS='--only digits' # one part, without the page

Without the folder of recordings (`WILD`) it prints one line and does nothing.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bench import print_result, run_bench, score, table
from real_plants import REAL
from small_study import Study
from wild_studies import WILD, accented_study, digits_study, small_accented_study, small_sweep_study

from lora import layout
from lora.formatting import percent, points_range, signed_points
from lora.records.sweep import HypothesisResults, SweepFacts

JOBS = 2  # planted cases that run at a time, each with one thread


def study_section(title: str, build: Callable[[Path], Study], folder: Path) -> list[str]:
    """One study on the page: rows, error rates, verdict, cost of every step."""
    folder /= build.__name__
    study = Study(folder) if (folder / "config.yaml").exists() else build(folder)
    study.run()
    verdict = study.verdict()
    ready = "ready for the sweep" if verdict["ready_for_sweep"] else "not ready for the sweep"
    lines = [f"## {title}", "", f"Verdict: {ready}; `max_seconds` {verdict['max_seconds']}.", ""]
    lines += [
        "| manifest | rows | before | after | difference | 95 % interval | outcome |",
        "|---|---|---|---|---|---|---|",
    ]
    for run in verdict["runs"]:
        facts = json.loads((study.results / f"paired/{run['run']}/{run['manifest']}.json").read_text())
        for kind in ("within", "all"):
            score = facts[kind]
            interval = points_range(score["interval"]["low"], score["interval"]["high"])
            lines.append(
                f"| {run['manifest']} | {score['utterances']} ({'within max_seconds' if kind == 'within' else 'all'}) "
                f"| {percent(score['baseline_wer'])} | {percent(score['tuned_wer'])} | {signed_points(score['delta'])} "
                f"| {interval} | {score['outcome']} |"
            )
    lines += ["", "| cause | severity | because |", "|---|---|---|"]
    lines += [f"| `{c['code']}` | {c['severity']} | {c['because']} |" for c in verdict["causes"]]
    lines += ["", "| step | seconds | peak memory (MB) |", "|---|---|---|"]
    lines += [f"| {name} | {record['seconds']:.0f} | {record['peak_memory_mb']:.0f} |" for name, record in costs(study)]
    return [*lines, ""]


def costs(study: Study) -> list[tuple[str, dict[str, Any]]]:
    """Run records of all steps that took five seconds or more, the longest first."""
    records = [(name.removeprefix("results/").removesuffix(".run.json"), r) for name, r in study.records().items()]
    return sorted(((name, r) for name, r in records if r["seconds"] >= 5), key=lambda entry: -entry[1]["seconds"])


def planted(folder: Path) -> list[str]:
    """Faults planted into the small study, as a section of the page."""
    healthy = Study(folder / "small") if (folder / "small").exists() else small_accented_study(folder / "small")
    healthy.run()
    work = folder / "planted"
    shutil.rmtree(work, ignore_errors=True)
    results = run_bench(REAL, healthy, JOBS, print_result, work)
    rows = [result.cells() for result in results]
    return [
        "## Faults planted into a small study of accented English",
        "",
        "120 training rows, 48 accented and 16 LibriSpeech rows, 24 steps of 8. Columns as in [faults.md](faults.md):",
        "*expected first* must come first in the verdict; a *neighbour* looks like a fault but is none. Warnings that",
        "the study has without a planted fault (no full stops in the corpus, three rows of narrow band) do not count.",
        "",
        *table(rows),
        "",
        score(rows),
        "",
    ]


def sweep(folder: Path) -> list[str]:
    """The sweep of the small study: its recipes, and its hypotheses decided."""
    folder /= "sweep"
    study = Study(folder) if (folder / "config.yaml").exists() else small_sweep_study(folder)
    study.run("sweep")
    facts = SweepFacts.read(study.results / layout.RECIPES.path())
    decided = HypothesisResults.read(study.results / layout.HYPOTHESES.path())
    trained = [f"results/adapters/{run}/train.run.json" for recipe in facts.recipes for run in recipe.runs]
    seconds = [record["seconds"] for path, record in study.records().items() if path in trained]
    lines = [
        "## A sweep of two learning rates with two seeds",
        "",
        "120 training rows, 48 accented and 16 LibriSpeech rows, 24 steps of 8. Differences from the base model with "
        "intervals over",
        f"seeds and speakers. A training took {min(seconds):.0f} to {max(seconds):.0f} s.",
        "",
        "| recipe | seeds | manifest | WER by seed | difference | 95 % interval |",
        "|---|---|---|---|---|---|",
    ]
    rows = next(h for h in facts.hypotheses if h.id == "H4")
    for outcome in [*rows.outcomes, *rows.guarded]:
        found = outcome.against_base
        lines.append(
            f"| {outcome.recipe} | {found.seeds} | {outcome.manifest} | {', '.join(map(percent, outcome.wers))} "
            f"| {signed_points(found.difference)} | {points_range(found.interval.low, found.interval.high)} |"
        )
    lines += ["", "| hypothesis | result | why |", "|---|---|---|"]
    lines += [f"| {h.id}. {h.statement} | {h.state} | {h.summary} {h.next_step} |" for h in decided.hypotheses]
    return [*lines, ""]


PARTS = {
    "accented": lambda folder: study_section(
        "Accented read English, LibriSpeech as general set", accented_study, folder
    ),
    "digits": lambda folder: study_section("Digit strings, telephone prompts as general set", digits_study, folder),
    "faults": planted,
    "sweep": sweep,
}


def page(sections: Iterable[list[str]]) -> str:
    introduction = [
        "# A real model on real speech",
        "",
        "OpenAI's Whisper tiny.en, as a transformers folder, tuned and diagnosed on public recordings: read English of",
        "Mandarin speakers (speechocean762), LibriSpeech test-other, digit strings joined from the free spoken digit",
        "dataset, and telephone prompts (Asterisk core sounds). For a study of your own write",
        "`model: {id: openai/whisper-tiny.en}` and the paths of your manifests. This page is written by",
        "",
        "```sh",
        "make wild",
        "make wild ARGS='--only faults --page docs/real-models.md'    # one part again; keep the others",
        "```",
        "",
    ]
    return "\n".join([*introduction, *(line for section in sections for line in section)])


def former_sections(path: Path) -> dict[str, list[str]]:
    """Sections of the page, by their headings."""
    sections: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        if line.startswith("## "):
            sections[line] = []
        if sections:
            list(sections.values())[-1].append(line)
    return sections


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=tuple(PARTS), help="run one part")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="keep the studies here, and resume them")
    parser.add_argument("--page", type=Path, metavar="MD", help="write the page here; parts that are not run are kept")
    args = parser.parse_args()
    if not WILD.is_dir():
        print(f"skipped: {WILD} does not exist; name the folder of model and recordings with WILD=...")
        return 0
    sections = former_sections(args.page) if args.page else {}
    with tempfile.TemporaryDirectory() as temporary:
        for name, part in PARTS.items():
            if args.only in (None, name):
                lines = part(args.folder or Path(temporary))
                sections[lines[0]] = lines
                print("\n".join(lines), flush=True)
    if args.page:
        args.page.write_text(page(sections.values()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
