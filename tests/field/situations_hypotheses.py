"""Hypotheses that went wrong: loops, one token, another language, copies of the references, words in silence."""

from __future__ import annotations

import random
from pathlib import Path

from comparison_files import compared, write_lines
from field_cases import Expected, field_case

NOUNS = [
    "ferry",
    "lantern",
    "orchard",
    "violin",
    "harbour",
    "pencil",
    "thunder",
    "basket",
    "meadow",
    "pilot",
    "candle",
    "bridge",
]
VERBS = ["crossed", "painted", "followed", "lifted", "watched", "carried"]
FOREIGN = [
    "jeszcze",
    "dzisiaj",
    "rano",
    "kupiłem",
    "świeży",
    "chleb",
    "oraz",
    "mleko",
    "obok",
    "dworca",
    "gdzie",
    "stoi",
    "stary",
    "zegar",
]
ROWS = 80
WRONG = "quietly"
BROKEN = "adapter.broken_hypotheses"


def references(styled: bool = False) -> list[str]:
    chance = random.Random(5)
    texts = []
    for _ in range(ROWS):
        first, second, third = chance.sample(NOUNS, 3)
        text = f"the {first} {chance.choice(VERBS)} a {second} behind the {third}"
        texts.append(f"{text.capitalize()}, no. {chance.randint(2, 90)}." if styled else text)
    return texts


def spoiled(texts: list[str], every: int = 2) -> list[str]:
    """Two words wrong in every second text."""
    wrong = [text.replace(" a ", f" {WRONG} ").replace("behind", "inside") for text in texts]
    return [wrong[n] if n % every == 0 else text for n, text in enumerate(texts)]


@field_case(
    name="loops",
    area="hypotheses",
    situation="every sixth text repeats two words to the token limit after tuning, and the interval includes zero",
    source="yeyupiaoling/Whisper-Finetune#100",
    command="quick",
    expected=Expected(first=BROKEN, says=("14 of 80", "no_repeat_ngram_size"), silent_on=("Add about",)),
)
def loops(folder: Path) -> list[str]:
    texts = references()
    tuned = [f"{text} {'thank you ' * 30}" if n % 6 == 1 else text for n, text in enumerate(spoiled(texts))]
    return compared(folder, texts, spoiled(texts), tuned)


@field_case(
    name="one loop",
    area="hypotheses",
    situation="a single text loops, and tuning repairs the others",
    source="neighbour",
    command="quick",
    expected=Expected(absent=(BROKEN,)),
)
def one_loop(folder: Path) -> list[str]:
    texts = references()
    tuned = spoiled(texts, every=11)
    tuned[2] += " and then" * 9
    return compared(folder, texts, spoiled(texts), tuned)


@field_case(
    name="token zero",
    area="hypotheses",
    situation="every text of the tuned run is a row of exclamation marks",
    source="huggingface/peft#1223",
    command="quick",
    expected=Expected(first=BROKEN, says=("one token again and again", "float16", "-100")),
)
def token_zero(folder: Path) -> list[str]:
    return compared(folder, references(), spoiled(references()), ["!" * 80] * ROWS)


@field_case(
    name="token zero in some rows",
    area="hypotheses",
    situation="one batch in four overflows and is a row of ⁇",
    source="relative",
    command="quick",
    expected=Expected(first=BROKEN, says=("20 of 80", "⁇")),
)
def token_zero_in_some(folder: Path) -> list[str]:
    base = spoiled(references())
    return compared(folder, references(), base, ["⁇ " * 20 if n % 4 == 0 else text for n, text in enumerate(base)])


@field_case(
    name="another language",
    area="hypotheses",
    situation="after tuning every text is in another language of the same script",
    source="huggingface/transformers#23009",
    command="quick",
    expected=Expected(first=BROKEN, says=("another language", "language", "task")),
)
def another_language(folder: Path) -> list[str]:
    chance = random.Random(3)
    tuned = [" ".join(chance.sample(FOREIGN, 7)) for _ in range(ROWS)]
    return compared(folder, references(), spoiled(references()), tuned)


@field_case(
    name="another script",
    area="hypotheses",
    situation="after tuning a quarter of the texts is in Cyrillic",
    source="huggingface/transformers#21937",
    command="quick",
    expected=Expected(first=BROKEN, says=("20 of 80", "another script")),
)
def another_script(folder: Path) -> list[str]:
    base = spoiled(references())
    words = ["паром", "пересёк", "старый", "сад", "мост", "маяк"]
    return compared(
        folder, references(), base, [" ".join(words[n % 3 :]) if n % 4 == 0 else t for n, t in enumerate(base)]
    )


@field_case(
    name="a poor model of one language",
    area="hypotheses",
    situation="the tuned run misspells most words, but it is the same language",
    source="neighbour",
    command="quick",
    expected=Expected(first="adapter.worsens", absent=(BROKEN,), outcome="worse"),
)
def poor_spelling(folder: Path) -> list[str]:
    texts = references()
    poor = [text.replace("e", "i").replace("r", "l").replace("t", "d") for text in texts]
    return compared(folder, texts, spoiled(texts), poor)


@field_case(
    name="everything empty",
    area="hypotheses",
    situation="the tuned run writes nothing in half of the rows",
    source="relative",
    command="quick",
    expected=Expected(first=BROKEN, says=("40 of 80", "EOS")),
)
def everything_empty(folder: Path) -> list[str]:
    base = spoiled(references())
    return compared(folder, references(), base, ["" if n % 2 else text for n, text in enumerate(base)])


