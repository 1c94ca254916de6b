"""Constructors of judges that still pass sentences; removed as soon as every judge returns codes and numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from lora.diagnosis.causes import CAUSES
from lora.diagnosis.findings import CauseResult, CheckResult, Findings
from lora.records.verdict import CheckStatus, Severity


@dataclass(frozen=True)
class Answer:
    status: CheckStatus
    summary: str
    value: float | str | None = None
    threshold: float | str | None = None
    cause: CauseResult | None = None


def found(
    id: str, answer: Answer, evidence: Iterable[str], run: str | None = None, manifest: str | None = None
) -> Findings:
    result = CheckResult(
        id=id,
        status=answer.status,
        reason="",
        evidence=tuple(evidence),
        value=answer.value,
        threshold=answer.threshold,
        run=run,
        manifest=manifest,
        summary=answer.summary,
    )
    return Findings.of(result, None if answer.cause is None else replace(answer.cause, check=id))


def cause(
    code: str,
    because: str,
    evidence: Iterable[str],
    run: str | None = None,
    manifest: str | None = None,
    remedy: str | None = None,
    severity: Severity | None = None,
) -> CauseResult:
    kind = CAUSES[code]
    return CauseResult(
        code=code,
        severity=severity or kind.severity,
        reason="",
        evidence=tuple(evidence),
        run=run,
        manifest=manifest,
        because=because,
        remedy=remedy or kind.remedy,
    )
