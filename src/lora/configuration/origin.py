"""Where the values of a configuration came from: its files, and `--config` of the command line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from lora.configuration.schema import SafeLoader

OPTION = "--config"


@dataclass(frozen=True)
class Origin:
    """Files, of which a later one replaces keys of earlier ones, and options that replace keys of all of them."""

    files: Sequence[Path] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


class _Place(NamedTuple):
    depth: int  # how many keys of a path are there
    name: str


def named_files(options: Sequence[str]) -> list[Path]:
    """Configurations that options of Snakemake name. Where an option is there twice, it takes the last one."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="*", type=Path, default=[])
    files: list[Path] = parser.parse_known_args(options)[0].configfile
    return files


def location(origin: Origin | Path | None, path: list[Any]) -> str:
    """`file:line` of a key path, as near as the YAML text allows, or `--config`.

    Args:
        origin: The configuration's; None if it was passed in memory.
        path: Keys from the outermost one, and indices of lists.
    """
    if origin is None:
        return "configuration"
    if isinstance(origin, Path):
        origin = Origin([origin])
    places = [_in_file(file, path) for file in reversed(origin.files)]
    if path and path[0] in origin.options:
        places.insert(0, _in_options(origin.options, path))
    return max(places, key=lambda place: place.depth).name if places else "configuration"


def _in_options(options: Any, path: list[Any]) -> _Place:
    depth = 0
    for part in path:
        if not isinstance(options, Mapping) or part not in options:
            break
        options = options[part]
        depth += 1
    return _Place(depth, OPTION)


def _in_file(file: Path, path: list[Any]) -> _Place:
    try:
        node = yaml.compose(file.read_text(encoding="utf-8-sig"), SafeLoader)
    except (OSError, ValueError, yaml.YAMLError):
        return _Place(0, str(file))
    line, depth = 1, 0
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == str(part)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
        depth += 1
    return _Place(depth, f"{file}:{line}")


def typed_options(value: Any) -> Any:
    """The options with numbers, true, false and null, which Snakemake leaves as text within `--config 'a={"b": 1}'`."""
    if isinstance(value, Mapping):
        return {key: typed_options(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [typed_options(inner) for inner in value]
    try:
        plain = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value
    return value if isinstance(plain, str | list | dict) else plain
