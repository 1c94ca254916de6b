"""Command-line options that are keys of the configuration: the schema gives type, limits, default, choices and help.

Example: `add_setting(parser, "train.max_steps")` adds `--max-steps`, whose default is that of `train.max_steps`.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections.abc import Callable
from typing import Any

from lora.configuration.flag_names import names_of
from lora.configuration.schema import Setting, setting


def add_setting(
    parser: argparse.ArgumentParser | argparse._ArgumentGroup,
    path: str,
    *,
    flag: str | None = None,
    dest: str | None = None,
) -> None:
    """Add the option of a key, under its own name and the others that `flag_names` lists.

    Args:
        parser: Parser or group that gets the option.
        path: Path of the key in the schema, such as `train.rank`.
        flag: Name of the option, if it is not the key with hyphens.
        dest: Attribute of the parsed arguments, if it is not the key.
    """
    key = setting(path)
    name = path.rpartition(".")[2]
    flag = f"--{name.replace('_', '-')}" if flag is None else flag
    dest = name if dest is None else dest
    if key.schema.get("type") == "boolean":
        if key.default:
            parser.add_argument(f"--no-{flag[2:]}", dest=dest, action="store_false", help=help_text(key))
        else:
            parser.add_argument(flag, dest=dest, action="store_true", help=help_text(key))
        return
    choices = key.choices if "enum" in key.schema else None
    parser.add_argument(
        *names_of(path, flag),
        dest=dest,
        type=parser_of(key),
        default=typed_default(key),
        choices=choices,
        metavar=None if choices else METAVARS.get(str(key.schema.get("type")), "VALUE"),
        help=help_text(key),
    )


METAVARS = {"integer": "N", "number": "F", "array": "LIST", "object": "JSON"}


def help_text(key: Setting) -> str:
    """The key's description and default, as argparse formats it."""
    text = key.description.rstrip(".")
    default = key.default
    if not isinstance(default, bool):
        shown = ",".join(default) if isinstance(default, list) else default
        shown = json.dumps(shown) if isinstance(shown, dict) else shown
        text += f" (default: {'none' if shown in {None, ''} else shown})"
    return text.replace("%", "%%")


def typed_default(key: Setting) -> Any:
    """The default as the option's parser would return it."""
    if key.schema.get("type") == "number":
        return float(key.default)
    default = key.default
    return dict(sorted(default.items())) if isinstance(default, dict) else default  # keys in the order rules write them


def parser_of(key: Setting) -> Callable[[str], Any]:
    """Function that reads and checks an option's text. It raises ArgumentTypeError with what was expected."""
    schema = key.schema
    kind = schema.get("type")
    if kind == "integer":
        return lambda text: parse_integer(text, schema)
    if kind == "number":
        return lambda text: parse_number(text, schema)
    if kind == "array":
        return lambda text: parse_names(text, schema.get("items", {}).get("enum"))
    if kind == "object":
        return parse_object
    if isinstance(kind, list) and "null" in kind:
        return (lambda text: optional_number(text, schema)) if "number" in kind else optional_text
    if "pattern" in schema:
        return lambda text: parse_pattern(text, key)
    return str


def parse_integer(text: str, limits: dict[str, Any]) -> int:
    """A whole number within the limits of a schema."""
    minimum, maximum = limits.get("minimum", 0), limits.get("maximum")
    if not text.isdecimal() or int(text) < minimum or (maximum is not None and int(text) > maximum):
        expected = f"at least {minimum}" + (f" and at most {maximum}" if maximum is not None else "")
        raise argparse.ArgumentTypeError(f"{text!r:.60} is not a whole number of {expected}")
    return int(text)


def parse_number(text: str, limits: dict[str, Any]) -> float:
    """A finite number within the limits of a schema."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    expected = [f"{words} {limits[keyword]}" for keyword, words in LIMITS.items() if keyword in limits]
    right = math.isfinite(value) and all(
        keyword not in limits or inside(value, limits[keyword]) for keyword, inside in INSIDE.items()
    )
    if not right:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number{' of ' if expected else ''}{' and '.join(expected)}"
        )
    return value


LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}
INSIDE: dict[str, Callable[[float, float], bool]] = {
    "minimum": lambda value, limit: value >= limit,
    "exclusiveMinimum": lambda value, limit: value > limit,
    "maximum": lambda value, limit: value <= limit,
    "exclusiveMaximum": lambda value, limit: value < limit,
}


def parse_names(text: str, known: list[str] | None = None) -> list[str]:
    """Names separated by commas, each once: in the order of `known`, or sorted if any name is allowed."""
    names = sorted({name.strip() for name in text.split(",")} - {""})
    if known is None:
        return names
    if not names or not set(names) <= set(known):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of {', '.join(known)}")
    return [name for name in known if name in names]


def parse_pattern(text: str, key: Setting) -> str:
    """Text that matches the pattern of a key, in lower case."""
    if re.search(key.schema["pattern"], text.lower()) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not valid; expected {key.description.partition('. ')[0]}")
    return text.lower()


def parse_object(text: str) -> dict[str, Any]:
    """A JSON object."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"{text!r} is not a JSON object")
    return value


def optional_number(text: str, limits: dict[str, Any]) -> float | None:
    """A number within the limits of a schema, or None for `none`."""
    return None if optional_text(text) is None else parse_number(text, limits)


def optional_text(text: str) -> str | None:
    return None if text.lower() in {"", "none", "null"} else text
