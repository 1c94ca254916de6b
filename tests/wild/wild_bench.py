"""Run the studies of a real Whisper on real recordings, and write what they show to docs/real-models.md.

Example:
    make wild                      # both studies (about an hour on two cores)
    make wild ARGS='--only digits' # one of them, without the page

Without the folder of recordings (`WILD`) it prints one line and does nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from small_study import Study
from wild_studies import WILD, accented_study, digits_study

from lora.formatting import percent, points_range, signed_points

STUDIES: dict[str, tuple[str, Callable[[Path], Study]]] = {
    "accented": ("Accented read English, LibriSpeech as general set", accented_study),
    "digits": ("Digit strings, telephone prompts as general set", digits_study),
}


def section(title: str, study: Study) -> list[str]:
    """One study on the page: rows, error rates, verdict, cost of every step."""
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


def page(sections: list[str]) -> str:
    introduction = [
        "# A real model on real speech",
        "",
        "OpenAI's Whisper tiny.en, as a transformers folder, tuned and diagnosed on public recordings: read English of",
        "Mandarin speakers (speechocean762), LibriSpeech test-other, digit strings joined from the free spoken digit",
        "dataset, and telephone prompts (Asterisk core sounds). For a study of your own write",
        "`model: {id: openai/whisper-tiny.en}` and the paths of your manifests. This page is written by",
        "",
        "    make wild",
        "",
    ]
    return "\n".join([*introduction, *sections])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=tuple(STUDIES), help="run one study")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="keep the studies here, and resume them")
    parser.add_argument("--page", type=Path, metavar="MD", help="write the page here")
    args = parser.parse_args()
    if not WILD.is_dir():
        print(f"skipped: {WILD} does not exist; name the folder of model and recordings with WILD=...")
        return 0
    sections: list[str] = []
    with tempfile.TemporaryDirectory() as temporary:
        for name, (title, build) in STUDIES.items():
            if args.only not in (None, name):
                continue
            folder = (args.folder or Path(temporary)) / name
            study = Study(folder) if (folder / "config.yaml").exists() else build(folder)
            study.run()
            sections += section(title, study)
            print("\n".join(section(title, study)), flush=True)
    if args.page:
        args.page.write_text(page(sections), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
