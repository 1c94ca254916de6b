"""What stands behind the baseline's errors: spelling, words never heard, agreement, doubtful references, loops."""

from __future__ import annotations

from lora.diagnosis.headroom.reachable import reach
from lora.formatting import UNKNOWN, count, listed, percent, points
from lora.records.reachable import ReachableFacts
from lora.records.verdict import Verdict
from lora.report.markdown import code, table, text
from lora.report.study import Study

COLUMNS = ["manifest", "word errors", "only spelling", "word never in training", "all candidates agree", "the rest"]
COLUMNS += ["in doubtful references", "tuning can mend at most", "words written", "cut", "looping"]
SHOWN = 10

EXPLAINED = (
    "Every error falls into the first part that fits, as points of WER. *Only spelling*: other blanks, hyphens or "
    "apostrophes, and in English numbers, contractions and British spelling. *All candidates agree*: every candidate "
    "that differs much from the baseline still writes the very same thing, so none has moved it yet, which proves "
    "nothing about the reference. A reference is *doubtful* where all runs hear the words around it as they are "
    "written and in its place another known word that is nothing like it. What *tuning can mend at most* leaves out "
    "spelling and doubtful references. *Words written* are those of the hypotheses as a share of the references'; "
    "*cut* hypotheses hit the token cap, *looping* ones repeat themselves as their references do not."
)


def reachable(study: Study) -> str:
    """A table over the evaluation manifests, and the words and rows behind it."""
    rows, notes = [], []
    for manifest in study.evaluations:
        found = study.reachable(manifest)
        if not found.known or found.value is None:
            rows.append([code(manifest), *[UNKNOWN] * (len(COLUMNS) - 1)])
            continue
        rows.append([*_row(manifest, found.value), *_texts(study, manifest)])
        notes += _notes(manifest, found.value)
    notes += [line for manifest in study.evaluations for line in _loops(study, manifest)]
    if not rows:
        return ""
    parts = [
        "### What the errors are made of",
        _told(study.verdict.value),
        table(COLUMNS, rows, range(1, 11)),
        EXPLAINED,
    ]
    return "\n\n".join(part for part in [*parts, "\n".join(notes)] if part)


def _told(verdict: Verdict | None) -> str:
    """The verdict's own sentence on the evaluation manifest."""
    if verdict is None:
        return ""
    checks = [c for c in verdict.checks if c.id == "headroom.reachable" and c.manifest == verdict.eval_manifest]
    return text(checks[0].summary) if checks else ""


def _row(manifest: str, facts: ReachableFacts) -> list[str]:
    def size(errors: int | None) -> str:
        if errors is None or not facts.words:
            return UNKNOWN
        return points(errors / facts.words)

    return [
        code(manifest),
        f"{facts.errors:,}",
        size(facts.style),
        size(facts.out_of_vocabulary),
        size(facts.agreed),
        size(facts.rest),
        size(facts.suspected_errors),
        points(reach(facts)) if facts.words else UNKNOWN,
    ]


def _texts(study: Study, manifest: str) -> list[str]:
    """Share of words written, hypotheses cut and hypotheses that loop."""
    facts = study.wer("base", manifest).value
    score = None if facts is None else facts.within
    if facts is None or score is None:
        return [UNKNOWN] * 3
    written = score.words - score.deletions + score.insertions
    return [percent(written / score.words if score.words else None), f"{score.truncated:,}", f"{len(facts.loops):,}"]


def _notes(manifest: str, facts: ReachableFacts) -> list[str]:
    lines = []
    if facts.out_of_vocabulary_words:
        words = [f"{code(one.word)} ({one.count})" for one in facts.out_of_vocabulary_words[:SHOWN]]
        left = facts.out_of_vocabulary_word_count - len(words)
        more = f" and {left} more" if left else ""
        lines.append(
            f"- Words of {code(manifest)} that training never holds, with their errors: {', '.join(words)}{more}. "
            "Recordings with these words would teach them."
        )
    if facts.respelled:
        shown = [f"{code(one.reference)} as {code(one.hypothesis)} ({one.errors})" for one in facts.respelled[:SHOWN]]
        lines.append(f"- Spelled in another way on {code(manifest)}: {listed(shown, SHOWN)}.")
    if facts.suspected_references:
        shown = [f"{code(p.id)} {code(p.reference)} heard as {code(p.hypothesis)}" for p in facts.suspected_references]
        rows = count(facts.suspected_rows or 0, "row")
        lines.append(f"- Doubtful references in {rows} of {code(manifest)}: {listed(shown, SHOWN)}.")
    close = [code(c.run) for c in facts.candidates if c.utterances and not c.independent]
    if close:
        lines.append(f"- On {code(manifest)} {listed(close)} differ too little from the baseline to agree with it.")
    return lines


def _loops(study: Study, manifest: str) -> list[str]:
    facts = study.wer("base", manifest).value
    if facts is None or not facts.loops or facts.within is None:
        return []
    shown = [f"{code(loop.id)} ({code(loop.words)}, {loop.times} times)" for loop in facts.loops]
    share = percent(len(facts.loops) / max(facts.within.utterances, 1))
    rows = count(len(facts.loops), "hypothesis", "hypotheses")
    repeat = "repeats itself" if len(facts.loops) == 1 else "repeat themselves"
    return [f"- {rows} of {code(manifest)} ({share}) {repeat}: {listed(shown, SHOWN)}."]
