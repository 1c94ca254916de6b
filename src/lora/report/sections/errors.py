"""Where errors come from: sources of the baseline's errors, and where a candidate's differences lie.

Words, ids and speaker names are untrusted.
"""

from __future__ import annotations

from itertools import zip_longest

from lora.diagnosis.headroom.reachable import reach
from lora.formatting import UNKNOWN, count, listed, percent, points
from lora.records.comparisons import BudgetLine, ErrorBudget, PairedScore, WordPair
from lora.records.reachable import ReachableFacts
from lora.records.verdict import Verdict
from lora.report.listening import listening, utterance
from lora.report.markdown import code, sentence, table, text
from lora.report.study import Study

SOURCES = ["manifest", "word errors", "spelling only", "out-of-vocabulary words", "all candidates agree", "other"]
SOURCES += ["suspected reference errors", "within reach of tuning", "words written", "truncated", "looping"]
SHOWN = 10
LEGEND = (
    "Points of WER, of rows within `max_seconds`. Each error counts in the first of the columns *spelling only* to "
    "*other* that applies. *Spelling only*: the words differ in spaces, hyphens or apostrophes, and in English also in "
    "written numbers, contractions or British spelling. *Out-of-vocabulary words* do not occur in the training "
    "transcripts. *All candidates agree*: every candidate that differs much from the baseline still makes the same "
    "error; no tuning has changed it yet, which does not mean that the reference is wrong. A *suspected reference "
    "error* is a place where all runs transcribe the surrounding words as in the reference and agree on another known "
    "word that does not resemble the reference. *Within reach of tuning* excludes spelling and suspected reference "
    "errors. *Words written* is the number of words in the hypotheses relative to the references. *Truncated* "
    "hypotheses reach the token limit; *looping* ones repeat words that their references do not repeat."
)
BUDGET = ["group", "rows", "words", "errors of baseline", "of tuned", "change", "substitutions", "deletions"]
BUDGET += ["insertions"]
PAIRS = ["fixed: reference", "hypothesis", "errors", "added: reference", "hypothesis", "errors"]
SPEAKERS = 10


def error_sources(study: Study) -> str:
    """A table over the evaluation manifests, with the words and rows behind it."""
    rows, notes = [], []
    for manifest in study.evaluations:
        found = study.reachable(manifest)
        if not found.known or found.value is None:
            rows.append([code(manifest), *[UNKNOWN] * (len(SOURCES) - 1)])
            continue
        rows.append([*_sources(manifest, found.value), *_lengths(study, manifest)])
        notes += _notes(study, manifest, found.value)
    notes += [line for manifest in study.evaluations for line in _loops(study, manifest)]
    if not rows:
        return ""
    parts = [
        "### Sources of the baseline's errors",
        _within_reach(study.verdict.value),
        table(SOURCES, rows, range(1, 11)),
        LEGEND,
        "\n".join(notes),
    ]
    return "\n\n".join(part for part in parts if part)


def _within_reach(verdict: Verdict | None) -> str:
    """The check that says how much of the WER of the evaluation manifest is within reach."""
    if verdict is None:
        return ""
    checks = [c for c in verdict.checks if c.id == "headroom.reachable" and c.manifest == verdict.eval_manifest]
    return sentence(checks[0].summary) if checks else ""


def _sources(manifest: str, facts: ReachableFacts) -> list[str]:
    def share(errors: int | None) -> str:
        if errors is None or not facts.words:
            return UNKNOWN
        return points(errors / facts.words)

    return [
        code(manifest),
        f"{facts.errors:,}",
        share(facts.style),
        share(facts.out_of_vocabulary),
        share(facts.agreed),
        share(facts.rest),
        share(facts.suspected_errors),
        points(reach(facts)) if facts.words else UNKNOWN,
    ]


def _lengths(study: Study, manifest: str) -> list[str]:
    """Words written relative to the references, truncated hypotheses, looping hypotheses."""
    facts = study.wer("base", manifest).value
    score = None if facts is None else facts.within
    if facts is None or score is None:
        return [UNKNOWN] * 3
    written = score.words - score.deletions + score.insertions
    loops = listening(study, f"{len(facts.loops):,}", manifest, queue="loops")
    return [percent(written / score.words if score.words else None), f"{score.truncated:,}", loops]


