"""Is speech as fast as elsewhere? A wrong sampling rate in headers changes its speed by the quotient of two rates.

The speed of a manifest is the median of characters per second of audio. Training is compared with the domain manifests,
whose speech it should resemble, files of one sampling rate with the other files of their manifest, and phrases with how
fast people speak in any language.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

from lora import layout
from lora.diagnosis.facts import TRAIN, StudyFacts
from lora.diagnosis.findings import Findings, check
from lora.records.integrity import AudioMeasure
from lora.records.scores import Unit
from lora.records.verdict import Severity

ENOUGH_ROWS = 10  # rows from which the median of their speeds is compared
RATES = (8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000)  # Hz
SPEECH_RATES = (8000, 16000)  # Hz; recognisers expect one of them
NEAR = 0.1  # relative difference up to which a factor of two medians is one of sampling rates


# Characters (without spaces) per second of audio between which the phrases of sets of speech have their median, by what
# a language's error rate counts: letters where words are separated, else syllables and logographs (docs/methods.md).
SPOKEN: dict[Unit, tuple[float, float]] = {"words": (4.0, 20.0), "characters": (1.5, 10.0)}
PHRASE = {"words": 20, "characters": 7}  # characters from which a row is no single word in a clip of fixed length


def rate_factor(factor: float, tolerance: float) -> float | None:
    """The quotient of a rate of speech and another usual rate that a factor is, within the tolerance; else None."""
    quotients = {quotient for speech in SPEECH_RATES for rate in RATES for quotient in (speech / rate, rate / speech)}
    quotients.remove(1.0)
    nearest = min(quotients, key=lambda quotient: abs(math.log(factor / quotient)))
    return nearest if abs(factor / nearest - 1) <= tolerance else None


def judge_speed(facts: StudyFacts, manifest: str) -> Findings:
    """One check per manifest with enough audible rows."""
    rules = facts.config.integrity
    rows = _audible(facts, manifest)
    evidence = [facts.path(layout.INTEGRITY, manifest=manifest)]
    if len(rows) < ENOUGH_ROWS:
        return Findings()
    own = _speed(rows)
    details: dict[str, Any] = {"rows": len(rows), "speed": own, "sampling_rates": _rates(rows)}
    reason, factor = "ok", None
    group = _group_of_other_speed(rows, rules.max_speed_ratio)
    reference = _reference(facts, manifest)
    if group is not None:
        rest = [row for row in rows if row.rate != group[0].rate]
        reason = "one_sampling_rate"
        factor = _speed(group) / _speed(rest)
        details |= {"affected": len(group), "affected_speed": _speed(group), "usual": _speed(rest)}
        details["sampling_rates"] = _rates(group)
    elif reference is not None:
        details |= {"affected": len(rows), "affected_speed": own, "usual": reference[1], "other": reference[0]}
        if _distance(own, reference[1]) > math.log(rules.max_speed_ratio) and _at_fault(facts, manifest, reference[0]):
            reason = "unlike_others"
            factor = own / reference[1]
    if reason == "ok" and (beyond := _beyond_language(facts, manifest)) is not None:
        reason = "unlike_language"
        details |= {"affected_speed": beyond[0], "usual": beyond[1]}
    known = None if factor is None else rate_factor(factor, NEAR)
    details |= {"factor": factor, "rate_factor": known, "right_rate": _right_rate(details, known)}
    result = check(
        "data.speed",
        status="pass" if reason == "ok" else "fail",
        reason=reason,
        value=own,
        threshold=rules.max_speed_ratio,
        details=details,
        evidence=evidence,
        manifest=manifest,
    )
    # The speed of all manifests is one finding, of training.
    known_of_training = reason == "unlike_language" and manifest != TRAIN and _beyond_language(facts, TRAIN) is not None
    if reason == "ok" or known_of_training:
        return Findings.of(result)
    severity: Severity = "warns" if known is None else "blocks"
    return Findings.of(result, result.cause("data.wrong_sampling_rate", severity=severity))


def _audible(facts: StudyFacts, manifest: str) -> list[AudioMeasure]:
    level = facts.config.integrity.min_level
    measured = [m for m in facts.audio.get(manifest, []) if m.problem is None and m.seconds and m.characters]
    return [m for m in measured if m.level is not None and m.level >= level]


def _speed(rows: Sequence[AudioMeasure]) -> float:
    return statistics.median(row.characters / (row.seconds or math.inf) for row in rows)


def _beyond_language(facts: StudyFacts, manifest: str) -> tuple[float, float] | None:
    """Speed of the manifest's phrases and the limit it is beyond; None within the limits or with too few phrases."""
    evaluated = manifest if manifest != TRAIN else next(iter(facts.config.domain), "")
    unit = facts.unit(evaluated)
    phrases = [row for row in _audible(facts, manifest) if row.characters >= PHRASE.get(unit, math.inf)]
    if len(phrases) < ENOUGH_ROWS:
        return None
    speed = _speed(phrases)
    low, high = SPOKEN[unit]
    return (speed, low) if speed < low else (speed, high) if speed > high else None


def _distance(first: float, second: float) -> float:
    return abs(math.log(first / second))


def _rates(rows: Sequence[AudioMeasure]) -> list[int]:
    return [rate for rate, _ in Counter(row.rate for row in rows if row.rate).most_common(3)]


def _group_of_other_speed(rows: Sequence[AudioMeasure], ratio: float) -> list[AudioMeasure] | None:
    """Rows of the sampling rate whose speed is farthest from that of the other rows; None where none is far."""
    groups = {rate: [row for row in rows if row.rate == rate] for rate in {row.rate for row in rows}}
    found = []
    for rate, group in groups.items():
        rest = [row for row in rows if row.rate != rate]
        if ENOUGH_ROWS <= len(group) < len(rest):
            distance = _distance(_speed(group), _speed(rest))
            if distance > math.log(ratio):
                found.append((distance, group))
    return max(found, key=lambda item: item[0])[1] if found else None


def _reference(facts: StudyFacts, manifest: str) -> tuple[str, float] | None:
    """The manifest nearest in speed that should contain the same kind of speech, and its speed."""
    names = facts.config.domain if manifest == TRAIN else [TRAIN] if manifest in facts.config.domain else []
    rows = {name: _audible(facts, name) for name in names}
    speeds = {name: _speed(some) for name, some in rows.items() if len(some) >= ENOUGH_ROWS}
    own = _speed(_audible(facts, manifest))
    nearest = min(speeds, key=lambda name: _distance(own, speeds[name]), default=None)
    return None if nearest is None else (nearest, speeds[nearest])


def _at_fault(facts: StudyFacts, manifest: str, other: str) -> bool:
    """Whether a general manifest speaks for the other one; without such a witness training counts as at fault."""
    rows = [_audible(facts, name) for name in facts.config.general]
    speeds = [_speed(some) for some in rows if len(some) >= ENOUGH_ROWS]
    own = _speed(_audible(facts, manifest))
    reference = _speed(_audible(facts, other))
    if not speeds:
        return manifest == TRAIN
    nearest = [min(_distance(speed, value) for speed in speeds) for value in (own, reference)]
    return nearest[0] > nearest[1]


def _right_rate(details: dict[str, Any], factor: float | None) -> int | None:
    """The sampling rate that would give the usual speed; None where none of the usual rates does."""
    if factor is None or len(details["sampling_rates"]) != 1:
        return None
    rate = details["sampling_rates"][0] / factor
    return next((usual for usual in RATES if abs(rate / usual - 1) < NEAR), None)
