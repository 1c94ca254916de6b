"""Measure baseline WER on deterministic distortions of a domain manifest, if all domain manifests are saturated.

It decodes the manifest's rows once per version (13 versions), and nothing if a manifest has headroom. `write-hardened`
writes a version as a manifest of its own.

Example:
    python -m lora.runners.experiment harden --model-id data/model --min-wer 0.05 \\
        --manifest domain=results/manifests/domain.jsonl --baseline-wer domain=results/wer/base/domain.json \\
        --output results/hardened.json

Reads: manifests, baseline WER facts, audio, model files, `<work-dir>/transcripts/`. Writes: hardened facts, their run
record, and the transcript cache. The status is `not_needed`, and torch is not imported, if a manifest has headroom or
none could be scored.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from lora.asr.decoding.audio_store import Rows
from lora.asr.decoding.transcribe import transcribe_manifests
from lora.configuration.arguments import add_setting
from lora.configuration.schema import setting
from lora.data.audio.distortions import GRADES, Distortion
from lora.data.durations import hours, survives
from lora.provenance.recording import Recording, recording
from lora.records.base import UserError
from lora.records.hardening import HardenedFacts, HardenedVersion
from lora.records.scores import WerFacts
from lora.records.transcripts import Transcript
from lora.runners.options import (
    add_decode_arguments,
    add_model_arguments,
    by_name,
    conditions_of,
    limits_of,
    named_path,
)
from lora.runners.usable_rows import evaluation_rows
from lora.scoring.alignment import utterance_errors
from lora.scoring.corpus_wer import wer_score
from lora.scoring.normalizers import normalizer

RATE = 16000  # samples per second, to measure how a distortion changes the length; any number would do


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--manifest", type=named_path, action="append", required=True, metavar="NAME=PATH")
    parser.add_argument("--baseline-wer", type=named_path, action="append", required=True, metavar="NAME=PATH")
    add_setting(parser, "headroom.min_wer")
    add_setting(parser, "headroom.max_wer")
    parser.add_argument("--output", type=Path, required=True, metavar="JSON")
    add_model_arguments(parser)
    add_decode_arguments(parser)


def execute(args: argparse.Namespace) -> int:
    manifests = by_name(args.manifest, "--manifest")
    wers = by_name(args.baseline_wer, "--baseline-wer")
    if manifests.keys() != wers.keys():
        raise UserError("--manifest and --baseline-wer must name the same manifests")
    with recording([args.output]) as run:
        facts = {name: WerFacts.read(path) for name, path in wers.items()}
        chosen = saturated(facts, args.min_wer)
        if chosen is None:
            run.count()
            result = HardenedFacts(status="not_needed")
        else:
            result = measure(args, chosen, manifests[chosen], facts[chosen], run)
        result.write(args.output)
    return 0


def saturated(facts: dict[str, WerFacts], min_wer: float) -> str | None:
    """Choose the manifest to make harder: the one that can show the smallest difference, ties by name.

    Returns:
        Its name; None if a manifest has headroom already (a WER above `min_wer`), or none was scored.
    """
    scored = {name: fact for name, fact in facts.items() if fact.within is not None and fact.within.wer is not None}
    if not scored or any(fact.within.wer > min_wer for fact in scored.values() if fact.within and fact.within.wer):
        return None

    def detectable(name: str) -> float:
        power = scored[name].power
        return power.detectable_difference if power is not None else float("inf")

    return min(sorted(scored), key=detectable)


def measure(args: argparse.Namespace, name: str, path: Path, base: WerFacts, run: Recording) -> HardenedFacts:
    """Measure baseline WER of every version on the rows that the baseline's own WER counts, scored the same way."""
    usable = evaluation_rows(name, path, run)
    rows = [row for row in usable.rows if survives(row.duration, base.max_seconds)]
    graded = {grade.label: Rows(rows, usable.folder, grade) for grade in GRADES}
    conditions = conditions_of(args)
    spoken = sum(hours(rows) * grade.length(RATE) / RATE for grade in GRADES)
    print(f"{len(GRADES)} versions of {len(rows)} rows of {name}, {spoken:.2f} h to decode in all", flush=True)
    results = transcribe_manifests("base", graded, conditions, args.work_dir, run, limits=limits_of(args))
    versions = [score(grade, graded[grade.label], results[grade.label].transcripts, base) for grade in GRADES]
    return HardenedFacts(
        status="measured",
        manifest=name,
        proposed=propose(name, versions, args.min_wer, args.max_wer),
        wer=base.within.wer if base.within else None,
        max_seconds=base.max_seconds,
        sampling_rate=conditions.files.sampling_rate,
        hours=round(spoken, 4),
        versions=versions,
    )


def propose(name: str, versions: list[HardenedVersion], min_wer: float, max_wer: float) -> str | None:
    """Choose the version that raises WER least among those that leave room for a gain and do not break the baseline.

    Versions whose interval is entirely above `min_wer` are preferred to those of which only the WER is above it.
    """
    enough = [version for version in versions if version.wer is not None and min_wer < version.wer <= max_wer]
    sure = [version for version in enough if version.ci_low is not None and version.ci_low > min_wer]
    if not enough:
        return None
    mildest = min(sure or enough, key=lambda version: version.wer or 0.0)
    return f"{name}-{mildest.label}"


def score(grade: Distortion, rows: Rows, transcripts: list[Transcript], base: WerFacts) -> HardenedVersion:
    by_id = {transcript.id: transcript for transcript in transcripts}
    confidence = (
        base.within.interval.confidence if base.within is not None else setting("statistics.confidence").default
    )
    words = normalizer(base.normalizer.name, base.normalizer.unit, base.normalizer.strip)
    errors = utterance_errors(rows.rows, by_id, words)
    score_of_version = wer_score(errors, by_id, confidence, replicates=0)
    return HardenedVersion(
        distortion=grade.name,
        level=grade.level,
        utterances=score_of_version.utterances,
        wer=score_of_version.wer,
        ci_low=score_of_version.interval.low,
        ci_high=score_of_version.interval.high,
    )
