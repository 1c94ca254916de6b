"""Corpus WER and CER of a set of scored utterances: all errors over all reference words, and the same of characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lora.records.scores import UtteranceErrors, WerScore
from lora.records.utterances import Transcript
from lora.scoring.intervals import bootstrap_interval, units, wer_interval


def wer_score(
    scored: Sequence[UtteranceErrors],
    transcripts: Mapping[str, Transcript],
    confidence: float,
    replicates: int,
) -> WerScore:
    """Utterances with an empty reference count with their insertions and are named; no word at all gives no
    WER.
    """
    errors = [entry.errors for entry in scored]
    words = [entry.words for entry in scored]
    speakers = [entry.speaker_id for entry in scored]
    total, characters = sum(words), sum(entry.characters for entry in scored)
    character_errors = sum(entry.character_errors for entry in scored)
    return WerScore(
        utterances=len(scored),
        speakers=len(set(speakers) - {None}) or None,
        words=total,
        errors=sum(errors),
        substitutions=sum(entry.substitutions for entry in scored),
        deletions=sum(entry.deletions for entry in scored),
        insertions=sum(entry.insertions for entry in scored),
        wer=sum(errors) / total if total else None,
        characters=characters,
        character_errors=character_errors,
        cer=character_errors / characters if characters else None,
        interval=wer_interval(errors, words, speakers, confidence),
        bootstrap=bootstrap_interval(units(errors, words, speakers), confidence, replicates),
        empty_references=sorted(entry.id for entry in scored if entry.words == 0),
        truncated=sum(transcripts[entry.id].truncated for entry in scored),
    )
