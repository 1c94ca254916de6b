"""Which rows of a manifest are rejected, exceed the model's audio window, or also occur in training?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from lora import layout
from lora.diagnosis.facts import BASE, REPLAY, TRAIN, StudyFacts
from lora.diagnosis.findings import MOST_NAMED, Findings, check
from lora.records.integrity import LeakageFacts, SharedRow
from lora.records.manifests import NO_DURATION, RejectedRow
from lora.records.verdict import CheckStatus, Severity

MOST_REASONS = 3  # kinds of reasons that `details` list
# How reasons in rejected.tsv begin, by the cause they belong to.
REJECTED = {
    "data.unreadable_audio": ("missing file", "unreadable audio", "zero length", "no audio"),
    "data.empty_transcripts": ("empty text", "no text"),
    "data.duplicates": ("duplicate id",),
}
OTHER = "data.unusable_rows"  # rejected for any other reason


def judge_rejected_rows(facts: StudyFacts, manifest: str) -> Findings:
    """One check per manifest, and a cause for each kind of rejection above its tolerated share."""
    id = "data.rejected_rows"
    evidence = [facts.path(layout.REJECTED, manifest=manifest)]
    if manifest not in facts.rows:
        return Findings.of(check(id, status="unknown", reason="not_read", evidence=evidence, manifest=manifest))
    rejected = facts.rejected.get(manifest, [])
    rows = facts.rows[manifest] + len(rejected)
    rules = facts.config.integrity
    tolerated = {
        "data.unreadable_audio": rules.max_unreadable,
        "data.empty_transcripts": rules.max_empty,
        "data.duplicates": rules.max_duplicates,
        OTHER: rules.max_unusable,
    }
    causes: dict[str, dict[str, Any]] = {}
    by_code: defaultdict[str, list[RejectedRow]] = defaultdict(list)
    for row in rejected:
        by_code[next((code for code, kinds in REJECTED.items() if row.reason.startswith(kinds)), OTHER)].append(row)
    for code, affected in by_code.items():
        if len(affected) > tolerated[code] * rows:
            causes[code] = {
                "affected": len(affected),
                "rows": rows,
                "lines": [row.line for row in affected[:MOST_NAMED]],
                "no_duration": all(row.reason.startswith(NO_DURATION) for row in affected),
                "reasons": _reasons(affected),
            }
    status: CheckStatus = "warn" if rejected else "pass"
    reason = "rejected" if rejected else "ok"
    if causes or not rows:
        status = "fail"
        reason = "rejected" if causes else "empty"
    result = check(
        id,
        status=status,
        reason=reason,
        value=len(rejected),
        threshold=0,
        details={
            "rows": rows,
            "rejected": len(rejected),
            "kinds": sorted({_kind(row.reason) for row in rejected}),
        },
        evidence=evidence,
        manifest=manifest,
    )
    severity: Severity = "blocks" if len(rejected) > rules.blocking_rejected * rows else "warns"
    raised = [result.cause(code, severity=severity, details=details) for code, details in causes.items()]
    return Findings.of(result, *raised)


def _reasons(rows: Sequence[RejectedRow]) -> list[dict[str, Any]]:
    """Kinds of reasons, the most frequent first, each with the whole reason of its first row."""
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(_kind(row.reason), row.reason)
    counts = Counter(_kind(row.reason) for row in rows)
    return [{"reason": first[kind], "rows": number} for kind, number in counts.most_common(MOST_REASONS)]


def _kind(reason: str) -> str:
    """The reason without the value and place that it quotes."""
    return reason.split(":")[0].split(",")[0]


def judge_model_window(facts: StudyFacts, manifest: str) -> Findings:
    """Rows longer than the audio that the model takes at once; no check where the model has no such limit."""
    window = _window(facts, manifest)
    if window is None:
        return Findings()
    if manifest in layout.NOT_EVALUATED:
        limit = facts.max_seconds
        rows = [m for m in facts.audio.get(manifest, []) if limit is None or m.manifest_duration <= limit]
        long = [m.id for m in rows if m.seconds is not None and m.seconds > window]
        total = len(rows)
        evidence = [facts.path(layout.INTEGRITY, manifest=manifest), facts.path(layout.DECISION)]
        if not rows:
            return Findings()
    else:
        wer = facts.wer.get((BASE, manifest))
        if wer is None or wer.within is None:
            return Findings()
        long = [row.id for row in wer.utterances if row.duration > window]
        total = len(wer.utterances)
        evidence = [facts.path(layout.WER, run=BASE, manifest=manifest)]
    result = check(
        "data.model_window",
        status="fail" if long else "pass",
        reason="too_long" if long else "ok",
        value=len(long),
        threshold=0,
        details={"rows": total, "affected": len(long), "window": window, "ids": long[:MOST_NAMED]},
        evidence=evidence,
        manifest=manifest,
    )
    return Findings.of(result, result.cause("data.exceeds_model_window") if long else None)


def _window(facts: StudyFacts, manifest: str) -> float | None:
    """Seconds of audio that the model takes at once: as configured, else as known for its family."""
    configured = None if facts.config.model is None else facts.config.model.max_audio_seconds
    if isinstance(configured, int | float):
        return float(configured)
    if manifest in layout.NOT_EVALUATED:
        return facts.decision.model_window_seconds if facts.decision else None
    settings = facts.settings.get((BASE, manifest))
    return settings.model.window_seconds if settings and settings.model else None


def judge_overlap(facts: StudyFacts, manifest: str) -> Findings:
    """One check per evaluation manifest: rows shared with training block, shared speakers alone warn."""
    evidence = [facts.path(layout.LEAKAGE, manifest=manifest)]
    return _overlap(facts, manifest, "data.overlap", TRAIN, facts.leakage.get(manifest), evidence)


def judge_replay_overlap(facts: StudyFacts, manifest: str) -> Findings:
    """The same for the manifest `replay`, which trainings mix in; no check without it."""
    if REPLAY not in facts.config.manifests:
        return Findings()
    evidence = [facts.path(layout.REPLAY_LEAKAGE, manifest=manifest)]
    return _overlap(facts, manifest, "data.replay_overlap", REPLAY, facts.replay_leakage.get(manifest), evidence)


def _overlap(
    facts: StudyFacts, manifest: str, id: str, source: str, shared: LeakageFacts | None, evidence: list[str]
) -> Findings:
    """What an evaluation manifest shares with `source`, a manifest that is trained on."""
    named = {} if source == TRAIN else {"source": source}
    if shared is None:
        return Findings.of(
            check(id, status="unknown", reason="not_computed", details=named, evidence=evidence, manifest=manifest)
        )
    rules = facts.config.integrity
    leaked = len({row.id for row in [*shared.same_audio, *shared.same_reading]})
    too_many_rows = leaked > rules.max_leaked * shared.rows
    too_many_sentences = len(shared.same_sentence) > rules.max_shared_sentences * shared.rows
    details = {
        "rows": shared.rows,
        "shared_rows": leaked,
        "recordings": len(shared.same_audio),
        "recording_lines": _lines(shared.same_audio),
        "texts": len(shared.same_reading),
        "text_lines": _lines(shared.same_reading),
        "sentences": len(shared.same_sentence),
        "tolerated_sentences": rules.max_shared_sentences,
        "too_many_rows": too_many_rows,
        "too_many_sentences": too_many_sentences,
        "speakers": shared.speakers,
        "shared_speakers": len(shared.shared_speakers),
        "speaker_names": shared.shared_speakers[:MOST_NAMED],
        "audio_compared": manifest in facts.audio and source in facts.audio,
        **named,
    }
    status: CheckStatus = "pass"
    reason = "ok"
    value = leaked
    threshold = rules.max_leaked
    if too_many_rows or too_many_sentences:
        status, reason = "fail", "shared_rows"
    elif shared.shared_speakers:
        status = "warn"
        reason = "shared_speakers"
        value = len(shared.shared_speakers)
        threshold = 0
    result = check(
        id,
        status=status,
        reason=reason,
        value=value,
        threshold=threshold,
        details=details,
        evidence=evidence,
        manifest=manifest,
    )
    if status == "pass":
        return Findings.of(result)
    return Findings.of(result, result.cause("data.leakage", severity="blocks" if status == "fail" else "warns"))


def _lines(rows: Sequence[SharedRow]) -> list[dict[str, Any]]:
    return [{"line": row.line, "train_line": row.train_line} for row in rows[:MOST_NAMED]]
