"""Does the training split have enough rows, and if not, why? Remedies name data and the duration filter only."""

from __future__ import annotations

import math
from typing import Any

from lora import layout
from lora.diagnosis.data.audio import judge_audio, narrowband_everywhere, rows_of_wrong_length
from lora.diagnosis.data.manifests import judge_characters, judge_pieces, judge_speakers
from lora.diagnosis.data.rows import judge_model_window, judge_overlap, judge_rejected_rows, judge_replay_overlap
from lora.diagnosis.data.shortfall import rows_beyond_limit, rows_in_validation
from lora.diagnosis.data.silence import judge_silent_rows
from lora.diagnosis.data.speed import judge_speed
from lora.diagnosis.data.split import judge_filtered_rows, judge_split_seeds
from lora.diagnosis.data.texts import judge_texts
from lora.diagnosis.facts import TRAIN, StudyFacts
from lora.diagnosis.findings import CauseResult, CheckResult, Findings, check
from lora.records.durations import DurationDecision, SplitOption


def judge_data(facts: StudyFacts) -> Findings:
    findings = data_sufficiency(facts).add(judge_filtered_rows(facts), judge_split_seeds(facts))
    findings.add(judge_speakers(facts))
    for manifest in facts.config.manifests:
        findings.add(judge_rejected_rows(facts, manifest))
        findings.add(judge_texts(facts, manifest))  # its remedy takes precedence over that of improbable text rates
        findings.add(judge_pieces(facts, manifest), judge_characters(facts, manifest))
        findings.add(judge_audio(facts, manifest), judge_speed(facts, manifest), judge_model_window(facts, manifest))
    for manifest in facts.config.evaluations:
        findings.add(judge_silent_rows(facts, manifest), judge_overlap(facts, manifest))
        findings.add(judge_replay_overlap(facts, manifest))
    return narrowband_everywhere(findings)


def data_sufficiency(facts: StudyFacts) -> Findings:
    """The criterion: rows of the training split after filter and split."""
    needed = facts.config.durations.min_train_samples
    id = "data_sufficiency"
    evidence = [facts.path(layout.SPLIT_SIZES), facts.path(layout.DECISION)]
    if "train" not in facts.sizes:
        reason = "not_computed" if TRAIN in facts.config.manifests else "no_training_manifest"
        return Findings.of(
            check(id, status="unknown", reason=reason, threshold=needed, evidence=evidence, manifest=TRAIN)
        )
    rows = facts.sizes["train"].rows
    result = check(
        id,
        status="pass" if rows >= needed else "fail",
        reason="ok" if rows >= needed else "too_few",
        value=rows,
        threshold=needed,
        details={"rows": rows, "needed": needed, "max_seconds": facts.max_seconds},
        evidence=evidence,
        manifest=TRAIN,
    )
    cause = _wrong_durations(facts, result)
    if cause is None and rows < needed:
        cause = _starving_filter(facts, result) or _too_few_samples(facts, result)
    return Findings.of(result, cause)


def _wrong_durations(facts: StudyFacts, result: CheckResult) -> CauseResult | None:
    """Cause where no limit leaves enough rows by the manifest's durations, and one does by those of the audio.

    Only a configured limit is tried; `auto` would have found any threshold within the model's window.
    """
    decision = facts.decision
    needed = facts.config.durations.min_train_samples
    wrong = rows_of_wrong_length(facts, TRAIN)
    if decision is None or not wrong:
        return None
    window = decision.model_window_seconds
    configured = decision.configured
    inside = [o for o in decision.options if window is None or o.threshold <= window]
    limits = inside if configured is None else [o for o in decision.options if o.threshold == configured]
    if any(option.train_rows >= needed for option in limits):
        return None
    lengths = [m.seconds for m in facts.audio.get(TRAIN, []) if m.seconds is not None]
    training_share = 1 - facts.config.split.val_fraction
    for option in limits:
        rows = int(training_share * sum(length <= option.threshold for length in lengths))
        if rows >= needed:
            details = {
                "threshold": option.threshold,
                "rows_by_manifest": option.train_rows,
                "rows_by_audio": rows,
                "affected": wrong,
            }
            evidence = [*result.evidence, facts.path(layout.INTEGRITY, manifest=TRAIN)]
            return result.cause("data.wrong_durations", reason="starve_training", details=details, evidence=evidence)
    return None


def _starving_filter(facts: StudyFacts, result: CheckResult) -> CauseResult | None:
    """Cause where another threshold would leave enough rows."""
    needed = facts.config.durations.min_train_samples
    decision = facts.decision
    limit = facts.max_seconds
    better = None if decision is None else _option(decision, decision.stable or decision.sufficient)
    if limit is None or better is None or better.threshold <= limit or better.train_rows < needed:
        return None
    details = {**result.details, "better": better.threshold, "better_rows": better.train_rows}
    return result.cause("data.filter_starves_training", details=details)


def _too_few_samples(facts: StudyFacts, result: CheckResult) -> CauseResult:
    """Cause where no threshold leaves enough rows."""
    needed = facts.config.durations.min_train_samples
    decision = facts.decision
    rows = facts.sizes["train"].rows
    most = max((option.train_rows for option in decision.options), default=rows) if decision else rows
    most = max(most, rows)
    tried = [option for option in decision.options if option.train_rows == most] if decision else []
    option = tried[0] if tried else None
    rejected = len(facts.rejected.get(TRAIN, []))
    wrong = rows_of_wrong_length(facts, TRAIN)
    evidence = list(result.evidence)
    if rejected:
        evidence.append(facts.path(layout.REJECTED, manifest=TRAIN))
    if wrong:
        evidence.append(facts.path(layout.INTEGRITY, manifest=TRAIN))
    details = {
        **result.details,
        "most": most,
        "at": option.threshold if option else None,
        "missing_rows": needed - most,
        "rejected": rejected,
        "wrong_durations": wrong,
        "validation": rows_in_validation(facts, option),
        "beyond_limit": rows_beyond_limit(facts, option),
        "add": _more_rows(needed - most, option),
    }
    return result.cause("data.too_few_samples", details=details, evidence=evidence)


def _more_rows(missing: int, option: SplitOption | None) -> dict[str, Any] | None:
    """Recordings to add at a threshold, at its share of rows that reach training and its mean length."""
    if option is None or not option.rows or not option.train_rows:
        return None
    rows = math.ceil(missing * option.rows / option.train_rows)
    return {"rows": rows, "max_seconds": option.threshold, "hours": rows * option.hours / option.rows}


def _option(decision: DurationDecision, threshold: float | None) -> SplitOption | None:
    return next((option for option in decision.options if option.threshold == threshold), None)
