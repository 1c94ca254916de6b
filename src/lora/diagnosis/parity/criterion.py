"""Were baseline and tuned run transcribed and scored under identical conditions?

A setting that one side did not record is neither equal nor different; the check is unknown then.
"""

from __future__ import annotations

from typing import Any

from lora import layout
from lora.diagnosis.causes import CAUSES, RANK
from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import CauseResult, CheckResult, Findings, cause, check, examples
from lora.diagnosis.parity.copied_references import judge_copies
from lora.diagnosis.parity.external_hypotheses import judge_external_hypotheses, mismatched_hypotheses
from lora.records.comparisons import PairedFacts
from lora.records.parity import DifferingRows, ParityFacts
from lora.records.verdict import CheckStatus

# Fields that show differing rows, for which ids and texts are the better evidence.
ROWS = {"manifest.rows", "manifest.content_hash", "manifest.unshared_ids", "manifest.references", "scored.utterances"}


def judge_parity(facts: StudyFacts, run: str, eval_manifest: str | None) -> Findings:
    """A check per manifest of a run, and one cause per code under which settings differ."""
    parity = facts.parity.get(run)
    if parity is None or parity.status == "impossible":
        details = {"message": parity.message if parity else None}
        evidence = [facts.path(layout.PARITY, run=run)]
        return Findings.of(
            check(
                "parity.settings", status="unknown", reason="not_compared", evidence=evidence, details=details, run=run
            )
        )
    codes = sorted({s.code for s in parity.settings if s.same is False}, key=RANK.__getitem__)
    findings = Findings(
        checks=[settings_check(facts, run, manifest) for manifest in facts.config.evaluations],
        causes=[_difference(facts, parity, code, eval_manifest) for code in codes],
    )
    return findings.add(_same_utterances(facts, run, findings.causes), judge_external_hypotheses(facts, run)).add(
        *(judge_copies(facts, run, manifest) for manifest in facts.config.evaluations)
    )


def settings_check(facts: StudyFacts, run: str, manifest: str) -> CheckResult:
    """Whether all settings are equal; a field whose cause only warns can neither fail the check nor make it unknown."""
    parity = facts.parity.get(run)
    settings = [s for s in parity.settings if s.manifest == manifest] if parity and parity.status == "ok" else []
    different = [s.field for s in settings if s.same is False]
    unknown = [s.field for s in settings if s.same is None]
    decisive = {s.field for s in settings if CAUSES[s.code].severity == "blocks"}
    status: CheckStatus = "pass"
    reason = "ok"
    if not settings:
        status = "unknown"
        reason = "not_compared"
    elif decisive & set(different):
        status = "fail"
        reason = "different"
    elif decisive & set(unknown):
        status = "unknown"
        reason = "not_recorded"
    elif different or unknown:
        status = "warn"
        reason = "other_software" if different else "software_not_recorded"
    return check(
        "parity.settings",
        status=status,
        reason=reason,
        evidence=[facts.path(layout.PARITY, run=run)],
        value=len(different) if settings else None,
        threshold=0,
        details={"compared": len(settings), "different": different, "not_recorded": unknown},
        run=run,
        manifest=manifest,
    )


def parity_criterion(facts: StudyFacts, eval_manifest: str | None) -> Findings:
    """The criterion: settings of the gate run on the evaluation manifest, or the worst of all where none is chosen."""
    run = facts.config.gate_run
    if run is None:
        return Findings.of(check("parity", status="unknown", reason="no_candidate", evidence=[]))
    manifests = [eval_manifest] if eval_manifest else facts.config.evaluations
    settings = [settings_check(facts, run, m) for m in manifests]
    order = ("fail", "unknown", "warn", "pass")
    worst = min(settings, key=lambda result: order.index(result.status))
    status = worst.status
    reason = f"settings_{worst.reason}"
    details: dict[str, Any] = {}
    explained_by = [worst]
    paired = facts.paired.get((run, eval_manifest or ""))
    mismatched = [m for m in manifests if mismatched_hypotheses(facts, run, m)]
    if paired is not None and (paired.missing_ids or paired.extra_ids):
        status = "fail"
        reason = "other_utterances"
        details = _utterances(paired)
        explained_by = []
    elif mismatched and status != "fail":
        status = "fail"
        reason = "mismatched_hypotheses"
        details = {"manifests": mismatched}
        explained_by = []
    result = check(
        "parity",
        status=status,
        reason=reason,
        evidence=[facts.path(layout.PARITY, run=run)],
        value=worst.value,
        threshold=0,
        details=details,
        run=run,
        manifest=eval_manifest,
        explained_by=explained_by,
    )
    return Findings.of(result)


def _difference(facts: StudyFacts, parity: ParityFacts, code: str, eval_manifest: str | None) -> CauseResult:
    """One cause per code: on the evaluation manifest if it differs there, else on the first where it does."""
    differing = [s for s in parity.settings if s.code == code and s.same is False]
    manifests = list(dict.fromkeys(s.manifest for s in differing))
    manifest = eval_manifest if eval_manifest in manifests else manifests[0]
    rows = next((r for r in parity.rows if r.manifest == manifest and code == "parity.manifest"), None)
    rescored = next((r for r in parity.rescored if r.manifest == manifest and code == "parity.normalization"), None)
    fields = [
        {"field": s.field, "baseline": s.baseline, "candidate": s.candidate}
        for s in differing
        if s.manifest == manifest and not (rows and s.field in ROWS)
    ]
    return cause(
        code,
        reason="settings_differ",
        evidence=[facts.path(layout.PARITY, run=parity.run)],
        details={
            "fields": fields,
            "rows": row_details(rows) if rows else None,
            "rescored": rescored.to_json() if rescored else None,
            "also_on": [m for m in manifests if m != manifest],
            "kind": facts.config.kind(parity.run),
        },
        run=parity.run,
        manifest=manifest,
    )


def row_details(rows: DifferingRows) -> dict[str, Any]:
    """How the rows of two runs differ, with the first ids and texts."""
    return {
        "missing_ids": examples(rows.missing_ids),
        "extra_ids": examples(rows.extra_ids),
        "different_references": len(rows.different_references),
        "first_reference": rows.different_references[0].to_json() if rows.different_references else None,
        "style_only": rows.style_only,
        "different_audio": rows.different_audio,
    }


def _same_utterances(facts: StudyFacts, run: str, known: list[CauseResult]) -> Findings:
    """Causes of ids that only one of the two runs has, where the settings did not show them."""
    causes = []
    for manifest in facts.config.evaluations:
        paired = facts.paired.get((run, manifest))
        reported = any(c.code == "parity.manifest" and c.manifest == manifest for c in known)
        if paired is None or reported or not (paired.missing_ids or paired.extra_ids):
            continue
        evidence = [facts.path(layout.PAIRED, run=run, manifest=manifest)]
        causes.append(
            cause(
                "parity.manifest",
                reason="other_utterances",
                evidence=evidence,
                details=_utterances(paired),
                run=run,
                manifest=manifest,
            )
        )
    return Findings(causes=causes)


def _utterances(paired: PairedFacts) -> dict[str, Any]:
    return {"missing_ids": examples(paired.missing_ids), "extra_ids": examples(paired.extra_ids)}
