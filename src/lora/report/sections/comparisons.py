"""Every candidate against the baseline: WER, differences with intervals, outcomes, and MAPSSWE in addition."""

from __future__ import annotations

from lora.formatting import (
    UNKNOWN,
    caveat,
    configured_percent,
    configured_points,
    count,
    outcome_words,
    p_value,
    percent,
    points_range,
    rate_name,
    signed_points,
    why_none,
)
from lora.records.comparisons import PairedFacts, PairedScore
from lora.records.verdict import RunOutcome, Verdict
from lora.report.listening import listening
from lora.report.markdown import code, sentence, table, text
from lora.report.study import Study, StudyFact

HEADING = "## Baseline against tuned"
COLUMNS = ["comparison", "run", "manifest", "baseline", "tuned", "difference", "interval", "CER", "outcome"]
COLUMNS += ["hypotheses changed", "MAPSSWE"]


def comparisons(study: Study) -> str:
    """One row per candidate and evaluation manifest, the primary comparison first."""
    verdict = study.verdict.value
    if verdict is None:
        return f"{HEADING}\n\nThe comparisons are {study.verdict.unknown}."
    if not verdict.runs:
        return f"{HEADING}\n\nNo run was compared with the baseline."
    primary = (verdict.gate_run, verdict.eval_manifest)
    outcomes = sorted(verdict.runs, key=lambda outcome: (outcome.run, outcome.manifest) != primary)
    pairs = [(outcome, study.paired(outcome.run, outcome.manifest)) for outcome in outcomes]
    rows = [_row(study, outcome, found.value, (outcome.run, outcome.manifest) == primary) for outcome, found in pairs]
    notes = [note for outcome, found in pairs for note in _notes(study, outcome, found)]
    legend = _legend(study, [found.value for _, found in pairs if found.value is not None])
    parts = [HEADING, table(COLUMNS, rows, numbers=[3, 4, 5, 6]), "\n".join(notes), legend, _directions(verdict)]
    return "\n\n".join(part for part in parts if part)


def outcomes_table(study: Study) -> str:
    """Every comparison on one line, for the plan document: both error rates, difference with interval, outcome."""
    verdict = study.verdict.value
    rows = []
    for outcome in verdict.runs if verdict else []:
        facts = study.paired(outcome.run, outcome.manifest).value
        interval = _interval(outcome, facts.within if facts else None)
        rows.append(
            [
                code(outcome.run),
                code(outcome.manifest),
                f"{rate_name(outcome.unit)} {percent(outcome.baseline_wer)}",
                percent(outcome.tuned_wer),
                signed_points(outcome.delta),
                interval,
                outcome_words(outcome.outcome, outcome.smallest_change),
            ]
        )
    headers = ["run", "manifest", "baseline", "tuned", "difference", "interval", "outcome"]
    return table(headers, rows, numbers=[2, 3, 4, 5])


def _legend(study: Study, comparisons: list[PairedFacts]) -> str:
    confidence = study.setting("statistics", "confidence")
    margin = study.setting("statistics", "equivalence_margin")
    intervals = f"{configured_percent(confidence)} intervals" if isinstance(confidence, int | float) else "Intervals"
    sentences = [
        "WER counts words, CER characters, MER the characters of scripts without spaces and the words of others; all "
        "rows within `max_seconds`.",
        f"{intervals} of the difference in points, tuned minus baseline: negative is better.",
    ]
    if isinstance(margin, int | float):
        sentences.append(f"Runs whose difference is surely within {configured_points(margin)} count as the same.")
    if any(caveat(facts.within.interval) for facts in comparisons if facts.within):
        sentences.append("*These speakers only*: with fewer than five speakers, nothing follows for other speakers.")
    sentences += [
        "The primary comparison decides; the secondary ones are reported but decide nothing.",
        "An interval is for this adapter; training with another seed gives another adapter.",
        "*MAPSSWE* is the two-sided p value of NIST's matched-pairs test, which assumes independent segments.",
    ]
    return " ".join(sentences)


def _character_errors(study: Study, outcome: RunOutcome) -> str:
    """CER before and after tuning, over the same rows as the error rate."""
    scores = [study.wer(run, outcome.manifest).value for run in ("base", outcome.run)]
    before, after = (facts.within.cer if facts and facts.within else None for facts in scores)
    return f"{percent(before)} to {percent(after)}"


