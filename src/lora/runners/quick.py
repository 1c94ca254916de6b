"""Two files of transcripts and a manifest in, a verdict on their comparison out: no model, no audio, seconds.

Example:
    python -m lora.runners.quick --manifest dev.jsonl --baseline base.trn --tuned tuned.ctm \\
        --train train.jsonl --output-dir quick

Runs the stages of the workflow for a study without a model in one process, without decoding audio.
Reads: transcripts (JSON lines, CSV, TSV, Kaldi text, trn, ctm; `<stem>.settings.json` next to each is used if it
exists); a manifest, which may contain only references, and may be left out if the baseline's file contains references;
headers of audio whose duration the manifest does not give. `--general` adds general speech, on which tuning may do
harm: manifest, baseline and tuned transcripts.
Writes: the verdict on stdout; with `--output-dir` the files that a study has under `results/` (verdict.json,
summary.md, summary.html, plots and the facts behind them), replacing those of the last run.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lora import layout
from lora.configuration.loading import load_configuration
from lora.data.column_names import SYNONYMS
from lora.data.formats.registry import FORMATS as MANIFEST_FORMATS
from lora.data.manifest import Manifest, Rejected
from lora.data.source import AUTO, Source
from lora.data.transcripts.columns import COLUMNS, column
from lora.data.transcripts.files import FORMATS, guess_format
from lora.data.transcripts.recorded_settings import adjacent_settings
from lora.data.transcripts.reference_rows import UNKNOWN_DURATION, included_references, reference_rows
from lora.layout import BASE, TRAIN, ResultFile
from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.records.base import UserError, write_text
from lora.records.durations import MaxSeconds
from lora.records.manifests import NO_DURATION
from lora.report.brief import brief
from lora.report.study import Study
from lora.runners.options import positive_number
from lora.runners.output_folder import prepare
from lora.scoring.markup import REMOVABLE
from lora.stages import durations, imports, manifests, parity, plots, scores, verdict

TUNED, EVALUATION, GENERAL = "tuned", "evaluation", "general"
FLAGS = {EVALUATION: "--manifest", TRAIN: "--train", GENERAL: "--general"}


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m lora.runners.quick", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--manifest", type=Path, metavar="PATH", help="rows with their references")
    parser.add_argument("--baseline", type=Path, required=True, metavar="PATH", help="transcripts before tuning")
    parser.add_argument("--tuned", type=Path, required=True, metavar="PATH", help="transcripts after tuning")
    parser.add_argument("--train", type=Path, metavar="PATH", help="training manifest: which max_seconds?")
    parser.add_argument("--general", type=Path, nargs=3, metavar=("MANIFEST", "BASELINE", "TUNED"))
    parser.add_argument("--baseline-format", choices=FORMATS, help="default: by suffix and first lines")
    parser.add_argument("--tuned-format", choices=FORMATS, help="default: by suffix and first lines")
    parser.add_argument(
        "--manifest-format",
        choices=dict.fromkeys((*MANIFEST_FORMATS, *FORMATS)),
        metavar="FORMAT",
        help="of manifests or transcripts; default: by suffix and content",
    )
    parser.add_argument(
        "--columns",
        type=column,
        nargs="+",
        default=[],
        metavar="WHAT=COLUMN",
        help=f"of baseline and tuned; WHAT is one of {', '.join(COLUMNS)}",
    )
    parser.add_argument(
        "--manifest-columns",
        type=manifest_column,
        nargs="+",
        default=[],
        metavar="FIELD=COLUMN",
        help="of the manifest, such as text=sentence",
    )
    parser.add_argument(
        "--normalizer",
        choices=("basic", "english", "english_digits", "none"),
        help="default: %(default)s",
        default="basic",
    )
    parser.add_argument(
        "--strip",
        nargs="+",
        choices=("all", *REMOVABLE),
        default=[],
        metavar="KIND",
        help=f"markup to remove from both sides: all, {', '.join(REMOVABLE)}",
    )
    parser.add_argument("--target-gain", type=positive_number, metavar="F", help="WER difference worth showing, 0.01")
    parser.add_argument("--max-seconds", type=positive_number, metavar="S", help="of training; default: auto")
    parser.add_argument("--output-dir", type=_folder, metavar="DIR", help="keep verdict, summary and facts here")
    return parser.parse_args(argv)


def _folder(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; name a folder")
    return Path(text)


def execute(args: argparse.Namespace) -> int:
    config = configuration(args)
    if args.output_dir is not None:
        inputs = [args.manifest, args.baseline, args.tuned, args.train, *(args.general or [])]
        prepare(args.output_dir, [path for path in inputs if path is not None])
    with contextlib.ExitStack() as stack:
        folder = args.output_dir or Path(stack.enter_context(tempfile.TemporaryDirectory())) / "results"
        with _only_notes():
            comparison = Comparison(folder, config)
            comparison.run()
            if args.output_dir is not None:
                comparison.draw()
        kept = [str(folder / "summary.md")] if args.output_dir is not None else ["--output-dir DIR keeps all of it"]
        sys.stdout.write(brief(Study(folder, folder / "config.json"), kept))
    return 0


@contextlib.contextmanager
def _only_notes() -> Iterator[None]:
    """Silence the stages, except for the notes that they print; after an error the error alone is shown."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        yield
    sys.stderr.writelines(f"{line}\n" for line in printed.getvalue().splitlines() if line.startswith("note: "))


