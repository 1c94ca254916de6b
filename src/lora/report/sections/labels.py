"""D4: do the labels say what the model would say, and is the loss computed on the right tokens?"""

from __future__ import annotations

from lora.formatting import UNKNOWN, count, listed, number, percent
from lora.records.labels import GreedyHypotheses, LabelFacts, LossComparison, StyleProfile
from lora.report.markdown import code, table, text
from lora.report.study import Study


def labels(study: Study) -> str:
    if not study.has_model:
        return "## D4 · Labels and loss\n\nNo model is configured, so labels were not audited."
    found = study.labels
    facts = found.value
    if facts is None or (not found.known and facts.sampled == 0):
        return f"## D4 · Labels and loss\n\nThe label audit is {found.unknown}."
    lines = [
        "## D4 · Labels and loss",
        f"A seeded sample of {count(facts.sampled, 'training label')}, judged by the base model in evaluation mode"
        + (f" (transformers {text(facts.transformers)})." if facts.transformers else "."),
    ]
    if not found.known:
        lines.append(f"Part of it is {found.unknown}.")
    lines.append(table(["looked at", "found", "right is"], [*_structure(facts), *_loss(facts), *_limits(facts)]))
    lines.append(_styles(facts))
    return "\n\n".join(lines)


def _structure(facts: LabelFacts) -> list[list[str]]:
    s = facts.structure
    if s is None:
        return [["structure of the labels", UNKNOWN, ""]]
    shares = {
        "labels end with the end token": s.ends_with_eos,
        "labels hold no other end token": s.single_eos,
        "labels hold no start token of their own": s.single_start,
        "labels hold neither the blank nor marks": s.only_text,
        "padding is ignored by the loss": s.padding_ignored,
        "the prompt is that of generation, and ignored by the loss": s.prompt_ignored,
        "prefix matches generation": s.prefix_matches_generation,
    }
    rows = [[what, percent(share), "100 %"] for what, share in shares.items() if share is not None]
    if s.same_decoder_start is not None:
        rows.append(["forward starts the decoder as generation does", "yes" if s.same_decoder_start else "no", "yes"])
    return rows


def _loss(facts: LabelFacts) -> list[list[str]]:
    rows = []
    own = facts.greedy
    if own is None:
        rows.append(["the model agrees with its own hypotheses", UNKNOWN, "100 %"])
    else:
        found = f"{percent(own.argmax_agreement)} of {own.positions:,} tokens" if own.positions else UNKNOWN
        agrees = "the model agrees with its own hypotheses"
        rows.append([agrees if own.compared == "predictions" else "labels spell own hypotheses alike", found, "100 %"])
        if own.compared == "predictions":
            rows += _likelihood(own)
    if not facts.losses:
        rows.append(["the trainer's loss", UNKNOWN, "that by hand at shift 0"])
    for loss in facts.losses:
        by_hand = f"{number(loss.shift_0, 5)} (shift 0), {number(loss.shift_1, 5)} (shift 1)"
        if loss.shift_1 is None:
            by_hand = number(loss.shift_0, 5)
        found = f"{number(loss.trainer, 5)}; by hand {by_hand}"
        rows.append([f"the trainer's loss{_step(loss)}", found, "that by hand at shift 0"])
    rows.append(["loss of references, nats a token", number(facts.reference_nll), "decides nothing"])
    rows.append(["loss of own hypotheses", number(facts.hypothesis_nll), "lower than that of references"])
    rows.append(["loss of references in the model's style", number(facts.restyled_nll), "not far below the references"])
    rows.append(["part of the gap that style closes", _closed(facts), "small"])
    return rows


def _likelihood(own: GreedyHypotheses) -> list[list[str]]:
    gap, replay = own.log_probability_gap, own.replay
    noise = "" if replay is None else f"; {number(replay.log_probability_gap, 2)} for the generated tokens replayed"
    rows = [["own hypotheses as labels and as generated, nats a token apart", f"{number(gap, 2)}{noise}", "0"]]
    left_out = {
        "cut": own.truncated,
        "spelt in other pieces": own.retokenized,
        "changed by the tokenizer": own.changed_by_tokenizer,
    }
    told = [f"{n} {why}" for why, n in left_out.items() if n]
    rows.append(["own hypotheses that were left out", listed(told), "few"])
    for variant in own.variants:
        gap = variant.log_probability_gap
        apart = "" if gap is None else f", {number(gap, 2)} nats a token apart"
        rows.append([f"… labels {variant.name}", f"{percent(variant.argmax_agreement)}{apart}", "for comparison"])
    return rows


