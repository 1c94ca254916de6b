"""Read a YAML file that people write: every mistake is one error with file, line, key and value.

YAML allows more than a configuration can use: keys that are numbers, a key twice, references that multiply or contain
themselves, tags that create objects. Each of these is refused before anything is built from it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml
from yaml.reader import Reader

from lora.configuration.plain_values import DEEPEST, MOST_VALUES, is_usable
from lora.configuration.schema import SafeLoader
from lora.records.base import UserError

MOST_BYTES = 512 * 1024
TOO_DEEP = f"more than {DEEPEST} levels of lists and mappings. Remove the inner ones."
# Octal, and minutes with seconds: nobody who writes `010` or `1:30` means 8 or 90.
ODD_INTEGER = re.compile(r"[-+]?(0[0-7_]+|[0-9_]+(:[0-5]?[0-9])+)")
CORE = "tag:yaml.org,2002:"
VALUES = {f"{CORE}{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}
MERGE = f"{CORE}merge"
NAMES = {"int": "a number", "float": "a number", "bool": "true or false", "null": "null", "timestamp": "a date"}


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        UserError: On the first mistake.
    """
    text = _text(path)
    try:
        _check_depth(path, text)
        node = yaml.compose(text, SafeLoader)
        if not isinstance(node, yaml.MappingNode):
            raise UserError(f"{path}:1: expected keys and values, such as `manifests: {{...}}`. Write them.")
        _Check(path).node(node, [])
        loader = SafeLoader("")
        value: dict[str, Any] = loader.construct_document(node)
    except yaml.YAMLError as error:
        if (as_json := _json_mapping(text)) is not None:
            return as_json
        raise UserError(_not_yaml(path, error)) from None
    except (RecursionError, ValueError, TypeError) as error:
        raise UserError(f"{path}: not YAML: {error}. Correct it.") from None
    return value


def _json_mapping(text: str) -> dict[str, Any] | None:
    """The mapping in JSON that is no YAML, such as with escapes of two surrogates; None for other text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _text(path: Path) -> str:
    if path.exists() and not path.is_file():
        raise UserError(f"{path}: not a file but a folder, pipe or device. Name a file.")
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MOST_BYTES else b""
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}. Correct the path.") from None
    if size > MOST_BYTES:
        raise UserError(f"{path}: {size} bytes; expected at most {MOST_BYTES}. Name a configuration.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}:{line}: the file is not UTF-8. Save it as UTF-8.") from None
    if control := Reader.NON_PRINTABLE.search(text):  # libyaml names no line for it
        line = text.count("\n", 0, control.start()) + 1
        raise UserError(f"{path}:{line}: YAML allows no character {control[0]!r}. Remove it.")
    return text


def _check_depth(path: Path, text: str) -> None:
    """Events come one by one, while nodes are built recursively."""
    depth = 0
    event: Any
    for event in yaml.parse(text, SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            line = event.start_mark.line + 1
            raise UserError(f"{path}:{line}: {TOO_DEEP}")


class _Check:
    """Walks the nodes of a file as often as references repeat them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.open: set[int] = set()

    def node(self, node: Any, keys: list[str]) -> None:
        self.count += 1
        if self.count > MOST_VALUES:
            raise self._error(node, keys, f"more than {MOST_VALUES} values, through references (`*name`). Remove them")
        if id(node) in self.open:
            raise self._error(node, keys, "refers to itself. Remove the reference")
        if node.tag not in VALUES:
            raise self._error(
                node, keys, f"{_shown(node)} is {_kind(node)}; expected text, a number, true, false or null. Quote it"
            )
        self.open.add(id(node))
        if isinstance(node, yaml.MappingNode):
            self._mapping(node, keys)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                self.node(item, keys)
        else:
            self._scalar(node, keys)
        self.open.remove(id(node))

    def _mapping(self, node: Any, keys: list[str]) -> None:
        lines: dict[str, int] = {}
        for key, value in node.value:
            if key.tag == MERGE:
                self.node(value, keys)
                continue
            if not isinstance(key, yaml.ScalarNode) or key.tag != f"{CORE}str":
                quoted = f" Write '{key.value}' in quotes." if isinstance(key, yaml.ScalarNode) else ""
                raise self._error(key, keys, f"the key {_shown(key)} is {_kind(key)}; expected text.{quoted}")
            if key.value in lines:
                raise self._error(
                    key, [*keys, key.value], f"the key is already in line {lines[key.value]}. Remove one of them"
                )
            if key.value != key.value.strip() or not key.value.isprintable():
                raise self._error(
                    key, keys, f"the key {key.value!r:.60} has white space or control characters around it. Remove them"
                )
            lines[key.value] = key.start_mark.line + 1
            self.node(value, [*keys, key.value])

    def _scalar(self, node: Any, keys: list[str]) -> None:
        if node.tag == f"{CORE}int" and len(node.value) > 4000:
            raise self._error(node, keys, f"{_shown(node)} has {len(node.value)} digits. Write a smaller number")
        if node.tag not in {f"{CORE}int", f"{CORE}float"}:
            return
        number = SafeLoader("").construct_object(node)
        if node.tag == f"{CORE}int" and ODD_INTEGER.fullmatch(node.value):
            raise self._error(node, keys, f"{_shown(node)} means {number} in YAML. Write {number}, or quote it")
        if not is_usable(number):
            raise self._error(node, keys, f"{_shown(node)} is not a number of 64 bits. Write a number")

    def _error(self, node: Any, keys: list[str], problem: str) -> UserError:
        where = f'"{".".join(keys)}": ' if keys else ""
        return UserError(f"{self.path}:{node.start_mark.line + 1}: {where}{problem.rstrip('.')}.")


def _shown(node: Any) -> str:
    return f"{node.value:.40}" if isinstance(node, yaml.ScalarNode) else "[...]"


def _kind(node: Any) -> str:
    name = node.tag.removeprefix(CORE)
    if isinstance(node, yaml.SequenceNode) and node.tag in VALUES:
        return "a list"
    if isinstance(node, yaml.MappingNode) and node.tag in VALUES:
        return "a mapping"
    return NAMES.get(name, f"of the type {name:.40}")


def _not_yaml(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = "" if mark is None else f":{mark.line + 1}"
    problem = " ".join(str(getattr(error, "problem", None) or getattr(error, "reason", None) or error).split())
    if "nesting depth" in problem:  # libyaml of PyYAML 6.0.4 refuses thousands of levels before it reports the first
        return f"{path}{line}: {TOO_DEEP}"
    return f"{path}{line}: not YAML: {problem}. Indent with spaces, close brackets and quotes, and put text in quotes."
