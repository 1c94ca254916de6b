"""The result of a target in a few lines for a terminal: its headline first, and last what to open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lora import layout
from lora.formatting import (
    UNKNOWN,
    count,
    counted_rows,
    hours,
    number,
    percent,
    points_range,
    rate,
    rate_name,
    signed_points,
)
from lora.layout import BASE, TRAIN
from lora.records.base import Record
from lora.records.verdict import Verdict
from lora.report.brief import documents, headline_of, open_line, survivors
from lora.report.markdown import plain
from lora.report.study import Study

PARTS = {"train": "training", "val": "validation", "too_long": "too long"}


def durations(study: Study) -> list[str]:
    """The chosen limit, the split, and what every threshold keeps."""
    decision = study.decision
    lines = [plain(decision.value.reason)] if decision.value else ["Durations of the evaluation manifests."]
    parts = study.table(layout.SPLIT_SIZES)
    sizes = [
        f"{PARTS.get(row['part'], row['part'])} {row['rows']} rows ({hours(float(row['hours']))})" for row in parts
    ]
    lines += [f"  split         {', '.join(sizes)}"] if sizes else []
    lines += [f"  {'durations':<13} {line}" for line in survivors(study)]
    plots = (layout.DURATION_PLOT, layout.RETENTION_PLOT) if TRAIN in study.manifests else ()
    tables = [study.results / layout.DURATION_SUMMARY.path()]
    return [*lines, open_line([*(study.results / plot.path(format="png") for plot in plots), *tables])]


def baseline(study: Study) -> list[str]:
    """Error rate of the baseline on every evaluation manifest."""
    lines: list[str] = []
    rates: list[str] = []
    for name in study.evaluations:
        found = study.wer(BASE, name)
        score = found.value.within if found.value else None
        if found.value is None or score is None:
            lines.append(f"  {plain(name):<13} {UNKNOWN}: {found.plain_reason}")
            continue
        unit = rate_name(found.value.unit)
        rates.append(f"{unit} {percent(score.wer)} on {plain(name)}")
        rows = counted_rows(found.value.max_seconds, score.utterances)
        lines.append(f"  {plain(name):<13} {unit} {rate(score.wer, score.interval)}, {rows}")
    return [f"Baseline: {', '.join(rates) or UNKNOWN}", *lines, open_line(_plots(study, layout.BASELINE_PLOT))]


def effect(study: Study) -> list[str]:
    """What every candidate changes: hypotheses, and WER on every manifest."""
    lines: list[str] = []
    changes: list[str] = []
    for run in study.candidates:
        changed = total = 0
        for name in study.evaluations:
            found = study.paired(run, name)
            score = found.value.within if found.value else None
            if score is None:
                lines.append(f"  {plain(run):<13} {plain(name)}: {UNKNOWN}: {found.plain_reason}")
                continue
            changed, total = changed + score.changed_hypotheses, total + score.utterances
            interval = points_range(score.interval.low, score.interval.high)
            rates = f"{percent(score.baseline_wer)} -> {percent(score.tuned_wer)}"
            lines.append(f"  {plain(run):<13} {plain(name)}: {rates}, {signed_points(score.delta)} ({interval})")
        facts = study.effect(run).value
        weights = facts.median_relative_norm if facts else None
        norm = "" if weights is None else f", weights by a median of {number(weights * 100, 2)} % of their norm"
        changes.append(f"{plain(run)} changes {changed:,} of {count(total, 'hypothesis', 'hypotheses')}{norm}")
    plots = _plots(study, layout.WER_PLOT)
    for run in study.candidates:
        plots += [path for path in [study.results / layout.WEIGHTS_PLOT.path(run=run, format="png")] if path.is_file()]
    return ["; ".join(changes) or "There is no candidate.", *lines, open_line(plots)]


def report(study: Study) -> list[str]:
    """The verdict's headline, and the pages."""
    verdict: Verdict | None = study.verdict.value
    return [headline_of(verdict), open_line(documents(study.results))]


TARGETS: dict[str, Callable[[Study], list[str]]] = {
    "durations": durations,
    "baseline": baseline,
    "effect": effect,
    "report": report,
}


def _plots(study: Study, kind: layout.ResultFile[Record]) -> list[Path]:
    path = study.results / kind.path(format="png")
    return [path] if path.is_file() else []
