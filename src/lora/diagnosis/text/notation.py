"""Does a WER, or the difference of two, count how words are written rather than which words were spoken?

Judged by what another fair notation does to the numbers (`lora.scoring.notations`): the part of the baseline's WER, and
of the difference that a candidate makes, that vanishes in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from lora import layout
from lora.diagnosis.facts import BASE, StudyFacts
from lora.diagnosis.findings import Findings, check
from lora.diagnosis.text.markup import spoken_wer
from lora.records.verdict import CheckStatus

ID, CODE = "text.same_notation", "text.notation"
MAINLY = 0.5  # part of a WER, or of a difference, from which on it is one of notation
MUCH = 0.2  # part of a WER that is worth a warning
UNDIVIDED = 1.8  # words per word of the references, or the reverse, which compounds do not make
TOLERANCE = 0.1  # of the lowest WER: notations within it are equally fair
ORDER = ("english_digits", "english", "basic", "letters", "word_division")  # a setting comes before a form without one


class Rates(NamedTuple):
    """WERs (fractions) of the baseline and of a run, without markup; `run` is None where no run is compared."""

    baseline: float
    run: float | None


def judge_notation(facts: StudyFacts) -> Findings:
    """One check per evaluation manifest for baseline and gate run, one for each other candidate that it explains."""
    findings = Findings()
    for manifest in facts.config.evaluations:
        findings.add(same_notation(facts, manifest, facts.config.gate_run))
        for run in facts.config.candidates:
            if run != facts.config.gate_run and _explaining_difference(facts, run, manifest):
                findings.add(same_notation(facts, manifest, run, named=run))
    return findings


def same_notation(facts: StudyFacts, manifest: str, run: str | None, named: str | None = None) -> Findings:
    """Whether the baseline's WER, or the difference of a run, is mainly one of notation.

    `named` is the run that check and cause carry; None for the gating comparison.
    """
    own = _own(facts, run, manifest)
    most = facts.config.text.max_effect
    evidence = [facts.path(layout.WER, run=name, manifest=manifest) for name in (BASE, run) if name is not None]
    if own is None:
        return Findings.of(
            check(
                ID,
                status="unknown",
                reason="not_scored",
                threshold=most,
                evidence=evidence,
                run=named,
                manifest=manifest,
            )
        )
    others = _others(facts, run, manifest)
    status: CheckStatus = "pass"
    reason = "ok"
    notation = _lowest(others)
    if difference := _explaining_difference(facts, run, manifest):
        status = "fail"
        reason = "difference"
        notation = difference
    if notation is not None and (part := own.baseline - others[notation].baseline) > most:
        if part >= MAINLY * own.baseline:
            status, reason = "fail", "baseline"
        elif status == "pass" and part >= MUCH * own.baseline:
            status, reason = "warn", "part_of_baseline"
    fairer = None if notation is None else others[notation]
    result = check(
        ID,
        status=status,
        reason=reason,
        value=None if fairer is None else fairer.baseline,
        threshold=most,
        details={
            "notation": notation,
            "unit": facts.unit(manifest),
            "letters": _letters(facts, run, manifest) if notation == "letters" else None,
            "undivided": _undivided(facts, run, manifest) if notation == "word_division" else None,
            "run": run,
            "own": own._asdict(),
            "fairer": None if fairer is None else fairer._asdict(),
        },
        evidence=evidence,
        run=named,
        manifest=manifest,
    )
    if status == "pass":
        return Findings.of(result)
    return Findings.of(result, result.cause(CODE, severity="blocks" if status == "fail" else "warns"))


def explains_baseline(facts: StudyFacts, manifest: str) -> bool:
    """Whether the baseline's WER is above `headroom.max_wer` because of notation only."""
    own = _own(facts, None, manifest)
    others = _others(facts, None, manifest)
    notation = _lowest(others)
    if own is None or notation is None:
        return False
    fairer = others[notation].baseline
    return fairer <= (1 - MAINLY) * own.baseline and fairer <= facts.config.headroom.max_wer


def explains_harm(facts: StudyFacts, run: str, manifest: str) -> bool:
    """Whether at least half of a worse result comes from notation."""
    own = _own(facts, run, manifest)
    worse = own is not None and own.run is not None and own.run > own.baseline
    return worse and _explaining_difference(facts, run, manifest) is not None


def fair_difference(facts: StudyFacts, run: str, manifest: str) -> float | None:
    """Difference of run and baseline in the notation in which at least half of it vanishes; None without one."""
    notation = _explaining_difference(facts, run, manifest)
    if notation is None:
        return None
    fair = _others(facts, run, manifest)[notation]
    return None if fair.run is None else fair.run - fair.baseline


def _explaining_difference(facts: StudyFacts, run: str | None, manifest: str) -> str | None:
    """The notation in which at least half of the difference between run and baseline vanishes."""
    own = _own(facts, run, manifest)
    others = _others(facts, run, manifest)
    if own is None or own.run is None:
        return None
    delta = own.run - own.baseline
    most = facts.config.text.max_effect
    for notation, rates in others.items():
        left = delta if rates.run is None else rates.run - rates.baseline
        if abs(delta - left) > most and abs(left) <= (1 - MAINLY) * abs(delta):
            return notation
    return None


def _lowest(others: Mapping[str, Rates]) -> str | None:
    """The notation with the lowest WER of the baseline; of nearly equal ones the first."""
    least = min((rates.baseline for rates in others.values()), default=0.0)
    return next((name for name, rates in others.items() if rates.baseline <= least * (1 + TOLERANCE)), None)


def _own(facts: StudyFacts, run: str | None, manifest: str) -> Rates | None:
    """WERs with the study's normaliser; None where one is not known."""
    baseline = spoken_wer(facts, BASE, manifest)
    tuned = None if run is None else spoken_wer(facts, run, manifest)
    return None if baseline is None or (run is not None and tuned is None) else Rates(baseline, tuned)


def _others(facts: StudyFacts, run: str | None, manifest: str) -> dict[str, Rates]:
    """WERs in every other notation that lowers one of them.

    Where it does not lower the other one, that run's own stands in, since its facts have no number for this notation.
    """
    own = _own(facts, run, manifest)
    if own is None:
        return {}
    baseline = _notations(facts, BASE, manifest)
    tuned = {} if run is None else _notations(facts, run, manifest)
    return {
        name: Rates(baseline.get(name, own.baseline), None if run is None else tuned.get(name, own.run))
        for name in ORDER
        if name in baseline or name in tuned
    }


def _letters(facts: StudyFacts, run: str | None, manifest: str) -> dict[str, str]:
    """Letters that only one side writes, of the first of baseline and run that has any."""
    scores = [facts.wer.get((name, manifest)) for name in (BASE, run) if name is not None]
    found = (notation.letters for score in scores if score is not None for notation in score.notations)
    return next((letters for letters in found if letters), {})


def _undivided(facts: StudyFacts, run: str | None, manifest: str) -> dict[str, Any] | None:
    """The run that writes far too few or far too many words, and how many per word of the references; None without."""
    for name in (run, BASE):
        score = None if name is None else facts.wer.get((name, manifest))
        if score is not None and score.within is not None and score.within.words:
            words = score.within.words
            written = (words - score.within.deletions + score.within.insertions) / words
            if not 1 / UNDIVIDED < written < UNDIVIDED:
                return {"run": name, "written": written}
    return None


def _notations(facts: StudyFacts, run: str, manifest: str) -> dict[str, float]:
    score = facts.wer.get((run, manifest))
    return {} if score is None else {n.notation: n.wer for n in score.notations if n.wer is not None}
