"""Compare two files of transcripts in seconds, without a model and without decoding audio.

Example:
    python -m lora.runners.quick --manifest dev.jsonl --baseline base.trn --tuned tuned.ctm \\
        --train train.jsonl --output-dir quick

Runs the stages of the workflow for a study without a model in one process.
Reads: transcripts (JSON lines, CSV, TSV, Kaldi text, trn, ctm; `<stem>.settings.json` next to each is used if it
exists); a manifest, which may contain only references, and may be left out if the baseline's file contains references;
headers of audio whose duration the manifest does not give. `--general` adds general speech, on which tuning may do
harm: manifest, baseline and tuned transcripts.
Writes: the verdict on stdout, with `--json` as one JSON object (docs/candidates.md); with `--output-dir` the files
that a study has under `results/` (verdict.json, report/index.html, plots and the facts behind them), replacing those
of the last run.

Exit code: 0; 1 where `--fail-on` names what was found; 2 where files or options are wrong (nothing is on stdout then).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lora.configuration.loading import load_configuration
from lora.data.column_names import SYNONYMS
from lora.data.existing_files import exists
from lora.data.formats.registry import FORMATS as MANIFEST_FORMATS
from lora.data.source import AUTO
from lora.data.transcripts.columns import COLUMNS, column
from lora.data.transcripts.files import FORMATS, guess_format
from lora.layout import TRAIN
from lora.provenance.command import run_command
from lora.provenance.command_parser import CommandParser
from lora.provenance.disk_problem import why_absent
from lora.records.base import UserError
from lora.records.kept import keeping_contents
from lora.report.brief import brief, documents
from lora.report.study import Study
from lora.runners.comparison import EVALUATION, GENERAL, TUNED, Comparison, naming
from lora.runners.markup_option import add_strip_argument
from lora.runners.options import positive_number
from lora.runners.output_folder import prepared, replacing
from lora.runners.quick_result import counted_rows_notes, exit_code, machine_readable
from lora.scoring.normalizers import NAMES
from lora.scoring.units import UNITS
from lora.terminal import write_coloured

FAIL_ON = ("block", "warn")
NOTE = "note: "
KEEP = "  to keep it    --output-dir DIR writes report, plots and facts\n"


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = CommandParser(prog="python -m lora.runners.quick", description=__doc__)
    add_arguments(parser)
    return parser.parse_args(argv)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--manifest", "--reference", "--ref", type=Path, metavar="PATH", help="rows with their references"
    )
    parser.add_argument(
        "--baseline", "--base", "--before", type=Path, required=True, metavar="PATH", help="transcripts before tuning"
    )
    parser.add_argument("--tuned", "--after", type=Path, required=True, metavar="PATH", help="transcripts after tuning")
    parser.add_argument(
        "--train", type=Path, metavar="PATH", help="training manifest with durations: chooses max_seconds"
    )
    parser.add_argument(
        "--general",
        type=Path,
        nargs=3,
        metavar=("MANIFEST", "BASELINE", "TUNED"),
        help="general speech, which tuning may make worse: its manifest, and transcripts before and after",
    )
    parser.add_argument("--baseline-format", choices=FORMATS, help="default: by suffix and first lines")
    parser.add_argument("--tuned-format", choices=FORMATS, help="default: by suffix and first lines")
    parser.add_argument(
        "--manifest-format",
        choices=dict.fromkeys((*MANIFEST_FORMATS, *FORMATS)),
        metavar="FORMAT",
        help="a format of manifests or transcripts; default: by suffix and content",
    )
    parser.add_argument(
        "--columns",
        type=column,
        nargs="+",
        default=[],
        metavar="WHAT=COLUMN",
        help=f"names of columns in baseline and tuned; WHAT is one of {', '.join(COLUMNS)}",
    )
    parser.add_argument(
        "--manifest-columns",
        type=manifest_column,
        nargs="+",
        default=[],
        metavar="FIELD=COLUMN",
        help="names of columns in the manifest, such as text=sentence",
    )
    parser.add_argument(
        "--normalizer",
        choices=NAMES,
        help="normaliser of the texts of both sides (default: %(default)s)",
        default="basic",
    )
    parser.add_argument(
        "--unit",
        choices=UNITS,
        default="auto",
        help="what the error rate counts; auto: words, and characters in scripts without spaces between words",
    )
    add_strip_argument(parser, "both sides")
    parser.add_argument(
        "--target-gain",
        type=positive_number,
        metavar="F",
        help="smallest WER difference of interest, as a fraction (default: 0.01)",
    )
    parser.add_argument(
        "--max-seconds", type=positive_number, metavar="S", help="longest training row (default: chosen from --train)"
    )
    parser.add_argument(
        "--output-dir", "--output", "-o", type=_folder, metavar="DIR", help="keep verdict, report and facts here"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    parser.add_argument(
        "--fail-on",
        choices=FAIL_ON,
        help="end with exit code 1 if a cause blocks (block), or blocks or warns (warn; worse than the baseline warns)",
    )


def _folder(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; name a folder")
    return Path(text)


def execute(args: argparse.Namespace) -> int:
    with computed(args) as (study, notes):
        code = exit_code(study, args.fail_on)
        if args.json:
            kept = documents(study.results) if args.output_dir is not None else []
            found = machine_readable(study, notes, kept, code)
            print(json.dumps(found, indent=2, ensure_ascii=False))
            return code
        _print_notes(notes)
        write_coloured(in_words(study, args.output_dir, "with --output-dir DIR", KEEP), sys.stdout)
    return code


@contextlib.contextmanager
def computed(args: argparse.Namespace) -> Iterator[tuple[Study, list[str]]]:
    """Compute the comparison; its results, temporary unless a folder is named, and notes on how files were read."""
    config = configuration(args)
    with contextlib.ExitStack() as stack:
        if args.output_dir is not None:
            inputs = [args.manifest, args.baseline, args.tuned, args.train, *(args.general or [])]
            stack.enter_context(prepared(args.output_dir, [path for path in inputs if path is not None]))
        stack.enter_context(keeping_contents())
        folder = args.output_dir or Path(stack.enter_context(tempfile.TemporaryDirectory())) / "results"
        with _silenced() as printed, replacing(folder) if args.output_dir is not None else contextlib.nullcontext():
            comparison = Comparison(folder, config)
            comparison.run()
            if args.output_dir is not None:
                comparison.draw()
        study = Study(folder, folder / "config.json")
        notes = [
            *(line.removeprefix(NOTE) for line in printed.getvalue().splitlines() if line.startswith(NOTE)),
            *counted_rows_notes(study, has_training=args.train is not None, max_seconds=args.max_seconds),
        ]
        yield study, notes


def in_words(study: Study, output_dir: Path | None, how_to_keep: str, hint: str) -> str:
    """The verdict; where results are kept, with what to open, else with how to keep them."""
    if output_dir is None:
        return brief(study, [], how_to_keep, has_config=False) + hint
    return brief(study, documents(output_dir), has_config=False)


@contextlib.contextmanager
def _silenced() -> Iterator[io.StringIO]:
    """Keep what the stages print, of which the notes are shown; after an error the error alone is shown."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        yield printed


