"""Bring transcripts that another pipeline made into the study's own form.

Example:
    python scripts/import_transcripts.py --run theirs --manifest-name domain \\
        --rows results/manifests/domain.jsonl --hypotheses theirs.jsonl \\
        --transcripts results/transcripts/theirs/domain.jsonl \\
        --settings results/transcripts/theirs/domain.settings.json
Reads: usable rows; hypotheses (JSON lines, CSV or TSV with id and hypothesis). Writes: transcripts, and settings in
which all that nobody recorded is unknown. Utterances without a hypothesis are left out, and the comparison with the
baseline reports them. `--hypotheses` without a file: the run brings none for this manifest, and its settings say so.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.data.identity import audio_hashes, manifest_identity
from lora.data.manifest_files import parsed_lines
from lora.provenance import recording, run_command
from lora.records import RunSettings, Transcript, UserError, Utterance, read_lines, write_lines


def read_hypotheses(path: Path) -> dict[str, str]:
    """Hypotheses by utterance id. Raises UserError naming file and line of a row that holds none."""
    hypotheses: dict[str, str] = {}
    for number, row in parsed_lines(path):
        if isinstance(row, str):
            raise UserError(f"{path}:{number}: {row}")
        key, text = row.get("id"), row.get("hypothesis")
        if isinstance(key, int) and not isinstance(key, bool):
            key = str(key)  # as manifests are read
        if not isinstance(key, str) or not isinstance(text, str):
            raise UserError(f"{path}:{number}: expected id and hypothesis as strings, found {row!r:.80}")
        if key in hypotheses:
            raise UserError(f"{path}:{number}: a second hypothesis for id {key!r}; keep one of them")
        hypotheses[key] = text
    return hypotheses


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[str(args.transcripts), str(args.settings)]) as run:
        if args.hypotheses is None:
            why = f"no transcripts of {args.manifest_name} were brought"
            write_lines(args.transcripts, [])
            RunSettings(run=args.run, status="impossible", message=why).write(args.settings)
            return 0
        rows = list(read_lines(args.rows, Utterance))
        hypotheses = read_hypotheses(args.hypotheses)
        known = {row.id for row in rows}
        unknown = sorted(set(hypotheses) - known)
        if unknown:
            run.adjust(f"{len(unknown)} hypotheses belong to no usable row and were left out, first: {unknown[0]}")
        heard = [row for row in rows if row.id in hypotheses]
        transcripts = [
            Transcript(id=r.id, reference=r.text, hypothesis=hypotheses[r.id], duration=r.duration, truncated=False)
            for r in heard
        ]
        write_lines(args.transcripts, transcripts)
        try:
            identity = manifest_identity(args.manifest_name, heard, audio_hashes(heard, args.rows.parent))
        except UserError as error:
            run.adjust(f"which audio was transcribed is unknown: {error}")
            identity = None
        RunSettings(run=args.run, manifest=identity).write(args.settings)
    return 0


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True)
    parser.add_argument("--manifest-name", required=True)
    parser.add_argument("--rows", required=True, type=Path)
    parser.add_argument("--hypotheses", required=True, nargs="?", type=Path)
    parser.add_argument("--transcripts", required=True, type=Path)
    parser.add_argument("--settings", required=True, type=Path)
    args = parser.parse_args(argv)
    return run_command(lambda: execute(args))


if __name__ == "__main__":
    sys.exit(main())
