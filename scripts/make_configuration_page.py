"""Write docs/configuration.md from the schema of config.yaml, the one place with keys and defaults.

Example: python scripts/make_configuration_page.py > docs/configuration.md
Reads: src/lora/schemas/config.schema.yaml. Writes: the page on stdout.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import yaml

from lora.configuration.presets import PRESETS
from lora.configuration.schema import SCHEMA_PATH

HEAD = """# Configuration

One YAML file describes a study. Paths are relative to the study folder, which is Snakemake's working directory
(`--directory`). Without `--configfile`, `config.yaml` of that folder is read. Unknown keys are errors.

Generated from `src/lora/schemas/config.schema.yaml`:
`python scripts/make_configuration_page.py > docs/configuration.md`.
"""


def rows(schema: dict[str, Any], path: str, required: bool) -> Iterator[tuple[str, str, str, str]]:
    """Yield path, allowed values, default and description of a key and of all keys below it."""
    if "default" in schema:
        default = f"`{json.dumps(schema['default'])}`" if schema["default"] != {} else ""
    else:
        default = "required" if required else ""
    yield path, allowed(schema), default, " ".join(schema.get("description", "").split())
    for key, part in schema.get("properties", {}).items():
        yield from rows(part, f"{path}.{key}", key in schema.get("required", []))


def allowed(schema: dict[str, Any]) -> str:
    """Describe the values that a schema admits."""
    if schema.get("type") == "null":
        return "null"
    if "$ref" in schema:
        return f"see [{schema['$ref'].rsplit('/')[-1]}](#{schema['$ref'].rsplit('/')[-1]})"
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join("null" if value is None else f"`{value}`" for value in schema["enum"])
    if "oneOf" in schema and all("required" not in option for option in schema["oneOf"]):
        return " or ".join(allowed(option) for option in schema["oneOf"])
    kinds = schema.get("type", "object")
    text = " or ".join([kinds] if isinstance(kinds, str) else kinds)
    if "items" in schema:
        text += f" of {allowed(schema['items'])}"
    if isinstance(schema.get("additionalProperties"), dict):
        text += f" of name to {allowed(schema['additionalProperties'])}"
    return text


def table(schema: dict[str, Any], path: str) -> str:
    lines = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for key, part in schema["properties"].items():
        for name, value, default, meaning in rows(part, f"{path}{key}", key in schema.get("required", [])):
            lines.append(f"| `{name}` | {value} | {default} | {meaning} |")
    return "\n".join(lines)


def presets() -> str:
    """The hypotheses that can be asked by name."""
    lines = ["", "| preset | statement | test | factor | predicts |", "|---|---|---|---|---|"]
    for name, preset in PRESETS.items():
        factor = ", ".join(f"`{key}`" for key in preset.factor)
        lines.append(f"| `{name}` | {preset.statement} | {preset.test} | {factor} | {preset.predicts} |")
    return "\n".join(lines)


def page() -> str:
    schema = yaml.safe_load(SCHEMA_PATH.read_text(encoding="utf-8"))
    parts = [HEAD, table(schema, "")]
    for name in ("manifest", "candidate", "train"):
        parts.append(f"\n## {name}\n\n{table(schema['$defs'][name], '')}")
    for name in ("sweep_entry", "hypothesis"):
        meaning = " ".join(schema["$defs"][name]["description"].split())
        parts.append(f"\n## {name}\n\n{meaning}\n\n{table(schema['$defs'][name], '')}")
    parts.append(presets())
    parts.append(f"\n## hypotheses\n\n{schema['$defs']['hypotheses']['description']}\n")
    parts.append(table(schema["$defs"]["transcripts"], ""))
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
