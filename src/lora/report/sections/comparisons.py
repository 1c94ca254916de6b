"""Every candidate against the baseline: differences, their intervals and outcomes, and MAPSSWE beside them."""

from __future__ import annotations

from lora.formatting import UNKNOWN, caveat, count, percent, points, points_range, round_points, signed_points, why_none
from lora.records.comparisons import PairedFacts, PairedScore
from lora.records.verdict import RunOutcome, Verdict
from lora.report.markdown import code, table, text
from lora.report.sections.conclusion import OUTCOMES
from lora.report.study import Study

COLUMNS = ["comparison", "run", "manifest", "baseline WER", "tuned WER", "difference", "interval", "outcome", "MAPSSWE"]


def comparisons(study: Study) -> str:
    """Base against every candidate, the gating comparison first."""
    verdict = study.verdict.value
    if verdict is None:
        return f"## Baseline against tuned\n\nThe comparisons are {study.verdict.unknown}."
    if not verdict.runs:
        return "## Baseline against tuned\n\nNo run was compared with the baseline."
    gate = (verdict.gate_run, verdict.eval_manifest)
    ordered = sorted(verdict.runs, key=lambda outcome: (outcome.run, outcome.manifest) != gate)
    rows = [_comparison_row(study, outcome, (outcome.run, outcome.manifest) == gate) for outcome in ordered]
    margin, confidence = (study.setting("statistics", key) for key in ("equivalence_margin", "confidence"))
    known = [f"{100 * confidence:g} % intervals" if isinstance(confidence, int | float) else "Intervals"]
    known.append("of the difference in points, tuned minus baseline: negative is better.")
    if isinstance(margin, int | float):
        known.append(f"The margin within which two runs count as equivalent is {round_points(margin)}.")
    if any(caveat(facts.within.interval) for facts in _paired(study, ordered) if facts.within):
        known.append("*These speakers only*: fewer than five speakers are known, so it says nothing of others.")
    known.append("One comparison is primary and decides; the secondary ones are looked at, not decided by.")
    known.append("One run's interval speaks of that adapter, not of the recipe: another seed gives another adapter.")
    known.append("*MAPSSWE* is the two-sided p of NIST's matched-pairs test; it takes segments as independent.")
    pairs = [(outcome, study.paired(outcome.run, outcome.manifest)) for outcome in ordered]
    notes = [
        f"- The comparison of {code(outcome.run)} on {code(outcome.manifest)} is {found.unknown}."
        for outcome, found in pairs
        if outcome.outcome is None or not found.known
    ]
    notes += [note for outcome, found in pairs if (note := _disagreement(outcome, found.value))]
    notes += [note for outcome, found in pairs if (note := _scored_alike(study, outcome, found.value))]
    parts = ["## Baseline against tuned", table(COLUMNS, rows, numbers=[3, 4, 5, 6]), "\n".join(notes), " ".join(known)]
    parts.append(_directions(verdict))
    return "\n\n".join(part for part in parts if part)


def _directions(verdict: Verdict) -> str:
    """Every pair of tuned runs on every manifest, where there are two."""
    checks = [check for check in verdict.checks if check.id == "adapter.direction"]
    if not checks:
        return ""
    named = {"same": "same", "opposite": "**opposite**", "undecided": "undecided"}
    rows = [[code(c.manifest or ""), named.get(str(c.value), UNKNOWN), text(c.summary)] for c in checks]
    return "Do two tuned runs move the WER the same way?\n\n" + table(["manifest", "direction", "what they do"], rows)


def _comparison_row(study: Study, outcome: RunOutcome, primary: bool) -> list[str]:
    paired = study.paired(outcome.run, outcome.manifest).value
    score = paired.within if paired else None
    words = OUTCOMES.get(outcome.outcome or "", UNKNOWN)
    if outcome.outcome == "underpowered" and score and score.detectable_difference is not None:
        words += f" (a change of {points(score.detectable_difference)} would show)"
    if score:
        words += f"; {score.changed_hypotheses:,} of {count(score.utterances, 'text')} changed"
    return [
        "**primary**" if primary else "secondary",
        code(outcome.run),
        code(outcome.manifest),
        percent(outcome.baseline_wer),
        percent(outcome.tuned_wer),
        signed_points(outcome.delta),
        _interval(outcome, score),
        words,
        _mapsswe(score),
    ]


def _interval(outcome: RunOutcome, score: PairedScore | None) -> str:
    shown = points_range(outcome.ci_low, outcome.ci_high)
    return shown if score is None else shown + caveat(score.interval) + why_none(score.interval)


def _mapsswe(score: PairedScore | None) -> str:
    if score is None or score.mapsswe is None:
        return UNKNOWN
    found = score.mapsswe
    p = "no p" if found.p is None else "p < 0.001" if found.p < 0.001 else f"p = {found.p:.3f}"
    return f"{p} ({count(found.segments, 'segment')})"


def _paired(study: Study, outcomes: list[RunOutcome]) -> list[PairedFacts]:
    found = [study.paired(outcome.run, outcome.manifest).value for outcome in outcomes]
    return [facts for facts in found if facts is not None]


def _scored_alike(study: Study, outcome: RunOutcome, facts: PairedFacts | None) -> str:
    """A line where the run's own WER is under another normaliser than this comparison; empty otherwise."""
    own = study.wer(outcome.run, outcome.manifest).value
    if facts is None or facts.normalizer is None or own is None or own.normalizer == facts.normalizer:
        return ""
    return (
        f"- {code(outcome.run)} on {code(outcome.manifest)} was scored with {code(own.normalizer.name)}; here both "
        f"runs are scored with {code(facts.normalizer.name)}, from their raw texts (see Parity)."
    )


def _disagreement(outcome: RunOutcome, facts: PairedFacts | None) -> str:
    """A line where one of interval and MAPSSWE sees a difference and the other does not; empty otherwise."""
    score = facts.within if facts else None
    if score is None or score.mapsswe is None or score.mapsswe.p is None or score.outcome == "unchanged":
        return ""
    shows, segments = score.outcome in {"better", "worse"}, score.mapsswe.p < 1 - score.interval.confidence
    if shows == segments:
        return ""
    named = f"- {code(outcome.run)} on {code(outcome.manifest)}: the two tests disagree. "
    if segments:
        return named + (
            f"MAPSSWE sees a difference ({_mapsswe(score)}), the outcome stays {OUTCOMES[score.outcome]}. Errors of "
            "one utterance or speaker go together, which the interval counts in and MAPSSWE does not."
        )
    return named + f"The interval excludes 0, MAPSSWE sees no difference ({_mapsswe(score)}): take it with care."
