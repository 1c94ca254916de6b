"""D1: rows read and rejected, what survives each threshold, the decision and its reason, the split."""

from __future__ import annotations

from collections import Counter

from lora import layout
from lora.formatting import UNKNOWN, hours, listed, percent, seconds, seconds_limit
from lora.records.data import SplitOption
from lora.report.markdown import code, table, text
from lora.report.sections.integrity import filter_losses, other_seeds, recordings, shared_with_training
from lora.report.sections.manifests import read_as
from lora.report.sections.mismatches import mismatched_transcripts
from lora.report.study import Study


def training_data(study: Study) -> str:
    of_training = [_decision(study), filter_losses(study), _split(study), other_seeds(study)]
    if "train" not in study.manifests:
        of_training = ["No training manifest is named, so what training would have is unknown."]
    parts = ["## D1 · Training data", _rows(study), _thresholds(study), *of_training, read_as(study), recordings(study)]
    parts += [mismatched_transcripts(study), shared_with_training(study) if "train" in study.manifests else ""]
    return "\n\n".join(part for part in parts if part)


def _rows(study: Study) -> str:
    """Rejected rows per manifest, with their most frequent reasons."""
    lines = []
    for manifest in study.manifests:
        file = layout.REJECTED.path(manifest=manifest)
        if not study.exists(layout.REJECTED, manifest=manifest):
            lines.append(f"Rejected rows of {code(manifest)} are {UNKNOWN}: {code(file)} does not exist.")
            continue
        rejected = study.table(layout.REJECTED, manifest=manifest)
        if rejected:
            reasons = Counter(row.get("reason", "") for row in rejected)
            shown = listed([f"{text(reason)} ({n})" for reason, n in reasons.most_common()], most=3)
            lines.append(f"{len(rejected)} rows of {code(manifest)} cannot be used: {shown}; see [{file}]({file}).")
    return "\n".join(f"- {line}" for line in lines) or "Every row of every manifest can be used."


def _thresholds(study: Study) -> str:
    rows = study.table(layout.DURATION_SUMMARY)
    if not rows:
        return f"What survives each threshold is {UNKNOWN}: `durations/summary.tsv` does not exist or is empty."
    manifests = list(dict.fromkeys(row.get("manifest", "") for row in rows))
    limits = list(dict.fromkeys(row.get("threshold", "") for row in rows))
    cells = {(row.get("manifest", ""), row.get("threshold", "")): row for row in rows}
    lines = []
    for manifest in sorted(manifests, key=lambda name: name != "train"):
        line = [code(manifest)]
        for limit in limits:
            row = cells.get((manifest, limit), {})
            kept = row.get("rows", UNKNOWN)
            line.append(kept if limit == "all" else f"{kept} ({_share(row.get('share', ''))})")
        whole = cells.get((manifest, "all"), {})
        line.append(_hours(whole.get("hours", "")))
        line += [_number(whole.get(key, ""), "s") for key in _LENGTHS]
        lines.append(line)
    headers = ["manifest", *("all rows" if limit == "all" else f"≤ {_number(limit, 's')}" for limit in limits)]
    right = list(range(1, len(headers) + 1 + len(_LENGTHS)))
    return "Rows that survive each duration threshold, and their share:\n\n" + table(
        [*headers, "speech", *_LENGTHS], lines, numbers=right
    )


_LENGTHS = ("mean", "median", "longest")


def _decision(study: Study) -> str:
    found = study.decision
    decision = found.value
    if decision is None:
        return f"The choice of `max_seconds` is {found.unknown}."
    asked = "auto" if decision.configured is None else f"{decision.configured:g} s"
    lines = [
        f"**`max_seconds`: {seconds_limit(decision.max_seconds)}** "
        f"(asked for: {asked}; {decision.status.replace('_', ' ')}). {text(decision.reason)}"
    ]
    if decision.model_window_seconds is not None:
        lines.append(f"The model hears at most {seconds(decision.model_window_seconds)}.")
    rows = [
        [
            f"≤ {seconds(option.threshold)}" + (" (chosen)" if option.threshold == decision.max_seconds else ""),
            str(option.rows),
            hours(option.hours),
            str(option.train_rows),
            str(option.val_rows),
            UNKNOWN if option.speakers is None else str(option.speakers),
            "yes" if option.train_rows >= decision.min_train_samples else "no",
            _seeds(option, decision.min_train_samples),
        ]
        for option in decision.options
    ]
    enough = f"at least {decision.min_train_samples}"
    headers = [
        "training with",
        "rows",
        "speech",
        "training split",
        "validation split",
        "speakers",
        enough,
        "with split seeds",
    ]
    picture = "![Training rows by duration, with the thresholds](plots/durations.png)"
    return "\n\n".join([" ".join(lines), table(headers, rows, numbers=[*range(1, 6), 7]), picture])


def _seeds(option: SplitOption, minimum: int) -> str:
    tried = option.seeded_train_rows
    return f"{sum(rows >= minimum for rows in tried)} of {len(tried)}" if tried else UNKNOWN


def _split(study: Study) -> str:
    rows = study.table(layout.SPLIT_SIZES)
    if not rows:
        return f"The sizes of the split are {UNKNOWN}: `splits/sizes.tsv` does not exist or is empty."
    named = {"train": "training", "val": "validation", "too_long": "left out, too long"}
    lines = [
        [
            named.get(row.get("part", ""), text(row.get("part", ""))),
            text(row.get("rows", UNKNOWN)),
            _hours(row.get("hours", "")),
            text(row.get("speakers") or UNKNOWN),
        ]
        for row in rows
    ]
    return "The split that training uses:\n\n" + table(["part", "rows", "speech", "speakers"], lines, numbers=[1, 2, 3])


def _number(value: str, unit: str) -> str:
    try:
        return f"{float(value):.3g} {unit}".strip()
    except ValueError:
        return text(value) or UNKNOWN


def _hours(value: str) -> str:
    try:
        return hours(float(value))
    except ValueError:
        return text(value) or UNKNOWN


def _share(value: str) -> str:
    try:
        return percent(float(value))
    except ValueError:
        return UNKNOWN
