"""D1: rows whose audio says the text of another row, and what looking for them cost."""

from __future__ import annotations

from lora import layout
from lora.formatting import UNKNOWN, percent
from lora.records.data import MismatchedTranscript
from lora.report.markdown import code, table
from lora.report.study import Study

SHOWN = 10  # rows of a manifest; the fact file holds all


def mismatched_transcripts(study: Study) -> str:
    """A row a manifest, and the lines at fault; training rows only as far as the label audit listened to them."""
    rows, lines = [], []
    for manifest in study.manifests:
        if manifest == "train" and not study.has_model:
            continue
        facts = study.find(layout.MISMATCHES, manifest=manifest).value
        if facts is None:
            rows.append([code(manifest), *[UNKNOWN] * 6])
            continue
        counts = (facts.rows, facts.compared, facts.too_short, facts.suspects, len(facts.mismatched), facts.comparisons)
        rows.append([code(manifest), *(f"{n:,}" for n in counts)])
        lines += [_line(manifest, row) for row in facts.mismatched[:SHOWN]]
    if not rows:
        return ""
    headers = ["manifest", "rows", "compared", "too short", "unlike their text", "another text fits", "pairs compared"]
    told = (
        "Do texts belong to their audio? What the base model heard, compared with a row's own text and with all others:"
    )
    parts = [told, table(headers, rows, numbers=range(1, 7))]
    if lines:
        columns = ["manifest", "line", "row", "differs from its text in", "says the text of line", "differs from it in"]
        parts += ["Rows that another row's text fits better than their own (distances in characters):"]
        parts += [table(columns, lines, numbers=[1, 3, 4, 5])]
    return "\n\n".join(parts)


def _line(manifest: str, row: MismatchedTranscript) -> list[str]:
    here, there = (UNKNOWN if line is None else str(line) for line in (row.line, row.other_line))
    return [code(manifest), here, code(row.id), percent(row.own_distance), there, percent(row.other_distance)]
