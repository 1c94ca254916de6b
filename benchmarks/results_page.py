"""One JSON a subject, and the page made of all of them: measuring one again leaves the others as they were."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from machine import hardware, versions
from measuring import Figure, Goal, Line, Result

HEAD = """# Benchmarks

Each line is a ratio measured in one run on the same data: ours, theirs, ours, theirs, and so on. It is the median over
all pairs, with the least and the largest of them; seconds are medians. "x as fast" is their time over ours, and "x the
time" is ours over theirs. A peak is the largest resident memory of a process.

```sh
make bench                              # all of it
make bench ARGS='--only transcription'  # one subject again; the others stay as they were
make bench ARGS='--only transcription --only training --device cuda'
```

Sizes, settings, versions and hardware are recorded with the numbers in [benchmarks/results](../benchmarks/results).
"""


def record(subject: str, result: Result, device: str, seconds: float) -> dict[str, Any]:
    """What is kept of one run of a subject."""
    return {
        "subject": subject,
        "date": date.today().isoformat(),
        "seconds": round(seconds, 1),
        "hardware": hardware(device),
        "versions": versions(),
        **asdict(result),
    }


def write_record(folder: Path, kept: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rounded = json.loads(json.dumps(kept), parse_float=lambda text: float(f"{float(text):.5g}"))
    (folder / f"{kept['subject']}.json").write_text(json.dumps(rounded, indent=2) + "\n", encoding="utf-8")


def page(folder: Path, titles: Mapping[str, str]) -> str:
    """The page of all subjects that were ever measured, in the order of `titles`."""
    parts = [HEAD]
    for subject, title in titles.items():
        path = folder / f"{subject}.json"
        if path.is_file():
            parts.append(section(title, json.loads(path.read_text(encoding="utf-8"))))
    return "\n".join(parts)


def section(title: str, kept: Mapping[str, Any]) -> str:
    lines = [Line(**{**entry, "goal": Goal(**entry["goal"])}) for entry in kept["lines"]]
    figures = [Figure(**entry) for entry in kept["figures"]]
    parts = [f"## {title}", ""]
    if lines:
        parts += [table(("what", "against", "ratio", "goal", "ours", "theirs"), [cells(each) for each in lines]), ""]
    if figures:
        rows = [(figure.name, figure.value, figure.goal) for figure in figures]
        parts += [table(("figure", "measured", "goal"), rows), ""]
    for remark in kept["remarks"]:
        parts += [remark, ""]
    return "\n".join([*parts, conditions(kept), ""])


def cells(line: Line) -> tuple[str, ...]:
    return (
        line.name,
        line.against,
        f"{line.ratio:.2f}x ({line.least:.2f} to {line.largest:.2f}, {line.pairs} pairs)",
        line.goal.text() + ("" if line.goal.bound is None else f": {'reached' if line.reached else '**not reached**'}"),
        f"{line.ours_seconds:.3g} s",
        f"{line.theirs_seconds:.3g} s",
    )


def conditions(kept: Mapping[str, Any]) -> str:
    machine, libraries = kept["hardware"], ", ".join(f"{name} {number}" for name, number in kept["versions"].items())
    gpu = f", {machine['gpu']}" if "gpu" in machine else ""
    cores = f"{machine['cores']} cores of {machine['processor']}, {machine['memory']}{gpu}"
    return f"Measured on {kept['date']} in {kept['seconds']:.0f} s: {cores}; {libraries}."


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
