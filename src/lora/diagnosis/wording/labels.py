"""Sentences of the label audit: label structure, loss, style, tokenizer and length."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lora.diagnosis.causes import CAUSES
from lora.diagnosis.findings import CauseResult, CheckResult
from lora.diagnosis.wording.names import listed_examples
from lora.formatting import configured_percent, count, listed, number, percent, points

Result = CheckResult | CauseResult

BROKEN_RULES = {
    "ends_with_eos": "do not end with EOS",
    "single_eos": "contain more than one EOS",
    "start": "do not start as in generation",
    "padding_ignored": "have padding that counts in the loss",
    "prefix": "have another prefix than generation forces",
    "prompt": "have a prompt that differs from generation or counts in the loss",
    "only_text": "contain the blank, BOS or EOS",
}


def structure(result: Result) -> str:
    details = result.details
    if result.reason == "not_audited":
        message = details.get("message") or "the label audit did not run"
        return f"Labels are not diagnosed: {message.rstrip('.')}."
    if result.reason == "ok":
        return f"All {details['sampled']} sampled labels end, start and are padded correctly."
    wrong = [f"{percent(share)} {BROKEN_RULES[rule]}" for rule, share in details["wrong_shares"].items()]
    text = f"Of {count(details['sampled'], 'sampled label')}, {listed(wrong, most=5)}"
    eos = details["foreign_eos"]
    if eos is not None:
        text += (
            f": the tokenizer's EOS is token {eos['tokenizer']}, the model's is {eos['generation']}, so the tokenizer "
            "is that of another model"
        )
    return f"{text}."


def greedy_hypotheses(result: Result) -> str:
    details = result.details
    if result.reason == "none_labelled":
        return f"No greedy hypothesis could be turned into a label{_left_out(details['left_out'])}."
    if details["compared"] == "tokens":
        text = (
            f"{percent(details['agreement'])} of {count(details['positions'], 'token')} of labels built from greedy "
            "hypotheses are the tokens that the model wrote"
        )
    else:
        text = (
            f"The model predicts {percent(details['agreement'])} of {count(details['positions'], 'token')} of labels "
            "built from its own greedy hypotheses"
        )
    gap = details["log_probability_gap"]
    if result.reason == "ok" and gap is not None:
        text += f", and their likelihood is that of generation (within {number(gap, 1)} nats per token)"
    if result.reason == "forward_pass_differs_from_generation":
        text += (
            f", and {percent(details['replay_agreement'])} of the tokens that it generated: its forward pass differs "
            "from its generation, so this check cannot judge the labels"
        )
    if result.reason == "tokens_not_predicted":
        text += (
            f", where correct labels reach {configured_percent(details['min_agreement'])}: labels are built wrongly or "
            "shifted"
        )
    if result.reason == "other_likelihood":
        text += (
            f", but the log-probability of a label differs from that of generation by up to {number(gap, 2)} nats per "
            f"token (at most {number(details['max_log_probability_gap'], 2)} is expected): labels are not what "
            "was generated"
        )
    return f"{text}."


def _left_out(hypotheses: Mapping[str, int] | None) -> str:
    if hypotheses is None:
        return ""
    reasons = {
        "truncated": "truncated by the token cap",
        "retokenized": "tokenized differently from what the model wrote",
        "changed_by_tokenizer": "changed by the tokenizer",
    }
    left_out = [f"{hypotheses[key]} {reason}" for key, reason in reasons.items() if hypotheses[key]]
    space = hypotheses["retokenized_leading_space"] * 2 > hypotheses["retokenized"]
    space_words = ", as if a leading space were missing" if space else ""
    return f" ({listed(left_out)}{space_words})" if left_out else ""


def construction_remedy(result: CauseResult) -> str | None:
    details = result.details
    if details.get("foreign_eos") is not None:
        return (
            "Put the tokenizer files of this very model into the model folder (outside this software load both from "
            "one id), then run the label audit again. Train adapters again that learned labels of the other tokenizer."
        )
    if details["right_variant"] is not None:
        return (
            f"Build labels {details['right_variant']}, then run the label audit again: the model predicts "
            f"{percent(details['right_variant_agreement'])} of such labels of its greedy hypotheses."
        )
    if not details["variants_tried"]:
        return None
    variants = count(details["variants_tried"], "other way", "other ways")
    return f"{CAUSES['labels.construction'].remedy} The audit tried {variants} of building labels; none is right."


def loss(result: Result) -> str:
    details = result.details
    if result.reason == "not_compared":
        return "The trainer's loss was not compared."
    step = _step(details)
    if result.reason == "not_finite":
        return f"The trainer's loss{step} is not finite; by hand it is {number(details['by_hand'])} nats per token."
    text = (
        f"The trainer's loss{step} is {number(details['trainer'])} nats per token; by hand it is "
        f"{number(details['by_hand'])}"
    )
    version = f"transformers {details['transformers']}" if details["transformers"] else "the installed transformers"
    comparisons = details["comparisons"]
    endings = {
        "ok": f" (the largest difference of {comparisons} comparisons)" if comparisons > 1 else "",
        "batches_weighted_equally": f"; {version} weights accumulated batches equally, whatever their number of tokens",
        "shifted_by_one": f"; it matches labels shifted by one token ({number(details['by_hand_shifted'])}), so "
        f"{version} "
        "computes the loss on the wrong tokens",
        "wrong_token_count": f"; for a plain step they agree, so {version} counts the tokens of a step wrongly",
        "wrong_tokens": f"; it matches labels neither aligned nor shifted, so {version} computes the loss on the "
        "wrong tokens",
    }
    return f"{text}{endings[result.reason]}."


def _step(details: Mapping[str, Any]) -> str:
    settings = _settings(details)
    return f" with {settings}" if settings else ""


def _settings(details: Mapping[str, Any]) -> str:
    """The settings of the compared optimizer step that differ from the defaults; empty where none does."""
    settings = []
    if details["label_smoothing"]:
        settings.append(f"label smoothing {details['label_smoothing']:g}")
    if details["gradient_accumulation"] > 1:
        settings.append(f"{details['gradient_accumulation']} accumulated batches")
    return " and ".join(settings)


def length(result: Result) -> str:
    details = result.details
    if result.reason == "none_sampled":
        return "No label was measured."
    limits = {
        "frames": "a label needs one audio frame per token, and one more between equal tokens",
        "decoder": "the model names no limit"
        if details["limit"] is None
        else f"the decoder's limit is {details['limit']}",
    }
    text = f"The longest sampled label has {details['longest']} tokens; {limits[details['capacity']]}"
    if result.reason == "ok":
        return f"{text}."
    too_long = details["too_long"]
    return (
        f"{too_long['count']} of {count(details['sampled'], 'sampled label')} are too long "
        f"({listed_examples(too_long)}). {text}."
    )


STYLES = {
    "upper_case": "are in upper case only",
    "lower_case": "are in lower case only",
    "with_final_punctuation": "end with a punctuation mark",
}
CASES = {
    "upper_case": "in upper case",
    "lower_case": "in lower case",
    "sentence_case": "in sentence case",
    "mixed_case": "in mixed case",
}
NO_STYLE = {
    "no_texts": "there are no transcripts or hypotheses to compare",
    "baseline_broken": "the baseline is broken on every manifest",
    "markup": "the transcripts contain markup (`text.markup`), which has to be removed first",
}
STEPS = {
    "remove_punctuation": 'text = re.sub(r"[^\\w\\s\'-]", "", text)',
    "append_final_mark": 'text = text if text.endswith((".", "?", "!")) else text.rstrip(",;:") + "{mark}"',
    "upper_case": "text = text.upper()",
    "lower_case": "text = text.lower()",
    "sentence_case": "text = text[:1].upper() + text[1:].lower() if text in (text.upper(), text.lower()) else text",
    "spell_out_digits": 'text = re.sub(r"\\d+", lambda match: num2words.num2words(int(match[0])), text)',
}
NOT_RESTORABLE = {
    "punctuation": "commas and question marks",
    "capitals": "capitals of names",
    "digits": "numbers in digits (written by hand or by inverse text normalization)",
}


def style(result: Result) -> str:
    details = result.details
    if result.reason == "truncated":
        hypotheses = count(details["sampled"], "greedy hypothesis", "greedy hypotheses")
        return (
            f"{details['truncated']} of {hypotheses} are truncated by the token cap, so the model's style is unknown."
        )
    if result.reason in NO_STYLE:
        return f"The model's style is unknown: {NO_STYLE[result.reason]}."
    parts = []
    if result.reason == "other_style" or not details["numbers"]:
        parts.append(_compared_style(details))
    if details["numbers"]:
        parts.append(_numbers(details["numbers"]))
    text = "; ".join(parts)
    if result.reason == "ok" or details["cost"] is None or details["cost"] <= 0:
        return f"{text}."
    text += f"; rewritten in the model's style the transcripts are {details['cost']:.2f} nats per token more likely"
    if details["cost_share"] is not None:
        closed = percent(min(details["cost_share"], 1.0))
        text += f", which closes {closed} of their distance from greedy hypotheses"
    return f"{text}."


def _compared_style(details: Mapping[str, Any]) -> str:
    if details["aspect"] is None:
        return "Training transcripts and greedy hypotheses agree in case and final punctuation"
    return (
        f"{percent(details['references'])} of the training transcripts and {percent(details['hypotheses'])} of "
        "the greedy "
        f"hypotheses {STYLES[details['aspect']]}"
    )


def _numbers(numbers: Mapping[str, int]) -> str:
    sides = ["training transcripts", "greedy hypotheses"]
    rows = numbers["only_reference"]
    if numbers["only_hypothesis"] > rows:
        sides.reverse()
        rows = numbers["only_hypothesis"]
    return f"{rows} of {count(numbers['rows'], 'row')} have digits in {sides[0]} and none in {sides[1]}"


def style_cause(result: CauseResult) -> str:
    """The difference, and what the short run says about it."""
    run = result.details["short_run"]
    if run is None or run["outcome"] != "better":
        return style(result)
    return (
        f"{style(result)} {run['run']}, trained on them, is {points(run['delta'])} better on {run['manifest']} all the "
        "same, so this costs training steps and case or punctuation of the output rather than WER."
    )


def style_remedy(result: CauseResult) -> str:
    details = result.details
    punctuation = "with" if details["final_punctuation"] else "without"
    steps = "; ".join(
        STEPS[step].format(mark=details["final_mark"]) if step == "append_final_mark" else STEPS[step]
        for step in details["steps"]
    )
    instructions = [f"`{steps}`"] if steps else []
    by_hand = [NOT_RESTORABLE[part] for part in details["not_restorable"]]
    if by_hand or not steps:
        instructions.append(f"{listed(by_hand) if by_hand else 'what differs'} must come from the source")
    return (
        f"Rewrite the training transcripts {CASES[details['case']]}, {punctuation} final punctuation, as the "
        "model writes: "
        f"{'; '.join(instructions)}. Scoring ignores case and punctuation."
    )


def tokenizer(result: Result) -> str:
    details = result.details
    if result.reason == "none_sampled":
        return "No transcript was tokenized."
    if result.reason == "markup":
        return "Decoding leaves out markup of the transcripts (`text.markup`); remove it first."
    if result.reason == "ok":
        return f"All {count(details['sampled'], 'sampled transcript')} survive tokenization and decoding unchanged."
    if details["characters"]:
        names = listed([repr(character) for character in details["characters"]], most=5)
        text = (
            f"{details['rows_of_first_character']} of {count(details['sampled'], 'sampled row')} contain "
            f"{details['characters'][0]!r}; the tokenizer cannot write {names}"
        )
    else:
        text = f"The tokenizer changes {details['rows']} of {count(details['sampled'], 'sampled transcript')}"
    if details["changed_rows"]:
        line = details["first_line"]
        first = details["first_id"] if line is None else f"line {line}"
        text += f"; decoding changes {count(details['changed_rows'], 'row')} in all (first: {first})"
    if details["unknown_tokens"]:
        text += f"; {percent(details['unknown_tokens'])} of all tokens are unknown to it"
    return f"{text}."


def tokenizer_remedy(result: CauseResult) -> str:
    if result.details["changed_rows"] and not result.details["characters"]:
        return (
            "Compare `text` and `decoded` of the changed rows in results/labels.json. Where words are glued together "
            "or cut, the tokenizer's files are those of another model: copy them from the base model. Otherwise "
            "write the transcripts as they are decoded."
        )
    return (
        "Spell these characters out in the training transcripts, or replace them by characters that the tokenizer "
        "can write."
    )


SUMMARIES: dict[str, Callable[[Result], str]] = {
    "labels.structure": structure,
    "labels.greedy_hypotheses": greedy_hypotheses,
    "labels.loss": loss,
    "labels.style": style,
    "labels.tokenizer": tokenizer,
    "labels.length": length,
}
BECAUSE: dict[str, Callable[[CauseResult], str]] = {"labels.style_mismatch": style_cause}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {
    "labels.construction": construction_remedy,
    "labels.style_mismatch": style_remedy,
    "labels.tokenizer_gaps": tokenizer_remedy,
}