def _step(loss: LossComparison) -> str:
    told = []
    if loss.label_smoothing:
        told.append(f"label smoothing {loss.label_smoothing:g}")
    if loss.gradient_accumulation > 1:
        told.append(f"{' + '.join(map(str, loss.tokens))} tokens accumulated")
    return f" ({', '.join(told)})" if told else ""


def _closed(facts: LabelFacts) -> str:
    """What part of the distance between references and own hypotheses goes when references take the model's style."""
    if facts.reference_nll is None or facts.restyled_nll is None or facts.hypothesis_nll is None:
        return UNKNOWN
    distance = facts.reference_nll - facts.hypothesis_nll
    return percent((facts.reference_nll - facts.restyled_nll) / distance) if distance > 0 else "no gap"


def _limits(facts: LabelFacts) -> list[list[str]]:
    limit = "no limit known" if facts.label_limit is None else f"at most {facts.label_limit}"
    if facts.label_capacity == "frames":
        limit = "at most its frames"
    lost = [f"{code(character)} ({count(n, 'row')})" for character, n in facts.lost_characters.items()]
    return [
        ["longest label, tokens", str(facts.longest_label), limit],
        ["labels longer than the limit", _ids(facts.too_long_ids), "none"],
        ["audio beyond the model's window", _ids(facts.beyond_window_ids), "none"],
        ["characters the tokenizer loses", listed(lost), "none"],
        ["texts the tokenizer gives back changed", _changed(facts), "none"],
        ["unknown tokens", f"{percent(facts.unknown_tokens)} in {count(facts.unknown_rows, 'row')}", "0 %"],
    ]


def _ids(ids: list[str]) -> str:
    return f"{len(ids)}: {listed([code(i) for i in ids], 3)}" if ids else "none"


def _changed(facts: LabelFacts) -> str:
    if not facts.changed_texts:
        return "none"
    first = facts.changed_texts[0]
    rows = [code(row.id) if row.line is None else f"line {row.line} ({code(row.id)})" for row in facts.changed_texts]
    return f"{len(rows)}: {listed(rows, 3)}; {code(first.text)} becomes {code(first.decoded)}"


_STYLE = {
    "upper_case": "all upper case",
    "lower_case": "all lower case",
    "sentence_case": "sentence case",
    "with_final_punctuation": "final punctuation",
}


def _styles(facts: LabelFacts) -> str:
    profiles = [("references", facts.reference_style), ("the model's hypotheses", facts.hypothesis_style)]
    headers = ["style of", "texts", *_STYLE.values(), "marks per 100 words", "digits per 100 words"]
    shares = table(headers, [[name, *_style(p)] for name, p in profiles], numbers=range(1, len(headers)))
    return "\n\n".join(part for part in (shares, _histogram(facts), _numbers(facts)) if part)


def _histogram(facts: LabelFacts) -> str:
    """How many texts are written in which way, references beside own texts."""
    references, own = facts.reference_style, facts.hypothesis_style
    if references is None or own is None:
        return ""
    rows = []
    for what, field, empty in (
        ("case", "cases", ""),
        ("ends with", "final_punctuation", "no mark"),
        ("punctuation marks", "punctuation", ""),
    ):
        one, other = getattr(references, field), getattr(own, field)
        for kind in sorted({*one, *other}):
            shown = (code(kind) if field == "final_punctuation" else text(kind)) if kind else empty
            rows.append([f"{what}: {shown}", str(one.get(kind, 0)), str(other.get(kind, 0))])
    headers = ["texts by style", "references", "the model's hypotheses"]
    return table(headers, rows, numbers=(1, 2)) if rows else ""


def _numbers(facts: LabelFacts) -> str:
    numbers = facts.numbers
    if numbers is None or not numbers.only_reference + numbers.only_hypothesis + numbers.both:
        return ""
    return (
        f"Of {count(numbers.rows, 'row')} digits stand in the reference alone in {numbers.only_reference}, in the "
        f"model's hypothesis alone in {numbers.only_hypothesis}, in both in {numbers.both}."
    )


def _style(profile: StyleProfile | None) -> list[str]:
    if profile is None:
        return [UNKNOWN] * (len(_STYLE) + 3)
    return [
        str(profile.texts),
        *(percent(getattr(profile, field)) for field in _STYLE),
        number(profile.punctuation_per_100_words),
        number(profile.digits_per_100_words),
    ]
