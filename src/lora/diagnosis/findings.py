"""Results of the judges: checks and causes as codes and numbers, which `lora.diagnosis.wording` puts into words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lora.diagnosis.causes import CAUSES
from lora.records.verdict import CheckStatus, Severity

MOST_NAMED = 10  # rows or names that `details` list; the fact files list all of them


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """The answer to one question. Create it with `check`.

    `reason` says which case of the check it is, `details` contains the JSON values behind the sentence.
    `explained_by` are results whose sentences are the summary (for criteria that combine other checks).
    """

    id: str
    status: CheckStatus
    reason: str
    evidence: tuple[str, ...]
    value: float | str | None = None
    threshold: float | str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    run: str | None = None
    manifest: str | None = None
    explained_by: tuple[CheckResult | CauseResult, ...] = ()

    def cause(
        self,
        code: str,
        *,
        reason: str | None = None,
        severity: Severity | None = None,
        details: Mapping[str, Any] | None = None,
        evidence: Iterable[str] | None = None,
    ) -> CauseResult:
        """A cause that this check raises; what is not given is taken from the check (severity: from the table)."""
        return CauseResult(
            check=self.id,
            code=code,
            severity=severity or CAUSES[code].severity,
            reason=self.reason if reason is None else reason,
            details=self.details if details is None else details,
            evidence=self.evidence if evidence is None else tuple(evidence),
            run=self.run,
            manifest=self.manifest,
        )


@dataclass(frozen=True, kw_only=True)
class CauseResult:
    """A cause without its sentences. Create it with `CheckResult.cause`, or with `cause` where no check raises it."""

    code: str
    severity: Severity
    reason: str
    evidence: tuple[str, ...]
    details: Mapping[str, Any] = field(default_factory=dict)
    run: str | None = None
    manifest: str | None = None
    check: str | None = None


@dataclass
class Findings:
    """Checks and causes in the order in which they were judged; the verdict ranks the causes."""

    checks: list[CheckResult] = field(default_factory=list)
    causes: list[CauseResult] = field(default_factory=list)

    @classmethod
    def of(cls, result: CheckResult, *causes: CauseResult | None) -> Findings:
        """One check with the causes it raises; None is skipped."""
        return cls([result], [c for c in causes if c is not None])

    def add(self, *others: Findings) -> Findings:
        for other in others:
            self.checks += other.checks
            self.causes += other.causes
        return self


def check(
    id: str,
    *,
    status: CheckStatus,
    reason: str,
    evidence: Iterable[str],
    value: float | str | None = None,
    threshold: float | str | None = None,
    details: Mapping[str, Any] | None = None,
    run: str | None = None,
    manifest: str | None = None,
    explained_by: Iterable[CheckResult | CauseResult] = (),
) -> CheckResult:
    return CheckResult(
        id=id,
        status=status,
        reason=reason,
        evidence=tuple(evidence),
        value=value,
        threshold=threshold,
        details=details or {},
        run=run,
        manifest=manifest,
        explained_by=tuple(explained_by),
    )


def cause(
    code: str,
    *,
    reason: str,
    evidence: Iterable[str],
    details: Mapping[str, Any] | None = None,
    severity: Severity | None = None,
    run: str | None = None,
    manifest: str | None = None,
) -> CauseResult:
    """A cause that no check raises, such as a fact that could not be computed."""
    return CauseResult(
        code=code,
        severity=severity or CAUSES[code].severity,
        reason=reason,
        evidence=tuple(evidence),
        details=details or {},
        run=run,
        manifest=manifest,
    )


def examples(names: Sequence[str], most: int = 3) -> dict[str, Any]:
    """Details of a list of names: how many there are, and the first of them, so that a verdict stays small."""
    return {"count": len(names), "first": list(names[:most])}


def worst(statuses: Iterable[CheckStatus]) -> CheckStatus:
    """Status of a criterion that combines several checks: fail, then unknown, then warn, then pass."""
    order: tuple[CheckStatus, ...] = ("fail", "unknown", "warn", "pass")
    present = set(statuses)
    return next((status for status in order if status in present), "unknown")
