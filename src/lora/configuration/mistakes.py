"""Messages about mistakes in config.yaml: file, line, key, value, what was expected, what to do."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from jsonschema.exceptions import ValidationError

from lora.provenance.command_parser import suggest

# Keys of earlier versions by their path, and their present names.
RENAMED = {
    "headroom.max_suspected_references": "max_reference_errors",
    "integrity.many_mismatched": "blocking_mismatched",
    "integrity.max_narrow": "max_narrowband",
    "labels.max_unwritable": "max_changed_by_tokenizer",
}
BOUNDS = {
    "minimum": "{} or more",
    "maximum": "{} or less",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "maxLength": "at most {} character(s)",
    "minLength": "at least {} character(s)",
    "minItems": "at least {} item(s)",
    "minProperties": "at least {} key(s)",
}
TAKEN = {"manifests": "'summary', the table of all manifests"}
TAKEN_FOR_RUNS = "'base', which is the baseline"
TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping of keys to values",
    "null": "null",
}


class KeyPathError(Exception):
    """A mistake at a path of keys."""

    def __init__(self, path: list[str], text: str) -> None:
        super().__init__(text)
        self.path = path
        self.text = text


def likeliest(errors: Iterable[ValidationError]) -> ValidationError | None:
    """The mistake deepest in the file: of several readings of a `oneOf`, the one that got furthest is meant.

    Where none got further, the mistake is that the value is none of what the `oneOf` allows. (`best_match` of
    jsonschema takes the reading that got least far.)
    """
    error = max(errors, key=_depth, default=None)
    while error is not None and error.context:
        deepest = max(error.context, key=_depth)
        if _depth(deepest) <= _depth(error):
            break
        error = deepest
    return error


def _depth(error: ValidationError) -> tuple[int, int]:
    return (len(error.absolute_path), error.validator == "additionalProperties")


def key_path(error: ValidationError) -> list[Any]:
    """Where a mistake is: the key that is wrong, or the unknown key itself."""
    unknown = _unknown_key(error)
    return [*error.absolute_path, *([unknown] if unknown is not None else [])]


def describe(error: ValidationError) -> str:
    """Say which key is wrong, its value, what was expected, and what to do."""
    keys = [str(part) for part in error.absolute_path]
    path = ".".join(keys)
    unknown = _unknown_key(error)
    if unknown is not None:
        return _describe_unknown(unknown, path, error)
    if error.validator in {"pattern", "not", "maxLength"} and isinstance(error.instance, str) and len(keys) < 2:
        return (
            f"{path}: {_short(error.instance)} cannot be a name; expected at most 100 letters, digits, _ and -, "
            f"and not {TAKEN.get(path, TAKEN_FOR_RUNS)}. Choose another name."
        )
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        return f"{path or 'the configuration'}: '{missing}' is missing. Add it (docs/configuration.md)."
    if error.validator == "oneOf" and keys[:1] == ["candidates"] and len(keys) == 2:
        given = [key for key in error.instance if {"required": [key]} in error.validator_value]
        problem = f"has {' and '.join(given)}. Remove all but one." if given else "has none of them. Add one."
        return f"{path}: expected exactly one of train, adapter, checkpoint, hypotheses; it {problem}"
    return (
        f'"{path or "the configuration"}" is {_short(error.instance)}; expected {_expectation(error)}. {_remedy(error)}'
    )


def _unknown_key(error: ValidationError) -> str | None:
    if error.validator != "additionalProperties":
        return None
    unknown = [key for key in error.instance if key not in error.schema.get("properties", {})]
    return str(unknown[0]) if unknown else None


def _describe_unknown(unknown: str, path: str, error: ValidationError) -> str:
    section = f" in {path}" if path else ""
    new_name = RENAMED.get(f"{path}.{unknown}")
    if new_name is not None:
        return f"unknown key '{unknown}'{section}; it is called '{new_name}' now. Rename it."
    return f"unknown key {unknown!r:.60}{section}{suggest(unknown, list(error.schema.get('properties', {})))}"


def _expectation(error: ValidationError) -> str:
    value = error.validator_value
    keyword = str(error.validator)
    if keyword == "enum":
        return "one of " + ", ".join(repr(choice) for choice in value)
    if keyword == "type":
        return " or ".join(TYPES[kind] for kind in ([value] if isinstance(value, str) else value))
    if keyword in BOUNDS:
        return BOUNDS[keyword].format(value)
    if keyword == "pattern":
        return f"what docs/configuration.md lists, namely a match of {value}"
    if keyword == "uniqueItems":
        return "each item once"
    if keyword == "oneOf":
        return " or ".join(_option(option) for option in value)
    return str(error.message)


def _remedy(error: ValidationError) -> str:
    """What to do about a wrong value, and what the key means."""
    meaning = " ".join(error.schema.get("description", "").split())
    remedy = "Change it."
    if "default" in error.schema:
        remedy = f"Change it, or remove the key (default: {_short(error.schema['default'])})."
    return f"{remedy} {meaning}".rstrip()


def _option(schema: dict[str, Any]) -> str:
    if "const" in schema:
        return repr(schema["const"])
    bounds = [text.format(schema[keyword]) for keyword, text in BOUNDS.items() if keyword in schema]
    return " ".join([TYPES.get(schema.get("type", ""), "a value"), " and ".join(bounds)]).strip()


def _short(value: Any, length: int = 60) -> str:
    text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= length else text[: length - 1] + "…"
