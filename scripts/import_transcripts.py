"""Bring transcripts that another pipeline made into the study's own form.

Example:
    python scripts/import_transcripts.py --run theirs --manifest-name domain \\
        --rows results/manifests/domain.jsonl --rejected results/manifests/domain.rejected.tsv \\
        --hypotheses theirs.jsonl --recorded theirs.settings.json \\
        --transcripts results/transcripts/theirs/domain.jsonl \\
        --settings results/transcripts/theirs/domain.settings.json
Reads: usable rows and the manifest's rejected ones; hypotheses (JSON lines, CSV or TSV with id and hypothesis, if
possible reference); settings beside them (`<stem>.settings.json`: the runner's own record, or some of its keys).
Writes: transcripts, and settings in which all that nobody recorded is unknown. Utterances without a hypothesis are
left out, ones that the manifest never had are kept, and the comparison with the baseline reports both. `--hypotheses`
without a file: the run brings none for this manifest, and its settings say so.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

from lora.asr.decoding import DEFAULTS
from lora.asr.model_files import FAMILIES
from lora.data.brought import Brought, read_hypotheses, read_settings
from lora.data.identity import audio_hashes, manifest_identity
from lora.provenance import Recording, recording, run_command
from lora.records import ManifestIdentity, RunSettings, Transcript, UserError, Utterance, read_lines, write_lines

# What a person may write down of a model's own generation settings, beside the arguments of every model.
MODELS_OWN = {"tokens_per_second", "forced_decoder_ids", "is_multilingual", "max_initial_timestamp_index",
              "no_timestamps_token_id", "prev_sot_token_id", "language", "prompt"}  # fmt: skip
DECODE_KEYS = {*DEFAULTS, *MODELS_OWN, *(key for family in FAMILIES.values() for key in family.decode_keys)}


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[str(args.transcripts), str(args.settings)]) as run:
        if args.hypotheses is None:
            why = f"no transcripts of {args.manifest_name} were brought"
            write_lines(args.transcripts, [])
            RunSettings(run=args.run, status="impossible", message=why).write(args.settings)
            return 0
        brought = read_hypotheses(args.hypotheses)
        settings = recorded_settings(args)
        if settings.status == "impossible":
            write_lines(args.transcripts, [])
            settings.write(args.settings)
            return 0
        rows = list(read_lines(args.rows, Utterance))
        heard = [row for row in rows if row.id in brought]
        others = extra_ids(args, rows, brought, run)
        transcripts = [transcript(row, brought[row.id]) for row in heard]
        transcripts += [extra(name, brought[name]) for name in others]
        write_lines(args.transcripts, transcripts)
        if settings.manifest is None:
            counted = ManifestIdentity(name=args.manifest_name, rows=len(transcripts), content_hash=None)
            settings = settings.model_copy(update={"manifest": counted})
        else:
            check_claim(args, settings.manifest, heard, run)
        settings.write(args.settings)
    return 0


def recorded_settings(args: argparse.Namespace) -> RunSettings:
    if args.recorded is None:
        return RunSettings(run=args.run)
    return read_settings(args.recorded, args.run, args.manifest_name, DECODE_KEYS)


def extra_ids(
    args: argparse.Namespace, rows: list[Utterance], brought: dict[str, Brought], run: Recording
) -> list[str]:
    """Ids that the manifest never had; those of its rejected rows are set aside, since the baseline lacks them too."""
    unknown = set(brought) - {row.id for row in rows}
    rejected = unknown & rejected_ids(args.rejected)
    if rejected:
        first = min(rejected)
        run.adjust(f"{len(rejected)} hypotheses belong to rejected rows and were left out, first: {first}")
    return sorted(unknown - rejected)


def rejected_ids(path: Path | None) -> set[str]:
    if path is None:
        return set()
    with path.open(encoding="utf-8", newline="") as lines:
        return {row["id"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)}


def transcript(row: Utterance, brought: Brought) -> Transcript:
    other = brought.reference if brought.reference not in {None, row.text} else None
    return Transcript(
        id=row.id, reference=row.text, hypothesis=brought.hypothesis, duration=row.duration,
        truncated=brought.truncated, brought_reference=other,
    )  # fmt: skip


def extra(name: str, brought: Brought) -> Transcript:
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


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True)
    parser.add_argument("--manifest-name", required=True)
    parser.add_argument("--rows", required=True, type=Path)
    parser.add_argument("--rejected", type=Path, help="table of the manifest's rejected rows")
    parser.add_argument("--hypotheses", required=True, nargs="?", type=Path)
    parser.add_argument("--recorded", nargs="?", type=Path, help="settings that lie beside the hypotheses")
    parser.add_argument("--transcripts", required=True, type=Path)
    parser.add_argument("--settings", required=True, type=Path)
    args = parser.parse_args(argv)
    return run_command(lambda: execute(args))


if __name__ == "__main__":
    sys.exit(main())
