"""What the rows of a manifest say without their audio: pieces of recordings, characters, speakers."""

from __future__ import annotations

from lora import layout
from lora.diagnosis.facts import TRAIN, StudyFacts
from lora.diagnosis.findings import MOST_NAMED, Findings, check
from lora.records.verdict import CheckStatus, Severity

ENOUGH_ROWS = 10  # rows from which a single speaker is worth a question
MOST_CHARACTERS = 3


def judge_pieces(facts: StudyFacts, manifest: str) -> Findings:
    """Overlapping pieces of recordings that several rows share; no check where no row shares one."""
    known = facts.manifests.get(manifest)
    if known is None or not known.shared_recordings:
        return Findings()
    rules = facts.config.integrity
    overlapping = known.overlapping
    too_many = len(overlapping) > rules.max_overlapping * known.rows
    status: CheckStatus = "fail" if too_many else "warn" if overlapping else "pass"
    result = check(
        "data.pieces",
        status=status,
        reason="overlapping" if overlapping else "ok",
        value=len(overlapping),
        threshold=rules.max_overlapping,
        details={
            "rows": known.rows,
            "shared": known.shared_recordings,
            "affected": len(overlapping),
            "first": [piece.to_json() for piece in overlapping[:MOST_NAMED]],
        },
        evidence=[facts.path(layout.MANIFEST_FACTS, manifest=manifest)],
        manifest=manifest,
    )
    severity: Severity = "blocks" if len(overlapping) > rules.blocking_mismatched * known.rows else "warns"
    return Findings.of(result, result.cause("data.wrong_offsets", severity=severity) if too_many else None)


def judge_characters(facts: StudyFacts, manifest: str) -> Findings:
    """Invisible and look-alike characters; no check where the manifest was not read."""
    known = facts.manifests.get(manifest)
    if known is None:
        return Findings()
    tolerated = facts.config.integrity.max_odd_characters
    too_many = known.odd_rows > tolerated * known.rows
    status: CheckStatus = "fail" if too_many else "warn" if known.odd_rows else "pass"
    result = check(
        "data.invisible_text",
        status=status,
        reason="odd_characters" if known.odd_rows else "ok",
        value=known.odd_rows,
        threshold=tolerated,
        details={
            "rows": known.rows,
            "affected": known.odd_rows,
            "characters": [one.to_json() for one in known.odd_characters[:MOST_CHARACTERS]],
            "kinds": len(known.odd_characters),
            "normalizer": facts.config.normalizer,
        },
        evidence=[facts.path(layout.MANIFEST_FACTS, manifest=manifest)],
        manifest=manifest,
    )
    return Findings.of(result, result.cause("data.odd_characters") if too_many else None)


def judge_speakers(facts: StudyFacts) -> Findings:
    """Whether the split by speaker has speakers to split by; no check without `split.by_speaker` and speakers."""
    known = facts.manifests.get(TRAIN)
    if known is None or known.speakers is None or not facts.config.split.by_speaker or known.rows < ENOUGH_ROWS:
        return Findings()
    constant = known.speakers == 1
    result = check(
        "data.speakers",
        status="warn" if constant else "pass",
        reason="constant" if constant else "ok",
        value=known.speakers,
        threshold=2,
        details={"rows": known.rows, "speakers": known.speakers, "column": known.columns.get("speaker_id")},
        evidence=[facts.path(layout.MANIFEST_FACTS, manifest=TRAIN)],
        manifest=TRAIN,
    )
    return Findings.of(result, result.cause("data.constant_speaker") if constant else None)
