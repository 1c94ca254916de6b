"""Are transcripts written in the model's style, and can its tokenizer write them at all?"""

from __future__ import annotations

from typing import Any

from lora import layout
from lora.diagnosis.facts import TRAIN, StudyFacts
from lora.diagnosis.findings import Findings, check
from lora.diagnosis.headroom.baseline import baseline, broken_signs
from lora.diagnosis.text.markup import has_training_markup
from lora.diagnosis.text.notation import fair_difference
from lora.records.comparisons import PairedScore
from lora.records.labels import LabelFacts, NumberStyle, StyleProfile
from lora.records.verdict import CheckStatus, Severity

# Shares of texts by which two styles are compared.
ASPECTS = ("upper_case", "lower_case", "with_final_punctuation")
MAJORITY = 0.5
# Outcomes that say whether training on these transcripts moves WER, in the order in which they count.
CLEAREST = {
    outcome: place for place, outcome in enumerate(("better", "worse", "unchanged", "same_words", "equivalent"))
}
UNPUNCTUATED = 1.0  # punctuation marks per 100 words below which texts count as written without punctuation


def style(facts: StudyFacts, labels: LabelFacts, *, built_right: bool) -> Findings:
    """Case, punctuation and numbers of references against greedy hypotheses, and their cost in likelihood.

    Where labels are built wrongly, their likelihood shows nothing about style, and neither does a run trained on them:
    another style only warns.

    Unknown where the baseline is broken on every manifest or many hypotheses are truncated: those show no style.
    Unknown too where transcripts have markup (`text.markup`), which has to be removed first.
    """
    rules = facts.config.labels
    references = labels.reference_style
    hypotheses = labels.hypothesis_style
    evaluated = [m for m in facts.config.evaluations if baseline(facts, m)]
    broken = bool(evaluated) and all(broken_signs(facts, m) for m in evaluated)
    truncated = labels.greedy.truncated if labels.greedy is not None else 0
    too_many_truncated = truncated > facts.config.headroom.max_truncated * labels.sampled
    marked = has_training_markup(facts)
    no_texts = references is None or hypotheses is None or not references.texts or not hypotheses.texts
    if marked or too_many_truncated or no_texts or broken or references is None or hypotheses is None:
        unjudged = "no_texts" if no_texts else "baseline_broken"
        result = check(
            "labels.style",
            status="unknown",
            reason="markup" if marked else "truncated" if too_many_truncated else unjudged,
            evidence=[facts.path(layout.LABELS)],
            threshold=rules.max_style_difference,
            details={"truncated": truncated, "sampled": labels.sampled},
            manifest=TRAIN,
        )
        return Findings.of(result)
    differences = {aspect: abs(getattr(references, aspect) - getattr(hypotheses, aspect)) for aspect in ASPECTS}
    aspect = max(differences, key=lambda key: differences[key])
    difference = differences[aspect]
    number_difference = _number_difference(labels.numbers)
    cost, cost_share = _style_cost(labels) if built_right else (None, None)
    other_style = difference > rules.max_style_difference
    other_numbers = number_difference > rules.max_number_difference
    costly = cost is not None and cost > rules.max_style_cost and (cost_share or 1.0) > rules.max_style_share
    reason = "other_style" if other_style else "costly" if costly else "other_numbers" if other_numbers else "ok"
    decided_by_numbers = reason == "other_numbers"
    result = check(
        "labels.style",
        status="pass" if reason == "ok" else "fail",
        reason=reason,
        evidence=[facts.path(layout.LABELS)],
        value=number_difference if decided_by_numbers else difference,
        threshold=rules.max_number_difference if decided_by_numbers else rules.max_style_difference,
        details={
            "aspect": aspect if difference else None,
            "references": getattr(references, aspect),
            "hypotheses": getattr(hypotheses, aspect),
            "numbers": labels.numbers.model_dump() if other_numbers and labels.numbers is not None else None,
            "cost": cost,
            "cost_share": cost_share,
        },
        manifest=TRAIN,
    )
    if reason == "ok":
        return Findings.of(result)
    rewriting = _rewriting(references, hypotheses, labels.numbers if other_numbers else None)
    short_run = _short_run(facts)
    severity: Severity = "blocks" if built_right and _style_blocks(short_run, costly=costly) else "warns"
    details = {**result.details, **rewriting, "short_run": short_run}
    return Findings.of(result, result.cause("labels.style_mismatch", severity=severity, details=details))


def _short_run(facts: StudyFacts) -> dict[str, Any] | None:
    """What a candidate trained on these transcripts did to WER on a domain manifest; the clearest outcome counts.

    Where most of a difference is one of notation, what is left of it counts.
    """
    compared = [
        {"run": run, "manifest": m, **_without_notation(facts, run, m, paired.within)}
        for run in facts.config.candidates
        if facts.config.kind(run) == "train"
        for m in facts.config.domain
        if (paired := facts.paired.get((run, m))) and paired.status == "ok" and paired.within and paired.within.words
    ]
    return min(compared, key=lambda one: CLEAREST.get(str(one["outcome"]), len(CLEAREST)), default=None)


