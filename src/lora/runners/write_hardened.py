"""Write the harder version that a diagnosis proposes (or another measured one) as a manifest with its own audio.

Example:
    python -m lora.runners.experiment write-hardened --results results --output data/domain-noise-10

Reads: `<results>/hardened.json`, `<results>/manifests/<manifest>.jsonl`, `<results>/config.json` and the audio. Writes:
`<output>/manifest.jsonl`, `<output>/audio/*.wav`, `<output>/origin.json` (source and distortion) and the run record, in
a folder that must not exist yet; prints the lines for config.yaml. The original data stays unchanged. No model is
loaded.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from lora.configuration.study import StudyConfig
from lora.data.audio.distortions import distortion_by_label
from lora.data.audio.hardened_manifest import ROWS, write_hardened
from lora.data.durations import survives
from lora.data.existing_files import require_new
from lora.data.identity import audio_hashes, manifest_identity
from lora.data.manifest import read_rows
from lora.diagnosis.headroom.hardening import config_lines
from lora.provenance.recording import recording
from lora.records.base import UserError
from lora.records.hardening import HardenedFacts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--results", type=Path, default=Path("results"), metavar="DIR", help="results folder (default: %(default)s)"
    )
    parser.add_argument("--label", metavar="LABEL", help="such as noise-10 (default: the proposed version)")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="a folder that does not exist yet")


def execute(args: argparse.Namespace) -> int:
    require_new(args.output)  # before the run record of what is there is removed
    facts = HardenedFacts.read(args.results / "hardened.json")
    if facts.manifest is None or facts.sampling_rate is None:
        raise UserError(
            f"{args.results}/hardened.json: no version was measured, because a manifest has headroom already"
        )
    label = args.label or (facts.proposal.label if facts.proposal else None)
    version = next((v for v in facts.versions if v.label == label), None)
    distortion = None if label is None else distortion_by_label(label)
    if version is None or distortion is None:
        problem = f"--label {label} was not measured" if label else "no version is proposed"
        measured = ", ".join(version.label for version in facts.versions)
        raise UserError(f"{problem}; choose one of {measured} with --label")
    path = args.results / f"manifests/{facts.manifest}.jsonl"
    rows = [row for row in read_rows(path) if survives(row.duration, facts.max_seconds)]
    with recording([args.output / ROWS]):
        identity = manifest_identity(facts.manifest, rows, audio_hashes(rows, path.parent, facts.sampling_rate))
        origin: dict[str, object] = {
            "source": identity.to_json(),
            "max_seconds": facts.max_seconds,
            "distortion": distortion.name,
            "level": distortion.level,
            "seed": "hash of the undistorted samples of each row",
            "sampling_rate": facts.sampling_rate,
            "baseline_wer": version.wer,
        }
        manifest = write_hardened(rows, path.parent, args.output, distortion, facts.sampling_rate, origin)
    config = StudyConfig.read(args.results / "config.json")
    name = f"{facts.manifest}-{distortion.label}"
    lines = config_lines(config.to_json()["manifests"], config.to_json()["roles"], name, manifest.as_posix())
    print(f"{len(rows)} rows written to {manifest}. In config.yaml, replace `manifests` and `roles` by:\n\n{lines}")
    return 0
