"""Field cases: situations that people reported in public, rebuilt from small inputs, and what must be found in them.

A case writes its inputs into a folder of its own and returns how they are run: arguments of quick mode or of
`lora-diagnose convert`, or a whole study. What must be found is declared (`Expected`), so that a table can show it. A
*neighbour* looks like the situation but is healthy: it declares what must not be raised.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from small_study import Study

Command = Literal["quick", "convert", "study"]
Build = Callable[[Path], "list[str] | Study"]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What must be found; None and empty leave a question open.

    Attributes:
        first: Code of the first cause above `info`; empty: no such cause.
        reason: Reason of the first cause.
        causes: Codes that must be raised, whatever their order.
        absent: Codes that must not be raised.
        outcome: Outcome of the tuned run on the evaluation manifest.
        wer: Error rates before and after tuning as fractions, each within 0.001.
        says: Words that verdict, printed output or error message must contain.
        silent_on: Words that none of them may contain.
        refused: Whether the command must fail with one clear error.
        rows: Fields of the first converted rows.
        ready: Whether the study must be ready for the sweep.
    """

    first: str | None = None
    reason: str | None = None
    causes: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    outcome: str | None = None
    wer: tuple[float, float] | None = None
    says: tuple[str, ...] = ()
    silent_on: tuple[str, ...] = ()
    refused: bool = False
    rows: tuple[dict[str, Any], ...] = ()
    ready: bool | None = None

    def __str__(self) -> str:
        """What a table shows: the decisive expectations in a few words."""
        parts = []
        if self.refused:
            parts.append("refused")
        if self.first is not None:
            parts.append(self.first or "no cause")
        parts += self.causes
        if self.outcome:
            parts.append(self.outcome)
        if self.wer:
            parts.append(f"{100 * self.wer[0]:.1f} to {100 * self.wer[1]:.1f} %")
        if self.rows:
            parts.append(f"{len(self.rows)} rows read")
        parts += [f"not {code}" for code in self.absent]
        parts += [f"says {words!r}" for words in self.says]
        if self.ready is not None:
            parts.append("ready" if self.ready else "not ready")
        return ", ".join(parts)


@dataclass(frozen=True, kw_only=True)
class FieldCase:
    """One situation.

    Attributes:
        name: A few words.
        area: text, hypotheses, training, manifests, transcripts, data, real model.
        situation: What somebody had, in one sentence.
        source: The public report, such as `huggingface/peft#342`, or `embedded study` for a kind found there.
        command: How its inputs are run.
        build: Writes the inputs into an empty folder; returns the arguments, or the study.
        expected: What must be found.
    """

    name: str
    area: str
    situation: str
    source: str
    command: Command
    build: Build
    expected: Expected = field(default_factory=Expected)


CASES: list[FieldCase] = []


def field_case(
    *, name: str, area: str, situation: str, source: str, command: Command, expected: Expected
) -> Callable[[Build], Build]:
    """Register the decorated function as the inputs of a case."""

    def add(build: Build) -> Build:
        CASES.append(
            FieldCase(
                name=name,
                area=area,
                situation=situation,
                source=source,
                command=command,
                build=build,
                expected=expected,
            )
        )
        return build

    return add
