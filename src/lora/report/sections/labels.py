"""D4: do the labels say what the model would say, and is the loss computed on the right tokens?"""

from __future__ import annotations

from lora.records import LabelFacts, StyleProfile
from lora.report.study import Study
from lora.report.tables import table
from lora.report.wording import UNKNOWN, code, count, listed, number, percent, text


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
    prefix = s.prefix_matches_generation
    return [
        ["labels end with the end token", percent(s.ends_with_eos), "100 %"],
        ["decoder starts as in generation", percent(s.start_is_right), "100 %"],
        ["padding is ignored by the loss", percent(s.padding_ignored), "100 %"],
        ["prefix matches generation", "no prefix" if prefix is None else percent(prefix), "100 %"],
    ]


def _loss(facts: LabelFacts) -> list[list[str]]:
    rows = []
    own = facts.own
    if own is None:
        rows.append(["the model agrees with its own hypotheses", UNKNOWN, "100 %"])
    else:
        found = f"{percent(own.argmax_agreement, 2)} of {own.positions:,} tokens"
        rows.append(["the model agrees with its own hypotheses", found, "100 %"])
    loss = facts.loss
    if loss is None:
        rows.append(["the trainer's loss", UNKNOWN, "that by hand at shift 0"])
    else:
        by_hand = f"{number(loss.shift_0, 5)} (shift 0), {number(loss.shift_1, 5)} (shift 1)"
        found = f"{number(loss.trainer, 5)}; by hand {by_hand}"
        rows.append(["the trainer's loss", found, "that by hand at shift 0"])
    rows.append(["loss of references, nats a token", number(facts.reference_nll), "decides nothing"])
    rows.append(["loss of own hypotheses", number(facts.hypothesis_nll), "lower than that of references"])
    rows.append(["loss of references in the model's style", number(facts.restyled_nll), "not far below the references"])
    return rows


def _limits(facts: LabelFacts) -> list[list[str]]:
    limit = "no limit known" if facts.label_limit is None else f"at most {facts.label_limit}"
    lost = [f"{code(character)} ({count(n, 'row')})" for character, n in facts.unwritable.items()]
    return [
        ["longest label, tokens", str(facts.longest_label), limit],
        ["labels longer than the limit", _ids(facts.too_long_ids), "none"],
        ["audio beyond the model's window", _ids(facts.beyond_window_ids), "none"],
        ["characters the tokenizer loses", listed(lost), "none"],
    ]


def _ids(ids: list[str]) -> str:
    return f"{len(ids)}: {listed([code(i) for i in ids], 3)}" if ids else "none"


_STYLE = {
    "upper_case": "all upper case",
    "lower_case": "all lower case",
    "sentence_case": "sentence case",
    "with_final_punctuation": "final punctuation",
}


def _styles(facts: LabelFacts) -> str:
    profiles = [("references", facts.reference_style), ("the model's hypotheses", facts.hypothesis_style)]
    headers = ["style of", "texts", *_STYLE.values(), "marks per 100 words", "digits per 100 words"]
    return table(headers, [[name, *_style(p)] for name, p in profiles], numbers=range(1, len(headers)))


def _style(profile: StyleProfile | None) -> list[str]:
    if profile is None:
        return [UNKNOWN] * (len(_STYLE) + 3)
    return [
        str(profile.texts),
        *(percent(getattr(profile, field), 0) for field in _STYLE),
        number(profile.punctuation_per_100_words),
        number(profile.digits_per_100_words),
    ]
