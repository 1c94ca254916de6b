"""D1: do texts belong to their audio? Judged by which rows' texts the base model hears where.

A row counts only where another text fits clearly better than its own, so a weak model or an accent accuses nobody.
"""

from __future__ import annotations

from lora import layout
from lora.diagnosis.data.mismatched_rows import examples, other_name, row_name, slip_of, where, wrong_rows
from lora.diagnosis.facts import BASE, TRAIN, StudyFacts
from lora.diagnosis.findings import Findings
from lora.diagnosis.parity.mismatched_hypotheses import heard_rightly_by
from lora.diagnosis.transitional import Answer, cause, found
from lora.formatting import listed, percent
from lora.records.data import MismatchedTranscript
from lora.records.verdict import Severity

MOST_NAMED = 8  # lines that a remedy names; the fact file names all


def mismatched_transcripts(facts: StudyFacts, manifest: str) -> Findings:
    """One check a manifest. A few mismatched texts warn; many make every number on the manifest worthless, and block.

    Silent on training rows without a model, which alone listens to them.
    """
    evidence = [facts.path(layout.MISMATCHES, manifest=manifest)]
    if manifest == TRAIN:
        evidence.append(facts.path(layout.LABEL_HYPOTHESES))
    else:
        evidence.append(facts.path(layout.TRANSCRIPTS, run=BASE, manifest=manifest))
    compared, most = facts.mismatches.get(manifest), facts.config.integrity.max_mismatched
    if manifest == TRAIN and facts.config.model is None:
        return Findings()
    if compared is None or not compared.compared:
        answer = Answer("unknown", f"Whether the texts of {manifest} belong to their audio is not known.", None, most)
        return found("data.texts", answer, evidence, manifest=manifest)
    wrong, share = wrong_rows(facts, compared), mismatched_share(facts, manifest)
    rows = f"{compared.compared:,} {'sampled ' if manifest == TRAIN else ''}rows of {manifest}"
    if not wrong:
        summary = f"What the base model hears in {rows} fits no other row's text better than their own."
        return found("data.texts", Answer("pass", summary, 0.0, most), evidence, manifest=manifest)
    told = (
        f"The base model hears the text of another row in {len(wrong)} of {rows} ({percent(share)}; {examples(wrong)})"
    )
    slip = slip_of(wrong)
    if slip is not None:
        offset, rows_slipped = slip
        told += f"; in {rows_slipped} of the {len(wrong)} that text stands {where(offset)}: the texts have slipped"
    heard_by = heard_rightly_by(facts, manifest)
    if heard_by is not None:
        told += f"; {heard_by} says their own texts, so the hypotheses of base are out of place, not these texts"
    if share <= most or heard_by is not None:
        return found("data.texts", Answer("warn", f"{told}.", share, most), evidence, manifest=manifest)
    severity: Severity = "blocks" if share > facts.config.integrity.blocking_mismatched else "warns"
    remedy = _remedy(facts, manifest, wrong, slip)
    broken = cause("data.transcript_mismatch", f"{told}.", evidence, None, manifest, remedy, severity)
    return found("data.texts", Answer("fail", f"{told}.", share, most, broken), evidence, manifest=manifest)


def mismatched_share(facts: StudyFacts, manifest: str) -> float:
    """Share of the compared rows that another text fits clearly better; 0 where nothing was compared."""
    compared = facts.mismatches.get(manifest)
    return len(wrong_rows(facts, compared)) / compared.compared if compared and compared.compared else 0.0


def has_many_mismatches(facts: StudyFacts, manifest: str) -> bool:
    return mismatched_share(facts, manifest) > facts.config.integrity.blocking_mismatched


def _remedy(facts: StudyFacts, manifest: str, wrong: list[MismatchedTranscript], slip: tuple[int, int] | None) -> str:
    file = facts.path(layout.MISMATCHES, manifest=manifest)
    if slip is not None:
        lines = [row.line for row in wrong if row.line is not None]
        remedy = f"Move the texts of {manifest} back to their audio: between lines {min(lines)} and {max(lines)} "
        remedy += f"a row's text stands {where(slip[0])} (`{file}` names every line)."
    else:
        named = listed([f"{row_name(row)} (it says {other_name(row)}'s)" for row in wrong], most=MOST_NAMED)
        remedy = f"Listen to and correct the texts of {named} of {manifest}"
        remedy += f"; `{file}` names every line." if len(wrong) > MOST_NAMED else "."
    if manifest == TRAIN and facts.mismatches[TRAIN].compared < facts.mismatches[TRAIN].rows:
        remedy += f" Only {facts.mismatches[TRAIN].compared} of its rows were listened to: look at the others too."
    return remedy
