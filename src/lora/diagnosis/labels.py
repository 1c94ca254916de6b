"""D4: do the labels say what the model would say, and is the loss computed on the right tokens?

Likelihoods of references and hypotheses are told but decide nothing: an accent raises them too. What decides is the
structure of labels, the model's agreement with labels made of its own texts, the loss by hand, and the style of texts.
"""

from __future__ import annotations

from lora.diagnosis.baseline import baseline
from lora.diagnosis.broken import broken_reason
from lora.diagnosis.causes import cause
from lora.diagnosis.facts import TRAIN, StudyFacts
from lora.diagnosis.findings import Answer, Findings, found
from lora.diagnosis.wording import count, listed, percent
from lora.records import LabelFacts, StyleProfile

# Shares of texts in which two styles are compared, and the words for a style that has much of it.
STYLES = {
    "upper_case": "written in upper case only",
    "lower_case": "written in lower case only",
    "with_final_punctuation": "ended by a punctuation mark",
}


def judge_labels(facts: StudyFacts) -> Findings:
    labels = facts.labels
    if labels is None or labels.status == "impossible":
        told = labels.message if labels and labels.message else "the label audit was not made"
        return found(
            "labels.structure", Answer("unknown", f"Labels are not judged: {told}."), [facts.at("labels.json")]
        )
    parts = (structure(facts, labels), own_texts(facts, labels), loss(facts, labels), style(facts, labels))
    return Findings().add(*parts, tokenizer(facts, labels), length(facts, labels))


def _answer(facts: StudyFacts, id: str, answer: Answer) -> Findings:
    return found(id, answer, [facts.at("labels.json")], manifest=TRAIN)


def structure(facts: StudyFacts, labels: LabelFacts) -> Findings:
    """End mark last, start as in generation, padding ignored, prefix equal to the one generation forces."""
    shares = labels.structure
    if shares is None:
        return _answer(facts, "labels.structure", Answer("unknown", "The structure of labels was not looked at."))
    asked = {
        "do not end with the end mark": shares.ends_with_eos,
        "do not start as generation does": shares.start_is_right,
        "have padding that counts in the loss": shares.padding_ignored,
        "have another prefix than generation forces": shares.prefix_matches_generation,
    }
    wrong = {what: share for what, share in asked.items() if share is not None and share < 1}
    if not wrong:
        summary = f"All {labels.sampled} sampled labels end, start and are padded as they should be."
        return _answer(facts, "labels.structure", Answer("pass", summary, 1.0, 1.0))
    told = listed([f"{percent(1 - share)} {what}" for what, share in wrong.items()])
    because = f"Of {count(labels.sampled, 'sampled label')}, {told}."
    broken = cause("labels.construction", because, [facts.at("labels.json")], manifest=TRAIN)
    return _answer(facts, "labels.structure", Answer("fail", because, min(wrong.values()), 1.0, broken))


def own_texts(facts: StudyFacts, labels: LabelFacts) -> Findings:
    """Labels made of the model's own greedy texts: a right construction makes it predict every one of them."""
    own, least = labels.own, facts.config.labels.min_agreement
    if own is None or not own.positions:
        return _answer(
            facts, "labels.own_texts", Answer("unknown", "No own hypothesis could be labelled.", None, least)
        )
    told = (
        f"Given labels made of its own texts, the model predicts {percent(own.argmax_agreement)} of "
        f"{count(own.positions, 'token')}"
    )
    if own.argmax_agreement >= least:
        return _answer(facts, "labels.own_texts", Answer("pass", f"{told}.", own.argmax_agreement, least))
    because = f"{told}, where right labels reach {percent(least)}: the labels are built or shifted wrongly."
    broken = cause("labels.construction", because, [facts.at("labels.json")], manifest=TRAIN)
    return _answer(facts, "labels.own_texts", Answer("fail", because, own.argmax_agreement, least, broken))


def loss(facts: StudyFacts, labels: LabelFacts) -> Findings:
    """The trainer's loss against the cross entropy by hand, at the right alignment and one token off."""
    most, compared = facts.config.labels.max_loss_gap, labels.loss
    if compared is None or compared.shift_0 is None:
        return _answer(facts, "labels.loss", Answer("unknown", "The trainer's loss was not compared.", None, most))
    if compared.trainer is None:
        because = f"The trainer's loss is not finite, where the cross entropy by hand is {compared.shift_0:.3f}."
        broken = cause("labels.loss_misaligned", because, [facts.at("labels.json")], manifest=TRAIN)
        return _answer(facts, "labels.loss", Answer("fail", because, None, most, broken))
    gap = abs(compared.trainer - compared.shift_0)
    told = f"The trainer's loss is {compared.trainer:.3f} nats a token and {compared.shift_0:.3f} by hand"
    if gap <= most:
        return _answer(facts, "labels.loss", Answer("pass", f"{told}.", gap, most))
    version = f"transformers {labels.transformers}" if labels.transformers else "the installed transformers"
    shifted = compared.shift_1 is not None and abs(compared.trainer - compared.shift_1) < gap
    why = (
        f"it matches labels shifted by one token ({compared.shift_1:.3f})"
        if shifted
        else "it matches neither alignment"
    )
    because = f"{told}; {why}, so {version} computes the loss on the wrong tokens."
    broken = cause("labels.loss_misaligned", because, [facts.at("labels.json")], manifest=TRAIN)
    return _answer(facts, "labels.loss", Answer("fail", because, gap, most, broken))


