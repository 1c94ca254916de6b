"""D4: do the labels say what the model would say, and is the loss computed on the right tokens?

Likelihoods of references and hypotheses are told but decide nothing: an accent raises them too. What decides is the
structure of labels, the model's agreement with labels of its own texts, the loss by hand, and the texts themselves.
"""

from __future__ import annotations

from lora import layout
from lora.diagnosis.causes import CAUSES
from lora.diagnosis.facts import TRAIN, StudyFacts
from lora.diagnosis.findings import CauseResult, Findings
from lora.diagnosis.labels.texts import style, tokenizer
from lora.diagnosis.transitional import Answer, cause, found
from lora.formatting import count, listed, percent
from lora.records.labels import GreedyHypotheses, LabelFacts, LabelStructure, LabelVariant, LossComparison

NOISE = 2  # times the noise of a replay a difference may be before it is one


def judge_labels(facts: StudyFacts) -> Findings:
    labels = facts.labels
    if labels is None or labels.status == "impossible":
        told = labels.message if labels and labels.message else "the label audit was not made"
        return found(
            "labels.structure", Answer("unknown", f"Labels are not judged: {told}."), [facts.path(layout.LABELS)]
        )
    judged = {
        "labels.structure": structure(facts, labels),
        "labels.greedy_hypotheses": greedy_hypotheses(facts, labels),
        "labels.loss": loss(facts, labels),
        "labels.style": style(facts, labels),
        "labels.tokenizer": tokenizer(facts, labels),
        "labels.length": length(facts, labels),
    }
    at = [facts.path(layout.LABELS)]
    return Findings().add(*(found(id, answer, at, manifest=TRAIN) for id, answer in judged.items()))


def structure(facts: StudyFacts, labels: LabelFacts) -> Answer:
    """End mark last, start as in generation, padding ignored, prefix equal to the one generation forces."""
    shares = labels.structure
    if shares is None:
        return Answer("unknown", "The structure of labels was not looked at.")
    asked = {
        "do not end with the end mark": shares.ends_with_eos,
        "hold more end marks than one": shares.single_eos,
        "do not start as generation does": _start(shares),
        "have padding that counts in the loss": shares.padding_ignored,
        "have another prefix than generation forces": shares.prefix_matches_generation,
        "have a prompt that is not generation's or counts in the loss": shares.prompt_ignored,
        "hold the blank, or a mark of start or end": shares.only_text,
    }
    wrong = {what: share for what, share in asked.items() if share is not None and share < 1}
    if not wrong:
        return Answer(
            "pass", f"All {labels.sampled} sampled labels end, start and are padded as they should be.", 1.0, 1.0
        )
    told = listed([f"{percent(1 - share)} {what}" for what, share in wrong.items()], 5)
    because = f"Of {count(labels.sampled, 'sampled label')}, {told}."
    return Answer("fail", because, min(wrong.values()), 1.0, _construction(facts, labels, because))


def _start(shares: LabelStructure) -> float | None:
    known = [share for share in (shares.single_start, shares.same_decoder_start) if share is not None]
    return float(min(known)) if known else None


def greedy_hypotheses(facts: StudyFacts, labels: LabelFacts) -> Answer:
    """Labels made of the model's own greedy texts: built rightly, the model predicts each of their tokens, and finds
    them as likely as while it wrote them.
    """
    own, least = labels.greedy, facts.config.labels.min_agreement
    if own is None or not own.positions:
        return Answer("unknown", f"No own hypothesis could be labelled{_left_out(own)}.", None, least)
    told = (
        f"Given labels made of its own texts, the model predicts {percent(own.argmax_agreement)} of "
        f"{count(own.positions, 'token')}"
    )
    if own.compared == "tokens":
        told = (
            f"Labels made of its own texts hold {percent(own.argmax_agreement)} of {count(own.positions, 'token')} as "
            "the model wrote them"
        )
    most = _largest_gap(facts, own)
    if own.argmax_agreement >= least and not _above(own.log_probability_gap, most):
        if own.log_probability_gap is not None:
            told += f", and finds them as likely as when it wrote them (to {own.log_probability_gap:.1g} nats a token)"
        return Answer("pass", f"{told}.", own.argmax_agreement, least)
    noise = own.replay
    slack = 1 - least
    if noise is not None and noise.argmax_agreement < least and own.argmax_agreement >= noise.argmax_agreement - slack:
        told += f", and {percent(noise.argmax_agreement)} of the very tokens it wrote"
        because = f"{told}: its forward pass differs from its generation, so that labels cannot be judged by it."
        return Answer("warn", because, own.argmax_agreement, least)
    if own.argmax_agreement < least:
        because = f"{told}, where right labels reach {percent(least)}: the labels are built or shifted wrongly."
        return Answer("fail", because, own.argmax_agreement, least, _construction(facts, labels, because))
    because = (
        f"{told}, but as a label a text's log-probability differs from that of its generation by up to "
        f"{own.log_probability_gap:.2g} nats a token (allowed: {most:.2g}): labels are not what was generated."
    )
    return Answer("fail", because, own.log_probability_gap, most, _construction(facts, labels, because))


def _left_out(own: GreedyHypotheses | None) -> str:
    if own is None:
        return ""
    left_out = {
        "cut by the token cap": own.truncated,
        "spelt by the tokenizer in other pieces than the model wrote": own.retokenized,
        "changed by the tokenizer": own.changed_by_tokenizer,
    }
    told = [f"{number} {what}" for what, number in left_out.items() if number]
    blank = ", as if a blank in front were missing" if own.retokenized_leading_space * 2 > own.retokenized else ""
    return f" ({listed(told)}{blank})" if told else ""


