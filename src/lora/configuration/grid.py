"""Replace the groups of a sweep by their runs, one per combination of the values in a group's `grid`.

Example: `rate: {max_steps: 50, grid: {learning_rate: [1e-4, 1e-3], seed: [1, 2]}}` becomes the runs `rate-1e-4-s1`,
`rate-1e-4-s2`, `rate-1e-3-s1` and `rate-1e-3-s2`, each with `max_steps: 50` and `group: rate`.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from lora.configuration.mistakes import KeyPathError

GRID, GROUP, SEED = "grid", "group", "seed"
MOST_RUNS = 10_000  # of a group; twenty values of five settings would be millions
LONGEST_NAME = 200  # characters; files of a run add an ending, and have at most 255


def expand_sweep(sweep: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The runs of a sweep in the order of its entries; of a grid, the last setting changes fastest.

    Args:
        sweep: Entries by name, as the schema admits them. An expanded sweep stays as it is.

    Returns:
        Settings by the name of the run, each with its `group`; settings that were left out stay out.

    Raises:
        KeyPathError: Two runs have the same name, a setting is both fixed and in the grid, or a grid has too many
            runs, or too long names for files.
    """
    runs: dict[str, dict[str, Any]] = {}
    for entry_name, entry in sweep.items():
        for run, settings in _runs_of(entry_name, entry):
            if run in runs:
                raise KeyPathError(
                    ["sweep", entry_name, GRID],
                    f"sweep.{entry_name}: two runs have the name '{run}'. Rename an entry, or remove a value that "
                    "the grid has twice.",
                )
            runs[run] = settings
    return runs


def _runs_of(name: str, entry: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    grid = entry.get(GRID, {})
    shared = {key: value for key, value in entry.items() if key not in {GRID, GROUP}}
    group = entry.get(GROUP) or name
    for key in shared:
        if key in grid:
            raise KeyPathError(
                ["sweep", name, key],
                f"sweep.{name}: '{key}' is fixed and in the grid. Remove one of them.",
            )
    count = math.prod(len(values) for values in grid.values())
    if count > MOST_RUNS:
        raise KeyPathError(
            ["sweep", name, GRID],
            f"sweep.{name}.grid has {count:.6g} combinations; expected at most {MOST_RUNS}. "
            "Vary fewer settings at once.",
        )
    for values in itertools.product(*grid.values()):
        varied = dict(zip(grid, values, strict=True))
        run = "-".join([name, *(value_name(key, value) for key, value in varied.items())])
        if len(run) > LONGEST_NAME:
            raise KeyPathError(
                ["sweep", name, GRID],
                f"sweep.{name}.grid: a run would have the name '{run[:60]}…' of {len(run)} characters; expected "
                f"at most {LONGEST_NAME}. Give each of the long values an entry of its own, without `grid`.",
            )
        yield run, {**shared, **varied, GROUP: group}


def value_name(key: str, value: Any) -> str:
    """A value as a part of a run's name: `1e-4`, `0_5`, `q_proj_v_proj`; a seed as `s1`, a boolean by its key."""
    if isinstance(value, bool):
        return key if value else f"no_{key}"
    if isinstance(value, int | float):
        text = shortest(value)
        return f"s{text}" if key == SEED else text
    if isinstance(value, list):
        text = "_".join(map(str, value))
    else:
        text = value if isinstance(value, str) else json.dumps(value)
    return re.sub("[^A-Za-z0-9]+", "_", text).strip("_") or "none"


def shortest(number: int | float) -> str:
    """A number in as few characters as possible, with `_` for the decimal point: 0.0001 is `1e-4`, 0.5 is `0_5`."""
    digits = Decimal(repr(number)).normalize()
    plain, scientific = f"{digits:f}", f"{digits:e}"
    text = scientific if "e-" in scientific and len(scientific) < len(plain) else plain
    return text.replace(".", "_")
