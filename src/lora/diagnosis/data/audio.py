"""D1: is there speech in every recording, and is it what the manifest says? Judged from measures, line by line."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lora import layout
from lora.configuration.study import IntegrityConfig
from lora.diagnosis.facts import BASE, StudyFacts
from lora.diagnosis.findings import Findings
from lora.diagnosis.transitional import Answer, cause, found
from lora.formatting import count, listed, percent, round_percent, seconds
from lora.records.audio import AudioMeasure
from lora.records.verdict import Severity

LEAST_DIFFERENCE = 0.1  # seconds; codecs and rounding stay below it
MILLISECONDS = (900.0, 1100.0)  # claimed over measured
ENOUGH_RATES = 5  # rows from which on their median rate is one


@dataclass(frozen=True)
class Suspicion:
    """Rows with one fault: `told` is what they come with; `most` the tolerated share of the manifest's rows.

    Without a code it is told and never a cause.
    """

    code: str | None
    rows: Sequence[AudioMeasure]
    told: str
    most: float
    remedy: str | None = None


def audio_content(facts: StudyFacts, manifest: str) -> Findings:
    """One check a manifest, and a cause for every kind of fault that more rows have than the configuration allows."""
    evidence = [facts.path(layout.INTEGRITY, manifest=manifest)]
    if manifest not in facts.audio:
        answer = Answer("unknown", f"The audio of {manifest} was not measured.")
        return found("data.audio", answer, evidence, manifest=manifest)
    measures = [m for m in facts.audio[manifest] if m.problem is None]
    suspicions = [s for s in _suspicions(measures, facts.config.integrity) if s.rows]
    if not suspicions:
        answer = Answer("pass", f"{count(len(measures), 'recording')} of {manifest} sound as they should.", 0, 0)
        return found("data.audio", answer, evidence, manifest=manifest)
    findings = Findings()
    for s in suspicions:
        if s.code is not None and len(s.rows) > s.most * len(measures):
            share, lines = percent(len(s.rows) / len(measures)), listed([_line(m) for m in s.rows])
            tolerated = f", more than the tolerated {round_percent(s.most)}" if s.most else ""
            because = (
                f"{len(s.rows)} of {count(len(measures), 'row')} of {manifest} ({share}; {lines}): {s.told}{tolerated}."
            )
            grave = s.code == "data.wrong_durations" and _nothing_within(facts, manifest)
            severity: Severity = "blocks" if grave else "warns"
            findings.causes.append(cause(s.code, because, evidence, None, manifest, s.remedy, severity))
    told = "; ".join(f"{count(len(s.rows), 'row')} with {s.told}" for s in suspicions)
    affected = len({m.id for s in suspicions for m in s.rows})
    answer = Answer("fail" if findings.causes else "warn", f"In {manifest}, {told}.", affected, 0)
    return found("data.audio", answer, evidence, manifest=manifest).add(findings)


def _nothing_within(facts: StudyFacts, manifest: str) -> bool:
    """Whether the baseline has no WER on a manifest because no row is within `max_seconds`."""
    wer = facts.wer.get((BASE, manifest))
    return bool(wer and wer.within and wer.all and wer.all.utterances and not wer.within.utterances)


def rows_of_wrong_length(facts: StudyFacts, manifest: str) -> int:
    """Rows whose duration the audio contradicts; 0 where it was not measured."""
    measures = [m for m in facts.audio.get(manifest, []) if m.problem is None]
    return len(_wrong_durations(measures, facts.config.integrity).rows)


def _suspicions(measures: Sequence[AudioMeasure], rules: IntegrityConfig) -> list[Suspicion]:
    silent = [m for m in measures if m.level is not None and m.level < rules.min_level]
    heard = [m for m in measures if m.level is not None and m.level >= rules.min_level]
    clipped = [m for m in heard if (m.clipped or 0.0) > rules.max_clipped_samples]
    narrow = [m for m in heard if m.bandwidth is not None and m.bandwidth < rules.min_bandwidth]
    return [
        _wrong_durations(measures, rules),
        Suspicion("data.silent_audio", silent, f"nothing louder than {rules.min_level:g} dB", rules.max_silent),
        Suspicion("data.clipped_audio", clipped, "the loudest parts cut off", rules.max_clipped),
        Suspicion(
            "data.sample_rate_mismatch",
            narrow,
            f"nothing above {max((m.bandwidth or 0 for m in narrow), default=0):g} Hz "
            f"(files of {listed(sorted({f'{m.rate} Hz' for m in narrow}) or ['none'])})",
            rules.max_narrowband,
        ),
        _improbable_rates(heard, rules),
        _repeated(heard, rules),
        _unlike_most("channels", measures, [m.channels for m in measures]),
        _unlike_most("Hz", measures, [m.rate for m in measures]),
    ]


def _wrong_durations(measures: Sequence[AudioMeasure], rules: IntegrityConfig) -> Suspicion:
    wrong = [m for m in measures if abs(m.manifest_duration - _seconds(m)) > _tolerance(m, rules)]
    told, remedy = "another length than the manifest says", None
    if wrong:
        first = wrong[0]
        told += f" ({_line(first)} claims {seconds(first.manifest_duration)} and holds {seconds(round(_seconds(first), 2))})"
    low, high = MILLISECONDS
    if wrong and all(low < m.manifest_duration / _seconds(m) < high for m in wrong):
        told += ", as if it counted milliseconds"
        remedy = "Write `duration` in seconds, or leave it out so that headers are read."
    return Suspicion("data.wrong_durations", wrong, told, rules.max_wrong_durations, remedy)


def _tolerance(measure: AudioMeasure, rules: IntegrityConfig) -> float:
    return max(LEAST_DIFFERENCE, rules.duration_tolerance * _seconds(measure))


def _improbable_rates(heard: Sequence[AudioMeasure], rules: IntegrityConfig) -> Suspicion:
    """Characters a second far from the manifest's own median: nobody reads this text in that time."""
    rates = {m.id: m.characters / _seconds(m) for m in heard}
    usual = statistics.median(rates.values()) if len(rates) >= ENOUGH_RATES else None
    ratio = rules.max_rate_ratio
    odd = [m for m in heard if usual and not usual / ratio <= rates[m.id] <= usual * ratio]
    told = f"over {ratio:g} times more or less text a second than usual"
    if usual:
        told += f" ({usual:.1f} characters)"
    return Suspicion("data.transcript_mismatch", odd, told, rules.max_rate_outliers)


