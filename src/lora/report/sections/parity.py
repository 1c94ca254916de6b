"""P: were baseline and candidate run with the same manifest, normalisation, preprocessing and decoding?"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from lora.diagnosis.parity.criterion import row_details
from lora.diagnosis.parity.external_hypotheses import import_details
from lora.diagnosis.wording.parity import matched_words, normalizer_words, remarks, rows_words
from lora.formatting import UNKNOWN, count, listed, percent, signed_points
from lora.records.parity import DifferingRows, ParityFacts, Rescored, SettingDifference
from lora.report.markdown import code, sentence, table, text
from lora.report.study import Study

REFERENCES = 5  # different references shown per manifest


def parity(study: Study) -> str:
    if not study.candidates:
        return "## P · Parity\n\nNo candidate is configured, so nothing was compared."
    runs = [_run(study, run) for run in study.candidates]
    parts = ["## P · Parity of baseline and tuned", *runs, _imported(study)]
    return "\n\n".join(part for part in parts if part)


def settings_compared(study: Study) -> str:
    """How many settings of every run were compared with the baseline's, for the plan document."""
    return "\n".join(f"- {_run(study, run).partition(chr(10))[0]}" for run in study.candidates)


def _imported(study: Study) -> str:
    """How imported hypotheses were matched to rows; empty without any."""
    lines = []
    for run in ("base", *study.candidates):
        for manifest in study.evaluations:
            facts = study.imported(run, manifest).value
            if facts is not None and facts.format is not None:
                details = import_details(facts)
                result = "; ".join([matched_words(details), *remarks(details)])
                lines.append(f"- {code(facts.source)}: {sentence(result)}")
    return "\n".join(["How imported hypotheses were matched to rows:\n", *lines]) if lines else ""


def _run(study: Study, run: str) -> str:
    found = study.parity(run)
    facts = found.value
    if facts is None or (not found.known and not facts.settings):
        return f"{code(run)}: {found.unknown}."
    different = [setting for setting in facts.settings if setting.same is False]
    unknown = [setting for setting in facts.settings if setting.same is None]
    compared = f"{_number_of_settings(facts)} compared"
    if not different and not unknown:
        return f"{code(run)}: {compared}, all equal."
    parts = [f"{code(run)}: {compared}, {len(different)} different, {len(unknown)} {UNKNOWN}."]
    if different:
        parts.append(table(["setting", "manifest", "baseline", "candidate", "code"], _different(different)))
    if unknown:
        parts.append(_not_recorded(unknown))
    parts += [_differing_rows(rows, run) for rows in facts.rows]
    if facts.rescored:
        parts.append(_rescored(facts.rescored))
    return "\n\n".join(parts)


def _number_of_settings(facts: ParityFacts) -> str:
    """`55 settings on each of 3 manifests`, or the number of pairs of setting and manifest where manifests differ."""
    counts = Counter(setting.manifest for setting in facts.settings)
    if len(counts) < 2:
        return count(len(facts.settings), "setting")
    if len(set(counts.values())) > 1:
        return f"{count(len(facts.settings), 'setting')} of {count(len(counts), 'manifest')} together"
    return f"{count(next(iter(counts.values())), 'setting')} on each of {count(len(counts), 'manifest')}"


def _different(settings: list[SettingDifference]) -> list[list[str]]:
    """One row per setting and pair of values, with all manifests to which it applies."""
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


def _not_recorded(settings: list[SettingDifference]) -> str:
    """One line per run and set of settings that it did not record, with all manifests to which it applies."""
    runs = {(False, True): "the candidate", (True, False): "the baseline"}
    fields: dict[tuple[str, str], list[str]] = {}
    for s in settings:
        run = runs.get((s.baseline is None, s.candidate is None), "one or both runs")
        fields.setdefault((run, s.manifest), []).append(s.field)
    manifests: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (run, manifest), names in fields.items():
        manifests.setdefault((run, tuple(names)), []).append(manifest)
    lines = [
        f"- Not recorded by {run} (on {', '.join(code(m) for m in on)}): "
        f"{listed([code(name) for name in names], most=8)}."
        for (run, names), on in manifests.items()
    ]
    return "Settings that are not recorded count neither as equal nor as different.\n\n" + "\n".join(lines)


def _differing_rows(rows: DifferingRows, run: str) -> str:
    differences = f"Rows of {code(rows.manifest)}: {sentence('; '.join(rows_words(row_details(rows), run)))}"
    if not rows.different_references:
        return differences
    examples = rows.different_references[:REFERENCES]
    cells = [[code(pair.id), text(pair.baseline), text(pair.candidate)] for pair in examples]
    others = len(rows.different_references) - len(examples)
    more = f"\n\n{count(others, 'other reference differs', 'other references differ')} too." if others else ""
    headers = ["utterance", "reference of base", f"reference of {code(run)}"]
    return f"{differences}\n\n{table(headers, cells)}{more}"


def _rescored(manifests: list[Rescored]) -> str:
    """Both runs scored with each normaliser, and how much of the difference the normaliser explains."""
    rows = [
        [
            code(scores.manifest),
            signed_points(scores.reported_delta),
            *(
                f"{percent(score.baseline_wer)} to {percent(score.tuned_wer)} ({signed_points(score.delta)})"
                if score
                else UNKNOWN
                for score in (scores.under_baseline, scores.under_candidate)
            ),
            signed_points(scores.explained_by_normalizer),
        ]
        for scores in manifests
    ]
    first = manifests[0]
    names = [f"both with {text(n.name)} ({text(n.version)})" for n in (first.baseline, first.candidate)]
    headers = ["manifest", "difference as reported", *names, "explained by the normaliser"]
    lines = "\n".join(f"- {code(scores.manifest)}: {sentence(normalizer_words(scores))}" for scores in manifests)
    return (
        "The two runs were scored with different normalisers, so their raw hypotheses were scored again with each of "
        "them (rows within `max_seconds`). The comparison above uses one normaliser for both.\n\n"
        f"{table(headers, rows, numbers=[1, 2, 3, 4])}\n\n{lines}"
    )
