"""Measure this software against what people would use instead, and write the page docs/benchmarks.md.

Example:
    make bench                                          # all subjects and the page
    python benchmarks/run.py --only transcription --page docs/benchmarks.md
    python benchmarks/run.py --quick                    # tiny sizes; writes nothing

Reads: data/ (audio and model of the embedded study). Writes: benchmarks/results/<subject>.json and, with --page, the
page of all of these. Each subject runs in a process of its own. Needs requirements-bench.txt.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

from measuring import REPOSITORY, Plan, environment
from results_page import page, record, section, write_record

RESULTS = REPOSITORY / "benchmarks" / "results"
SUBJECTS = {
    "durations": "profile_rows",
    "headers": "audio_headers",
    "scoring": "score_pairs",
    "scale": "scale",
    "large-study": "large_study",
    "transcription": "transcribe_rows",
    "training": "train_steps",
    "reuse": "reuse_work",
    "workflow": "whole_study",
    "sweep": "sweep_runs",
    "real-model": "real_model",
}


def subject_module(name: str) -> ModuleType:
    return importlib.import_module(SUBJECTS[name])


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=SUBJECTS, action="append", help="repeat for more; default: all")
    parser.add_argument("--page", type=Path, metavar="MD", help="write the page; subjects that are not run stay")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="default: benchmarks/results")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, which say nothing; results are not written")
    parser.add_argument("--device", default="cpu", help="of transcription and training: cpu, cuda, mps")
    return parser.parse_args(argv)


def measure(name: str, args: argparse.Namespace) -> None:
    """One subject in this process: print its section and keep its record."""
    import gc

    from lora.provenance.command import COLLECT_AFTER

    gc.set_threshold(COLLECT_AFTER)  # as in our commands; for both sides
    module = subject_module(name)
    with tempfile.TemporaryDirectory() as temporary:
        begun = time.perf_counter()
        result = module.run(Plan(Path(temporary), args.quick, args.device))
        kept = record(name, result, args.device, time.perf_counter() - begun)
    if not args.quick:
        write_record(args.results, kept)
    print(section(module.TITLE, kept), flush=True)


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    chosen = args.only or list(SUBJECTS)
    if len(chosen) == 1:
        measure(chosen[0], args)
    else:
        more = ["--results", str(args.results), "--device", args.device, *(["--quick"] if args.quick else [])]
        for name in chosen:
            print(f"{name}: about {subject_module(name).MINUTES} minutes", file=sys.stderr, flush=True)
            subprocess.run([sys.executable, __file__, "--only", name, *more], check=True, env=environment())
    if args.page and not args.quick:
        titles = {name: subject_module(name).TITLE for name in SUBJECTS}
        args.page.write_text(page(args.results, titles), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
