"""P: were baseline and candidate run under identical manifest, normalisation, preprocessing and decoding?"""

from __future__ import annotations

import json
from typing import Any

from lora.diagnosis.parity.criterion import normalizer_words, rows_words
from lora.diagnosis.parity.imported_transcripts import matched_words, remarks
from lora.formatting import UNKNOWN, count, listed, percent, signed_points
from lora.records.comparisons import DifferingRows, Rescored, SettingDifference
from lora.report.markdown import code, table, text
from lora.report.study import Study

SHOWN_TEXTS = 5


def parity(study: Study) -> str:
    if not study.candidates:
        return "## P · Parity\n\nNo candidate is configured, so nothing was compared."
    parts = ["## P · Parity of baseline and tuned", *(_run(study, run) for run in study.candidates), brought(study)]
    return "\n\n".join(part for part in parts if part)


def brought(study: Study) -> str:
    """How hypotheses that were brought as files found their rows; empty where none were."""
    lines = []
    for run in ("base", *study.candidates):
        for manifest in study.evaluations:
            account = study.imported(run, manifest).value
            if account is not None and account.format is not None:
                told = "; ".join([matched_words(account), *remarks(account)])
                lines.append(f"- {code(account.source)}: {text(told)}.")
    return "\n".join(["How brought hypotheses found their rows:\n", *lines]) if lines else ""


def _run(study: Study, run: str) -> str:
    found = study.parity(run)
    facts = found.value
    if facts is None or (not found.known and not facts.settings):
        return f"{code(run)}: {found.unknown}."
    differing = [s for s in facts.settings if s.same is False]
    unknown = [s for s in facts.settings if s.same is None]
    compared = count(len(facts.settings), "setting") + " compared"
    if not differing and not unknown:
        return f"{code(run)}: {compared}, all equal."
    parts = [f"{code(run)}: {compared}, {len(differing)} different, {len(unknown)} {UNKNOWN}."]
    if differing:
        parts.append(table(["setting", "manifest", "baseline", "candidate", "code"], _rows(differing)))
    if unknown:
        parts.append(_unknown(unknown))
    parts += [_differing_rows(rows, run) for rows in facts.rows]
    if facts.rescored:
        parts.append(_rescored(facts.rescored))
    return "\n\n".join(parts)


def _rows(settings: list[SettingDifference]) -> list[list[str]]:
    """One row per setting and pair of values; manifests that share them are joined."""
    manifests: dict[tuple[str, str, str, str], list[str]] = {}
    for s in settings:
        manifests.setdefault((text(s.field), _value(s.baseline), _value(s.candidate), s.code), []).append(s.manifest)
    return [
        [field, ", ".join(code(name) for name in names), baseline, candidate, code(cause)]
        for (field, baseline, candidate, cause), names in manifests.items()
    ]


def _value(value: Any) -> str:
    if value is None:
        return "not set"
    return code(value if isinstance(value, str) else json.dumps(value, sort_keys=True))


def _unknown(settings: list[SettingDifference]) -> str:
    """Who did not record what: a sentence for every side, manifests that lack the same settings joined."""
    lacking: dict[tuple[str, str], list[str]] = {}
    for s in settings:
        lacks = {(False, True): "the candidate", (True, False): "the baseline"}
        side = lacks.get((s.baseline is None, s.candidate is None), "one or both of them")
        lacking.setdefault((side, s.manifest), []).append(s.field)
    manifests: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (side, manifest), fields in lacking.items():
        manifests.setdefault((side, tuple(fields)), []).append(manifest)
    lines = [
        f"- Not recorded by {side} (on {', '.join(code(m) for m in names)}): "
        f"{listed([code(field) for field in fields], most=8)}."
        for (side, fields), names in manifests.items()
    ]
    return "What is unknown is neither equal nor different.\n\n" + "\n".join(lines)


def _differing_rows(rows: DifferingRows, run: str) -> str:
    """Untrusted ids and texts are made harmless cell by cell, and the sentence as a whole."""
    told = f"Rows of {code(rows.manifest)}: {text('; '.join(rows_words(rows, run)))}."
    if not rows.different_references:
        return told
    shown = [
        [code(pair.id), text(pair.baseline), text(pair.candidate)] for pair in rows.different_references[:SHOWN_TEXTS]
    ]
    more = len(rows.different_references) - len(shown)
    left = f"\n\n{count(more, 'other text differs', 'other texts differ')} too." if more else ""
    return f"{told}\n\n" + table(["utterance", "text for base", f"text for {code(run)}"], shown) + left


def _rescored(again: list[Rescored]) -> str:
    """Both runs under either normaliser, and what the normaliser explains of the difference."""
    rows = []
    for found in again:
        pairs = (found.under_baseline, found.under_candidate)
        rows.append(
            [
                code(found.manifest),
                signed_points(found.reported_delta),
                *(
                    f"{percent(pair.baseline_wer)} to {percent(pair.tuned_wer)} ({signed_points(pair.delta)})"
                    if pair
                    else UNKNOWN
                    for pair in pairs
                ),
                signed_points(found.explained_by_normalizer),
            ]
        )
    first = again[0]
    names = [f"both under {text(n.name)} ({text(n.version)})" for n in (first.baseline, first.candidate)]
    headers = ["manifest", "difference as reported", *names, "the normaliser's part"]
    sentences = "\n".join(f"- {code(found.manifest)}: {text(normalizer_words(found))}" for found in again)
    return (
        "The two runs were scored with different normalisers, so their raw texts were scored again with either. The "
        "paired comparison above is under one of them.\n\n"
        f"{table(headers, rows, numbers=[1, 2, 3, 4])}\n\n{sentences}"
    )
