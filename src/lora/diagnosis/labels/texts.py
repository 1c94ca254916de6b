"""D4, the texts: are transcripts written as the model writes, and can the tokenizer write them at all?"""

from __future__ import annotations

from dataclasses import dataclass

from lora import layout
from lora.diagnosis.facts import TRAIN, StudyFacts
from lora.diagnosis.headroom.baseline import baseline
from lora.diagnosis.headroom.baseline_health import broken_reason
from lora.diagnosis.transitional import Answer, cause
from lora.formatting import count, listed, percent
from lora.records.labels import LabelFacts, NumberStyle, StyleProfile

# Shares of texts in which two styles are compared, and the words for a style that has much of it.
STYLES = {
    "upper_case": "written in upper case only",
    "lower_case": "written in lower case only",
    "with_final_punctuation": "ended by a punctuation mark",
}
MAJORITY = 0.5
UNPUNCTUATED = 1.0  # marks per 100 words below which texts are written without punctuation


@dataclass(frozen=True)
class _Cost:
    """Nats a token that style costs references, and its share of their distance from own texts (null: no distance)."""

    nats: float
    share: float | None


def style(facts: StudyFacts, labels: LabelFacts) -> Answer:
    """Case, punctuation and numbers of references against the model's own texts, and what that costs in likelihood.

    Not judged where the baseline is broken on every manifest, or many own texts are cut: those have no style.
    """
    rules, references, own = facts.config.labels, labels.reference_style, labels.hypothesis_style
    most = rules.max_style_difference
    known = [m for m in facts.config.evaluations if baseline(facts, m)]
    garbage = bool(known) and all(broken_reason(facts, m) for m in known)
    cut = labels.greedy.truncated if labels.greedy is not None else 0
    if cut > facts.config.headroom.max_truncated * labels.sampled:
        texts = count(labels.sampled, "own text")
        told = f"The model's own style is not known: {cut} of its {texts} are cut by the token cap."
        return Answer("unknown", told, None, most)
    if references is None or own is None or not references.texts or not own.texts or garbage:
        return Answer("unknown", "The model's own style is not known.", None, most)
    differences = {name: abs(getattr(references, name) - getattr(own, name)) for name in STYLES}
    name = max(differences, key=lambda key: differences[key])
    difference, cost = differences[name], _style_cost(labels)
    costly = cost is not None and cost.nats > rules.max_style_cost and (cost.share or 1.0) > rules.max_style_share
    numbers = _number_difference(labels.numbers)
    other_numbers = numbers > rules.max_number_difference
    told = _told(references, own, name, difference)
    if other_numbers and labels.numbers is not None:
        told = _told_numbers(labels.numbers) if difference <= most else f"{told}; {_told_numbers(labels.numbers)}"
    if difference <= most and not costly and not other_numbers:
        return Answer("pass", f"{told}.", difference, most)
    if cost is not None and cost.nats > 0:
        told += f"; rewritten in the model's style the transcripts are {cost.nats:.2f} nats a token likelier"
        if cost.share is not None:
            told += f", which closes {percent(min(cost.share, 1.0))} of their distance from the model's own texts"
    remedy = (
        f"Rewrite the training transcripts {_like(own)}, as the model writes: "
        f"{_recipe(references, own, labels.numbers if other_numbers else None)}. Scoring ignores case and punctuation."
    )
    broken = cause("labels.style_mismatch", f"{told}.", [facts.path(layout.LABELS)], manifest=TRAIN, remedy=remedy)
    if difference <= most and other_numbers and not costly:
        return Answer("fail", f"{told}.", numbers, rules.max_number_difference, broken)
    return Answer("fail", f"{told}.", difference, most, broken)


def _told(references: StyleProfile, own: StyleProfile, name: str, difference: float) -> str:
    if not difference:
        return "Training transcripts and the model's own texts are alike in case and final punctuation"
    return (
        f"{percent(getattr(references, name))} of the training transcripts are {STYLES[name]}, against "
        f"{percent(getattr(own, name))} of the model's own texts"
    )


def _told_numbers(numbers: NumberStyle) -> str:
    digits, words = "training transcripts", "the model's own texts"
    fewer = numbers.only_reference
    if numbers.only_hypothesis > numbers.only_reference:
        digits, words, fewer = words, digits, numbers.only_hypothesis
    return f"in {fewer} of {count(numbers.rows, 'row')} {digits} hold digits where {words} hold none"


