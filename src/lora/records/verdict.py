"""The verdict (`results/verdict.json`; schema in `src/lora/schemas/`): checks, causes and outcomes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from lora.records.base import Record
from lora.records.comparisons import Outcome
from lora.records.scores import Unit

CheckStatus = Literal["pass", "warn", "fail", "unknown"]
Severity = Literal["blocks", "warns", "info"]


class Check(Record):
    """One question of the diagnosis and its answer, for one run or one manifest where it concerns one."""

    id: str = Field(description="id in docs/checks.md, such as `data.audio`")
    run: str | None = Field(description="run that it concerns; null for none")
    manifest: str | None = Field(description="manifest that it concerns; null for none")
    status: CheckStatus = Field(description="answer of the check")
    reason: str = Field(default="", description="code of the case within this check, such as `ok` or `not_computed`")
    value: float | str | None = Field(description="the number that decides")
    threshold: float | str | None = Field(description="what `value` is compared with")
    details: dict[str, Any] = Field(default_factory=dict, description="numbers and names behind the summary")
    summary: str = Field(description="the answer in one or two sentences")
    evidence: list[str] = Field(description="fact files, as paths relative to the study")


class Cause(Record):
    """A reason why tuning would not help or did not help, with a remedy that a person can carry out."""

    code: str = Field(description="code in docs/causes.md, such as `data.too_few_samples`")
    severity: Severity = Field(description="what the cause does to the verdict")
    run: str | None = Field(description="run that it concerns; null for none")
    manifest: str | None = Field(description="manifest that it concerns; null for none")
    reason: str = Field(default="", description="code of the case within this cause")
    details: dict[str, Any] = Field(default_factory=dict, description="numbers and names behind the sentences")
    because: str = Field(description="what was measured, with its numbers")
    remedy: str = Field(description="what to do about it")
    evidence: list[str] = Field(description="fact files, as paths relative to the study")


class RunOutcome(Record):
    """One candidate on one manifest, over rows within `max_seconds`; null where it could not be measured."""

    run: str = Field(description="name of the candidate")
    manifest: str = Field(description="name of the manifest")
    unit: Unit = Field(default="words", description="what the error rates count: words, characters, or both (mixed)")
    baseline_wer: float | None = Field(description="WER of the baseline (fraction)")
    tuned_wer: float | None = Field(description="WER of the candidate (fraction)")
    delta: float | None = Field(description="`tuned_wer` - `baseline_wer`; negative is better")
    ci_low: float | None = Field(description="lower end of the confidence interval of `delta`")
    ci_high: float | None = Field(description="upper end of the confidence interval of `delta`")
    within_margin: bool | None = Field(description="whether the whole interval is within the equivalence margin")
    outcome: Outcome | None = Field(description="outcome of the comparison")
    smallest_change: float | None = Field(
        default=None,
        description="smallest difference (fraction) that this comparison would show, by the observed spread of its "
        "errors, else as the baseline alone predicts it, but not below half the width of the observed interval; null "
        "where a handful of rows can show nothing",
    )


class Verdict(Record):
    """Whether the study is ready for a sweep, and why."""

    ready_for_sweep: bool | None = Field(description="null without a model: then there is nothing to sweep")
    max_seconds: float | None = Field(description="longest row in seconds that training uses; null is no limit")
    eval_manifest: str | None = Field(description="manifest of the gating comparison; null if none is usable")
    gate_run: str | None = Field(description="candidate of the gating comparison; null without candidates")
    checks: list[Check] = Field(description="every check of the study")
    causes: list[Cause] = Field(description="most likely first")
    runs: list[RunOutcome] = Field(description="outcome of every candidate on every evaluation manifest")


class Gate(Record):
    """`results/gate.json`, from which `check_gate.py` takes its exit code."""

    ready_for_sweep: bool | None = Field(description="as in the verdict")
    reasons: list[str] = Field(description="blocking causes with their remedies, and criteria that fail without one")


class SweepGate(Gate):
    """`results/sweep_gate.json`: the gate under which the sweep was started."""

    sweep_reason: str | None = Field(
        description="why the sweep was started although the gate was not ready; null if it was ready"
    )
