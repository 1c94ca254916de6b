"""Does every recording contain speech of the length that the manifest claims? Judged from measurements of each row."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lora import layout
from lora.configuration.study import IntegrityConfig
from lora.diagnosis.data.speed import rate_factor
from lora.diagnosis.facts import BASE, StudyFacts
from lora.diagnosis.findings import MOST_NAMED, Findings, check
from lora.records.declared_durations import Declared, common_unit, wrong_durations
from lora.records.integrity import AudioMeasure
from lora.records.verdict import CheckStatus, Severity

EVERYWHERE = 0.9  # share of narrowband rows from which a manifest is narrowband as a whole
ENOUGH_FACTORS = 3  # wrong durations from which a common factor is no accident
SAME_FACTOR = 0.02  # relative difference up to which two factors are the same
ENOUGH_RATES = 5  # rows from which their median rate of text is meaningful


@dataclass(frozen=True)
class Fault:
    """Rows with one fault. `tolerated` is the share of the manifest's rows that may have it, `blocking` that above
    which it blocks.

    Without a cause code the fault is reported in the check and never a cause.
    """

    name: str
    code: str | None
    rows: Sequence[AudioMeasure]
    tolerated: float
    blocking: float = 1.0
    details: dict[str, Any] = field(default_factory=dict)


def judge_audio(facts: StudyFacts, manifest: str) -> Findings:
    """One check per manifest, and a cause for each fault that more rows have than the configuration tolerates."""
    id = "data.audio"
    evidence = [facts.path(layout.INTEGRITY, manifest=manifest)]
    if manifest not in facts.audio:
        return Findings.of(check(id, status="unknown", reason="not_measured", evidence=evidence, manifest=manifest))
    measures = [m for m in facts.audio[manifest] if m.problem is None]
    faults = [fault for fault in _faults(measures, facts.config.integrity) if fault.rows]
    causes = [f for f in faults if f.code is not None and len(f.rows) > f.tolerated * len(measures)]
    status: CheckStatus = "fail" if causes else "warn"
    result = check(
        id,
        status=status if faults else "pass",
        reason="faults" if faults else "ok",
        value=len({m.id for fault in faults for m in fault.rows}),
        threshold=0,
        details={"rows": len(measures), "faults": [_details(fault, measures) for fault in faults]},
        evidence=evidence,
        manifest=manifest,
    )
    findings = Findings.of(result)
    for fault in causes:
        blocks = len(fault.rows) > fault.blocking * len(measures)
        blocks |= fault.code == "data.wrong_durations" and _no_row_within_limit(facts, manifest)
        severity: Severity = "blocks" if blocks else "warns"
        details = _details(fault, measures)
        findings.causes.append(result.cause(str(fault.code), reason=fault.name, severity=severity, details=details))
    return findings


def rows_of_wrong_length(facts: StudyFacts, manifest: str) -> int:
    """Number of rows whose duration the audio contradicts; 0 where the audio was not measured."""
    measures = [m for m in facts.audio.get(manifest, []) if m.problem is None]
    return len(_wrong_durations(measures, facts.config.integrity).rows)


def narrowband_everywhere(findings: Findings) -> Findings:
    """Join the narrowband causes of all manifests into one piece of information, where every manifest is narrowband.

    A property that training and evaluation share changes no comparison between them.
    """
    checks = [c for c in findings.checks if c.id == "data.audio" and c.status != "unknown"]
    narrow = [c for c in findings.causes if c.code == "data.sample_rate_mismatch" and c.check == "data.audio"]
    most = [c for c in narrow if c.details["affected"] >= EVERYWHERE * c.details["rows"]]
    if len(checks) < 2 or len(most) < len(checks):
        return findings
    details = {**most[0].details, "manifests": [c.manifest for c in most]}
    for key in ("affected", "rows"):
        details[key] = sum(c.details[key] for c in most)
    evidence = tuple(path for c in most for path in c.evidence)
    joined = replace(
        most[0], severity="info", reason="narrowband_everywhere", manifest=None, details=details, evidence=evidence
    )
    at = findings.causes.index(most[0])
    findings.causes = [c for c in findings.causes if c not in most]
    findings.causes.insert(at, joined)
    return findings


def _no_row_within_limit(facts: StudyFacts, manifest: str) -> bool:
    """Whether the baseline has no WER on a manifest because no row is within `max_seconds`."""
    wer = facts.wer.get((BASE, manifest))
    return bool(wer and wer.within and wer.all and wer.all.utterances and not wer.within.utterances)


def _details(fault: Fault, measures: Sequence[AudioMeasure]) -> dict[str, Any]:
    return {
        "fault": fault.name,
        "affected": len(fault.rows),
        "rows": len(measures),
        "lines": [_line(m) for m in fault.rows[:MOST_NAMED]],
        "tolerated": fault.tolerated,
        **fault.details,
    }


def _faults(measures: Sequence[AudioMeasure], rules: IntegrityConfig) -> list[Fault]:
    silent = [m for m in measures if m.level is not None and m.level < rules.min_level and m.characters]
    audible = [m for m in measures if m.level is not None and m.level >= rules.min_level]
    clipped = [m for m in audible if (m.clipped or 0.0) > rules.max_clipped_samples]
    narrow = [m for m in audible if m.bandwidth is not None and m.bandwidth < rules.min_bandwidth]
    bandwidth = {
        "bandwidth": max((m.bandwidth or 0 for m in narrow), default=0),
        "sampling_rates": sorted({m.rate for m in narrow if m.rate is not None}, key=str),
    }
    return [
        _wrong_durations(measures, rules),
        Fault(
            "silent", "data.silent_audio", silent, rules.max_silent, rules.blocking_silent, {"level": rules.min_level}
        ),
        Fault("clipped", "data.clipped_audio", clipped, rules.max_clipped),
        Fault("narrowband", "data.sample_rate_mismatch", narrow, rules.max_narrowband, details=bandwidth),
        _improbable_rates(audible, rules),
        _repeated(audible, rules),
        _unlike_most("other_channels", measures, [m.channels for m in measures]),
        _unlike_most("other_sampling_rate", measures, [m.rate for m in measures]),
    ]


def _wrong_durations(measures: Sequence[AudioMeasure], rules: IntegrityConfig) -> Fault:
    by_id = {m.id: m for m in measures}
    declared = [Declared(m.id, m.line, m.manifest_duration, _seconds(m), m.rate) for m in measures]
    wrong = wrong_durations(declared, rules.duration_tolerance)
    rows = [by_id[row.id] for row in wrong]
    details: dict[str, Any] = {}
    if wrong:
        details = {
            "first": {
                "line": _line(rows[0]),
                "manifest": wrong[0].declared,
                "audio": round(wrong[0].seconds, 2),
            },
            "unit": common_unit(wrong, rules.duration_tolerance),
            "factor": _common_factor([row.declared / row.seconds for row in wrong]),
        }
    return Fault("wrong_durations", "data.wrong_durations", rows, rules.max_wrong_durations, details=details)


def _common_factor(ratios: Sequence[float]) -> float | None:
    """The factor of two sampling rates that all wrong durations share; None where they do not."""
    middle = statistics.median(ratios)
    shared = len(ratios) >= ENOUGH_FACTORS and all(abs(r / middle - 1) <= SAME_FACTOR for r in ratios)
    return rate_factor(middle, SAME_FACTOR) if shared else None


def _improbable_rates(audible: Sequence[AudioMeasure], rules: IntegrityConfig) -> Fault:
    """Rows whose characters per second are far from the manifest's median: nobody reads this text in that time."""
    spoken = [m for m in audible if m.characters]  # an empty transcript claims silence (`data.silent_rows`)
    rates = {m.id: m.characters / _seconds(m) for m in spoken}
    median = statistics.median(rates.values()) if len(rates) >= ENOUGH_RATES else None
    ratio = rules.max_rate_ratio
    outliers = [m for m in spoken if median and not median / ratio <= rates[m.id] <= median * ratio]
    details = {"ratio": ratio, "median": median}
    tolerated = rules.max_rate_outliers
    blocking = rules.blocking_mismatched
    return Fault("text_rate", "data.transcript_mismatch", outliers, tolerated, blocking, details)


