"""Sentences about hypotheses that are no transcripts, with the remedy that fits each fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lora.diagnosis.findings import CauseResult, CheckResult
from lora.diagnosis.wording.names import Details, listed_examples, named
from lora.formatting import count, percent

Result = CheckResult | CauseResult


def share(rows: int, utterances: int) -> str:
    """`30 of 200 hypotheses (15.0 %)`."""
    return f"{rows:,} of {count(utterances, 'hypothesis', 'hypotheses')} ({percent(rows / utterances)})"


def loop_names(longest: list[dict[str, Any]], total: int) -> str:
    """`train-7: "and then" 12 times`, the longest first."""
    return named([f'{loop["id"]}: "{loop["words"]}" {loop["times"]} times' for loop in longest], total)


def _fault(words: str) -> Callable[[Details], str]:
    def sentence(sign: Details) -> str:
        text = words.format(text=f'"{sign["text"]}"')
        return f"{share(sign['count'], sign['utterances'])} {text} (rows {listed_examples(sign['ids'])})"

    return sentence


def _silence(sign: Details) -> str:
    return (
        f"{count(sign['words'], 'word')} are written into {sign['count']:,} of {count(sign['utterances'], 'row')} with "
        f"an empty reference, {sign['words_before']:,} by the baseline (row {sign['ids']['first'][0]}: "
        f'"{sign["text"]}")'
    )


def _loops(sign: Details) -> str:
    text = f"{share(sign['count'], sign['utterances'])} loop ({loop_names(sign['longest'], sign['count'])})"
    if sign.get("share_of_errors") is not None:
        text += f", with {percent(sign['share_of_errors'])} of all errors in the rows that loop since tuning"
    return text


FAULTS: dict[str, Callable[[Details], str]] = {
    "loops": _loops,
    "one_token": _fault("are one token again and again, such as {text}"),
    "empty": _fault("have no word at all"),
    "same_text": _fault("are the same text, {text}, whatever the reference is"),
    "prompt": _fault(
        "begin with the same words, {text}, which their references do not have, as if the prompt were decoded with the "
        "answer"
    ),
    "ending": _fault("end with the same words, {text}, which their references do not have"),
    "other_script": _fault("are in another script than their references, such as {text}"),
    "other_language": _fault(
        "have the usual length but hardly a word of the references, such as {text}: another language, a translation, "
        "or no words at all"
    ),
    "other_text": _fault(
        "have hardly a word of their own reference, such as {text}, but words of the other references"
    ),
    "no_end": _fault("stop before the end of their references, such as {text}"),
    "no_beginning": _fault("lack the beginning of their references, such as {text}"),
    "silence": _silence,
}

LANGUAGE = (
    "Set the language and the task of decoding (`model.language`; outside this software `language=...` and "
    '`task="transcribe"` of `generate`, with `forced_decoder_ids` unset), the same as in training, and '
    "transcribe again."
)
FAULT_REMEDIES = {
    "loops": (
        "Set `no_repeat_ngram_size` or `repetition_penalty` in `decode` of both runs and transcribe again; if only the "
        "tuned run loops, look whether its training labels end with EOS."
    ),
    "one_token": (
        'The token is probably number 0 ("!" of Whisper and GPT-2 vocabularies). Train and decode in float32 or '
        "bfloat16, since float16 overflows to NaN; and where labels are decoded, replace -100 by the padding token "
        "first."
    ),
    "empty": (
        "Look at the generated tokens: EOS as the first one comes from labels or suppressed tokens, NaN from half "
        "precision (decode in float32), and a threshold for silence removes whole texts."
    ),
    "same_text": (
        "Look whether the audio reaches the model (features all zero, wrong sampling rate, a batch that repeats one "
        "row), and decode in float32."
    ),
    "prompt": (
        "Decode only the tokens after the prompt (`generated[:, prompt_length:]`), and transcribe again. If the model "
        "itself writes an introduction, ask it for the transcript alone. If the words are spoken, add them to the "
        "references."
    ),
    "ending": (
        "Look whether training texts end with these words. If they do not, the model writes them where nobody speaks: "
        "cut silence off the end of recordings (voice activity detection), in the same way for both runs."
    ),
    "no_end": (
        "Raise the token limit of generation (`max_new_tokens`; in a Trainer `generation_max_length`), and look "
        "whether recordings are longer than the window of the model, and whether training labels or recordings were "
        "cut off."
    ),
    "no_beginning": (
        "Look whether decoding cuts off the first tokens (a `prompt_length` that is too large), and whether recordings "
        "or training labels lack their beginning."
    ),
    "other_script": LANGUAGE,
    "other_language": (
        f"{LANGUAGE} Texts that are no language at all come from the tokenizer or the weights of another model: load "
        "both from one folder or hub id."
    ),
    "other_text": (
        "Listen to some of these rows: match hypotheses to rows by id, and look whether the audio of the row reaches "
        "the model."
    ),
}


def faulty_texts(signs: list[dict[str, Any]]) -> str:
    return "; ".join(FAULTS[sign["sign"]](sign) for sign in signs)


def fault_remedy(signs: list[dict[str, Any]]) -> str | None:
    """The remedy of the most frequent fault; None where no sign has one of its own."""
    known = [sign for sign in signs if sign["sign"] in FAULT_REMEDIES]
    return FAULT_REMEDIES[max(known, key=lambda sign: sign["count"])["sign"]] if known else None


def hypotheses(result: Result) -> str:
    if result.reason == "not_scored":
        return f"Hypotheses of {result.run} on {result.manifest} were not scored."
    if result.reason == "ok":
        return f"Hypotheses of {result.run} on {result.manifest} are transcripts as the baseline's are."
    found = faulty_texts(result.details["signs"])
    if result.reason == "words_in_silence":
        return f"On {result.manifest}, {result.run} writes words where nobody speaks: {found}."
    return f"On {result.manifest}, hypotheses of {result.run} are no transcripts: {found}."


def broken_remedy(result: CauseResult) -> str | None:
    return fault_remedy(result.details["signs"])


def copied(result: Result) -> str:
    details = result.details
    run = result.run
    manifest = result.manifest
    if result.reason == "ok":
        return f"Hypotheses of {run} on {manifest} are no copies of the references."
    style = "capitals, digits and punctuation included" if details["styled"] else "without a single wrong word"
    return (
        f"{details['equal']:,} of {count(details['rows'], 'long hypothesis', 'long hypotheses')} of {run} on "
        f"{manifest} ({percent(details['equal'] / details['rows'])}) equal the reference to the character, {style}: no "
        "model writes that."
    )


SUMMARIES: dict[str, Callable[[Result], str]] = {
    "adapter.hypotheses": hypotheses,
    "parity.texts": copied,
}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {
    "adapter.broken_hypotheses": broken_remedy,
}
