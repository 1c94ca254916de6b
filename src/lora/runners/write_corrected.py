"""Write a manifest with the references that listeners corrected.

Example:
    python -m lora.runners.experiment write-corrected --results results --manifest domain --output data/domain-corrected

Reads: `<results>/reviews/judgements.jsonl`, `<results>/manifests/<manifest>.jsonl`. Writes: `<output>/manifest.jsonl`,
`<output>/origin.json` (where the rows are from, and what was changed) and the run record, in a folder that must not
exist yet; prints what to change in config.yaml. The original manifest stays unchanged. No model is loaded.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from lora import layout
from lora.data.corrected_manifest import ROWS, corrected_rows, write_corrected
from lora.data.existing_files import require_new
from lora.data.manifest import read_rows
from lora.provenance.hashes import content_hash
from lora.provenance.recording import recording
from lora.records.base import UserError, read_lines
from lora.records.reviews import ReviewedRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--results", type=Path, default=Path("results"), metavar="DIR", help="results folder (default: %(default)s)"
    )
    parser.add_argument("--manifest", required=True, metavar="NAME", help="manifest to correct")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="a folder that does not exist yet")


def execute(args: argparse.Namespace) -> int:
    require_new(args.output)  # before the run record of what is there is removed
    judged = {row.id: row for row in _judgements(args.results) if row.manifest == args.manifest}
    if not any(row.judgement in {"reference_wrong", "audio_unusable"} for row in judged.values()):
        raise UserError(
            f"--manifest {args.manifest}: listeners found no wrong reference and no unusable audio in it. "
            "Name a manifest that they judged, and run the diagnosis with `reviews` in config.yaml first."
        )
    path = args.results / layout.ROWS.path(manifest=args.manifest)
    rows = read_rows(path)
    kept = corrected_rows(rows, judged)
    ids = {row.id for row in kept}
    corrected = [row.id for row in rows if row.id in judged and judged[row.id].corrected_text is not None]
    with recording([args.output / ROWS]):
        origin: dict[str, object] = {
            "source": args.manifest,
            "rows": len(rows),
            "content_hash": content_hash(*(f"{row.id}\0{row.text}" for row in rows)),
            "corrected": corrected,
            "left_out": [row.id for row in rows if row.id not in ids],
        }
        manifest = write_corrected(kept, path.parent, args.results, args.output, origin)
    print(
        f"{len(kept)} of {len(rows)} rows written to {manifest}: {len(corrected)} references corrected, "
        f"{len(rows) - len(kept)} rows left out. In config.yaml, set `manifests.{args.manifest}` to "
        f"{manifest.as_posix()} and remove the review files from `reviews`: their judgements are in the manifest now."
    )
    return 0


def _judgements(results: Path) -> list[ReviewedRow]:
    path = results / layout.JUDGEMENTS.path()
    if not path.is_file():
        raise UserError(f"{path}: no such file. Add `reviews` to config.yaml and run the diagnosis first.")
    return list(read_lines(path, ReviewedRow))
