"""Do training labels match what the model generates, and is the loss computed on the right tokens?

Likelihoods of references and hypotheses are reported but decide nothing, since an accent changes them too. What decides
is the structure of labels, the model's agreement with labels of its own greedy hypotheses, and the loss by hand.
"""

from __future__ import annotations

from lora import layout
from lora.diagnosis.facts import TRAIN, StudyFacts
from lora.diagnosis.findings import CauseResult, CheckResult, Findings, check, examples
from lora.diagnosis.labels.texts import style, tokenizer
from lora.records.labels import GreedyHypotheses, LabelFacts, LabelStructure, LabelVariant, LossComparison
from lora.records.verdict import CheckStatus

NOISE = 2  # a log-probability gap up to this multiple of the gap of a replay is numerical noise


def judge_labels(facts: StudyFacts) -> Findings:
    """All checks of the label audit; one unknown check where there was no audit."""
    labels = facts.labels
    if labels is None or labels.status == "impossible":
        details = {"message": labels.message if labels else None}
        evidence = [facts.path(layout.LABELS)]
        return Findings.of(
            check("labels.structure", status="unknown", reason="not_audited", evidence=evidence, details=details)
        )
    built = Findings().add(structure(facts, labels), greedy_hypotheses(facts, labels))
    return Findings().add(
        built,
        loss(facts, labels),
        style(facts, labels, built_right=not built.causes),
        tokenizer(facts, labels),
        length(facts, labels),
    )


def structure(facts: StudyFacts, labels: LabelFacts) -> Findings:
    """EOS last, start and prefix as in generation, padding masked."""
    evidence = [facts.path(layout.LABELS)]
    shares = labels.structure
    if shares is None:
        return Findings.of(
            check("labels.structure", status="unknown", reason="not_audited", evidence=evidence, manifest=TRAIN)
        )
    right = {
        "ends_with_eos": shares.ends_with_eos,
        "single_eos": shares.single_eos,
        "start": _start(shares),
        "padding_ignored": shares.padding_ignored,
        "prefix": shares.prefix_matches_generation,
        "prompt": shares.prompt_ignored,
        "only_text": shares.only_text,
    }
    wrong = {rule: 1 - share for rule, share in right.items() if share is not None and share < 1}
    result = check(
        "labels.structure",
        status="fail" if wrong else "pass",
        reason="broken_rules" if wrong else "ok",
        evidence=evidence,
        value=min(share for share in right.values() if share is not None) if wrong else 1.0,
        threshold=1.0,
        details={"sampled": labels.sampled, "wrong_shares": wrong, "foreign_eos": _foreign_eos(shares)},
        manifest=TRAIN,
    )
    return Findings.of(result, _construction(facts, labels, result) if wrong else None)


def _foreign_eos(shares: LabelStructure) -> dict[str, int] | None:
    """EOS of tokenizer and generation where no label ends as generation does: the tokenizer is of another model.

    That they differ is no error by itself: chat models write one EOS and stop at another.
    """
    if shares.ends_with_eos != 0 or shares.tokenizer_eos is None or shares.tokenizer_eos in shares.generation_eos:
        return None
    return {"tokenizer": shares.tokenizer_eos, "generation": shares.generation_eos[0]}


def _start(shares: LabelStructure) -> float | None:
    known = [share for share in (shares.single_start, shares.same_decoder_start) if share is not None]
    return float(min(known)) if known else None


def greedy_hypotheses(facts: StudyFacts, labels: LabelFacts) -> Findings:
    """Labels built from the model's own greedy hypotheses: built correctly, the model predicts each of their tokens,
    and they are as likely as during generation.
    """
    greedy = labels.greedy
    least = facts.config.labels.min_agreement
    if greedy is None or not greedy.positions:
        left_out = (
            None
            if greedy is None
            else greedy.model_dump(
                include={"truncated", "retokenized", "retokenized_leading_space", "changed_by_tokenizer"}
            )
        )
        result = check(
            "labels.greedy_hypotheses",
            status="unknown",
            reason="none_labelled",
            evidence=[facts.path(layout.LABELS)],
            threshold=least,
            details={"left_out": left_out},
            manifest=TRAIN,
        )
        return Findings.of(result)
    replay = greedy.replay
    largest_gap = _largest_gap(facts, greedy)
    agrees = greedy.argmax_agreement >= least
    unlikely = _above(greedy.log_probability_gap, largest_gap)
    replay_agreement = None if replay is None else replay.argmax_agreement
    same_as_replay = (
        replay_agreement is not None
        and replay_agreement < least
        and greedy.argmax_agreement >= replay_agreement - (1 - least)
    )
    value: float | None = greedy.argmax_agreement
    threshold = least
    status: CheckStatus = "fail"
    if agrees and not unlikely:
        status = "pass"
        reason = "ok"
    elif same_as_replay:
        status = "warn"
        reason = "forward_pass_differs_from_generation"
    elif not agrees:
        reason = "tokens_not_predicted"
    else:
        reason = "other_likelihood"
        value = greedy.log_probability_gap
        threshold = largest_gap
    result = check(
        "labels.greedy_hypotheses",
        status=status,
        reason=reason,
        evidence=[facts.path(layout.LABELS)],
        value=value,
        threshold=threshold,
        details={
            "compared": greedy.compared,
            "positions": greedy.positions,
            "agreement": greedy.argmax_agreement,
            "min_agreement": least,
            "replay_agreement": replay_agreement,
            "log_probability_gap": greedy.log_probability_gap,
            "max_log_probability_gap": largest_gap,
        },
        manifest=TRAIN,
    )
    return Findings.of(result, _construction(facts, labels, result) if status == "fail" else None)


