"""Bring transcripts that another pipeline made into the study's own form.

Example:
    python scripts/import_transcripts.py --run theirs --manifest-name domain \\
        --rows results/manifests/domain.jsonl --rejected results/manifests/domain.rejected.tsv \\
        --hypotheses theirs.jsonl --recorded theirs.settings.json \\
        --transcripts results/transcripts/theirs/domain.jsonl \\
        --settings results/transcripts/theirs/domain.settings.json \\
        --account results/transcripts/theirs/domain.import.json
Reads: usable rows and the manifest's rejected ones; hypotheses (JSON lines, CSV, TSV, Kaldi text, sclite trn or ctm);
settings beside them (`<stem>.settings.json`: the runner's own record, or some of its keys).
Writes: transcripts; settings in which all that nobody recorded is unknown; an account of how ids were matched.
Utterances without a hypothesis are left out, ones that the manifest never had are kept, and the comparison with the
baseline reports both. `--hypotheses` without a file: the run brings none for this manifest, and its settings say so.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

from lora.asr.decoding.effective_decode import DEFAULTS
from lora.asr.model_files import FAMILIES
from lora.data.identity import audio_hashes, manifest_identity
from lora.data.transcripts.columns import COLUMNS, ExternalTranscript
from lora.data.transcripts.files import FORMATS, TranscriptFile, read_transcript_file
from lora.data.transcripts.recorded_settings import read_settings
from lora.data.transcripts.row_matching import Matched, match_rows
from lora.diagnosis.parity.external_hypotheses import import_details
from lora.diagnosis.wording.parity import matched_words, remarks
from lora.provenance.command import run_command
from lora.provenance.recording import Recording, recording
from lora.records.base import UserError, read_lines, write_lines
from lora.records.manifests import Utterance
from lora.records.settings import ManifestIdentity, RunSettings
from lora.records.transcripts import ImportFacts, Transcript

# What a person may write down of a model's own generation settings, beside the arguments of every model.
MODELS_OWN = {"tokens_per_second", "forced_decoder_ids", "is_multilingual", "max_initial_timestamp_index",
              "no_timestamps_token_id", "prev_sot_token_id", "language", "prompt"}  # fmt: skip
DECODE_KEYS = {*DEFAULTS, *MODELS_OWN, *(key for family in FAMILIES.values() for key in family.decode_keys)}


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[str(args.transcripts), str(args.settings), str(args.account)]) as run:
        if args.hypotheses is None:
            why = f"no transcripts of {args.manifest_name} were brought"
            nothing_brought(args, RunSettings(run=args.run, status="impossible", message=why))
            return 0
        brought = read_transcript_file(args.hypotheses, args.format, dict(args.columns))
        settings = recorded_settings(args)
        if settings.status == "impossible":
            nothing_brought(args, settings)
            return 0
        rows = list(read_lines(args.rows, Utterance))
        found = match_rows(args.hypotheses, brought, rows, rejected_ids(args.rejected))
        heard = [row for row in rows if row.id in found.hypotheses]
        transcripts = [transcript(row, found.hypotheses[row.id]) for row in heard]
        transcripts += [extra(name, found.extra[name]) for name in sorted(found.extra)]
        write_lines(args.transcripts, transcripts)
        account = account_of(args, brought, rows, found)
        account.write(args.account)
        if set(account.matched) - {"id"}:
            run.adjust(matched_words(import_details(account)))
        for told in remarks(import_details(account)):
            run.adjust(told)
        if settings.manifest is None:
            counted = ManifestIdentity(name=args.manifest_name, rows=len(transcripts), content_hash=None)
            settings = settings.model_copy(update={"manifest": counted})
        else:
            check_claim(args, settings.manifest, heard, run)
        settings.write(args.settings)
    return 0


def nothing_brought(args: argparse.Namespace, settings: RunSettings) -> None:
    write_lines(args.transcripts, [])
    settings.write(args.settings)
    source = None if args.hypotheses is None else str(args.hypotheses)
    ImportFacts(run=args.run, manifest=args.manifest_name, source=source, format=None).write(args.account)


def account_of(args: argparse.Namespace, brought: TranscriptFile, rows: list[Utterance], found: Matched) -> ImportFacts:
    return ImportFacts(
        run=args.run, manifest=args.manifest_name, source=str(args.hypotheses), format=brought.format,
        hypotheses=len(brought.utterances) + len(brought.words), rows=len(rows), matched=found.how,
        unmatched=found.unmatched, ambiguous=found.ambiguous, rejected=found.rejected,
        missing=[row.id for row in rows if row.id not in found.hypotheses], notes=found.notes,
    )  # fmt: skip


def recorded_settings(args: argparse.Namespace) -> RunSettings:
    if args.recorded is None:
        return RunSettings(run=args.run)
    return read_settings(args.recorded, args.run, args.manifest_name, DECODE_KEYS)


def rejected_ids(path: Path | None) -> list[str]:
    if path is None:
        return []
    with path.open(encoding="utf-8", newline="") as lines:
        return [row["id"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if row["id"]]


def transcript(row: Utterance, brought: ExternalTranscript) -> Transcript:
    other = brought.reference if brought.reference not in {None, row.text} else None
    return Transcript(
        id=row.id, reference=row.text, hypothesis=brought.hypothesis, duration=row.duration,
        truncated=brought.truncated, external_reference=other,
    )  # fmt: skip


def extra(name: str, brought: ExternalTranscript) -> Transcript:
    return Transcript(
        id=name, reference=brought.reference or "", hypothesis=brought.hypothesis, duration=brought.duration or 0.0,
        truncated=brought.truncated,
    )  # fmt: skip


def check_claim(args: argparse.Namespace, claimed: ManifestIdentity, heard: list[Utterance], run: Recording) -> None:
    """Say where the rows that the run claims to have heard are not those of this study; parity judges the claim."""
    if claimed.content_hash is None:
        return
    try:
        found = manifest_identity(args.manifest_name, heard, audio_hashes(heard, args.rows.parent))
    except UserError as error:
        run.adjust(f"whether {args.recorded} speaks of the study's rows is unknown: {error}")
        return
    if found.content_hash != claimed.content_hash:
        run.adjust(f"{args.recorded} claims other rows than the study's (content {claimed.content_hash:.12})")


def column(text: str) -> tuple[str, str]:
    what, equals, name = text.partition("=")
    if what not in COLUMNS or not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not WHAT=COLUMN with WHAT one of {', '.join(COLUMNS)}")
    return what, name


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True)
    parser.add_argument("--manifest-name", required=True)
    parser.add_argument("--rows", required=True, type=Path)
    parser.add_argument("--rejected", type=Path, help="table of the manifest's rejected rows")
    parser.add_argument("--hypotheses", required=True, nargs="?", type=Path)
    parser.add_argument("--recorded", nargs="?", type=Path, help="settings that lie beside the hypotheses")
    parser.add_argument("--format", choices=FORMATS, help="default: by the file's suffix, else by its first lines")
    parser.add_argument(
        "--columns",
        type=column,
        nargs="*",
        default=[],
        metavar="WHAT=COLUMN",
        help=f"WHAT is one of {', '.join(COLUMNS)}",
    )
    parser.add_argument("--transcripts", required=True, type=Path)
    parser.add_argument("--settings", required=True, type=Path)
    parser.add_argument("--account", required=True, type=Path, help="how every hypothesis found its row")
    args = parser.parse_args(argv)
    return run_command(lambda: execute(args))


if __name__ == "__main__":
    sys.exit(main())
