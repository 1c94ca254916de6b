"""The schema of config.yaml: the one place with the keys of a study, their types, defaults and descriptions."""

from __future__ import annotations

import copy
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lora.configuration.presets import PRESETS
from lora.records.transcript_formats import TRANSCRIPT_FORMATS

SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where the C library is installed
SCHEMA_PATH = Path(__file__).parents[1] / "schemas" / "config.schema.yaml"


@dataclass(frozen=True)
class Setting:
    """One key of the configuration, as the schema describes it."""

    path: str
    schema: dict[str, Any]

    @property
    def default(self) -> Any:
        """A copy of the default. Raises KeyError for a key without one."""
        return copy.deepcopy(self.schema["default"])

    @property
    def choices(self) -> list[str]:
        """The values that an enumeration admits, in the schema's order."""
        return list(self.schema["enum"])

    @property
    def description(self) -> str:
        return " ".join(self.schema["description"].split())


@functools.cache
def load_schema() -> dict[str, Any]:
    """The whole schema, with the values that tables of the library list. Shared: copy it before changing it."""
    schema: dict[str, Any] = yaml.load(SCHEMA_PATH.read_text(encoding="utf-8"), Loader=SafeLoader)
    definitions = schema["$defs"]
    definitions["transcripts"]["properties"]["format"]["enum"] = list(TRANSCRIPT_FORMATS)
    definitions["hypothesis"]["properties"]["preset"]["enum"] = [*PRESETS, None]
    settings = definitions["train"]["properties"]
    entry = definitions["sweep_entry"]
    entry["properties"]["grid"]["properties"] = {
        key: {"type": "array", "minItems": 1, "items": values} for key, values in settings.items()
    }
    entry["properties"] = {**settings, **entry["properties"]}
    return schema


def setting(path: str) -> Setting:
    """Look up a key by its path, such as `labels.sample`; `train.rank` is a training setting of any run (`$defs`).

    Raises KeyError for a path that the schema does not have.
    """
    schema = load_schema()
    section, *keys = path.split(".")
    node = schema["properties"].get(section) or schema["$defs"][section]
    for key in keys:
        node = resolve(node, schema)["properties"][key]
    return Setting(path=path, schema=resolve(node, schema))


def complete(value: Any, schema: dict[str, Any] | None = None) -> Any:
    """Copy a configuration, or a part of it with its part of the schema, and fill in the defaults.

    Keys come in the schema's order, keys whose names people choose after them.
    """
    root = load_schema()
    schema = resolve(root if schema is None else schema, root)
    if not isinstance(value, dict):
        return copy.deepcopy(value)
    properties = schema.get("properties", {})
    completed = {}
    for key, property_schema in properties.items():
        property_schema = resolve(property_schema, root)
        if key in value:
            completed[key] = complete(value[key], property_schema)
        elif "default" in property_schema:
            completed[key] = complete(property_schema["default"], property_schema)
    others = schema.get("additionalProperties")
    for key in value:
        if key not in properties:
            completed[key] = complete(value[key], others) if isinstance(others, dict) else value[key]
    return completed


def resolve(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """Follow a `$ref` into the schema's own definitions."""
    if "$ref" not in schema:
        return schema
    target: Any = root
    for name in schema["$ref"].removeprefix("#/").split("/"):
        target = target[name]
    return dict(target)
