"""Whether two recorded values of one setting are equal, after defaults; null where either is not known.

Values come from two recorders, one of which may be a person: `1`, `1.0` and `"1"` are one number, a tuple is a list, a
null entry is an absent one. What a missing key means depends on the section (see `lora.diagnosis.parity.settings_diff`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Arguments of `generate` in which order and repetition mean nothing, and one value is a list of one.
SETS = {"suppress_tokens", "begin_suppress_tokens", "bad_words_ids", "eos_token_id"}


class NotKnown:
    """The value of a setting that nobody recorded; never equal to anything."""


UNKNOWN = NotKnown()


def same_value(first: Any, second: Any) -> bool | None:
    """Null where one of them is UNKNOWN."""
    if isinstance(first, NotKnown) or isinstance(second, NotKnown):
        return None
    return _equal(first, second)


def same_decode(key: str, first: Any, second: Any) -> bool | None:
    """As `same_value`, for an argument of `generate`: false is "not set", and some lists are sets."""
    if isinstance(first, NotKnown) or isinstance(second, NotKnown):
        return None
    if key in SETS:
        return _members(first) == _members(second)
    return _equal(None if first is False else first, None if second is False else second)


def same_version(first: Any, second: Any) -> bool | None:
    """As `same_value`, for a library: 2.13.0+cpu is 2.13.0, since the device is a setting of its own."""
    if isinstance(first, NotKnown) or isinstance(second, NotKnown):
        return None
    return str(first).partition("+")[0] == str(second).partition("+")[0]


def _equal(first: Any, second: Any) -> bool:
    if isinstance(first, str) and _is_number(second):
        return _equal(second, first)
    if _is_number(first) and isinstance(second, str):
        try:
            return bool(float(second) == first)
        except ValueError:
            return False
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(_equal(a, b) for a, b in zip(first, second, strict=True))
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return all(_equal(first.get(key), second.get(key)) for key in {*first, *second})
    return bool(isinstance(first, bool) == isinstance(second, bool) and first == second)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _members(value: Any) -> set[str]:
    """The members of a list as text; null and an empty list are the empty set."""
    if value is None:
        return set()
    return {str(member) for member in (value if isinstance(value, list | tuple) else [value])}
