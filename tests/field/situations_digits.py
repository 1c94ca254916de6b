"""Digit strings: the references have words, the model writes digits with commas."""

from __future__ import annotations

import random
from pathlib import Path

from field_cases import Expected, field_case
from situations_text import write_lines

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
ROWS = 60


def digit_strings(folder: Path) -> list[str]:
    """References in words, the baseline in digits with commas, the tuned run in words; one digit in 20 is wrong."""
    chance = random.Random(3)
    strings = [[chance.randrange(10) for _ in range(chance.randint(3, 9))] for _ in range(ROWS)]
    recognised = [[(digit + 1) % 10 if chance.random() < 0.05 else digit for digit in string] for string in strings]
    rows = [
        {"id": f"d{n}", "audio": f"d{n}.wav", "duration": 3.0, "text": " ".join(WORDS[digit] for digit in string)}
        for n, string in enumerate(strings)
    ]
    base = [", ".join(map(str, string)) + "." for string in recognised]
    tuned = [" ".join(WORDS[digit] for digit in string) for string in recognised]
    write_lines(folder / "dev.jsonl", rows)
    for name, texts in (("base", base), ("tuned", tuned)):
        write_lines(folder / f"{name}.jsonl", [{"id": f"d{n}", "hypothesis": text} for n, text in enumerate(texts)])
    return ["--manifest", "dev.jsonl", "--baseline", "base.jsonl", "--tuned", "tuned.jsonl"]


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
