"""What tuning did to the WER: the outcome of every run, and what explains a valid but unwelcome one.

The outcome of the short run never decides readiness; a worse one warns, with its most likely explanation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations
from typing import Any

from lora import layout
from lora.diagnosis.adapter.hypotheses import judge_hypotheses
from lora.diagnosis.facts import BASE, TRAIN, StudyFacts
from lora.diagnosis.findings import CauseResult, Findings, check
from lora.diagnosis.headroom.baseline import baseline, tuned_signs
from lora.diagnosis.headroom.power import smallest_change
from lora.diagnosis.text import markup, notation
from lora.records.comparisons import PairedScore
from lora.records.verdict import CheckStatus, RunOutcome

# Beginnings of cause codes that explain a worse WER, the most likely first.
EXPLANATIONS = (
    "labels.",
    "data.",
    "adapter.excessive_delta",
    "training.overfit",
    "training.best_not_kept",
)
# Missing words explain a worse run if they are this share of the errors it adds, and of the words.
MOST_ADDED, MANY_MISSING = 0.5, 0.05
# Causes of the training manifest that take rows away without making the rest wrong.
HARMLESS_IN_TRAINING = (
    "data.too_few_samples",
    "data.filter_",
    "data.leakage",
    "data.unusable_rows",
    "data.unreadable_audio",
    "data.empty_transcripts",
    "data.duplicates",
    "data.constant_speaker",
    "data.unstable_split",
)


def paired_score(facts: StudyFacts, run: str, manifest: str) -> PairedScore | None:
    paired = facts.paired.get((run, manifest))
    return paired.within if paired and paired.status == "ok" else None


def run_outcomes(facts: StudyFacts) -> list[RunOutcome]:
    """Every candidate on every manifest, in the order of the configuration."""
    return [_outcome(facts, run, m) for run in facts.config.candidates for m in facts.config.evaluations]


def _outcome(facts: StudyFacts, run: str, manifest: str) -> RunOutcome:
    score = paired_score(facts, run, manifest)
    before = baseline(facts, manifest)
    if score is None:
        tuned = facts.wer.get((run, manifest))
        after = tuned.within.wer if tuned and tuned.status == "ok" and tuned.within else None
        wer = before.wer if before else None
        return RunOutcome(
            run=run,
            manifest=manifest,
            baseline_wer=wer,
            tuned_wer=after,
            delta=None,
            ci_low=None,
            ci_high=None,
            within_margin=None,
            outcome=None,
            smallest_change=smallest_change(facts, run, manifest),
        )
    return RunOutcome(
        run=run,
        manifest=manifest,
        unit=facts.unit(manifest),
        baseline_wer=score.baseline_wer,
        tuned_wer=score.tuned_wer,
        delta=score.delta,
        ci_low=score.interval.low,
        ci_high=score.interval.high,
        within_margin=score.within_margin,
        outcome=score.outcome,
        smallest_change=smallest_change(facts, run, manifest),
    )


def judge_outcomes(facts: StudyFacts, run: str, eval_manifest: str | None, known: Iterable[CauseResult]) -> Findings:
    """Harm on the evaluation manifest and forgetting on general ones.

    Nothing is checked where the run's adapter or training is broken, by the causes `known` so far: that explains every
    number, nor on manifests where markup or notation explains a worse WER (`text.markup`, `text.notation`).
    """
    known = list(known)
    if any(c.run == run and c.severity == "blocks" for c in known):
        return Findings()
    findings = Findings()
    for manifest in facts.config.evaluations:
        if not of_text(facts, run, manifest):
            wrong_rows = bool(_training_faults(facts, run, manifest, [c for c in known if c.severity == "blocks"]))
            findings.add(judge_hypotheses(facts, run, manifest, known, wrong_rows))
    if eval_manifest is not None and not of_text(facts, run, eval_manifest):
        findings.add(harm(facts, run, eval_manifest, [*known, *findings.causes]))
    if not facts.config.general:
        findings.add(_not_watched(facts, run))
    for manifest in facts.config.general:
        if not of_text(facts, run, manifest):
            findings.add(forgetting(facts, run, manifest))
    return findings


def of_text(facts: StudyFacts, run: str, manifest: str) -> bool:
    """Whether markup or notation explains a worse WER."""
    return any(text.explains_harm(facts, run, manifest) for text in (markup, notation))


def harm(facts: StudyFacts, run: str, manifest: str, known: list[CauseResult]) -> Findings:
    """Whether the run is worse than the baseline by more than chance."""
    score = paired_score(facts, run, manifest)
    evidence = [facts.path(layout.PAIRED, run=run, manifest=manifest)]
    if score is None or score.delta is None:
        return Findings.of(
            check(
                "adapter.outcome",
                status="unknown",
                reason="not_compared",
                evidence=evidence,
                run=run,
                manifest=manifest,
            )
        )
    details = _change(facts, run, manifest, score)
    status: CheckStatus = "pass"
    reason = "not_worse"
    if score.outcome == "worse":
        status = "warn"
        signs = tuned_signs(facts, run, manifest)
        training_faults = _training_faults(facts, run, manifest, known)
        reason = "worse_with_broken_hypotheses" if signs else "worse"
        details |= {
            "kind": facts.config.kind(run),
            "explanation": None if signs else _explanation(facts, run, known, training_faults),
            "training_faults": training_faults,
            "signs": signs,
            "missing_words": None if signs else _missing_words(facts, run, manifest),
            "learning_rate": _learning_rate(facts, run),
        }
    result = check(
        "adapter.outcome",
        status=status,
        reason=reason,
        evidence=evidence,
        value=score.delta,
        threshold=0.0,
        details=details,
        run=run,
        manifest=manifest,
    )
    named = any((c.code, c.run, c.manifest) == ("adapter.broken_hypotheses", run, manifest) for c in known)
    return Findings.of(result, None if status == "pass" or named else result.cause("adapter.worsens"))


def _explanation(facts: StudyFacts, run: str, known: list[CauseResult], training_faults: list[str]) -> str | None:
    """The most likely explanation of a worse run: the beginning of a cause code, or `training_too_strong`.

    None for a run that was trained elsewhere where no cause explains it.
    """
    codes = [c.code for c in known if c.run in {None, run} and not c.code.startswith("data.")] + training_faults
    explanations = [begin for begin in EXPLANATIONS if any(code.startswith(begin) for code in codes)]
    if explanations:
        return explanations[0]
    return None if facts.config.kind(run) in {"hypotheses", "checkpoint"} else "training_too_strong"


def _missing_words(facts: StudyFacts, run: str, manifest: str) -> dict[str, int] | None:
    """Deletions of both runs where most errors that external transcripts add are deletions; None elsewhere.

    Transcripts of this study are decoded as the baseline's are, so nothing but the weights can shorten them.
    """
    before, after = (facts.wer.get((name, manifest)) for name in (BASE, run))
    if facts.config.kind(run) != "hypotheses" or not (before and before.within and after and after.within):
        return None
    base, tuned = before.within, after.within
    added = tuned.deletions - base.deletions
    most = MOST_ADDED * (tuned.errors - base.errors)
    counts = {"before": base.deletions, "after": tuned.deletions, "words": tuned.words}
    return counts if added > most and added > MANY_MISSING * tuned.words else None


def _training_faults(facts: StudyFacts, run: str, manifest: str, known: list[CauseResult]) -> list[str]:
    """Causes that say that rows which the run was trained on are wrong, and that the evaluation does not have too."""
    if facts.config.kind(run) != "train":
        return []
    of_evaluation = {c.code for c in known if c.manifest == manifest}
    of_training = [c.code for c in known if c.manifest == TRAIN and c.code.startswith("data.")]
    codes = [c for c in of_training if c not in of_evaluation and not c.startswith(HARMLESS_IN_TRAINING)]
    return list(dict.fromkeys(codes))


def _learning_rate(facts: StudyFacts, run: str) -> float | None:
    """Learning rate of a run that this study trains."""
    settings = facts.config.candidates[run].train
    return None if settings is None else settings.learning_rate


def forgetting(facts: StudyFacts, run: str, manifest: str) -> Findings:
    """Whether the run keeps its WER on general speech: passes only where the bound of harm is within the margin."""
    margin = facts.config.statistics.equivalence_margin
    score = paired_score(facts, run, manifest)
    evidence = [facts.path(layout.PAIRED, run=run, manifest=manifest)]
    if score is None or score.delta is None:
        return Findings.of(
            check(
                "adapter.general_set",
                status="unknown",
                reason="not_compared",
                evidence=evidence,
                run=run,
                manifest=manifest,
            )
        )
    bound = score.harm_bound
    status: CheckStatus = "unknown"
    reason = "undecided"
    if score.outcome == "worse" and not score.within_margin:
        status = "warn"
        reason = "worse"
    elif score.outcome in {"unchanged", "same_words"} or (bound is not None and bound < margin):
        status = "pass"
        reason = "within_margin"
    result = check(
        "adapter.general_set",
        status=status,
        reason=reason,
        evidence=evidence,
        value=score.delta,
        threshold=margin,
        details={**_change(facts, run, manifest, score), "margin": margin, "harm_bound": bound},
        run=run,
        manifest=manifest,
    )
    return Findings.of(result, result.cause("adapter.forgets") if reason == "worse" else None)


def _not_watched(facts: StudyFacts, run: str) -> Findings:
    """Without a general manifest nothing is known of forgetting."""
    return Findings.of(
        check(
            "adapter.general_set",
            status="unknown",
            reason="no_general_manifest",
            evidence=[facts.path(layout.CONFIG)],
            run=run,
        )
    )


def direction(facts: StudyFacts) -> Findings:
    """Whether each pair of tuned runs moves the WER of a manifest the same way.

    `same` and `opposite` require that both intervals exclude zero (or that neither run changes a text); all else is
    `undecided`. Opposite runs are a cause where one of them is the gate run.
    """
    findings = Findings()
    runs = sorted(facts.config.candidates, key=lambda run: run != facts.config.gate_run)
    for manifest in facts.config.evaluations:
        scored = [(run, score) for run in runs if (score := paired_score(facts, run, manifest)) is not None]
        for (first, first_score), (second, second_score) in combinations(scored, 2):
            way = _direction(first_score, second_score)
            result = check(
                "adapter.direction",
                status="warn" if way == "opposite" else "pass",
                reason=way,
                evidence=[facts.path(layout.PAIRED, run=run, manifest=manifest) for run in (first, second)],
                value=way,
                details={
                    "first": _change(facts, first, manifest, first_score),
                    "second": _change(facts, second, manifest, second_score),
                },
                run=second,
                manifest=manifest,
            )
            findings.add(Findings.of(result))
            if way == "opposite" and first == facts.config.gate_run:
                findings.causes.append(replace(result.cause("adapter.direction_mismatch"), run=first))
    return findings


def _direction(first: PairedScore, second: PairedScore) -> str:
    outcomes = {first.outcome, second.outcome}
    if outcomes == {"better", "worse"}:
        return "opposite"
    return "same" if len(outcomes) == 1 and outcomes <= {"better", "worse", "unchanged", "same_words"} else "undecided"


def _change(facts: StudyFacts, run: str, manifest: str, score: PairedScore) -> dict[str, Any]:
    """Details of a paired difference."""
    return {
        "run": run,
        "manifest": manifest,
        "unit": facts.unit(manifest),
        "baseline_wer": score.baseline_wer,
        "tuned_wer": score.tuned_wer,
        "delta": score.delta,
        "outcome": score.outcome,
        "utterances": score.utterances,
        "changed_hypotheses": score.changed_hypotheses,
        "raw": [_raw_rate(facts, name, manifest) for name in (BASE, run)],
        "interval": score.interval.model_dump(),
    }


def _raw_rate(facts: StudyFacts, run: str, manifest: str) -> float | None:
    """Error rate of the texts as written; None where the run was not scored."""
    wer = facts.wer.get((run, manifest))
    return wer.raw.wer if wer and wer.raw else None