def _repeated(audible: Sequence[AudioMeasure], rules: IntegrityConfig) -> Fault:
    first: dict[str, AudioMeasure] = {}
    repeated = [m for m in audible if m.audio_hash and first.setdefault(m.audio_hash, m) is not m]
    details: dict[str, Any] = {}
    if repeated:
        original = first[repeated[0].audio_hash or ""]
        details = {"first": {"line": _line(repeated[0]), "repeats": _line(original)}}
    return Fault("repeated", "data.duplicates", repeated, rules.max_duplicates, details=details)


def _unlike_most(name: str, measures: Sequence[AudioMeasure], values: Sequence[int | None]) -> Fault:
    """Rows in another format than most. Mixing down and resampling do no harm, so this is never a cause."""
    counts = Counter(value for value in values if value is not None)
    usual = min(counts, key=lambda value: (-counts[value], value), default=None)
    unlike = [m for m, value in zip(measures, values, strict=True) if value not in {None, usual}]
    details = {"usual": usual, "others": [value for value in sorted(counts) if value != usual]}
    return Fault(name, None, unlike, 0.0, details=details)


def _seconds(measure: AudioMeasure) -> float:
    return measure.seconds or 1e-9


def _line(measure: AudioMeasure) -> str:
    return f"line {measure.line}" if measure.line is not None else measure.id
