"""D4: do the labels match what the model generates, and is the loss computed on the right tokens?"""

from __future__ import annotations

from lora.formatting import UNKNOWN, count, listed, number, percent
from lora.records.labels import GreedyHypotheses, LabelFacts, LossComparison, StyleProfile
from lora.report.markdown import code, subsection, table, text
from lora.report.study import Study

HEADING = "## D4 · Labels and loss"
STYLES = {
    "upper_case": "all upper case",
    "lower_case": "all lower case",
    "sentence_case": "sentence case",
    "with_final_punctuation": "final punctuation",
}
HISTOGRAMS = {"case": "cases", "ends with": "final_punctuation", "punctuation marks": "punctuation"}


def labels(study: Study) -> str:
    if not study.has_model:
        return f"{HEADING}\n\nNo model is configured, so labels were not audited."
    found = study.labels
    facts = found.value
    if facts is None or (not found.known and facts.sampled == 0):
        return f"{HEADING}\n\nThe label audit is {found.unknown}."
    version = f" (transformers {text(facts.transformers)})" if facts.transformers else ""
    checks = [*_structure(facts), *_agreement(facts), *_losses(facts), *_limits(facts)]
    parts = [
        HEADING,
        f"A seeded sample of {count(facts.sampled, 'training label')}, scored by the base model in evaluation mode"
        f"{version}.",
        "" if found.known else f"Part of the audit is {found.unknown}.",
        subsection("The audit, check by check", table(["check", "result", "expected"], checks)),
        subsection("Case, punctuation and digits", _writing(facts)),
    ]
    return "\n\n".join(part for part in parts if part)


def _writing(facts: LabelFacts) -> str:
    return "\n\n".join(part for part in (_styles(facts), _histogram(facts), _numbers(facts)) if part)


def _structure(facts: LabelFacts) -> list[list[str]]:
    structure = facts.structure
    if structure is None:
        return [["structure of the labels", UNKNOWN, ""]]
    shares = {
        "labels end with EOS": structure.ends_with_eos,
        "labels have no other EOS": structure.single_eos,
        "labels have no decoder start token of their own": structure.single_start,
        "labels have neither the CTC blank nor special tokens": structure.only_text,
        "the loss ignores padding": structure.padding_ignored,
        "the prompt is that of generation, and the loss ignores it": structure.prompt_ignored,
        "the prefix is that of generation": structure.prefix_matches_generation,
    }
    rows = [[check, percent(share), "100 %"] for check, share in shares.items() if share is not None]
    if structure.same_decoder_start is not None:
        same = "yes" if structure.same_decoder_start else "no"
        rows.append(["training and generation start the decoder with the same token", same, "yes"])
    return rows


def _agreement(facts: LabelFacts) -> list[list[str]]:
    """Whether the base model agrees with labels built from its own greedy hypotheses."""
    greedy = facts.greedy
    if greedy is None:
        return [["the model predicts labels built from its own hypotheses", UNKNOWN, "100 %"]]
    agreement = f"{percent(greedy.argmax_agreement)} of {greedy.positions:,} tokens" if greedy.positions else UNKNOWN
    if greedy.compared == "tokens":
        return [["labels built from the model's hypotheses have the same tokens", agreement, "100 %"]]
    check = "the model predicts labels built from its own hypotheses"
    return [[check, agreement, "100 %"], *_log_probabilities(greedy)]


def _log_probabilities(greedy: GreedyHypotheses) -> list[list[str]]:
    replay = greedy.replay
    noise = "" if replay is None else f"; {number(replay.log_probability_gap, 2)} for the generated tokens themselves"
    left_out = {
        "truncated": greedy.truncated,
        "tokenized differently": greedy.retokenized,
        "changed by the tokenizer": greedy.changed_by_tokenizer,
    }
    rows = [
        [
            "log-probability as a label minus as generated, nats per token",
            f"{number(greedy.log_probability_gap, 2)}{noise}",
            "0",
        ],
        ["hypotheses left out", listed([f"{n:,} {reason}" for reason, n in left_out.items() if n]), "few"],
    ]
    for variant in greedy.variants:
        gap = variant.log_probability_gap
        nats = "" if gap is None else f", {number(gap, 2)} nats per token apart"
        rows.append([f"… labels {variant.name}", f"{percent(variant.argmax_agreement)}{nats}", "for comparison"])
    return rows


def _losses(facts: LabelFacts) -> list[list[str]]:
    expected = "the cross entropy at shift 0"
    rows = [[f"the trainer's loss{_loss_settings(loss)}", _loss(loss), expected] for loss in facts.losses]
    return [
        *(rows or [["the trainer's loss", UNKNOWN, expected]]),
        ["loss of references, nats per token", number(facts.reference_nll), "for comparison"],
        ["loss of the model's hypotheses", number(facts.hypothesis_nll), "lower than that of references"],
        ["loss of references in the model's style", number(facts.restyled_nll), "not far below the references"],
        ["share of the gap to the hypotheses due to style", _style_share(facts), "small"],
    ]