def _largest_gap(facts: StudyFacts, own: GreedyHypotheses) -> float:
    noise = own.replay.log_probability_gap if own.replay is not None else None
    return max(facts.config.labels.max_log_probability_gap, NOISE * (noise or 0.0))


def _above(value: float | None, most: float) -> bool:
    return value is not None and value > most


def _construction(facts: StudyFacts, labels: LabelFacts, because: str) -> CauseResult:
    """The cause, with the way of building labels that the model would agree with in the remedy, if one was found."""
    right = _right_variant(facts, labels.greedy)
    remedy = CAUSES["labels.construction"].remedy
    if right is not None:
        remedy = (
            f"Build labels {right.name}, then audit again: of such labels of its own texts the model predicts "
            f"{percent(right.argmax_agreement)}."
        )
    elif labels.greedy is not None and labels.greedy.variants:
        remedy += (
            f" None of {count(len(labels.greedy.variants), 'other way')} of building them that were tried is right."
        )
    return cause("labels.construction", because, [facts.path(layout.LABELS)], manifest=TRAIN, remedy=remedy)


def _right_variant(facts: StudyFacts, own: GreedyHypotheses | None) -> LabelVariant | None:
    if own is None:
        return None
    least, most = facts.config.labels.min_agreement, _largest_gap(facts, own)
    right = (v for v in own.variants if v.argmax_agreement >= least and not _above(v.log_probability_gap, most))
    return next(right, None)


def loss(facts: StudyFacts, labels: LabelFacts) -> Answer:
    """The trainer's loss against the cross entropy by hand, at the right alignment and one token off."""
    most = facts.config.labels.max_loss_gap
    compared = [step for step in labels.losses if step.shift_0 is not None]
    if not compared:
        return Answer("unknown", "The trainer's loss was not compared.", None, most)
    worst = max(compared, key=_loss_gap)  # the first of equals: what comes without smoothing and accumulation
    plain = compared[0]
    step = plain if _loss_gap(plain) > most else worst
    gap, by_hand = _loss_gap(step), step.shift_0 or 0.0
    if step.trainer is None:
        because = f"The trainer's loss{_of_step(step)} is not finite, where the cross entropy by hand is {by_hand:.3f}."
        broken = cause("labels.loss_misaligned", because, [facts.path(layout.LABELS)], manifest=TRAIN)
        return Answer("fail", because, None, most, broken)
    told = f"The trainer's loss{_of_step(step)} is {step.trainer:.3f} nats a token and {by_hand:.3f} by hand"
    if gap <= most:
        others = f" (the widest of {len(compared)} comparisons)" if len(compared) > 1 else ""
        return Answer("pass", f"{told}{others}.", gap, most)
    version = f"transformers {labels.transformers}" if labels.transformers else "the installed transformers"
    if step is not plain and step.mean_of_batches is not None and abs(step.trainer - step.mean_of_batches) <= most:
        because = f"{told}; it weighs accumulated batches alike, whatever their number of tokens ({version})."
        return Answer("warn", because, gap, most)
    shifted = step.shift_1 is not None and abs(step.trainer - step.shift_1) <= most
    if shifted:
        why = f"it matches labels shifted by one token ({step.shift_1:.3f})"
        why += f", so {version} computes the loss on the wrong tokens"
    elif step is not plain and _loss_gap(plain) <= most:
        why = f"it matches neither alignment, though it does without: {version} counts the tokens of a step wrongly"
    else:
        why = f"it matches neither alignment, so {version} computes the loss on the wrong tokens"
    because = f"{told}; {why}."
    broken = cause("labels.loss_misaligned", because, [facts.path(layout.LABELS)], manifest=TRAIN)
    return Answer("fail", because, gap, most, broken)


def _loss_gap(step: LossComparison) -> float:
    if step.trainer is None or step.shift_0 is None:
        return float("inf")
    return abs(step.trainer - step.shift_0)


def _of_step(step: LossComparison) -> str:
    told = []
    if step.label_smoothing:
        told.append(f"label smoothing {step.label_smoothing:g}")
    if step.gradient_accumulation > 1:
        told.append(f"{step.gradient_accumulation} accumulated batches")
    return f" with {' and '.join(told)}" if told else ""


def length(facts: StudyFacts, labels: LabelFacts) -> Answer:
    """Labels against the number of tokens the decoder can hold."""
    most = facts.config.labels.max_too_long
    frames = labels.label_capacity == "frames"
    if not labels.sampled:
        return Answer("unknown", "No label was looked at.", None, most)
    share = len(labels.too_long_ids) / labels.sampled
    told = f"The longest sampled label has {labels.longest_label} tokens"
    if frames:
        told += "; a label needs a frame of its audio for each token, and one more between equal ones"
    elif labels.label_limit is not None:
        told += f"; the decoder holds {labels.label_limit}"
    else:
        told += "; the model names no limit"
    if not labels.too_long_ids:
        return Answer("pass", f"{told}.", 0.0, most)
    told += f", and {len(labels.too_long_ids)} of {labels.sampled} are too long ({listed(labels.too_long_ids)})"
    if share <= most:
        return Answer("warn", f"{told}.", share, most)
    broken = cause("labels.too_long", f"{told}.", [facts.path(layout.LABELS)], manifest=TRAIN)
    return Answer("fail", f"{told}.", share, most, broken)
