"""Two files of transcripts and a manifest in, a verdict on their comparison out: no model, no audio, seconds.

Example:
    python -m lora.runners.quick --manifest dev.jsonl --baseline base.trn --tuned tuned.ctm \\
        --train train.jsonl --output-dir quick

It takes the steps that the workflow takes for `model: null`, in one process, and leaves out what listens to audio.
Reads: transcripts (JSON lines, CSV, TSV, Kaldi text, trn, ctm, each with `<stem>.settings.json` beside it if there is
one); a manifest, which may hold references only and may be left out where the baseline's file brings references;
headers of audio whose duration the manifest does not tell. `--general` adds general speech, which tuning may make
worse: manifest, baseline and tuned transcripts.
Writes: the verdict on stdout, and with `--output-dir` the files a study has under `results/` (verdict.json, summary.md,
summary.html, plots and the facts behind them), in place of what the last run left there.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lora.configuration.loading import load_configuration
from lora.data.manifest import Manifest, Rejected, rebase
from lora.data.tables import write_table
from lora.data.transcripts.files import FORMATS
from lora.data.transcripts.recorded_settings import adjacent_settings
from lora.data.transcripts.reference_rows import UNKNOWN_DURATION, included_references, reference_rows
from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.records.base import UserError, write_lines
from lora.records.integrity import AudioMeasure
from lora.records.manifests import NO_DURATION
from lora.report.brief import brief
from lora.report.study import Study
from lora.runners.options import positive_number
from lora.runners.output_folder import prepare
from lora.runners.steps import StepFailed, Steps
from lora.runners.study_steps import (
    BASE,
    TRAIN,
    compare,
    compare_training,
    conclude,
    evaluations,
    filter_training,
    has_training,
    match_texts,
    record_config,
    score,
    tabulate_durations,
)

TUNED, EVALUATION, GENERAL = "tuned", "evaluation", "general"
UNHEARD = "integrity/unheard.tsv"  # measures of audio nobody listened to: a table without a row


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m lora.runners.quick", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--manifest", type=Path, metavar="PATH", help="rows with their references")
    parser.add_argument("--baseline", type=Path, required=True, metavar="PATH", help="transcripts before tuning")
    parser.add_argument("--tuned", type=Path, required=True, metavar="PATH", help="transcripts after tuning")
    parser.add_argument("--train", type=Path, metavar="PATH", help="training manifest: which max_seconds?")
    parser.add_argument("--general", type=Path, nargs=3, metavar=("MANIFEST", "BASELINE", "TUNED"))
    parser.add_argument("--baseline-format", choices=FORMATS, help="default: by suffix, else by the first lines")
    parser.add_argument("--tuned-format", choices=FORMATS, help="default: by suffix, else by the first lines")
    parser.add_argument(
        "--normalizer", choices=("basic", "english", "none"), help="default: %(default)s", default="basic"
    )
    parser.add_argument("--target-gain", type=positive_number, metavar="F", help="WER difference worth showing, 0.01")
    parser.add_argument("--max-seconds", type=positive_number, metavar="S", help="of training; default: auto")
    parser.add_argument("--output-dir", type=named_folder, metavar="DIR", help="keep verdict, summary and facts here")
    return parser.parse_args(argv)


def named_folder(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; name a folder")
    return Path(text)


def execute(args: argparse.Namespace) -> int:
    config = configuration(args)
    if args.output_dir is not None:
        given = [args.manifest, args.baseline, args.tuned, args.train, *(args.general or [])]
        prepare(args.output_dir, [path for path in given if path is not None])
    with contextlib.ExitStack() as stack:
        folder = args.output_dir or Path(stack.enter_context(tempfile.TemporaryDirectory())) / "results"
        steps = Steps(folder)
        try:
            with told_briefly():
                diagnose(steps, config)
                if args.output_dir is not None:
                    draw(steps, config)
        except StepFailed as failed:
            return failed.code
        kept = [str(folder / "summary.md")] if args.output_dir is not None else ["--output-dir DIR keeps all of it"]
        sys.stdout.write(brief(Study(folder, folder / "config.json"), kept))
    return 0


@contextlib.contextmanager
def told_briefly() -> Iterator[None]:
    """Steps tell what they do; of that only notes are shown, and the errors of one that fails."""
    told = io.StringIO()
    shown = "note: "
    try:
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            yield
    except StepFailed:
        shown = "error: "
        raise
    finally:
        sys.stderr.writelines(f"{line}\n" for line in told.getvalue().splitlines() if line.startswith(shown))


def configuration(args: argparse.Namespace) -> dict[str, Any]:
    """What a study's config.yaml would say, complete. Raises UserError for files that do not exist."""
    if args.manifest is not None and args.tuned.resolve() == args.manifest.resolve():
        raise UserError(f"--tuned {args.tuned}: this is the manifest; its own texts would be judged as what was heard")
    manifests = {EVALUATION: args.manifest or args.baseline, TRAIN: args.train}
    base, tuned = {EVALUATION: brought(args.baseline, args.baseline_format)}, {}
    tuned[EVALUATION] = brought(args.tuned, args.tuned_format)
    if args.general is not None:
        manifests[GENERAL], of_base, of_tuned = args.general
        base[GENERAL], tuned[GENERAL] = str(of_base), str(of_tuned)
    given: dict[str, Any] = {
        "model": None,
        "manifests": {name: str(path) for name, path in manifests.items() if path is not None},
        "roles": {"general": [GENERAL] if args.general else [], "domain": [EVALUATION]},
        "durations": {"max_seconds": args.max_seconds or "auto"},
        "normalizer": args.normalizer,
        "statistics": {"target_gain": args.target_gain} if args.target_gain else {},
        "base": {"hypotheses": base},
        "candidates": {TUNED: {"hypotheses": tuned}},
    }
    return load_configuration(given, None, Path.cwd())


