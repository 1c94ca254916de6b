"""Compare the recorded settings of a candidate with those of the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lora.asr.decoding.decode_arguments import DEFAULTS
from lora.data.durations import survives
from lora.provenance.recording import recording
from lora.records.base import UserError
from lora.records.parity import ParityFacts
from lora.records.scores import WerFacts
from lora.records.settings import RunSettings
from lora.scoring.rescoring import rescored
from lora.scoring.settings_diff import compare_settings as diff_settings
from lora.scoring.settings_diff import differing_rows
from lora.scoring.transcripts import read_transcripts


def compare_settings(
    run: str,
    baseline_settings: Sequence[Path],
    tuned_settings: Sequence[Path],
    baseline_wer: Sequence[Path],
    tuned_wer: Sequence[Path],
    baseline_transcripts: Sequence[Path],
    tuned_transcripts: Sequence[Path],
    parity: Path,
) -> ParityFacts:
    """Compare settings and rows field by field, on every manifest, and write the parity facts.

    Where the two runs were scored with different normalisers, their raw texts are scored again with either one.

    Args:
        run: Name of the candidate.
        baseline_settings, tuned_settings: Settings of the runs' transcripts; this and the following lists have one
            file per manifest, all in the same order.
        baseline_wer, tuned_wer: WER facts.
        baseline_transcripts, tuned_transcripts: Raw transcripts.
        parity: File to write.

    Raises:
        UserError: If the six lists have different lengths.
    """
    lists = (baseline_settings, tuned_settings, baseline_wer, tuned_wer, baseline_transcripts, tuned_transcripts)
    if len({len(paths) for paths in lists}) != 1:
        counts = ", ".join(str(len(paths)) for paths in lists)
        raise UserError(f"the six lists must name the same manifests, got {counts} files")
    with recording(outputs=[parity]):
        settings = [
            (RunSettings.read(before), RunSettings.read(after))
            for before, after in zip(baseline_settings, tuned_settings, strict=True)
        ]
        scores = [
            (WerFacts.read(before), WerFacts.read(after)) for before, after in zip(baseline_wer, tuned_wer, strict=True)
        ]
        texts = [
            (read_transcripts(before), read_transcripts(after))
            for before, after in zip(baseline_transcripts, tuned_transcripts, strict=True)
        ]
        rows = []
        again = []
        for recorded, (base, tuned), both in zip(settings, scores, texts, strict=True):
            rows.append(differing_rows(base.manifest, *both, recorded))
            within = {u.id for u in base.utterances if survives(u.duration, base.max_seconds)}
            again.append(rescored(base, tuned, *both, within))
        facts = diff_settings(
            run,
            [before for before, _ in settings],
            [after for _, after in settings],
            [before for before, _ in scores],
            [after for _, after in scores],
            rows,
            again,
            DEFAULTS,
        )
        facts.write(parity)
    different = ", ".join(f"{s.manifest}: {s.field}" for s in facts.settings if s.same is False) or "none"
    unknown = sum(s.same is None for s in facts.settings)
    print(facts.message or f"{run}: {len(facts.settings)} settings compared, {unknown} unknown; different: {different}")
    return facts
