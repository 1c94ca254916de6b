"""P: did the hypotheses of a brought file find their rows, and by what? Nothing of the file goes without a word."""

from __future__ import annotations

from lora import layout
from lora.diagnosis.facts import BASE, StudyFacts
from lora.diagnosis.findings import Findings
from lora.diagnosis.transitional import Answer, found
from lora.formatting import count, listed
from lora.records.transcripts import ImportFacts
from lora.records.verdict import CheckStatus

HOW = {
    "id": "by id",
    "file name": "by the name of its audio file",
    "id without case": "by id without regard to case",
    "file name without case": "by the name of its audio file without regard to case",
    "time": "by the time of its words in the recording",
}


def judge_imported_transcripts(facts: StudyFacts) -> Findings:
    """One check for every brought file, the baseline's first."""
    findings = Findings()
    for run in (BASE, *facts.config.candidates):
        for manifest in facts.config.evaluations:
            account = facts.imported.get((run, manifest))
            if account is not None and account.format is not None:
                findings.add(_found_rows(facts, account))
    return findings


def _found_rows(facts: StudyFacts, account: ImportFacts) -> Findings:
    evidence = [facts.path(layout.IMPORT, run=account.run, manifest=account.manifest)]
    told = [matched_words(account), *remarks(account)]
    doubtful = account.unmatched or account.ambiguous or account.missing or account.notes
    status: CheckStatus = "warn" if doubtful else "pass"
    matched = sum(account.matched.values())
    answer = Answer(status, f"{'; '.join(told)}.", matched, account.rows)
    return found("parity.ids", answer, evidence, account.run, account.manifest)


def matched_words(account: ImportFacts) -> str:
    """`188 of 188 rows of domain have a hypothesis of theirs (trn): 180 by id, 8 by the name of ...`"""
    matched = sum(account.matched.values())
    ways = [f"{n} {HOW.get(way, way)}" for way, n in account.matched.items()]
    if len(ways) == 1:
        ways = [ways[0].partition(" ")[2]]
    how = f": {listed(ways)}" if ways else ""
    return (
        f"{matched:,} of {count(account.rows, 'row')} of {account.manifest} found their hypothesis of {account.run} "
        f"(read as {account.format}){how}"
    )


def remarks(account: ImportFacts) -> list[str]:
    """What a person should know of the rest, each a clause with its count and an example."""
    parts = [
        (account.unmatched, "hypotheses of {} that fit no row"),
        (account.ambiguous, "hypotheses of {} that fit more than one row, or share one with another"),
        (account.rejected, "hypotheses of {} for rejected rows, which were left out"),
        (account.missing, "rows without a hypothesis of {}"),
    ]
    told = [f"{what.format(account.run)}: {len(names)}, first {names[0]}" for names, what in parts if names]
    return told + list(account.notes)
