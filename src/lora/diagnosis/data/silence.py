"""Are evaluation rows with an explicitly empty transcript silent, or were their transcripts lost?

A recogniser writes nothing into silence, or a few phrases again and again (`thank you for watching`). Where it writes
different texts at the usual rate of words per second, somebody speaks.
"""

from __future__ import annotations

from collections import Counter

from lora import layout
from lora.diagnosis.facts import BASE, StudyFacts
from lora.diagnosis.findings import MOST_NAMED, Findings, check
from lora.records.scores import UtteranceErrors, WerFacts
from lora.records.verdict import CheckStatus

LEAST_RATE = 0.5  # of the words per second in rows with a transcript, from which on a row counts as speech
LEAST_WORDS = 3
MOST_CHARACTERS = 60  # of an example
FEW = 2  # rows: one or two may have speech in the background


def judge_silent_rows(facts: StudyFacts, manifest: str) -> Findings:
    """No check where no row has an empty transcript."""
    wer = facts.wer.get((BASE, manifest))
    silent = [] if wer is None else [row for row in wer.utterances if not row.words]
    if wer is None or not silent:
        return Findings()
    spoken = spoken_rows(wer)
    rules = facts.config.integrity
    rows = len(wer.utterances)
    lost = len(spoken) > max(FEW, rules.max_empty * rows)
    status: CheckStatus = "pass"
    if lost:
        status = "fail" if len(spoken) > rules.blocking_rejected * rows else "warn"
    result = check(
        "data.silent_rows",
        status=status,
        reason="speech" if lost else "ok",
        value=len(spoken),
        threshold=max(FEW, rules.max_empty * rows),
        details={
            "rows": rows,
            "silent": len(silent),
            "affected": len(spoken),
            "ids": [row.id for row in spoken[:MOST_NAMED]],
            "example": _text(spoken[0])[:MOST_CHARACTERS] if spoken else None,
        },
        evidence=[facts.path(layout.WER, run=BASE, manifest=manifest)],
        manifest=manifest,
    )
    if not lost:
        return Findings.of(result)
    return Findings.of(
        result, result.cause("data.empty_transcripts", severity="blocks" if status == "fail" else "warns")
    )


def has_many_lost_transcripts(facts: StudyFacts, manifest: str) -> bool:
    """Whether so many transcripts were lost that the WER of the manifest means nothing."""
    return any(cause.severity == "blocks" for cause in judge_silent_rows(facts, manifest).causes)


def spoken_rows(wer: WerFacts) -> list[UtteranceErrors]:
    """Rows without a transcript into which the baseline writes as many words per second as into others.

    Texts that occur in several of these rows do not count: they are what a model makes of silence.
    """
    others = [row for row in wer.utterances if row.words]
    seconds = sum(row.duration for row in others)
    usual = sum(_words(row) for row in others) / seconds if seconds else 0.0
    texts = Counter(_text(row) for row in wer.utterances if not row.words)
    return [
        row
        for row in wer.utterances
        if not row.words
        and _words(row) >= max(LEAST_WORDS, LEAST_RATE * usual * row.duration)
        and texts[_text(row)] == 1
    ]


def _words(row: UtteranceErrors) -> int:
    """Words of the hypothesis."""
    return row.hits + row.substitutions + row.insertions


def _text(row: UtteranceErrors) -> str:
    """The hypothesis of a row without a transcript, all of which is inserted."""
    return " ".join(edit.hypothesis or "" for edit in row.edits)