def _row(study: Study, outcome: RunOutcome, facts: PairedFacts | None, primary: bool) -> list[str]:
    score = facts.within if facts else None
    changed = UNKNOWN
    if score:
        linked = listening(study, f"{score.changed_hypotheses:,}", outcome.manifest, outcome.run)
        changed = f"{linked} of {score.utterances:,}"
    return [
        "**primary**" if primary else "secondary",
        code(outcome.run),
        code(outcome.manifest),
        f"{rate_name(outcome.unit)} {percent(outcome.baseline_wer)}",
        percent(outcome.tuned_wer),
        signed_points(outcome.delta),
        _interval(outcome, score),
        _character_errors(study, outcome),
        outcome_words(outcome.outcome, outcome.smallest_change),
        changed,
        _mapsswe(score),
    ]


def _interval(outcome: RunOutcome, score: PairedScore | None) -> str:
    ends = points_range(outcome.ci_low, outcome.ci_high)
    return ends if score is None else text(f"{ends}{caveat(score.interval)}{why_none(score.interval)}")


def _mapsswe(score: PairedScore | None) -> str:
    if score is None or score.mapsswe is None:
        return UNKNOWN
    p = "no p value" if score.mapsswe.p is None else p_value(score.mapsswe.p)
    return f"{p} ({count(score.mapsswe.segments, 'segment')})"


def _notes(study: Study, outcome: RunOutcome, found: StudyFact[PairedFacts]) -> list[str]:
    notes = []
    if outcome.outcome is None or not found.known:
        notes.append(f"- The comparison of {_pair(outcome)} is {found.unknown}.")
    notes += [_disagreement(outcome, found.value), _normalizer(study, outcome, found.value)]
    return [note for note in notes if note]


def _pair(outcome: RunOutcome) -> str:
    return f"{code(outcome.run)} on {code(outcome.manifest)}"


def _disagreement(outcome: RunOutcome, facts: PairedFacts | None) -> str:
    """A note if only one of interval and MAPSSWE shows a difference; otherwise empty."""
    score = facts.within if facts else None
    if score is None or score.mapsswe is None or score.mapsswe.p is None or score.outcome == "unchanged":
        return ""
    by_interval = score.outcome in {"better", "worse"}
    by_mapsswe = score.mapsswe.p < 1 - score.interval.confidence
    if by_interval == by_mapsswe:
        return ""
    if by_mapsswe:
        return (
            f"- {_pair(outcome)}: the two tests disagree. MAPSSWE shows a difference, {_mapsswe(score)}; the interval "
            f"does not, so the outcome is {outcome_words(score.outcome)}. The errors of one utterance or speaker are "
            "correlated, which the interval takes into account and MAPSSWE does not."
        )
    return (
        f"- {_pair(outcome)}: the two tests disagree. The interval excludes 0, but MAPSSWE shows no difference, "
        f"{_mapsswe(score)}. Treat the result with caution."
    )


def _normalizer(study: Study, outcome: RunOutcome, facts: PairedFacts | None) -> str:
    """A note if the run's own WER uses another normaliser than this comparison; otherwise empty."""
    own = study.wer(outcome.run, outcome.manifest).value
    if facts is None or facts.normalizer is None or own is None or own.normalizer == facts.normalizer:
        return ""
    return (
        f"- {_pair(outcome)} was scored with {code(own.normalizer.name)}; this table scores the raw hypotheses of both "
        f"runs with {code(facts.normalizer.name)} (see Parity)."
    )


def _directions(verdict: Verdict) -> str:
    """On each manifest, whether two tuned runs move the WER the same way; empty with fewer than two."""
    checks = [check for check in verdict.checks if check.id == "adapter.direction"]
    if not checks:
        return ""
    directions = {"same": "same", "opposite": "**opposite**", "undecided": "undecided"}
    rows = [[code(c.manifest or ""), directions.get(str(c.value), UNKNOWN), sentence(c.summary)] for c in checks]
    return "Do two tuned runs move the WER in the same direction?\n\n" + table(
        ["manifest", "direction", "result"], rows
    )
