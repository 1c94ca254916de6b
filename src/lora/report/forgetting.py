"""Whether the gate run forgot general speech: one line per general manifest, in every study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lora.formatting import (
    configured_percent,
    configured_points,
    percent,
    points,
    points_range,
    rate_name,
    signed_points,
)
from lora.records.verdict import Check, CheckStatus, RunOutcome, Verdict
from lora.report.study import Study

State = Literal["rose", "did not rise", "unknown"]
CHECK = "adapter.general_set"
STATES: dict[CheckStatus, State] = {"pass": "did not rise", "warn": "rose", "fail": "rose", "unknown": "unknown"}


@dataclass(frozen=True)
class Forgetting:
    """What the gate run does to the error rate of a general manifest.

    Attributes:
        manifest: The manifest; None in a study without a general one.
        state: Whether the error rate rose by more than the margin.
        result: State and numbers in one sentence, as plain text without names of runs or manifests.
    """

    manifest: str | None
    state: State
    result: str


def forgetting(study: Study) -> list[Forgetting]:
    """One entry per general manifest; one entry that says that nothing is known in a study without any."""
    verdict = study.verdict.value
    named = (study.config.get("roles") or {}).get("general") or []
    general = [manifest for manifest in study.manifests if manifest in named]
    if not general:
        return [Forgetting(None, "unknown", "unknown: no general manifest is configured (`roles.general`)")]
    return [_on(study, verdict, manifest) for manifest in general]


def _on(study: Study, verdict: Verdict | None, manifest: str) -> Forgetting:
    if verdict is None or verdict.gate_run is None:
        return Forgetting(manifest, "unknown", "unknown: no run was compared with the baseline")
    key = (verdict.gate_run, manifest)
    outcome = next((one for one in verdict.runs if (one.run, one.manifest) == key), None)
    check = next((one for one in verdict.checks if one.id == CHECK and (one.run, one.manifest) == key), None)
    if outcome is None or outcome.delta is None:
        return Forgetting(manifest, "unknown", "unknown: not compared with the baseline")
    if check is None:
        reason = "unknown: a fault of the run, its training or its texts explains every difference"
        return Forgetting(manifest, "unknown", f"{reason} ({_change(study, outcome)})")
    state = STATES[check.status]
    return Forgetting(manifest, state, f"{state}: {_change(study, outcome)}; {_bound(outcome, check)}")


def _change(study: Study, outcome: RunOutcome) -> str:
    """`WER 0.5 % to 0.9 %, +0.41 points (95 % interval -0.40 to +1.23)`."""
    facts = study.paired(outcome.run, outcome.manifest).value
    score = facts.within if facts else None
    ends = points_range(outcome.ci_low, outcome.ci_high)
    confidence = "" if score is None or outcome.ci_low is None else configured_percent(score.interval.confidence)
    return (
        f"{rate_name(outcome.unit)} {percent(outcome.baseline_wer)} to {percent(outcome.tuned_wer)}, "
        f"{signed_points(outcome.delta)} ({f'{confidence} interval ' if confidence else ''}{ends})"
    )


def _bound(outcome: RunOutcome, check: Check) -> str:
    """The largest rise that is not excluded, next to the margin."""
    bound = check.details.get("harm_bound")
    allowed = f"the margin is {configured_points(check.threshold)}" if isinstance(check.threshold, float) else ""
    if outcome.outcome in {"unchanged", "same_words"}:
        largest = "no word changed"
    elif not isinstance(bound, float):
        largest = "the largest rise that is not excluded is unknown"
    elif bound <= 0:
        largest = "any rise is excluded"
    else:
        largest = f"the largest rise that is not excluded is {points(bound)}"
    return "; ".join(part for part in (largest, allowed) if part)
