"""What a configuration may contain at all, before its schema is asked: keys of text, finite numbers, no loops."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from lora.configuration.mistakes import KeyPathError

DEEPEST = 40
MOST_VALUES = 100_000
LARGEST = 2**63


def is_usable(number: int | float) -> bool:
    """Whether every program that reads the number can represent it: 64 bits."""
    return abs(number) < LARGEST if isinstance(number, int) else math.isfinite(number)


def check_values(value: Any) -> None:
    """Raise KeyPathError for the first key or value that no file of plain text can have."""
    count = 0
    waiting: list[tuple[list[Any], Any]] = [([], value)]
    while waiting:
        path, value = waiting.pop()
        count += 1
        where = ".".join(map(str, path))
        if len(path) > DEEPEST or count > MOST_VALUES:
            raise KeyPathError(path[:DEEPEST], f"{where:.60}: too many values, or too deep. Remove references to them.")
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str):
                    raise KeyPathError(
                        [*path, key],
                        f"{where or 'the configuration'}: the key {key!r} is not text. Write it in quotes: '{key}'.",
                    )
            waiting += [([*path, key], value[key]) for key in reversed(value)]
        elif isinstance(value, list):
            waiting += [([*path, index], value[index]) for index in reversed(range(len(value)))]
        elif isinstance(value, int | float) and not is_usable(value):
            raise KeyPathError(
                path, f'"{where}" is {value:.6g}; expected a number of 64 bits. Change it, or remove the key.'
            )
        elif value is not None and not isinstance(value, str | int | float):
            raise KeyPathError(path, f'"{where}" is a {type(value).__name__}, {value!s:.40}; expected text. Quote it.')


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """As JSON Schema means `$`: at the very end, while Python's also matches before a last line feed."""
    if isinstance(instance, str) and (re.search(pattern, instance) is None or instance.endswith("\n")):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _is_integer(_: Any, instance: Any) -> bool:
    """As JSON Schema means integers, which 100.0 is, but of 64 bits, which 1e30 is not."""
    if isinstance(instance, bool) or not isinstance(instance, int | float):
        return False
    return is_usable(instance) and abs(instance) < LARGEST and instance == int(instance)


Validator: Any = extend(
    Draft202012Validator,
    {"pattern": _pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)