def brought(path: Path, form: str | None) -> dict[str, str] | str:
    return {"path": str(path), "format": form} if form else str(path)


def diagnose(steps: Steps, config: dict[str, Any]) -> None:
    record_config(steps, config)
    timed = [name for name in config["manifests"] if write_rows(steps, config, name)]
    tabulate_durations(steps, config, timed)
    if has_training(config):
        write_table(steps.at(UNHEARD), tuple(AudioMeasure.model_fields), [])
        for name in evaluations(config):
            compare_training(steps, name, UNHEARD, UNHEARD)
        filter_training(steps, config)
    sources = {BASE: config["base"]["hypotheses"], TUNED: config["candidates"][TUNED]["hypotheses"]}
    for name in evaluations(config):
        for run, files in sources.items():
            import_transcripts(steps, run, name, files[name])
            match_texts(steps, name, steps.at(f"transcripts/{run}/{name}.jsonl"), mismatches(run, name))
            score(steps, config, run, name)
    compare(steps, config, TUNED)
    conclude(steps)


def mismatches(run: str, name: str) -> str:
    return f"mismatches/{name}.json" if run == BASE else f"mismatches/{run}/{name}.json"


def write_rows(steps: Steps, config: dict[str, Any], name: str) -> bool:
    """Canonical and rejected rows of a manifest; whether all of them tell their duration.

    A row of training without a duration is of no use: nobody can tell whether the filter keeps it.
    """
    path = Path(config["manifests"][name])
    rows, rejected = steps.at(f"manifests/{name}.jsonl"), steps.at(f"manifests/{name}.rejected.tsv")
    files = config["base"]["hypotheses"].get(name)
    own = files == str(path) or (isinstance(files, dict) and files["path"] == str(path))
    with recording(outputs=[rows, rejected]):
        found = included_references(path) if own else reference_rows(path)
        if name == TRAIN:
            found = with_durations(found)
        if not found.rows and not found.rejected:
            raise UserError(f"{path}: holds no row")
        write_lines(rows, rebase(found.rows, found.folder, Path(rows).parent))
        write_table(rejected, ("line", "id", "reason"), (vars(entry) for entry in found.rejected))
    untimed = sum(row.duration == UNKNOWN_DURATION for row in found.rows)
    if untimed and has_training(config):
        told = f"{untimed} of {len(found.rows)} rows of {path} have no duration and count as within max_seconds"
        print(f"note: {told}")
    return bool(found.rows) and not untimed


def with_durations(found: Manifest) -> Manifest:
    reason = f"{NO_DURATION}, and there is no file to read it from"
    rejected = [Rejected(row.line or 0, row.id, reason) for row in found.rows if row.duration == UNKNOWN_DURATION]
    kept = [row for row in found.rows if row.duration != UNKNOWN_DURATION]
    return Manifest(kept, sorted([*found.rejected, *rejected], key=lambda entry: entry.line))


def import_transcripts(steps: Steps, run: str, name: str, source: dict[str, str] | str) -> None:
    told = source if isinstance(source, dict) else {"path": source}
    recorded = adjacent_settings(Path(told["path"]))
    into = f"transcripts/{run}/{name}"
    steps.script(
        "import_transcripts", "--run", run, "--manifest-name", name, "--rows", steps.at(f"manifests/{name}.jsonl"),
        "--rejected", steps.at(f"manifests/{name}.rejected.tsv"), "--hypotheses", told["path"],
        "--recorded", *([recorded] if recorded.is_file() else []),
        *(["--format", told["format"]] if "format" in told else []),
        "--transcripts", steps.at(f"{into}.jsonl"), "--settings", steps.at(f"{into}.settings.json"),
        "--account", steps.at(f"{into}.import.json"),
    )  # fmt: skip


def draw(steps: Steps, config: dict[str, Any]) -> None:
    """The pictures that the summary shows, and the summary as one page."""

    def pictures(name: str) -> list[str]:
        return ["--png", steps.at(f"plots/{name}.png"), "--svg", steps.at(f"plots/{name}.svg")]

    names, decision = evaluations(config), ["--decision", steps.at("durations/decision.json")]
    if has_training(config):
        rows = steps.at(f"manifests/{TRAIN}.jsonl")
        steps.script("plot_durations", "--rows", rows, *decision, *pictures("durations"))
        retention = steps.at("durations/retention.json")
        steps.script("plot_retention", "--retention", retention, *decision, *pictures("retention"))
    steps.script(
        "plot_wer", "--wer", *(steps.at(f"wer/{run}/{name}.json") for run in (BASE, TUNED) for name in names),
        "--paired", *(steps.at(f"paired/{TUNED}/{name}.json") for name in names),
        "--min-wer", config["headroom"]["min_wer"], *pictures("wer"),
    )  # fmt: skip
    steps.script("render_page", "--summary", steps.at("summary.md"), "--page", steps.at("summary.html"))


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)))


if __name__ == "__main__":
    sys.exit(main())
