"""Quick mode in a notebook or a program.

Example:
    from lora.notebook import compare

    found = compare(manifest="dev.jsonl", baseline="base.trn", tuned="tuned.ctm")
    print(found)
    [cause.code for cause in found.verdict.causes]
"""

from __future__ import annotations

import argparse
import contextlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lora.records.base import UserError
from lora.records.verdict import Verdict
from lora.runners.quick import NOTE, computed, in_words, parse
from lora.runners.quick_result import verdict_of


@dataclass(frozen=True)
class QuickResult:
    """What quick mode found; printed, it is what the command prints.

    Attributes:
        verdict: Comparisons, checks and causes, as in verdict.json.
        notes: Decisions about rows and files that a reader should know.
        text: The verdict in words.
    """

    verdict: Verdict
    notes: tuple[str, ...]
    text: str

    def __repr__(self) -> str:
        return "".join(f"{NOTE}{note}\n" for note in self.notes) + self.text


def compare(*, baseline: Path | str, tuned: Path | str, **options: object) -> QuickResult:
    """Compare two files of transcripts, in a notebook or a program.

    Args:
        baseline: Transcripts before tuning.
        tuned: Transcripts after tuning.
        options: Other options of the command by name, with underscores: `manifest`, `train`, `normalizer`,
            `target_gain`, `output_dir` and so on; lists for options that take several values, also dicts for columns;
            None leaves an option out.

    Raises:
        UserError: If files or options are wrong.
    """
    args = _parsed({"baseline": baseline, "tuned": tuned, **options})
    with computed(args) as (study, notes):
        text = in_words(study, args.output_dir, "with output_dir", "")
        return QuickResult(verdict_of(study), tuple(notes), text)


def _parsed(options: Mapping[str, object]) -> argparse.Namespace:
    """The arguments of the command from options by name. Raises UserError for an option that does not fit."""
    words: list[str] = []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, Mapping):
            words += [flag, *(f"{key}={column}" for key, column in value.items())]
        elif isinstance(value, list | tuple):
            words += [flag, *map(str, value)]
        elif value is not None:
            words.append(f"{flag}={value}")
    message = io.StringIO()
    try:
        with contextlib.redirect_stderr(message):
            return parse(words)
    except SystemExit:
        raise UserError(message.getvalue().strip().splitlines()[-1]) from None
