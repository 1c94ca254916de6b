"""The first line of the listening page: what a run changed on a manifest."""

from __future__ import annotations

from lora.formatting import outcome_words, percent, points, rate, rate_name, unbroken
from lora.records.comparisons import PairedScore
from lora.records.scores import WerFacts
from lora.report.study import Study


def headlines(study: Study, manifest: str, runs: list[str]) -> dict[str, str]:
    """The headline of every run of a manifest, by run."""
    base = study.wer(runs[0], manifest).value
    texts = {run: _candidate(study, run, manifest, base) for run in runs[1:]}
    return {run: unbroken(text) for run, text in {runs[0]: _baseline(runs[0], manifest, base), **texts}.items()}


def _baseline(run: str, manifest: str, facts: WerFacts | None) -> str:
    if facts is None or facts.within is None:
        return f"{run} on {manifest}"
    return f"{run} on {manifest}: {rate_name(facts.unit)} {rate(facts.within.wer, facts.within.interval)}"


def _candidate(study: Study, run: str, manifest: str, base: WerFacts | None) -> str:
    facts = study.paired(run, manifest).value
    if facts is None or facts.within is None:
        return f"{run} on {manifest}: not compared with the baseline"
    score = facts.within
    name = rate_name(base.unit if base is not None else "words")
    change = f"{name} {percent(score.baseline_wer)} → {percent(score.tuned_wer)}"
    outcome = study.run_outcome(run, manifest)
    return f"{run} on {manifest}: {change}, {_outcome(score, outcome.smallest_change if outcome else None)}"


def _outcome(score: PairedScore, smallest_change: float | None) -> str:
    words = outcome_words(score.outcome, smallest_change)
    if score.outcome not in ("better", "worse"):
        return words
    ends = sorted(abs(end) for end in (score.interval.low, score.interval.high) if end is not None)
    interval = f" ({' to '.join(points(end).removesuffix(' points') for end in ends)})" if len(ends) == 2 else ""
    return f"{words} by {points(score.delta)}{interval}"
