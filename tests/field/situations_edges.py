"""Words that hypotheses have too many or too few at their beginning or end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from comparison_files import compared
from field_cases import Expected, field_case
from situations_hypotheses import BROKEN, references, spoiled


def changed(folder: Path, change: Callable[[str], str], every: int = 1, both: bool = False) -> list[str]:
    """The tuned run repairs most errors of the baseline, and every n-th of its texts is changed (`both`: of both)."""
    base, tuned = spoiled(references()), spoiled(references(), every=11)
    if both:
        base = [change(text) for text in base]
    return compared(folder, references(), base, [change(t) if n % every == 0 else t for n, t in enumerate(tuned)])


def without_end(text: str) -> str:
    return " ".join(text.split()[:-4])


@field_case(
    name="an introduction in some texts",
    area="hypotheses",
    situation="an instruct model introduces every third transcript",
    source="QwenLM/Qwen2-Audio#114",
    command="quick",
    expected=Expected(first=BROKEN, says=("27 of 80", "sure here is the transcript of the audio")),
)
def introductions(folder: Path) -> list[str]:
    return changed(folder, lambda text: f"Sure! Here is the transcript of the audio: {text}", every=3)


@field_case(
    name="JSON as transcript",
    area="hypotheses",
    situation="a speech language model answers with a JSON object in every row",
    source="relative of QwenLM/Qwen2-Audio#114",
    command="quick",
    expected=Expected(first=BROKEN, says=("80 of 80", 'begin with the same words, \\"text\\"')),
)
def json_answers(folder: Path) -> list[str]:
    return changed(folder, lambda text: json.dumps({"text": text}))


@field_case(
    name="subtitles at the end",
    area="hypotheses",
    situation="every sixth tuned text ends with words of subtitles, written into silence at its end",
    source="OpenWhispr/openwhispr#1458",
    command="quick",
    expected=Expected(first=BROKEN, says=("14 of 80", "thank you for watching", "cut silence off")),
)
def subtitles(folder: Path) -> list[str]:
    return changed(folder, lambda text: f"{text} Thank you for watching!", every=6)


@field_case(
    name="subtitles in two texts",
    area="hypotheses",
    situation="two of eighty tuned texts end with such words",
    source="neighbour",
    command="quick",
    expected=Expected(absent=(BROKEN,)),
)
def few_subtitles(folder: Path) -> list[str]:
    return changed(folder, lambda text: f"{text} Thank you for watching!", every=45)


@field_case(
    name="truncated by the token limit",
    area="hypotheses",
    situation="`max_new_tokens` ends every third tuned text early",
    source="ROCm/FastFlowLM#698, huggingface/transformers#33082",
    command="quick",
    expected=Expected(first=BROKEN, says=("27 of 80", "stop before the end", "max_new_tokens")),
)
def truncated(folder: Path) -> list[str]:
    return changed(folder, without_end, every=3)


@field_case(
    name="both runs truncated",
    area="hypotheses",
    situation="the same limit ends every text of both runs early",
    source="Vaibhavs10/fast-whisper-finetuning#3",
    command="quick",
    expected=Expected(first="headroom.baseline_broken", says=("80 of 80", "max_new_tokens")),
)
def both_truncated(folder: Path) -> list[str]:
    return changed(folder, without_end, both=True)


@field_case(
    name="the last word is lost",
    area="hypotheses",
    situation="the tuned run lacks the last word of every text",
    source="SYSTRAN/faster-whisper#1248",
    command="quick",
    expected=Expected(first=BROKEN, says=("80 of 80", "stop before the end")),
)
def last_word(folder: Path) -> list[str]:
    return changed(folder, lambda text: text.rsplit(" ", 1)[0])


@field_case(
    name="the first word is lost",
    area="hypotheses",
    situation="the prompt is cut off one token too late, and the first word with it",
    source="relative of huggingface/transformers#33082",
    command="quick",
    expected=Expected(first=BROKEN, says=("80 of 80", "lack the beginning", "prompt_length")),
)
def first_word(folder: Path) -> list[str]:
    return changed(folder, lambda text: text.split(" ", 1)[1])


@field_case(
    name="short texts of a poor model",
    area="hypotheses",
    situation="the tuned run loses one word in four, anywhere",
    source="neighbour",
    command="quick",
    expected=Expected(first="adapter.worsens", absent=(BROKEN,)),
)
def poor_model(folder: Path) -> list[str]:
    return changed(folder, lambda text: " ".join(w for n, w in enumerate(text.split()) if (n + len(text)) % 4))


@field_case(
    name="spaces lost",
    area="text",
    situation="the tuned CTC run was decoded without its word delimiter",
    source="flashlight/wav2letter#793, huggingface/transformers#47428",
    command="quick",
    expected=Expected(first="text.notation", says=("0.1 words per word", "word_delimiter_token")),
)
def spaces_lost(folder: Path) -> list[str]:
    return changed(folder, lambda text: text.replace(" ", ""))


@field_case(
    name="letters apart",
    area="text",
    situation="tokens of the tuned run were joined by spaces",
    source="relative of flashlight/wav2letter#793",
    command="quick",
    expected=Expected(first="text.notation", says=("words per word", "Join the tokens as the tokenizer does")),
)
def letters_apart(folder: Path) -> list[str]:
    return changed(folder, lambda text: " ".join(text.replace(" ", "")))