def _print_notes(notes: Iterable[str]) -> None:
    sys.stderr.writelines(f"{NOTE}{note}\n" for note in notes)


def configuration(args: argparse.Namespace) -> dict[str, Any]:
    """Build the complete configuration of the equivalent study. Raises UserError for files that do not exist."""
    _check_files(args)
    if args.manifest is not None and args.tuned.resolve() == args.manifest.resolve():
        raise UserError(f"--tuned {args.tuned}: this is the manifest; its references would be scored as hypotheses")
    _check_manifest_flags(args)
    sources = {EVALUATION: args.manifest or args.baseline, TRAIN: args.train}
    base: dict[str, Any] = {EVALUATION: _hypotheses("--baseline", args.baseline, args.baseline_format, args.columns)}
    tuned: dict[str, Any] = {EVALUATION: _hypotheses("--tuned", args.tuned, args.tuned_format, args.columns)}
    if args.general is not None:
        sources[GENERAL], base_path, tuned_path = args.general
        base[GENERAL], tuned[GENERAL] = str(base_path), str(tuned_path)
    given: dict[str, Any] = {
        "model": None,
        "manifests": {name: _manifest(args, name, path) for name, path in sources.items() if path is not None},
        "roles": {"general": [GENERAL] if args.general else [], "domain": [EVALUATION]},
        "durations": {"max_seconds": args.max_seconds or "auto"},
        "normalizer": args.normalizer,
        "text": {"unit": args.unit, "strip": "all" if "all" in args.strip else args.strip},
        "statistics": {"target_gain": args.target_gain} if args.target_gain else {},
        "base": {"hypotheses": base},
        "candidates": {TUNED: {"hypotheses": tuned}},
    }
    return load_configuration(given, None, Path.cwd())


def _check_files(args: argparse.Namespace) -> None:
    given = [(name, getattr(args, name)) for name in ("manifest", "baseline", "tuned", "train")]
    for name, path in [*given, *((GENERAL, path) for path in args.general or [])]:
        if path is not None and not exists(path):
            raise UserError(f"--{name} {path}: {why_absent(path)} (looked in {Path.cwd()})")


def _check_manifest_flags(args: argparse.Namespace) -> None:
    for flag, value in (("--manifest-format", args.manifest_format), ("--manifest-columns", args.manifest_columns)):
        if value and args.manifest is None:
            raise UserError(f"{flag}: there is no --manifest; name it, or remove {flag}")


def _hypotheses(flag: str, path: Path, format: str | None, columns: list[tuple[str, str]]) -> dict[str, Any]:
    with naming(flag, path):
        has_columns = bool(columns) and FORMATS[format or guess_format(path)].has_columns
    file = {"path": str(path), "format": format, "columns": dict(columns) if has_columns else None}
    return {key: value for key, value in file.items() if value is not None}


def _manifest(args: argparse.Namespace, name: str, path: Path) -> dict[str, Any] | str:
    if name != EVALUATION or not (args.manifest_format or args.manifest_columns):
        return str(path)
    return {"path": str(path), "format": args.manifest_format or AUTO, "columns": dict(args.manifest_columns)}


def manifest_column(text: str) -> tuple[str, str]:
    """A field of manifest rows and its column. Raises argparse.ArgumentTypeError for another text."""
    field, equals, name = text.partition("=")
    if field not in SYNONYMS or not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not FIELD=COLUMN with FIELD one of {', '.join(SYNONYMS)}")
    return field, name


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)), collect=False)


if __name__ == "__main__":
    sys.exit(main())
