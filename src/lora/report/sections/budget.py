"""Where the differences come from: kinds of errors, speakers, durations, word pairs. Words and names are untrusted."""

from __future__ import annotations

from itertools import zip_longest

from lora.formatting import count
from lora.records.comparisons import BudgetLine, ErrorBudget, PairedScore, WordPair
from lora.report.markdown import code, table, text
from lora.report.study import Study

SPEAKERS = 10
COLUMNS = ["part", "rows", "words", "errors before", "after", "change", "substitutions", "deletions", "insertions"]
PAIR_COLUMNS = ["lost: said", "heard as", "errors", "gained: said", "heard as", "errors"]


def error_budgets(study: Study) -> str:
    """The error budget of every comparison that changed anything, the gating one first."""
    verdict = study.verdict.value
    if verdict is None:
        return ""
    gate = (verdict.gate_run, verdict.eval_manifest)
    parts = []
    for outcome in sorted(verdict.runs, key=lambda outcome: (outcome.run, outcome.manifest) != gate):
        facts = study.paired(outcome.run, outcome.manifest).value
        if facts is None or facts.budget is None or facts.within is None or not facts.within.changed_errors:
            continue
        parts.append(_budget(outcome.run, outcome.manifest, facts.budget, facts.within))
    if not parts:
        return ""
    told = "Counts of errors, tuned minus baseline: negative is better. A word pair is one reading of an alignment."
    return "\n\n".join(["### Where the differences come from", told, *parts])


def _budget(run: str, manifest: str, budget: ErrorBudget, score: PairedScore) -> str:
    lines = [_row(text(line.name), line) for line in budget.by_duration]
    shown = [line for line in budget.by_speaker if line.tuned_errors != line.baseline_errors][:SPEAKERS]
    lines += [_row(code(line.name) if line.name else "no speaker", line) for line in shown]
    left = len(budget.by_speaker) - len(shown)
    kinds = f"{score.substitutions_delta:+d} substitutions, {score.deletions_delta:+d} deletions, "
    told = f"**{code(run)} on {code(manifest)}**: {kinds}{score.insertions_delta:+d} insertions."
    if left:
        told += f" Speakers with the largest change are shown; {count(left, 'other')} changed less or not at all."
    parts = [told, table(COLUMNS, lines, numbers=range(1, 9))]
    if budget.lost or budget.gained:
        halves = zip_longest(map(_pair, budget.lost), map(_pair, budget.gained), fillvalue=["", "", ""])
        parts.append(table(PAIR_COLUMNS, [[*lost, *gained] for lost, gained in halves], numbers=[2, 5]))
    return "\n\n".join(parts)


def _row(name: str, line: BudgetLine) -> list[str]:
    changes = [line.tuned_errors - line.baseline_errors, line.substitutions_delta, line.deletions_delta]
    counts = [line.utterances, line.words, line.baseline_errors, line.tuned_errors]
    return [name, *(f"{n:,}" for n in counts), *(f"{n:+,}" if n else "0" for n in [*changes, line.insertions_delta])]


def _pair(pair: WordPair) -> list[str]:
    said, heard = (code(word) if word is not None else "(nothing)" for word in (pair.reference, pair.hypothesis))
    return [said, heard, f"{pair.change:+,} ({pair.baseline:,} to {pair.tuned:,})"]
