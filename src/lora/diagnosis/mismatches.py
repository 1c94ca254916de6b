"""D1: do texts belong to their audio? Judged by which rows' texts the base model hears where.

A row counts only where another text fits clearly better than its own, so a weak model or an accent accuses nobody.
"""

from __future__ import annotations

from collections import Counter

from lora.diagnosis.causes import cause
from lora.diagnosis.facts import BASE, TRAIN, StudyFacts
from lora.diagnosis.findings import Answer, Findings, found
from lora.diagnosis.wording import count, listed, percent
from lora.records import MisplacedText, Severity

ENOUGH_ROWS = 3  # misplaced rows from which on a common offset is no accident
MOST_NAMED = 8  # lines that a remedy names; the fact file names all


def misplaced_texts(facts: StudyFacts, manifest: str) -> Findings:
    """One check a manifest. A few misplaced texts warn; many make every number on the manifest worthless, and block.

    Silent on training rows without a model, which alone listens to them.
    """
    evidence = [facts.at("mismatches", f"{manifest}.json")]
    evidence += [facts.at("labels.own.jsonl" if manifest == TRAIN else f"transcripts/{BASE}/{manifest}.jsonl")]
    compared, most = facts.mismatches.get(manifest), facts.config.integrity.max_mismatched
    if manifest == TRAIN and facts.config.model is None:
        return Findings()
    if compared is None or not compared.compared:
        answer = Answer("unknown", f"Whether the texts of {manifest} belong to their audio is not known.", None, most)
        return found("data.texts", answer, evidence, manifest=manifest)
    wrong, share = _wrong(facts, manifest), misplaced_share(facts, manifest)
    rows = f"{compared.compared:,} {'sampled ' if manifest == TRAIN else ''}rows of {manifest}"
    if not wrong:
        summary = f"What the base model hears in {rows} fits no other row's text better than their own."
        return found("data.texts", Answer("pass", summary, 0.0, most), evidence, manifest=manifest)
    told = (
        f"The base model hears the text of another row in {len(wrong)} of {rows} ({percent(share)}; {_examples(wrong)})"
    )
    slip = _slip(wrong)
    if slip is not None:
        offset, rows_slipped = slip
        told += f"; in {rows_slipped} of the {len(wrong)} that text stands {_where(offset)}: the texts have slipped"
    if share <= most:
        return found("data.texts", Answer("warn", f"{told}.", share, most), evidence, manifest=manifest)
    severity: Severity = "blocks" if share > facts.config.integrity.many_mismatched else "warns"
    remedy = _remedy(facts, manifest, wrong, slip)
    broken = cause("data.transcript_mismatch", f"{told}.", evidence, None, manifest, remedy, severity)
    return found("data.texts", Answer("fail", f"{told}.", share, most, broken), evidence, manifest=manifest)


def misplaced_share(facts: StudyFacts, manifest: str) -> float:
    """Share of the compared rows that another text fits clearly better; 0 where nothing was compared."""
    compared = facts.mismatches.get(manifest)
    return len(_wrong(facts, manifest)) / compared.compared if compared and compared.compared else 0.0


def many_misplaced(facts: StudyFacts, manifest: str) -> bool:
    return misplaced_share(facts, manifest) > facts.config.integrity.many_mismatched


def _wrong(facts: StudyFacts, manifest: str) -> list[MisplacedText]:
    known, ratio = facts.mismatches.get(manifest), facts.config.integrity.mismatch_ratio
    return [row for row in known.misplaced if row.other_distance <= ratio * row.own_distance] if known else []


def _slip(wrong: list[MisplacedText]) -> tuple[int, int] | None:
    """The offset in lines, and how many rows have it, where most have the same."""
    offsets = Counter(w.other_line - w.line for w in wrong if w.line is not None and w.other_line is not None)
    if len(wrong) < ENOUGH_ROWS or not offsets:
        return None
    offset, rows = min(offsets.items(), key=lambda item: (-item[1], abs(item[0]), item[0]))
    return (offset, rows) if 2 * rows > len(wrong) and rows >= ENOUGH_ROWS else None


def _where(offset: int) -> str:
    return f"{count(abs(offset), 'line')} {'further down' if offset > 0 else 'further up'}"


def _examples(wrong: list[MisplacedText]) -> str:
    told = []
    for row in wrong[:2]:
        own, other = percent(row.own_distance), percent(row.other_distance)
        told.append(
            f"{_name(row)} differs from its own text in {own} of the characters, from {_other(row)}'s in {other}"
        )
    more = f"; and {len(wrong) - 2} more" if len(wrong) > 2 else ""
    return "; ".join(told) + more


def _name(row: MisplacedText) -> str:
    return f"line {row.line}" if row.line is not None else row.id


def _other(row: MisplacedText) -> str:
    return f"line {row.other_line}" if row.other_line is not None else row.other_id


def _remedy(facts: StudyFacts, manifest: str, wrong: list[MisplacedText], slip: tuple[int, int] | None) -> str:
    file = facts.at("mismatches", f"{manifest}.json")
    if slip is not None:
        lines = [row.line for row in wrong if row.line is not None]
        remedy = f"Move the texts of {manifest} back to their audio: between lines {min(lines)} and {max(lines)} "
        remedy += f"a row's text stands {_where(slip[0])} (`{file}` names every line)."
    else:
        named = listed([f"{_name(row)} (it says {_other(row)}'s)" for row in wrong], most=MOST_NAMED)
        remedy = f"Listen to and correct the texts of {named} of {manifest}"
        remedy += f"; `{file}` names every line." if len(wrong) > MOST_NAMED else "."
    if manifest == TRAIN and facts.mismatches[TRAIN].compared < facts.mismatches[TRAIN].rows:
        remedy += f" Only {facts.mismatches[TRAIN].compared} of its rows were listened to: look at the others too."
    return remedy