def _repeated(heard: Sequence[AudioMeasure], rules: IntegrityConfig) -> Suspicion:
    first: dict[str, AudioMeasure] = {}
    again = [m for m in heard if m.audio_hash and first.setdefault(m.audio_hash, m) is not m]
    told = "the very recording of an earlier row"
    if again:
        told += f" ({_line(again[0])} that of {_line(first[again[0].audio_hash or ''])})"
    remedy = "Remove the repeated recordings, or point the rows to their own."
    return Suspicion("data.duplicates", again, told, rules.max_duplicates, remedy)


def _unlike_most(unit: str, measures: Sequence[AudioMeasure], values: Sequence[int | None]) -> Suspicion:
    """Rows in another format than most: mixed down and resampled without harm, as long as it was meant."""
    counts = Counter(value for value in values if value is not None)
    usual = min(counts, key=lambda value: (-counts[value], value), default=None)
    odd = [m for m, value in zip(measures, values, strict=True) if value not in {None, usual}]
    told = listed([f"{value} {unit}" for value in sorted(counts) if value != usual] or ["none"])
    return Suspicion(None, odd, f"{told} (most have {usual})", 0.0)


def _seconds(measure: AudioMeasure) -> float:
    return measure.seconds or 1e-9


def _line(measure: AudioMeasure) -> str:
    return f"line {measure.line}" if measure.line is not None else measure.id