def configuration(args: argparse.Namespace) -> dict[str, Any]:
    """Build the complete configuration of the equivalent study. Raises UserError for files that do not exist."""
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
        "text": {"strip": "all" if "all" in args.strip else args.strip},
        "statistics": {"target_gain": args.target_gain} if args.target_gain else {},
        "base": {"hypotheses": base},
        "candidates": {TUNED: {"hypotheses": tuned}},
    }
    return load_configuration(given, None, Path.cwd())


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


@contextlib.contextmanager
def naming(flag: str, path: Path) -> Iterator[None]:
    """Begin the message of an error about a file with the flag that names it."""
    try:
        yield
    except UserError as error:
        message = str(error)
        raise UserError(f"{flag} {message}" if message.startswith(str(path)) else message) from None


class Comparison:
    """The stages of a study of transcripts alone, in one results folder."""

    def __init__(self, results: Path, config: dict[str, Any]) -> None:
        self.results = results
        self.config = config
        self.manifests: dict[str, str | dict[str, Any]] = config["manifests"]
        self.evaluations = [*config["roles"]["general"], *config["roles"]["domain"]]
        self.has_training = TRAIN in self.manifests
        self.hypotheses = {
            BASE: config["base"]["hypotheses"],
            TUNED: config["candidates"][TUNED]["hypotheses"],
        }

    def path(self, kind: ResultFile[Any], **wildcards: str) -> Path:
        return self.results / kind.path(**wildcards)

    def run(self) -> None:
        """From the configuration to verdict and summary."""
        config_path = self.path(layout.CONFIG)
        with recording(outputs=[config_path]):
            write_text(config_path, json.dumps(self.config, indent=2, ensure_ascii=False) + "\n")
        with_durations = [name for name in self.manifests if self._write_rows(name)]
        self._profile_durations(with_durations)
        if self.has_training:
            self._filter_training()
        for name in self.evaluations:
            for run in (BASE, TUNED):
                self._score(run, name)
            self._compare(name)
        self._compare_settings()
        decided = self.path(layout.VERDICT)
        verdict.decide_verdict(self.results, config_path, decided, self.path(layout.GATE))
        verdict.render_summary(self.results, config_path, self.path(layout.SUMMARY))

    def _write_rows(self, name: str) -> bool:
        """Write the rows of a manifest; return whether every row has a duration.

        A training row without a duration is rejected: it is unknown whether the filter keeps it.
        """
        source = _source(self.manifests[name])
        path = source.path
        files = self.hypotheses[BASE].get(name)
        baseline = files if isinstance(files, dict) else {"path": files}
        has_references = baseline["path"] == str(path)
        rows = self.path(layout.ROWS, manifest=name)
        rejected = self.path(layout.REJECTED, manifest=name)
        facts = self.path(layout.MANIFEST_FACTS, manifest=name)
        with recording(outputs=[rows, rejected, facts]):
            with naming("--baseline" if has_references else FLAGS[name], path):
                manifest = (
                    included_references(path, baseline.get("format"), baseline.get("columns"), silence=name != TRAIN)
                    if has_references
                    else reference_rows(source, silence=name != TRAIN)
                )
            if name == TRAIN:
                manifest = _with_durations(manifest)
            if not manifest.rows and not manifest.rejected:
                raise UserError(f"{path}: contains no row")
            manifests.write_rows(manifest, rows, rejected)
            manifests.manifest_facts(source, manifest).write(facts)
        if not has_references:  # the account of the baseline says how its file was read
            manifests.print_notes(path, manifest)
        unknown = sum(row.duration == UNKNOWN_DURATION for row in manifest.rows)
        if unknown and self.has_training:
            print(
                f"note: {unknown} of {len(manifest.rows)} rows of {path} have no duration and count as within "
                f"max_seconds"
            )
        return bool(manifest.rows) and not unknown

    def _profile_durations(self, names: Sequence[str]) -> None:
        tables = {name: self.path(layout.DURATIONS, manifest=name) for name in names}
        for name, table in tables.items():
            rows = self.path(layout.ROWS, manifest=name)
            durations.profile_durations(rows, name, self.config["durations"]["thresholds"], table)
        if tables:
            durations.summarise_durations(list(tables.values()), self.path(layout.DURATION_SUMMARY))

    def _filter_training(self) -> None:
        rows = self.path(layout.ROWS, manifest=TRAIN)
        settings = self.config["durations"]
        split = self.config["split"]
        how = {"val_fraction": split["val_fraction"], "by_speaker": split["by_speaker"], "split_seed": split["seed"]}
        configured = None if settings["max_seconds"] == "auto" else settings["max_seconds"]
        for name in self.evaluations:
            manifests.compare_training(
                manifest_name=name,
                train_rows=rows,
                rows=self.path(layout.ROWS, manifest=name),
                leakage=self.path(layout.LEAKAGE, manifest=name),
            )
        durations.choose_max_seconds(
            rows=rows,
            thresholds=settings["thresholds"],
            max_seconds=configured,
            min_train_samples=settings["min_train_samples"],
            max_held_out_speakers=self.config["integrity"]["max_held_out_speakers"],
            window=None,
            value=self.path(layout.MAX_SECONDS),
            decision=self.path(layout.DECISION),
            **how,
        )
        limits = sorted({*settings["thresholds"], *([] if configured is None else [configured])})
        durations.profile_retention(rows, limits, self.path(layout.RETENTION))
        durations.split_training(
            rows=rows,
            max_seconds=self._max_seconds(),
            train=self.path(layout.SPLIT_TRAIN),
            val=self.path(layout.SPLIT_VALIDATION),
            sizes=self.path(layout.SPLIT_SIZES),
            **how,
        )
        durations.try_split_seeds(
            rows=rows, max_seconds=self._max_seconds(), stability=self.path(layout.STABILITY), **how
        )

    def _max_seconds(self) -> float | None:
        """The chosen limit; None without a training manifest."""
        return MaxSeconds.read(self.path(layout.MAX_SECONDS)).max_seconds if self.has_training else None

    def _score(self, run: str, name: str) -> None:
        """Import, match and score the transcripts of one run on one manifest."""
        source = self.hypotheses[run][name]
        file = source if isinstance(source, dict) else {"path": source}
        recorded = adjacent_settings(Path(file["path"]))
        rows = self.path(layout.ROWS, manifest=name)
        transcripts = self.path(layout.TRANSCRIPTS, run=run, manifest=name)
        settings = self.path(layout.SETTINGS, run=run, manifest=name)
        statistics = self.config["statistics"]
        with naming(
            f"--{GENERAL}" if name == GENERAL else {BASE: "--baseline", TUNED: "--tuned"}[run], Path(file["path"])
        ):
            imports.import_transcripts(
                run=run,
                manifest_name=name,
                rows=rows,
                rejected=self.path(layout.REJECTED, manifest=name),
                hypotheses=Path(file["path"]),
                recorded=recorded if recorded.is_file() else None,
                format=file.get("format"),
                columns=file.get("columns"),
                transcripts=transcripts,
                settings=settings,
                account=self.path(layout.IMPORT, run=run, manifest=name),
            )
        mismatches = (
            self.path(layout.MISMATCHES, manifest=name)
            if run == BASE
            else self.path(layout.RUN_MISMATCHES, run=run, manifest=name)
        )
        scores.match_texts(name, rows, transcripts, mismatches)
        scores.score_run(
            run=run,
            manifest_name=name,
            rows=rows,
            transcripts=transcripts,
            settings=settings,
            max_seconds=self._max_seconds(),
            normalizer_name=self.config["normalizer"],
            unit=self.config["text"]["unit"],
            strip=self.config["text"]["strip"],
            confidence=statistics["confidence"],
            replicates=statistics["replicates"],
            assumed_shared_errors=statistics["assumed_shared_errors"],
            target_gain=statistics["target_gain"],
            wer=self.path(layout.WER, run=run, manifest=name),
        )

    def _compare(self, name: str) -> None:
        statistics = self.config["statistics"]
        baseline_wer = self.path(layout.WER, run=BASE, manifest=name)
        baseline_transcripts = self.path(layout.TRANSCRIPTS, run=BASE, manifest=name)
        tuned_transcripts = self.path(layout.TRANSCRIPTS, run=TUNED, manifest=name)
        scores.compare_runs(
            run=TUNED,
            manifest_name=name,
            baseline_wer=baseline_wer,
            tuned_wer=self.path(layout.WER, run=TUNED, manifest=name),
            baseline_transcripts=baseline_transcripts,
            tuned_transcripts=tuned_transcripts,
            margin=statistics["equivalence_margin"],
            confidence=statistics["confidence"],
            replicates=statistics["replicates"],
            paired=self.path(layout.PAIRED, run=TUNED, manifest=name),
        )
        scores.split_errors(
            manifest_name=name,
            rows=self.path(layout.ROWS, manifest=name),
            baseline_wer=baseline_wer,
            baseline_transcripts=baseline_transcripts,
            candidate=[(TUNED, tuned_transcripts)],
            train=self.path(layout.SPLIT_TRAIN) if self.has_training else None,
            reachable=self.path(layout.REACHABLE, manifest=name),
        )

    def _compare_settings(self) -> None:
        def each(kind: ResultFile[Any], run: str) -> list[Path]:
            return [self.path(kind, run=run, manifest=name) for name in self.evaluations]

        parity.compare_settings(
            run=TUNED,
            baseline_settings=each(layout.SETTINGS, BASE),
            tuned_settings=each(layout.SETTINGS, TUNED),
            baseline_wer=each(layout.WER, BASE),
            tuned_wer=each(layout.WER, TUNED),
            baseline_transcripts=each(layout.TRANSCRIPTS, BASE),
            tuned_transcripts=each(layout.TRANSCRIPTS, TUNED),
            parity=self.path(layout.PARITY, run=TUNED),
        )

    def draw(self) -> None:
        """Draw the plots of the summary, and write the summary as one page."""

        def files(kind: ResultFile[Any]) -> dict[str, Path]:
            return {format: self.path(kind, format=format) for format in layout.PLOT_FORMATS}

        if self.has_training:
            decision = self.path(layout.DECISION)
            plots.plot_durations(self.path(layout.ROWS, manifest=TRAIN), decision, **files(layout.DURATION_PLOT))
            plots.plot_retention(self.path(layout.RETENTION), decision, **files(layout.RETENTION_PLOT))
        plots.plot_wer(
            wer=[self.path(layout.WER, run=run, manifest=name) for run in (BASE, TUNED) for name in self.evaluations],
            paired=[self.path(layout.PAIRED, run=TUNED, manifest=name) for name in self.evaluations],
            min_wer=self.config["headroom"]["min_wer"],
            **files(layout.WER_PLOT),
        )
        verdict.render_page(self.path(layout.SUMMARY), self.path(layout.PAGE))


def _source(entry: str | dict[str, Any]) -> Source:
    """The manifest of a complete configuration; its format may also be one of transcripts."""
    return Source(Path(entry)) if isinstance(entry, str) else Source(**{**entry, "path": Path(entry["path"])})


def _with_durations(manifest: Manifest) -> Manifest:
    reason = f"{NO_DURATION}, and there is no file to read it from"
    rejected = [Rejected(row.line or 0, row.id, reason) for row in manifest.rows if row.duration == UNKNOWN_DURATION]
    kept = [row for row in manifest.rows if row.duration != UNKNOWN_DURATION]
    return replace(manifest, rows=kept, rejected=sorted([*manifest.rejected, *rejected], key=lambda entry: entry.line))


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)))


if __name__ == "__main__":
    sys.exit(main())
