"""Does the evaluation hold what was trained on? Then a gain there proves nothing about speech nobody trained on."""

from __future__ import annotations

from collections.abc import Sequence

from lora import layout
from lora.diagnosis.facts import TRAIN, StudyFacts
from lora.diagnosis.findings import Findings
from lora.diagnosis.transitional import Answer, cause, found
from lora.formatting import count, listed, percent, round_percent
from lora.records.data import LeakageFacts, SharedRow


def judge_leakage(facts: StudyFacts, manifest: str) -> Findings:
    """One check an evaluation manifest: shared rows block, shared speakers alone warn."""
    evidence = [facts.path(layout.LEAKAGE, manifest=manifest)]
    shared = facts.leakage.get(manifest)
    if shared is None:
        answer = Answer("unknown", f"What {manifest} shares with training is not known.")
        return found("data.overlap", answer, evidence, manifest=manifest)
    rules = facts.config.integrity
    known = {row.id for row in [*shared.same_audio, *shared.same_reading]}
    leaked = len(known) > rules.max_leaked * shared.rows
    common = len(shared.same_sentence) > rules.max_shared_sentences * shared.rows
    if leaked or common:
        because = _rows_told(shared, leaked, common, rules.max_shared_sentences)
        broken = cause("data.leakage", because, evidence, manifest=manifest)
        answer = Answer("fail", because, len(known), rules.max_leaked, broken)
        return found("data.overlap", answer, evidence, manifest=manifest)
    if shared.shared_speakers:
        because = (
            f"{len(shared.shared_speakers)} of {count(shared.speakers or 0, 'speaker')} of {manifest} "
            f"({listed(shared.shared_speakers)}) are heard in training too: a gain may be theirs alone."
        )
        remedy = f"Take these speakers out of the training manifest, or add speakers to {manifest} that it lacks."
        milder = cause("data.leakage", because, evidence, manifest=manifest, remedy=remedy, severity="warns")
        answer = Answer("warn", because, len(shared.shared_speakers), 0, milder)
        return found("data.overlap", answer, evidence, manifest=manifest)
    heard = manifest in facts.audio and TRAIN in facts.audio
    what = "recording, reading or speaker" if heard else "reading or speaker"
    told = f"No {what} of {manifest} is in training{'' if heard else ' (recordings were not compared)'}"
    if known:
        told = f"{count(len(known), 'row')} of {manifest} and no speaker are in training, as few as are tolerated"
    sentences = count(len(shared.same_sentence), "sentence")
    summary = f"{told}; {sentences} of {shared.rows} occur there, and {round_percent(rules.max_shared_sentences)} may."
    return found("data.overlap", Answer("pass", summary, len(known), rules.max_leaked), evidence, manifest=manifest)


def _rows_told(shared: LeakageFacts, leaked: bool, common: bool, most: float) -> str:
    told = []
    if leaked and shared.same_audio:
        told.append(f"{count(len(shared.same_audio), 'recording')} ({_lines(shared.same_audio)})")
    if leaked and shared.same_reading:
        readings = count(len(shared.same_reading), "text")
        told.append(f"{readings} by the same speaker ({_lines(shared.same_reading)})")
    if common:
        share = percent(len(shared.same_sentence) / shared.rows)
        told.append(f"the sentences of {len(shared.same_sentence)} rows ({share}; {round_percent(most)} may)")
    return f"Of the {count(shared.rows, 'row')} of {shared.manifest}, training holds {' and '.join(told)}."


def _lines(rows: Sequence[SharedRow]) -> str:
    return listed([f"line {row.line} is line {row.train_line} of training" for row in rows], most=2)
