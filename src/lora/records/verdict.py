"""The verdict: checks, causes and outcomes. `results/verdict.json`, by `schemas/verdict.schema.json`."""

from __future__ import annotations

from typing import Literal

from lora.records.base import Record
from lora.records.comparisons import Outcome

CheckStatus = Literal["pass", "warn", "fail", "unknown"]
Severity = Literal["blocks", "warns", "info"]


class Check(Record):
    """One criterion, for one run or manifest where it has one; `evidence` are paths relative to the study."""

    id: str
    run: str | None
    manifest: str | None
    status: CheckStatus
    value: float | str | None
    threshold: float | str | None
    summary: str
    evidence: list[str]


class Cause(Record):
    """Why tuning would not (or did not) help: one sentence with numbers, one remedy a person can carry out."""

    code: str
    severity: Severity
    run: str | None
    manifest: str | None
    because: str
    remedy: str
    evidence: list[str]


class RunOutcome(Record):
    """One candidate on one manifest, rows within max_seconds; null where it could not be measured."""

    run: str
    manifest: str
    baseline_wer: float | None
    tuned_wer: float | None
    delta: float | None
    ci_low: float | None
    ci_high: float | None
    within_margin: bool | None
    outcome: Outcome | None


class Verdict(Record):
    """Ready for the sweep or not (null without a model); causes stand most likely first."""

    ready_for_sweep: bool | None
    max_seconds: float | None
    eval_manifest: str | None
    gate_run: str | None
    checks: list[Check]
    causes: list[Cause]
    runs: list[RunOutcome]


class Gate(Record):
    """`results/gate.json`: what `check_gate` exits by; reasons are the blocking causes and failed criteria."""

    ready_for_sweep: bool | None
    reasons: list[str]
