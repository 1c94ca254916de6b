"""Are external hypotheses copies of the references? Nearly all long texts equal to the character say so."""

from __future__ import annotations

from lora import layout
from lora.diagnosis.facts import BASE, StudyFacts
from lora.diagnosis.findings import Findings, check
from lora.records.scores import WerFacts

COPIED = 0.95  # share of long references in a style that nobody writes to the character
COPIED_BEFORE = 0.5  # share that the other run may have: more, and the references are in the style of the model
MIN_ROWS = 10
MIN_PLAIN_WORDS = 500  # of references without capitals, digits and marks, which a model may write without an error


def judge_copies(facts: StudyFacts, run: str, manifest: str) -> Findings:
    """Whether external hypotheses, of the run or of the baseline, are copies of the references."""
    findings = Findings()
    for name, other in ((BASE, run), (run, BASE)):
        external = facts.config.kind(run) == "hypotheses" if name == run else facts.config.model is None
        own = facts.wer.get((name, manifest))
        others = facts.wer.get((other, manifest))
        if external and own is not None and others is not None:
            findings.add(_judge_copy(facts, name, manifest, own, others))
    return findings


def _judge_copy(facts: StudyFacts, run: str, manifest: str, own: WerFacts, other: WerFacts) -> Findings:
    copied = own.copied
    is_copy = copied is not None and looks_copied(own, other)
    styled = copied is not None and copied.styled >= MIN_ROWS
    rows = 0 if copied is None else copied.styled if styled else copied.rows
    equal = 0 if copied is None else copied.equal_styled if styled else copied.equal
    result = check(
        "parity.texts",
        status="fail" if is_copy else "pass",
        reason="copied" if is_copy else "ok",
        value=equal / rows if rows else None,
        threshold=COPIED,
        details={"rows": rows, "equal": equal, "styled": styled},
        evidence=[facts.path(layout.WER, run=run, manifest=manifest)],
        run=run,
        manifest=manifest,
    )
    return Findings.of(result, result.cause("parity.copied_references") if is_copy else None)


def looks_copied(own: WerFacts, other: WerFacts) -> bool:
    """Whether nearly all long texts of a run equal their reference to the character and those of the other do not.

    Capitals, digits and punctuation decide where the references have them. Without them a strong model may write all
    words right, so that more words and no error at all are required.
    """
    mine = own.copied
    theirs = other.copied
    if mine is None or theirs is None or mine.rows < MIN_ROWS:
        return False
    if mine.styled >= MIN_ROWS:
        before = theirs.equal_styled / theirs.styled if theirs.styled else 0.0
        return mine.equal_styled >= COPIED * mine.styled and before < COPIED_BEFORE
    before = theirs.equal / theirs.rows if theirs.rows else 0.0
    return mine.equal == mine.rows and mine.words >= MIN_PLAIN_WORDS and before < COPIED_BEFORE