def _without_notation(facts: StudyFacts, run: str, manifest: str, score: PairedScore) -> dict[str, Any]:
    """Outcome and difference; a run that is better in its notation only is unchanged."""
    fair = fair_difference(facts, run, manifest)
    if fair is None:
        return {"outcome": score.outcome, "delta": score.delta}
    only_notation = score.outcome == "better" and fair >= 0
    return {"outcome": "unchanged" if only_notation else score.outcome, "delta": fair}


def _style_blocks(short_run: dict[str, Any] | None, *, costly: bool) -> bool:
    """Whether another style stands in the way: not where training on it made WER better, which contradicts that.

    Where the short run decides nothing, the likelihood that the style costs decides.
    """
    outcome = None if short_run is None else short_run["outcome"]
    if outcome == "better":
        return False
    return costly or outcome in CLEAREST


def _number_difference(numbers: NumberStyle | None) -> float:
    """Share of rows in which one side alone writes digits, less those in which the other does: errors go both ways."""
    return abs(numbers.only_reference - numbers.only_hypothesis) / numbers.rows if numbers and numbers.rows else 0.0


def _style_cost(labels: LabelFacts) -> tuple[float | None, float | None]:
    """Nats per token that style costs references, and its share of their distance from greedy hypotheses.

    The share is None where there is no distance.
    """
    if labels.reference_nll is None or labels.restyled_nll is None:
        return None, None
    cost = labels.reference_nll - labels.restyled_nll
    distance = None if labels.hypothesis_nll is None else labels.reference_nll - labels.hypothesis_nll
    return cost, cost / distance if distance is not None and distance > 0 else None


def _rewriting(references: StyleProfile, hypotheses: StyleProfile, numbers: NumberStyle | None) -> dict[str, Any]:
    """How to rewrite a transcript in the model's style.

    Returns:
        `case` and `final_punctuation` of that style, the `steps` that a rule can do, the `final_mark` to append, and
        what no rule can restore (`not_restorable`).
    """
    steps: list[str] = []
    not_restorable: list[str] = []
    final_mark = None
    if hypotheses.punctuation_per_100_words < UNPUNCTUATED <= references.punctuation_per_100_words:
        steps.append("remove_punctuation")
    elif hypotheses.with_final_punctuation - references.with_final_punctuation > MAJORITY:
        steps.append("append_final_mark")
        final_mark = _usual_final_mark(hypotheses)
        not_restorable.append("punctuation")
    if hypotheses.upper_case > MAJORITY:
        steps.append("upper_case")
    elif hypotheses.lower_case > MAJORITY:
        steps.append("lower_case")
    elif references.upper_case + references.lower_case > hypotheses.upper_case + hypotheses.lower_case:
        steps.append("sentence_case")
        not_restorable.append("capitals")
    if numbers is not None and numbers.only_reference > numbers.only_hypothesis:
        steps.append("spell_out_digits")
    elif numbers is not None:
        not_restorable.append("digits")
    cases = {
        "upper_case": hypotheses.upper_case,
        "lower_case": hypotheses.lower_case,
        "sentence_case": hypotheses.sentence_case,
    }
    return {
        "case": next((case for case, share in cases.items() if share > MAJORITY), "mixed_case"),
        "final_punctuation": hypotheses.with_final_punctuation > MAJORITY,
        "steps": steps,
        "final_mark": final_mark,
        "not_restorable": not_restorable,
    }


def _usual_final_mark(hypotheses: StyleProfile) -> str:
    counts = hypotheses.final_punctuation
    return max(counts, key=lambda mark: (bool(mark), counts[mark], mark == "."), default=".") or "."


def tokenizer(facts: StudyFacts, labels: LabelFacts) -> Findings:
    """Rows whose text changes when it is tokenized and decoded, and the characters that are lost.

    Unknown where transcripts have markup, which decoding leaves out (`text.markup`).
    """
    most = facts.config.labels.max_changed_by_tokenizer
    rows = max(len(labels.changed_texts), labels.unknown_rows, *labels.lost_characters.values(), 0)
    share = rows / labels.sampled if labels.sampled else None
    status: CheckStatus = "pass"
    reason = "ok"
    if share is None:
        status = "unknown"
        reason = "none_sampled"
    elif rows and has_training_markup(facts):
        status = "unknown"
        reason = "markup"
    elif rows and (share <= most or rows < 2):
        status = "warn"
        reason = "few_lost"
    elif rows:
        status = "fail"
        reason = "lost"
    characters = sorted(labels.lost_characters, key=lambda character: (-labels.lost_characters[character], character))
    first = labels.changed_texts[0] if labels.changed_texts else None
    result = check(
        "labels.tokenizer",
        status=status,
        reason=reason,
        evidence=[facts.path(layout.LABELS)],
        value=share,
        threshold=most,
        details={
            "rows": rows,
            "sampled": labels.sampled,
            "characters": characters,
            "rows_of_first_character": labels.lost_characters[characters[0]] if characters else 0,
            "changed_rows": len(labels.changed_texts),
            "first_line": first.line if first is not None else None,
            "first_id": first.id if first is not None else None,
            "unknown_tokens": labels.unknown_tokens,
        },
        manifest=TRAIN,
    )
    return Findings.of(result, result.cause("labels.tokenizer_gaps") if status == "fail" else None)