@field_case(
    name="one sentence",
    area="hypotheses",
    situation="the tuned run writes the same sentence for every recording",
    source="huggingface/transformers#28814",
    command="quick",
    expected=Expected(first=BROKEN, says=("80 of 80", "the same text", "audio reaches the model")),
)
def one_sentence(folder: Path) -> list[str]:
    return compared(folder, references(), spoiled(references()), ["Thanks for watching, everybody!"] * ROWS)


@field_case(
    name="prompt decoded",
    area="hypotheses",
    situation="the prompt of a speech language model stands before every transcript",
    source="relative",
    command="quick",
    expected=Expected(first=BROKEN, says=("please write down every word", "prompt_length")),
)
def prompt_decoded(folder: Path) -> list[str]:
    texts = references()
    return compared(folder, texts, spoiled(texts), [f"Please write down every word: {text}" for text in texts])


@field_case(
    name="a baseline of token zero",
    area="hypotheses",
    situation="every text of the baseline is a row of exclamation marks",
    source="relative",
    command="quick",
    expected=Expected(first="headroom.baseline_broken", says=("one token again and again", "float16")),
)
def baseline_token_zero(folder: Path) -> list[str]:
    return compared(folder, references(), ["!" * 80] * ROWS, spoiled(references()))


@field_case(
    name="words in silence",
    area="hypotheses",
    situation="ten recordings are silent, and the tuned run writes a phrase into each",
    source="jitsi/jiwer#98",
    command="quick",
    expected=Expected(causes=("adapter.words_in_silence",), says=("50 words are written into 10 of 10",)),
)
def words_in_silence(folder: Path) -> list[str]:
    texts = ["..." if n % 8 == 0 else text for n, text in enumerate(references())]
    base = ["" if text == "..." else text for text in spoiled(texts)]
    tuned = ["please subscribe to my channel" if text == "..." else text for text in texts]
    return compared(folder, texts, base, tuned)


@field_case(
    name="a copy of the references",
    area="hypotheses",
    situation="a training table without a hypothesis column was renamed and given as the tuned transcripts",
    source="embedded study",
    command="quick",
    expected=Expected(first="parity.copied_references", says=("80 of 80",)),
)
def copied(folder: Path) -> list[str]:
    texts = references(styled=True)
    return compared(folder, texts, [text.lower().replace(",", "") for text in spoiled(texts)], texts)


@field_case(
    name="a strong model",
    area="hypotheses",
    situation="lower case without marks: the tuned run makes few errors, and both runs write most texts right",
    source="neighbour",
    command="quick",
    expected=Expected(absent=("parity.copied_references",), outcome="better"),
)
def strong_model(folder: Path) -> list[str]:
    texts = references()
    return compared(folder, texts, spoiled(texts), texts)


@field_case(
    name="manifest as transcripts",
    area="hypotheses",
    situation="the training manifest is given as the tuned transcripts",
    source="embedded study",
    command="quick",
    expected=Expected(refused=True, says=("tuned.jsonl:1", "'text' next to 'audio'", "hypothesis")),
)
def manifest_as_transcripts(folder: Path) -> list[str]:
    texts = references()
    arguments = compared(folder, texts, spoiled(texts), texts)
    rows = [{"id": f"u{n}", "audio": f"{n}.wav", "text": text} for n, text in enumerate(texts)]
    write_lines(folder / "tuned.jsonl", rows)
    return arguments


@field_case(
    name="id and text",
    area="hypotheses",
    situation="transcripts with the columns id and text, without audio",
    source="neighbour",
    command="quick",
    expected=Expected(first="", outcome="better"),
)
def id_and_text(folder: Path) -> list[str]:
    texts = references()
    arguments = compared(folder, texts, spoiled(texts), texts)
    write_lines(folder / "tuned.jsonl", [{"id": f"u{n}", "text": text} for n, text in enumerate(texts)])
    return arguments


@field_case(
    name="errors in two rows",
    area="hypotheses",
    situation="all errors of the baseline are in two rows of eighty",
    source="embedded study",
    command="quick",
    expected=Expected(says=("errors of the baseline are in 2 of 80 rows",)),
)
def errors_in_two_rows(folder: Path) -> list[str]:
    texts = references()
    base = [text if n not in {5, 40} else "a violin stood in some other empty place" for n, text in enumerate(texts)]
    return compared(folder, references(), base, base[:5] + texts[5:6] + base[6:])


@field_case(
    name="texts end early",
    area="hypotheses",
    situation="every text of a fine-tuned Whisper ends after four words, in the middle of what is said",
    source="SYSTRAN/faster-whisper#351, ggml-org/whisper.cpp#2901",
    command="quick",
    expected=Expected(
        first=BROKEN,
        outcome="worse",
        says=("stop before the end of their references", "max_new_tokens"),
        silent_on=("with which data and settings",),
    ),
)
def texts_end_early(folder: Path) -> list[str]:
    short = [" ".join(text.split()[:4]) for text in spoiled(references(), 4)]
    return compared(folder, references(), spoiled(references()), short)


@field_case(
    name="other words, none missing",
    area="hypotheses",
    situation="the tuned run is worse because it writes other words, as many as are spoken",
    source="neighbour",
    command="quick",
    expected=Expected(first="adapter.worsens", outcome="worse", silent_on=("missing words", "max_new_tokens")),
)
def other_words(folder: Path) -> list[str]:
    return compared(folder, references(), spoiled(references()), spoiled(references(), 1))