def _number_difference(numbers: NumberStyle | None) -> float:
    """Share of rows in which only one side writes digits, the same side each time: both ways is no dialect."""
    return abs(numbers.only_reference - numbers.only_hypothesis) / numbers.rows if numbers and numbers.rows else 0.0


def _style_cost(labels: LabelFacts) -> _Cost | None:
    if labels.reference_nll is None or labels.restyled_nll is None:
        return None
    nats = labels.reference_nll - labels.restyled_nll
    distance = None if labels.hypothesis_nll is None else labels.reference_nll - labels.hypothesis_nll
    return _Cost(nats, nats / distance if distance is not None and distance > 0 else None)


def _like(own: StyleProfile) -> str:
    case = "in mixed case"
    if own.upper_case > MAJORITY:
        case = "in upper case"
    elif own.lower_case > MAJORITY:
        case = "in lower case"
    elif own.sentence_case > MAJORITY:
        case = "in sentence case"
    return f"{case}, {'with' if own.with_final_punctuation > MAJORITY else 'without'} final punctuation"


def _recipe(references: StyleProfile, own: StyleProfile, numbers: NumberStyle | None) -> str:
    """Python that turns a transcript `text` into the model's style, and what no rule can restore."""
    steps, cannot = [], []
    if own.punctuation_per_100_words < UNPUNCTUATED <= references.punctuation_per_100_words:
        steps.append('text = re.sub(r"[^\\w\\s\'-]", "", text)')
    elif own.with_final_punctuation - references.with_final_punctuation > MAJORITY:
        mark = (
            max(own.final_punctuation, key=lambda m: (bool(m), own.final_punctuation[m], m == "."), default=".") or "."
        )
        steps.append(f'text = text if text.endswith((".", "?", "!")) else text.rstrip(",;:") + "{mark}"')
        cannot.append("commas and question marks")
    if own.upper_case > MAJORITY:
        steps.append("text = text.upper()")
    elif own.lower_case > MAJORITY:
        steps.append("text = text.lower()")
    elif references.upper_case + references.lower_case > own.upper_case + own.lower_case:
        steps.append("text = text[:1].upper() + text[1:].lower() if text in (text.upper(), text.lower()) else text")
        cannot.append("capitals of names")
    if numbers is not None and numbers.only_reference > numbers.only_hypothesis:
        steps.append('text = re.sub(r"\\d+", lambda found: num2words.num2words(int(found[0])), text)')
    elif numbers is not None:
        cannot.append("numbers in digits (write them by hand or by inverse text normalisation)")
    if not steps and not cannot:
        cannot.append("what differs")
    told = f"`{'; '.join(steps)}`" if steps else ""
    if not cannot:
        return told
    restored = f"{listed(cannot)} must come from the source"
    return f"{told}; {restored}" if told else restored


def tokenizer(facts: StudyFacts, labels: LabelFacts) -> Answer:
    """Rows whose text comes back from the tokenizer as another one, and the characters that are lost."""
    most = facts.config.labels.max_changed_by_tokenizer
    if not labels.sampled:
        return Answer("unknown", "No transcript was tokenised.", None, most)
    rows = max(len(labels.changed_texts), labels.unknown_rows, *labels.lost_characters.values(), 0)
    if not rows:
        return Answer("pass", "The tokenizer can write every sampled transcript.", 0.0, most)
    share = rows / labels.sampled
    if labels.lost_characters:
        lost = sorted(labels.lost_characters, key=lambda character: (-labels.lost_characters[character], character))
        told = f"The tokenizer cannot write {listed([repr(c) for c in lost], 5)}; {lost[0]!r} stands in "
        told += f"{labels.lost_characters[lost[0]]} of {labels.sampled} sampled rows"
    else:
        told = f"The tokenizer gives {rows} of {labels.sampled} sampled rows back as other texts"
    if labels.changed_texts:
        first = labels.changed_texts[0]
        where = f"line {first.line}" if first.line is not None else first.id
        told += f", and {count(len(labels.changed_texts), 'row')} in all come back changed (first: {where})"
    if labels.unknown_tokens:
        told += f"; {percent(labels.unknown_tokens)} of all tokens are unknown"
    if share <= most or rows < 2:
        return Answer("warn", f"{told}.", share, most)
    remedy = (
        "Spell these characters out in the training transcripts, or rewrite them with characters the tokenizer knows."
    )
    broken = cause("labels.tokenizer_gaps", f"{told}.", [facts.path(layout.LABELS)], manifest=TRAIN, remedy=remedy)
    return Answer("fail", f"{told}.", share, most, broken)
