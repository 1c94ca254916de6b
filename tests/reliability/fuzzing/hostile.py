"""Values and bytes that no program should write, chosen by a seeded generator."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

HUGE_INTEGER = "9" * 5000  # written as a number where JSON takes one: Python refuses to convert it
ESCAPES = ("\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x07", "\x9b2J", "a\rb", "\x08" * 8, "\u202egnp.exe", "\0")
TEXTS: tuple[str, ...] = (
    *ESCAPES, "", " ", "\t", "a\tb", "a\nb", "\u2028", "u  1", "\u200b", "\ufeff", "\ud800", "\U0010ffff", "é", "中文",
    "'; DROP TABLE rows; --", "$(touch pwned)", "`id`", "{x}", "<b>x</b>", "%s%n", "-", "--help", "null", "NaN",
    "x" * 300, "y" * 140_000, '"', "'", "\\", "[", "{", "]]>", "#", ";;", "(x)", "{ a / b }", "|", "- -", ".", "..",
    "/", "/dev/zero", "/dev/stdin", "/dev/tty", "/proc/self/mem", "../../../etc/passwd", "~", "a/../b", "http://x/y.wav",
    "touch pwned |", "a.ark:12", "file:///etc/passwd", "con", "a\0b",
    "1e305", "-1", "0", "inf", "nan", "1_000", "١٢", "²", "0x10", "1,5", "9" * 400, HUGE_INTEGER, "1e-400", "1:2:3:4",
    "99999999:00:00", "3.2 years", "12 ms", "٣:٠٠", "1" + "0" * 400 + ":00",
)  # fmt: skip
NUMBERS: tuple[Any, ...] = (
    0,
    -1,
    1,
    2,
    0.0,
    -0.0,
    1e-320,
    1e305,
    -1e305,
    1.5,
    0.1,
    255,
    65_535,
    65_536,
    2**31 - 1,
    2**31,
    2**32,
    2**53,
    2**63,
    2**64,
    10**400,
    -(10**400),
    float("nan"),
    float("inf"),
    float("-inf"),
    1e30,
    999,
    24,
    768_001,
)
OTHERS: tuple[Any, ...] = (
    None, True, False, [], {}, [[]], [None], [1, "a"], {"": ""}, {"array": []}, {"path": None}, {"bytes": "x"},
    {"array": [0.1] * 20, "sampling_rate": float("inf")}, {"array": [[0.1], [0.1, 0.2]], "sampling_rate": 16000},
    {"array": ["x"], "sampling_rate": 16000}, [float("nan")] * 5, [0.1] * 20, ["a", ["b", ["c", [{}]]]],
    {"a": {"b": {"c": {}}}}, [[[[[[]]]]]],
)  # fmt: skip
INTERESTING = (0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
HEADER = 128  # bytes at the start of a file that are damaged as often as all others together


def is_damaged(choice: random.Random, share: float) -> bool:
    """Whether something is damaged that is damaged in this share of the cases."""
    return choice.random() < share


def value(choice: random.Random) -> Any:
    """A value of any JSON type."""
    kind = choice.random()
    if kind < 0.5:
        return choice.choice(TEXTS)
    if kind < 0.8:
        return choice.choice(NUMBERS)
    return nested(choice) if kind > 0.98 else choice.choice(OTHERS)


def text(choice: random.Random) -> bytes:
    """The bytes of a hostile text."""
    return choice.choice(TEXTS).encode(errors="surrogatepass")


def nested(choice: random.Random) -> Any:
    """A value in lists or objects, up to 200 deep."""
    inner: Any = choice.choice(NUMBERS)
    for _ in range(choice.randrange(200)):
        inner = [inner] if choice.random() < 0.5 else {"a": inner}
    return inner


def as_json(data: Any) -> str:
    """One line of JSON, `NaN` and integers of 5,000 digits included."""
    return json.dumps(data).replace(f'"{HUGE_INTEGER}"', HUGE_INTEGER)


def damaged_object(row: dict[str, Any], choice: random.Random) -> dict[str, Any]:
    """The object with one to three changes: values of other types, missing and unknown keys, changes deeper inside."""
    row = dict(row)
    for _ in range(choice.choice((1, 1, 1, 2, 3))):
        key = choice.choice([*row, "line", "offset", "channel", "samples", "sampling_rate", "end", "extra"])
        kind = choice.random()
        inner = row.get(key)
        if isinstance(inner, dict) and kind < 0.7:
            row[key] = damaged_object(inner, choice)
        elif isinstance(inner, list) and inner and isinstance(inner[0], dict) and kind < 0.7:
            row[key] = [damaged_object(inner[0], choice), *inner[1:]]
        elif kind < 0.1:
            row.pop(key, None)
        else:
            row[key] = value(choice)
    return row


def damaged_bytes(content: bytes, choice: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """The bytes with one to four changes: bits, numbers, pieces that are lost, repeated, inserted or of others."""
    changed = bytearray(content)
    for _ in range(choice.choice((1, 1, 2, 4))):
        _damage(changed, choice, others)
    return bytes(changed)


def _damage(content: bytearray, choice: random.Random, others: Sequence[bytes]) -> None:
    size = len(content)
    place = choice.randrange(min(size, HEADER) if choice.random() < 0.5 else size) if size else 0
    length = min(size - place, choice.choice((1, 2, 4, 8, 64, 1024)))
    kind = choice.randrange(9)
    if kind == 0 and size:
        content[place] ^= 1 << choice.randrange(8)
    elif kind == 1 and size:
        content[place] = choice.choice((0, 0xFF, 0x7F, 0x80, 0x22, 0x0D, 0x1B))
    elif kind == 2:
        width = choice.choice((2, 4, 8))
        number = choice.choice(INTERESTING) & (2 ** (8 * width) - 1)
        content[place : place + width] = number.to_bytes(width, choice.choice(("big", "little")))
    elif kind == 3:
        del content[place : place + length]
    elif kind == 4:
        content[place:place] = content[place : place + length] * choice.choice((1, 3, 20))
    elif kind == 5:
        content[place:place] = choice.randbytes(length or 1)
    elif kind == 6:
        content[place:place] = choice.choice(TEXTS).encode(errors="surrogatepass")
    elif kind == 7:
        del content[place:]
    elif others:
        other = choice.choice(others)
        start = choice.randrange(len(other))
        content[place : place + length] = other[start : start + length]


def damaged_line(line: bytes, choice: random.Random) -> bytes:
    """The line with some damage, as one line."""
    return damaged_bytes(line, choice).translate(None, b"\r\n")
