"""Digit strings: the references have words, the model writes digits with commas."""

from __future__ import annotations

import random
from pathlib import Path

from comparison_files import compared
from field_cases import Expected, field_case

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
ROWS = 60


def digit_strings(folder: Path) -> list[str]:
    """References in words, the baseline in digits with commas, the tuned run in words; one digit in 20 is wrong."""
    chance = random.Random(3)
    strings = [[chance.randrange(10) for _ in range(chance.randint(3, 9))] for _ in range(ROWS)]
    recognised = [[(digit + 1) % 10 if chance.random() < 0.05 else digit for digit in string] for string in strings]
    words = [" ".join(WORDS[digit] for digit in string) for string in strings]
    base = [", ".join(map(str, string)) + "." for string in recognised]
    tuned = [" ".join(WORDS[digit] for digit in string) for string in recognised]
    return compared(folder, words, base, tuned)


@field_case(
    name="digit by digit",
    area="text",
    situation="digit strings as words in the references and with commas in hypotheses, scored digit by digit",
    source="neighbour",
    command="quick",
    expected=Expected(outcome="same_words", absent=("headroom.baseline_broken",)),
)
def digit_by_digit(folder: Path) -> list[str]:
    return [*digit_strings(folder), "--normalizer", "english_digits"]


@field_case(
    name="digit strings in words",
    area="text",
    situation="digit strings as words in the references and with commas in hypotheses, scored with `english`",
    source="coval-ai/benchmarks#218",
    command="quick",
    expected=Expected(
        first="text.notation",
        says=("english_digits", "5.3 % (base) and 5.3 % (tuned)"),
        absent=("headroom.baseline_broken",),
    ),
)
def digits_with_english(folder: Path) -> list[str]:
    return [*digit_strings(folder), "--normalizer", "english"]


@field_case(
    name="digits instead of words",
    area="text",
    situation="the same files with the default normaliser: the baseline writes digits, the tuned run words",
    source="BytedanceSpeech/seed-tts-eval#12",
    command="quick",
    expected=Expected(first="text.notation", reason="baseline", says=("english_digits",)),
)
def digits_with_basic(folder: Path) -> list[str]:
    return digit_strings(folder)


@field_case(
    name="compounds",
    area="text",
    situation="German references with divided compounds, which the model writes as one word",
    source="German corpora",
    command="quick",
    expected=Expected(first="text.notation", says=("text.unit: characters", "0 % (base)")),
)
def compounds(folder: Path) -> list[str]:
    written = [
        "die donau dampf schiff fahrt begann früh",
        "im bundes land tag gab es streit",
        "der auto bahn hof ist neu",
    ]
    recognised = [
        "Die Donaudampfschifffahrt begann früh.",
        "Im Bundeslandtag gab es Streit.",
        "Der Autobahnhof ist neu.",
    ]
    return compared(folder, written * 8, recognised * 8, recognised * 8)


@field_case(
    name="a number here and there",
    area="text",
    situation="one reference in ten has a number in words that the model writes in digits, among other errors",
    source="neighbour",
    command="quick",
    expected=Expected(absent=("text.notation",)),
)
def few_numbers(folder: Path) -> list[str]:
    written = [f"the boat number {n} was at the harbour and we saw it leave that day" for n in "abcdefghi"]
    recognised = [text.replace("harbour and we", "labour but he") for text in written]
    written.append("it was twenty past the hour and all of the people left")
    recognised.append("It was 20 past the hour and all of the people left.")
    return compared(folder, written * 4, recognised * 4, recognised * 4)