def _notes(study: Study, manifest: str, facts: ReachableFacts) -> list[str]:
    lines = []
    if facts.out_of_vocabulary_words:
        words = [f"{code(one.word)} ({one.count})" for one in facts.out_of_vocabulary_words[:SHOWN]]
        others = facts.out_of_vocabulary_word_count - len(words)
        more = f" and {others:,} more" if others else ""
        unseen = listening(study, "Out-of-vocabulary words", manifest, queue="unseen_words")
        lines.append(
            f"- {unseen} of {code(manifest)}, with their errors: {', '.join(words)}{more}. "
            "Add training recordings with these words."
        )
    if facts.respelled:
        pairs = [f"{code(one.reference)} as {code(one.hypothesis)} ({one.errors})" for one in facts.respelled]
        lines.append(f"- Words of {code(manifest)} that are spelled differently: {listed(pairs, SHOWN)}.")
    if facts.suspected_references:
        places = [
            f"{utterance(study, p.id, manifest)} {code(p.reference)} as {code(p.hypothesis)}"
            for p in facts.suspected_references
        ]
        rows = count(facts.suspected_rows or 0, "row")
        rows = listening(study, rows, manifest, queue="reference_errors")
        lines.append(f"- Suspected reference errors in {rows} of {code(manifest)}: {listed(places, SHOWN)}.")
    close = [code(c.run) for c in facts.candidates if c.utterances and not c.independent]
    if close:
        verb = "differs" if len(close) == 1 else "differ"
        lines.append(
            f"- On {code(manifest)}, {listed(close)} {verb} too little from the baseline for agreement to mean "
            "anything."
        )
    return lines


def _loops(study: Study, manifest: str) -> list[str]:
    facts = study.wer("base", manifest).value
    if facts is None or not facts.loops or facts.within is None:
        return []
    examples = [
        f"{utterance(study, loop.id, manifest)} ({code(loop.words)}, {loop.times} times)" for loop in facts.loops
    ]
    share = percent(len(facts.loops) / max(facts.within.utterances, 1))
    hypotheses = count(len(facts.loops), "hypothesis loops", "hypotheses loop")
    hypotheses = listening(study, hypotheses, manifest, queue="loops")
    return [f"- On {code(manifest)}, {hypotheses} ({share}): {listed(examples, SHOWN)}."]


def error_budgets(study: Study) -> str:
    """The error budget of every comparison that changed errors, the primary one first."""
    verdict = study.verdict.value
    if verdict is None:
        return ""
    primary = (verdict.gate_run, verdict.eval_manifest)
    parts = []
    for outcome in sorted(verdict.runs, key=lambda outcome: (outcome.run, outcome.manifest) != primary):
        facts = study.paired(outcome.run, outcome.manifest).value
        if facts is None or facts.budget is None or facts.within is None or not facts.within.changed_errors:
            continue
        parts.append(_budget(outcome.run, outcome.manifest, facts.budget, facts.within))
    if not parts:
        return ""
    legend = (
        "Counts of word errors in rows within `max_seconds`, tuned minus baseline: negative is better. Word pairs come "
        "from one alignment; others can be equally short."
    )
    return "\n\n".join(["### Where the differences come from", legend, *parts])


def _budget(run: str, manifest: str, budget: ErrorBudget, score: PairedScore) -> str:
    rows = [_line(text(line.name), line) for line in budget.by_duration]
    changed = [line for line in budget.by_speaker if line.tuned_errors != line.baseline_errors][:SPEAKERS]
    rows += [_line(code(line.name) if line.name else "no speaker", line) for line in changed]
    title = (
        f"**{code(run)} on {code(manifest)}**: {score.substitutions_delta:+d} substitutions, "
        f"{score.deletions_delta:+d} deletions, {score.insertions_delta:+d} insertions."
    )
    others = len(budget.by_speaker) - len(changed)
    if others:
        title += (
            f" The speakers with the largest changes are listed; {count(others, 'other')} changed less or not at all."
        )
    parts = [title, table(BUDGET, rows, numbers=range(1, 9))]
    if budget.lost or budget.gained:
        halves = zip_longest(map(_pair, budget.lost), map(_pair, budget.gained), fillvalue=["", "", ""])
        parts.append(table(PAIRS, [[*lost, *gained] for lost, gained in halves], numbers=[2, 5]))
    return "\n\n".join(parts)


def _line(name: str, line: BudgetLine) -> list[str]:
    counts = [line.utterances, line.words, line.baseline_errors, line.tuned_errors]
    changes = [line.tuned_errors - line.baseline_errors, line.substitutions_delta, line.deletions_delta]
    changes.append(line.insertions_delta)
    return [name, *(f"{n:,}" for n in counts), *(f"{n:+,}" if n else "0" for n in changes)]


def _pair(pair: WordPair) -> list[str]:
    reference, hypothesis = (
        code(word) if word is not None else "(nothing)" for word in (pair.reference, pair.hypothesis)
    )
    return [reference, hypothesis, f"{pair.change:+,} ({pair.baseline:,} to {pair.tuned:,})"]