def _largest_gap(facts: StudyFacts, greedy: GreedyHypotheses) -> float:
    noise = greedy.replay.log_probability_gap if greedy.replay is not None else None
    return max(facts.config.labels.max_log_probability_gap, NOISE * (noise or 0.0))


def _above(value: float | None, most: float) -> bool:
    return value is not None and value > most


def _construction(facts: StudyFacts, labels: LabelFacts, result: CheckResult) -> CauseResult:
    """The cause, with the way of building labels that the model agrees with, if one was found."""
    right = _right_variant(facts, labels.greedy)
    details = {
        **result.details,
        "variants_tried": len(labels.greedy.variants) if labels.greedy is not None else 0,
        "right_variant": None if right is None else right.name,
        "right_variant_agreement": None if right is None else right.argmax_agreement,
    }
    return result.cause("labels.construction", details=details)


def _right_variant(facts: StudyFacts, greedy: GreedyHypotheses | None) -> LabelVariant | None:
    if greedy is None:
        return None
    least = facts.config.labels.min_agreement
    most = _largest_gap(facts, greedy)
    right = (v for v in greedy.variants if v.argmax_agreement >= least and not _above(v.log_probability_gap, most))
    return next(right, None)


def loss(facts: StudyFacts, labels: LabelFacts) -> Findings:
    """The trainer's loss against the cross entropy by hand, at the right alignment and shifted by one token."""
    most = facts.config.labels.max_loss_gap
    evidence = [facts.path(layout.LABELS)]
    compared = [step for step in labels.losses if step.shift_0 is not None]
    if not compared:
        result = check(
            "labels.loss",
            status="unknown",
            reason="not_compared",
            evidence=evidence,
            threshold=most,
            manifest=TRAIN,
        )
        return Findings.of(result)
    widest = max(compared, key=_loss_gap)  # the first of equals, which is the one without smoothing or accumulation
    plain = compared[0]
    step = plain if _loss_gap(plain) > most else widest
    gap = _loss_gap(step)
    status: CheckStatus = "fail"
    if step.trainer is None:
        reason = "not_finite"
    elif gap <= most:
        status = "pass"
        reason = "ok"
    elif step is not plain and step.mean_of_batches is not None and abs(step.trainer - step.mean_of_batches) <= most:
        status = "warn"
        reason = "batches_weighted_equally"
    elif step.shift_1 is not None and abs(step.trainer - step.shift_1) <= most:
        reason = "shifted_by_one"
    elif step is not plain and _loss_gap(plain) <= most:
        reason = "wrong_token_count"
    else:
        reason = "wrong_tokens"
    result = check(
        "labels.loss",
        status=status,
        reason=reason,
        evidence=evidence,
        value=None if step.trainer is None else gap,
        threshold=most,
        details={
            "trainer": step.trainer,
            "by_hand": step.shift_0,
            "by_hand_shifted": step.shift_1,
            "label_smoothing": step.label_smoothing,
            "gradient_accumulation": step.gradient_accumulation,
            "comparisons": len(compared),
            "transformers": labels.transformers,
        },
        manifest=TRAIN,
    )
    return Findings.of(result, result.cause("labels.loss_misaligned") if status == "fail" else None)


def _loss_gap(step: LossComparison) -> float:
    if step.trainer is None or step.shift_0 is None:
        return float("inf")
    return abs(step.trainer - step.shift_0)


def length(facts: StudyFacts, labels: LabelFacts) -> Findings:
    """The number of tokens of labels against the number that the decoder (or for CTC the audio) has room for."""
    most = facts.config.labels.max_too_long
    share = len(labels.too_long_ids) / labels.sampled if labels.sampled else None
    status: CheckStatus = "pass"
    reason = "ok"
    if share is None:
        status = "unknown"
        reason = "none_sampled"
    elif labels.too_long_ids:
        status = "warn" if share <= most else "fail"
        reason = "few_too_long" if share <= most else "too_long"
    result = check(
        "labels.length",
        status=status,
        reason=reason,
        evidence=[facts.path(layout.LABELS)],
        value=share,
        threshold=most,
        details={
            "sampled": labels.sampled,
            "longest": labels.longest_label,
            "capacity": labels.label_capacity,
            "limit": labels.label_limit,
            "too_long": examples(labels.too_long_ids),
        },
        manifest=TRAIN,
    )
    return Findings.of(result, result.cause("labels.too_long") if status == "fail" else None)