def _loss(loss: LossComparison) -> str:
    shift_1 = "" if loss.shift_1 is None else f" (shift 0), {number(loss.shift_1, 5)} (shift 1)"
    return f"{number(loss.trainer, 5)}; cross entropy {number(loss.shift_0, 5)}{shift_1}"


def _loss_settings(loss: LossComparison) -> str:
    settings = []
    if loss.label_smoothing:
        settings.append(f"label smoothing {loss.label_smoothing:g}")
    if loss.gradient_accumulation > 1:
        settings.append(f"{' + '.join(map(str, loss.tokens))} tokens accumulated")
    return f" ({', '.join(settings)})" if settings else ""


def _style_share(facts: LabelFacts) -> str:
    """The share of the loss gap between references and hypotheses that the model's style of writing closes."""
    if facts.reference_nll is None or facts.restyled_nll is None or facts.hypothesis_nll is None:
        return UNKNOWN
    gap = facts.reference_nll - facts.hypothesis_nll
    return percent((facts.reference_nll - facts.restyled_nll) / gap) if gap > 0 else "no gap"


def _limits(facts: LabelFacts) -> list[list[str]]:
    limit = "no known limit" if facts.label_limit is None else f"at most {facts.label_limit:,}"
    if facts.label_capacity == "frames":
        limit = "at most its frames"
    lost = [f"{code(character)} ({count(n, 'row')})" for character, n in facts.lost_characters.items()]
    unknown = f"{percent(facts.unknown_tokens)} in {count(facts.unknown_rows, 'row')}"
    return [
        ["longest label, tokens", f"{facts.longest_label:,}", limit],
        ["labels longer than the limit", _ids(facts.too_long_ids), "none"],
        ["audio longer than the model's window", _ids(facts.beyond_window_ids), "none"],
        ["characters that the tokenizer loses", listed(lost, 5), "none"],
        ["references that the tokenizer changes", _changed_texts(facts), "none"],
        ["unknown tokens", unknown, "0 %"],
    ]


def _ids(ids: list[str]) -> str:
    return f"{len(ids):,}: {listed([code(i) for i in ids])}" if ids else "none"


def _changed_texts(facts: LabelFacts) -> str:
    if not facts.changed_texts:
        return "none"
    first = facts.changed_texts[0]
    rows = [code(row.id) if row.line is None else f"line {row.line} ({code(row.id)})" for row in facts.changed_texts]
    return f"{len(rows):,}: {listed(rows)}; {code(first.text)} becomes {code(first.decoded)}"


def _styles(facts: LabelFacts) -> str:
    profiles = {"references": facts.reference_style, "the model's hypotheses": facts.hypothesis_style}
    headers = ["style of", "texts", *STYLES.values(), "punctuation marks per 100 words", "digits per 100 words"]
    rows = [[name, *_style(profile)] for name, profile in profiles.items()]
    return table(headers, rows, numbers=range(1, len(headers)))


def _style(profile: StyleProfile | None) -> list[str]:
    if profile is None:
        return [UNKNOWN] * (len(STYLES) + 3)
    return [
        f"{profile.texts:,}",
        *(percent(getattr(profile, field)) for field in STYLES),
        number(profile.punctuation_per_100_words),
        number(profile.digits_per_100_words),
    ]


def _histogram(facts: LabelFacts) -> str:
    """How many texts have which case, final mark and number of marks, references next to hypotheses."""
    references = facts.reference_style
    hypotheses = facts.hypothesis_style
    if references is None or hypotheses is None:
        return ""
    rows = []
    for title, field in HISTOGRAMS.items():
        counts = getattr(references, field)
        other_counts = getattr(hypotheses, field)
        for kind in sorted({*counts, *other_counts}):
            name = code(kind) if field == "final_punctuation" and kind else text(kind) or "no mark"
            rows.append([f"{title}: {name}", f"{counts.get(kind, 0):,}", f"{other_counts.get(kind, 0):,}"])
    return table(["texts by style", "references", "the model's hypotheses"], rows, numbers=(1, 2)) if rows else ""


def _numbers(facts: LabelFacts) -> str:
    numbers = facts.numbers
    if numbers is None or not numbers.only_reference + numbers.only_hypothesis + numbers.both:
        return ""
    return (
        f"Digits, in {count(numbers.rows, 'row')}: {numbers.only_reference:,} have them only in the reference, "
        f"{numbers.only_hypothesis:,} only in the model's hypothesis, {numbers.both:,} in both."
    )