def style(facts: StudyFacts, labels: LabelFacts) -> Findings:
    """Case and punctuation of references against the model's own texts, and what that costs in likelihood.

    Not judged where the baseline is broken on every manifest: its texts then have no style of their own.
    """
    rules, references, own = facts.config.labels, labels.reference_style, labels.hypothesis_style
    most = rules.max_style_difference
    known = [m for m in facts.config.evaluations if baseline(facts, m)]
    garbage = bool(known) and all(broken_reason(facts, m) for m in known)
    if references is None or own is None or not references.texts or not own.texts or garbage:
        return _answer(facts, "labels.style", Answer("unknown", "The model's own style is not known.", None, most))
    differences = {name: getattr(references, name) - getattr(own, name) for name in STYLES}
    name = max(differences, key=lambda key: abs(differences[key]))
    difference, cost = abs(differences[name]), _style_cost(labels)
    costly = cost is not None and cost > rules.max_style_cost
    told = "Training transcripts and the model's own texts are alike in case and final punctuation"
    if difference:
        told = f"{percent(getattr(references, name))} of the training transcripts are {STYLES[name]}"
        told += f", against {percent(getattr(own, name))} of the model's own texts"
    if difference <= most and not costly:
        return _answer(facts, "labels.style", Answer("pass", f"{told}.", difference, most))
    if cost is not None and cost > 0:
        told += f"; rewritten in the model's style the transcripts are {cost:.2f} nats a token likelier"
    remedy = f"Rewrite the training transcripts {_like(own)}, as the model writes; scoring ignores that style anyway."
    broken = cause("labels.style_mismatch", f"{told}.", [facts.at("labels.json")], manifest=TRAIN, remedy=remedy)
    return _answer(facts, "labels.style", Answer("fail", f"{told}.", difference, most, broken))


def _style_cost(labels: LabelFacts) -> float | None:
    """Nats a token that the references' style alone costs."""
    if labels.reference_nll is None or labels.restyled_nll is None:
        return None
    return labels.reference_nll - labels.restyled_nll


def _like(own: StyleProfile) -> str:
    case = "in mixed case"
    if own.upper_case > 0.5:
        case = "in upper case"
    elif own.lower_case > 0.5:
        case = "in lower case"
    elif own.sentence_case > 0.5:
        case = "in sentence case"
    return f"{case}, {'with' if own.with_final_punctuation > 0.5 else 'without'} final punctuation"


def tokenizer(facts: StudyFacts, labels: LabelFacts) -> Findings:
    """Characters that the tokenizer loses, by the rows that hold the most frequent of them."""
    most = facts.config.labels.max_unwritable
    if not labels.unwritable or not labels.sampled:
        answer = Answer("pass", "The tokenizer can write every sampled transcript.", 0.0, most)
        return _answer(facts, "labels.tokenizer", answer)
    lost = sorted(labels.unwritable, key=lambda character: (-labels.unwritable[character], character))
    rows = labels.unwritable[lost[0]]
    share = rows / labels.sampled
    told = f"The tokenizer cannot write {listed([repr(c) for c in lost], 5)}; {lost[0]!r} stands in "
    told += f"{rows} of {labels.sampled} sampled rows"
    if share <= most:
        return _answer(facts, "labels.tokenizer", Answer("warn", f"{told}.", share, most))
    remedy = (
        "Spell these characters out in the training transcripts, or rewrite them with characters the tokenizer knows."
    )
    broken = cause("labels.tokenizer_gaps", f"{told}.", [facts.at("labels.json")], manifest=TRAIN, remedy=remedy)
    return _answer(facts, "labels.tokenizer", Answer("fail", f"{told}.", share, most, broken))


def length(facts: StudyFacts, labels: LabelFacts) -> Findings:
    """Labels against the number of tokens the decoder can hold."""
    most = facts.config.labels.max_too_long
    if labels.label_limit is None or not labels.sampled:
        return _answer(facts, "labels.length", Answer("unknown", "The decoder's limit is not known.", None, most))
    share = len(labels.too_long_ids) / labels.sampled
    told = f"The longest sampled label has {labels.longest_label} tokens; the decoder holds {labels.label_limit}"
    if not labels.too_long_ids:
        return _answer(facts, "labels.length", Answer("pass", f"{told}.", 0.0, most))
    told += f", and {len(labels.too_long_ids)} of {labels.sampled} are longer ({listed(labels.too_long_ids)})"
    if share <= most:
        return _answer(facts, "labels.length", Answer("warn", f"{told}.", share, most))
    broken = cause("labels.too_long", f"{told}.", [facts.at("labels.json")], manifest=TRAIN)
    return _answer(facts, "labels.length", Answer("fail", f"{told}.", share, most, broken))
