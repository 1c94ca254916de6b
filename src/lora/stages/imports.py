"""Stages that import what another pipeline produced: transcripts with their settings, the record of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lora.asr.decoding.decode_arguments import DEFAULTS
from lora.asr.families.table import FAMILIES
from lora.asr.training.history import training_history
from lora.data.identity import audio_hashes, manifest_identity
from lora.data.manifest import read_rows
from lora.data.tables import read_cells
from lora.data.transcripts.columns import ExternalTranscript
from lora.data.transcripts.files import TranscriptFile, read_transcript_file
from lora.data.transcripts.recorded_settings import read_settings
from lora.data.transcripts.row_matching import Matched, match_rows
from lora.diagnosis.parity.external_hypotheses import import_details
from lora.diagnosis.wording.parity import matched_words, remarks
from lora.provenance.recording import Recording, recording
from lora.records.base import UserError, columns_of, write_lines
from lora.records.kept import keep
from lora.records.manifests import RejectedRow, Utterance
from lora.records.settings import ManifestIdentity, RunSettings
from lora.records.transcripts import ImportFacts, Transcript

# A model's own generation settings that a settings file may have, besides the arguments of every model.
MODEL_SETTINGS = {
    "tokens_per_second",
    "forced_decoder_ids",
    "is_multilingual",
    "max_initial_timestamp_index",
    "no_timestamps_token_id",
    "prev_sot_token_id",
    "language",
    "prompt",
}
DECODE_KEYS = {*DEFAULTS, *MODEL_SETTINGS, *(key for family in FAMILIES.values() for key in family.decode_keys)}


def import_transcripts(
    run: str,
    manifest_name: str,
    rows: Path,
    hypotheses: Path | None,
    transcripts: Path,
    settings: Path,
    account: Path,
    rejected: Path | None = None,
    recorded: Path | None = None,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> None:
    """Import the transcripts that another pipeline made of one manifest.

    Utterances without a hypothesis are left out, and hypotheses of ids that the manifest never had are kept; the
    comparison with the baseline reports both.

    Args:
        run, manifest_name: Names that the facts carry.
        rows: Usable rows of the manifest.
        hypotheses: The external file; None if the run has none for this manifest, which its settings then say.
        transcripts: Transcripts to write.
        settings: Settings to write; what nobody recorded is unknown in them.
        account: File to write that says how each id was matched (`ImportFacts`).
        rejected: Table of the manifest's rejected rows.
        recorded: Settings file next to the hypotheses (`<stem>.settings.json`): a record of the runner, or some keys.
        format: Format of the hypotheses; None finds it by suffix and content.
        columns: Our names of columns to those of the file.
    """
    with recording(outputs=[transcripts, settings, account]) as record:
        known = RunSettings(run=run)
        if hypotheses is None:
            message = f"no transcripts of {manifest_name} were provided"
            known = RunSettings(run=run, status="impossible", message=message)
        elif recorded is not None:
            known = read_settings(recorded, run, manifest_name, DECODE_KEYS)
        if hypotheses is None or known.status == "impossible":
            write_lines(transcripts, [])
            known.write(settings)
            source = None if hypotheses is None else str(hypotheses)
            ImportFacts(run=run, manifest=manifest_name, source=source, format=None).write(account)
            return
        file = read_transcript_file(hypotheses, format, dict(columns or {}))
        utterances = read_rows(rows)
        unusable = _rejected_rows(rejected)
        ids = [row["id"] for row in unusable if row["id"]]
        matched = match_rows(hypotheses, file, utterances, ids, [int(row["line"]) for row in unusable])
        transcribed = [row for row in utterances if row.id in matched.hypotheses]
        written = [_transcript(row, matched.hypotheses[row.id]) for row in transcribed]
        written += [_extra_transcript(name, matched.extra[name]) for name in sorted(matched.extra)]
        write_lines(transcripts, written)
        keep(transcripts, {transcript.id: transcript for transcript in written})
        facts = _account(run, manifest_name, hypotheses, file, utterances, matched)
        facts.write(account)
        if set(facts.matched) - {"id"}:
            record.adjust(matched_words(import_details(facts)))
        for remark in remarks(import_details(facts)):
            record.adjust(remark)
        if known.manifest is None:
            counted = ManifestIdentity(name=manifest_name, rows=len(written), content_hash=None)
            known = known.model_copy(update={"manifest": counted})
        else:
            _check_rows(recorded, known.manifest, transcribed, rows.parent, record)
        known.write(settings)


def _account(
    run: str, manifest: str, path: Path, file: TranscriptFile, rows: Sequence[Utterance], matched: Matched
) -> ImportFacts:
    return ImportFacts(
        run=run,
        manifest=manifest,
        source=str(path),
        format=file.format,
        hypotheses=len(file.utterances) + len(file.words),
        rows=len(rows),
        matched=matched.how,
        unmatched=matched.unmatched,
        ambiguous=matched.ambiguous,
        rejected=matched.rejected,
        missing=[row.id for row in rows if row.id not in matched.hypotheses],
        notes=matched.notes,
    )


def _rejected_rows(path: Path | None) -> list[dict[str, str]]:
    columns = columns_of(RejectedRow)
    return [] if path is None else [dict(zip(columns, cells, strict=True)) for cells in read_cells(path, columns)]


def _transcript(row: Utterance, external: ExternalTranscript) -> Transcript:
    return Transcript(
        id=row.id,
        reference=row.text,
        hypothesis=row.text if external.hypothesis == row.text else external.hypothesis,  # one text in memory
        duration=row.duration,
        truncated=external.truncated,
        external_reference=external.reference if external.reference not in {None, row.text} else None,
    )


def _extra_transcript(name: str, external: ExternalTranscript) -> Transcript:
    return Transcript(
        id=name,
        reference=external.reference or "",
        hypothesis=external.hypothesis,
        duration=external.duration or 0.0,
        truncated=external.truncated,
    )


def _check_rows(
    recorded: Path | None, identity: ManifestIdentity, rows: list[Utterance], folder: Path, record: Recording
) -> None:
    """Record where the rows named in the settings file are not those of this study; parity judges the difference."""
    if identity.content_hash is None:
        return
    try:
        actual = manifest_identity(identity.name, rows, audio_hashes(rows, folder))
    except UserError as error:
        record.adjust(f"cannot check whether {recorded} is about the rows of this study: {error}")
        return
    if actual.content_hash != identity.content_hash:
        record.adjust(f"{recorded} is about other rows than the study's (content {identity.content_hash:.12})")


def import_training(run: str, weights: Path, train_facts: Path) -> None:
    """Import the record of a training that was done elsewhere.

    Args:
        run: Name of the candidate.
        weights: Folder of the external adapter or checkpoint; `train.json` of this software or `trainer_state.json` of
            the Hugging Face Trainer is read from there if it exists.
        train_facts: File to write; what nobody recorded is null.
    """
    with recording(outputs=[train_facts]):
        facts = training_history(run, weights)
        facts.write(train_facts)
    if facts.unreadable is not None:
        print(f"{run}: {facts.unreadable}; its training counts as not recorded")
    else:
        print(f"{run}: training recorded in {facts.source}" if facts.source else f"{run}: no record of its training")
