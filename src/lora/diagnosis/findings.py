"""What a diagnosis hands back: checks (every question asked, with its answer) and causes (what is wrong)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lora.records.verdict import Cause, Check, CheckStatus


@dataclass
class Findings:
    """Checks and causes in the order they were found; the verdict ranks the causes."""

    checks: list[Check] = field(default_factory=list)
    causes: list[Cause] = field(default_factory=list)

    def add(self, *others: Findings) -> Findings:
        for other in others:
            self.checks += other.checks
            self.causes += other.causes
        return self


@dataclass(frozen=True)
class Answer:
    """A check's status with the numbers behind it, and the cause that a bad status comes from."""

    status: CheckStatus
    summary: str
    value: float | str | None = None
    threshold: float | str | None = None
    cause: Cause | None = None


def check(
    id: str, answer: Answer, evidence: Iterable[str], run: str | None = None, manifest: str | None = None
) -> Check:
    return Check(
        id=id,
        run=run,
        manifest=manifest,
        status=answer.status,
        value=answer.value,
        threshold=answer.threshold,
        summary=answer.summary,
        evidence=list(evidence),
    )


def found(
    id: str, answer: Answer, evidence: Iterable[str], run: str | None = None, manifest: str | None = None
) -> Findings:
    """One check and its cause, if it has one."""
    causes = [] if answer.cause is None else [answer.cause]
    return Findings([check(id, answer, evidence, run, manifest)], causes)


def worst(statuses: Iterable[CheckStatus]) -> CheckStatus:
    """fail, then unknown, then warn, then pass: a criterion is as good as the worst of its parts."""
    order: tuple[CheckStatus, ...] = ("fail", "unknown", "warn", "pass")
    present = set(statuses)
    return next((status for status in order if status in present), "unknown")
