"""What the tuned runs did to the WER: outcomes as they are, and what explains a valid but unwelcome one.

The outcome of the short run never decides readiness; it warns, with the cause that is most likely.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from lora import layout
from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import CauseResult, Findings
from lora.diagnosis.headroom.baseline import baseline
from lora.diagnosis.headroom.baseline_health import tuned_texts
from lora.diagnosis.transitional import Answer, cause, found
from lora.formatting import percent, points, points_range, round_percent, round_points
from lora.records.comparisons import PairedScore
from lora.records.verdict import RunOutcome

# Causes that explain a worse WER, in the order in which they are believed.
EXPLANATIONS = {
    "labels.": "the labels teach something else (see there)",
    "adapter.excessive_delta": "the adapter overwrites the base model",
    "training.overfit": "the training overfits",
    "training.best_not_kept": "the best step was not the one evaluated",
}

BROKEN = (
    "Read a few of its transcripts first: texts that loop, break off or are missing come from decoding, from a file "
    "that is not whole, or from a model that has lost its end mark."
)
COMPARE = "Compare the settings of these runs (training, adapter, decoding) before believing any of them."


def paired_score(facts: StudyFacts, run: str, manifest: str) -> PairedScore | None:
    paired = facts.paired.get((run, manifest))
    return paired.within if paired and paired.status == "ok" else None


def run_outcomes(facts: StudyFacts) -> list[RunOutcome]:
    """Every candidate on every manifest, in the order of the configuration."""
    return [_outcome(facts, run, m) for run in facts.config.candidates for m in facts.config.evaluations]


def _outcome(facts: StudyFacts, run: str, manifest: str) -> RunOutcome:
    score, before = paired_score(facts, run, manifest), baseline(facts, manifest)
    if score is None:
        tuned = facts.wer.get((run, manifest))
        after = tuned.within.wer if tuned and tuned.status == "ok" and tuned.within else None
        wer = before.wer if before else None
        return RunOutcome(
            run=run, manifest=manifest, baseline_wer=wer, tuned_wer=after, delta=None, ci_low=None, ci_high=None,
            within_margin=None, outcome=None,
        )  # fmt: skip
    return RunOutcome(
        run=run,
        manifest=manifest,
        baseline_wer=score.baseline_wer,
        tuned_wer=score.tuned_wer,
        delta=score.delta,
        ci_low=score.interval.low,
        ci_high=score.interval.high,
        within_margin=score.within_margin,
        outcome=score.outcome,
    )


def judge_outcomes(facts: StudyFacts, run: str, eval_manifest: str | None, known: Iterable[CauseResult]) -> Findings:
    """Harm on the evaluation manifest, forgetting on general ones. `known` are the causes found so far.

    Silent where the run's adapter or training is broken: then that explains every number.
    """
    known = list(known)
    if any(c.run == run and c.severity == "blocks" for c in known):
        return Findings()
    findings = Findings()
    if eval_manifest is not None:
        findings.add(harm(facts, run, eval_manifest, known))
    for manifest in facts.config.general:
        findings.add(forgetting(facts, run, manifest))
    return findings


def harm(facts: StudyFacts, run: str, manifest: str, known: list[CauseResult]) -> Findings:
    """Whether the run is worse than the baseline by more than chance."""
    score, evidence = paired_score(facts, run, manifest), [facts.path(layout.PAIRED, run=run, manifest=manifest)]
    if score is None or score.delta is None:
        return found(
            "adapter.outcome", Answer("unknown", f"{run} was not compared on {manifest}."), evidence, run, manifest
        )
    told = _told(run, manifest, score)
    if score.outcome != "worse":
        return found("adapter.outcome", Answer("pass", f"{told}.", score.delta, 0.0), evidence, run, manifest)
    texts = tuned_texts(facts, run, manifest)
    if texts is not None:
        broken = f"{told}; its texts are broken where the baseline's are not: {texts}."
        worse = cause("adapter.worsens", broken, evidence, run, manifest, BROKEN)
        return found("adapter.outcome", Answer("warn", broken, score.delta, 0.0, worse), evidence, run, manifest)
    codes = [c.code for c in known if c.run in {None, run}]
    reasons = [why for begin, why in EXPLANATIONS.items() if any(code.startswith(begin) for code in codes)]
    remedy = None
    if facts.config.kind(run) in {"hypotheses", "checkpoint"}:
        remedy = f"Find out how {run} was trained, and on what, before a sweep entry repeats it."
    elif not reasons:
        reasons = ["the training is too strong for its data"]
    because = f"{told}; most likely {reasons[0]}." if reasons else f"{told}."
    worse = cause("adapter.worsens", because, evidence, run, manifest, remedy)
    return found(
        "adapter.outcome", Answer("warn", worse.because or "", score.delta, 0.0, worse), evidence, run, manifest
    )


def forgetting(facts: StudyFacts, run: str, manifest: str) -> Findings:
    """General speech must not suffer: not worse is said only where `harm_bound` lies below the margin."""
    margin = facts.config.statistics.equivalence_margin
    score, evidence = paired_score(facts, run, manifest), [facts.path(layout.PAIRED, run=run, manifest=manifest)]
    if score is None or score.delta is None:
        return found(
            "adapter.general_set", Answer("unknown", f"{run} was not compared on {manifest}."), evidence, run, manifest
        )
    told, bound = _told(run, manifest, score), score.harm_bound
    if score.outcome == "worse" and not score.within_margin:
        forgets = cause("adapter.forgets", f"{told}.", evidence, run, manifest)
        return found(
            "adapter.general_set", Answer("warn", f"{told}.", score.delta, margin, forgets), evidence, run, manifest
        )
    if score.outcome == "unchanged" or (bound is not None and bound < margin):
        answer = Answer("pass", f"{told}: no forgetting beyond {round_points(margin)}.", score.delta, margin)
        return found("adapter.general_set", answer, evidence, run, manifest)
    answer = Answer(
        "unknown",
        f"{told}: forgetting beyond {round_points(margin)} is neither shown nor excluded.",
        score.delta,
        margin,
    )
    return found("adapter.general_set", answer, evidence, run, manifest)


def direction(facts: StudyFacts) -> Findings:
    """Every pair of tuned runs on every manifest: do they move the WER the same way?

    `same` and `opposite` are said only where both intervals exclude zero (or no text changes in either); all else is
    `undecided`. Opposite runs are a cause where one of them is the gate run.
    """
    findings = Findings()
    runs = sorted(facts.config.candidates, key=lambda run: run != facts.config.gate_run)
    for manifest in facts.config.evaluations:
        scored = [(run, score) for run in runs if (score := paired_score(facts, run, manifest)) is not None]
        for (first, own), (second, other) in combinations(scored, 2):
            evidence = [facts.path(layout.PAIRED, run=r, manifest=manifest) for r in (first, second)]
            way = _way(own, other)
            answer = Answer("pass", f"{_told(first, manifest, own)}; {_told(second, manifest, other)}.", way, None)
            if way == "opposite":
                because = f"{_told(first, manifest, own)}, while {_told(second, manifest, other)}."
                answer = Answer("warn", because, way)
                if first == facts.config.gate_run:
                    mismatch = cause("adapter.direction_mismatch", because, evidence, first, manifest, COMPARE)
                    answer = Answer("warn", because, way, cause=mismatch)
            findings.add(found("adapter.direction", answer, evidence, second, manifest))
    return findings


def _way(first: PairedScore, second: PairedScore) -> str:
    moved = {first.outcome, second.outcome}
    if moved == {"better", "worse"}:
        return "opposite"
    return "same" if len(moved) == 1 and moved <= {"better", "worse", "unchanged"} else "undecided"


def _told(run: str, manifest: str, score: PairedScore) -> str:
    """`lora takes domain from 37.5 % to 22.7 % (14.8 points better; 95 % interval of the change -17.30 to -12.10)`."""
    if score.baseline_wer is None or score.tuned_wer is None or score.delta is None:
        return f"{run} has no WER on {manifest}"
    moved = f"{run} takes {manifest} from {percent(score.baseline_wer)} to {percent(score.tuned_wer)}"
    if score.outcome == "unchanged":
        return f"{run} changes no text of {manifest} (WER {percent(score.baseline_wer)})"
    low, high = score.interval.low, score.interval.high
    between = "no interval can be given"
    if low is not None and high is not None:
        level = f"{round_percent(score.interval.confidence)} interval of the change"
        between = f"{level} for this adapter {points_range(low, high)}"
        between += ", these speakers only" if score.interval.scope == "these_speakers" else ""
    direction = "worse" if score.delta > 0 else "better"
    size = f"{points(score.delta)} {direction}" if score.delta else "no difference"
    return f"{moved} ({size}; {between})"
