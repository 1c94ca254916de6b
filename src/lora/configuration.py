"""Load a study's configuration: defaults from the schema, and errors that name file, line, key and what to do.

`schemas/config.schema.yaml` holds every key with its type, default and description; nothing else holds a default.
"""

from __future__ import annotations

import copy
import difflib
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from lora.records.base import UserError

SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where the C library is there
# Keys of earlier versions, by their path, and what they are called now.
RENAMED = {
    "headroom.max_suspected_references": "max_reference_errors",
    "integrity.many_mismatched": "blocking_mismatched",
    "integrity.max_narrow": "max_narrowband",
    "labels.max_unwritable": "max_changed_by_tokenizer",
}
SCHEMA_PATH = Path(__file__).parents[2] / "schemas" / "config.schema.yaml"


def load_configuration(given: dict[str, Any], source: Path | None, study: Path) -> dict[str, Any]:
    """Validate and complete a configuration.

    `given` is the configuration as merged by Snakemake, `source` the file it came from (for line numbers; None when it
    was handed over in memory), `study` the folder its paths are relative to. Raises UserError on the first mistake.
    """
    schema = yaml.load(SCHEMA_PATH.read_text(encoding="utf-8"), Loader=SafeLoader)
    given = _with_exponents(copy.deepcopy(given), Draft202012Validator(schema))
    error = best_match(Draft202012Validator(schema).iter_errors(given), key=_deepest)
    if error is not None:
        raise UserError(f"{_location(source, list(error.absolute_path), _unknown_key(error))}: {_explain(error)}")
    config: dict[str, Any] = complete(given, schema, schema)
    try:
        _check_references(config)
        _check_parts(config, schema["$defs"]["train"]["properties"]["target_parts"]["default"])
        _check_paths(config, study)
    except KeyPathError as mistake:
        raise UserError(f"{_location(source, mistake.path)}: {mistake.text}") from None
    return config


def _with_exponents(given: dict[str, Any], validator: Draft202012Validator) -> dict[str, Any]:
    """Numbers such as 1e-3, which YAML 1.1 reads as text because they have no dot, become numbers where one is due."""
    for error in validator.iter_errors(given):
        for mistake in [error, *(error.context or [])]:
            if mistake.validator == "type" and mistake.validator_value == "number" and mistake.absolute_path:
                try:
                    number = float(mistake.instance)
                except (TypeError, ValueError):
                    continue
                *parents, key = mistake.absolute_path
                place: Any = given
                for parent in parents:
                    place = place[parent]
                place[key] = number
    return given


class KeyPathError(Exception):
    """A mistake that no schema can express, at the key path it stands at."""

    def __init__(self, path: list[str], text: str) -> None:
        super().__init__(text)
        self.path, self.text = path, text


def complete(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> Any:
    """A copy of `value` with the schema's defaults filled in; keys stand in the schema's order."""
    schema = _resolve(schema, root)
    if not isinstance(value, dict):
        return copy.deepcopy(value)
    properties = schema.get("properties", {})
    completed = {}
    for key, part in properties.items():
        part = _resolve(part, root)
        if key in value:
            completed[key] = complete(value[key], part, root)
        elif "default" in part:
            completed[key] = complete(part["default"], part, root)
    others = schema.get("additionalProperties")
    for key in value:
        if key not in properties:
            completed[key] = complete(value[key], others, root) if isinstance(others, dict) else value[key]
    return completed


def _resolve(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    target: Any = root
    for part in schema["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    return dict(target)


def _check_references(config: dict[str, Any]) -> None:
    manifests = [name for name in config["manifests"] if name != "train"]
    if config["model"] is not None and "train" not in config["manifests"]:
        raise KeyPathError(
            ["manifests"], "`manifests` needs `train`, the training manifest: only where `model` is null nothing trains"
        )
    if not manifests:
        raise KeyPathError(["manifests"], "`manifests` names no manifest to evaluate on, beside `train`")
    placed = [(role, name) for role, names in config["roles"].items() for name in names]
    for role, name in placed:
        if name not in manifests:
            raise KeyPathError(
                ["roles", role],
                f"roles.{role} names '{name}', which is no evaluation manifest; there are: {', '.join(manifests)}. "
                "Set `roles: {general: [...], domain: [...]}` to names under `manifests`.",
            )
    names = [name for _, name in placed]
    for name in manifests:
        if names.count(name) != 1:
            problem = "has no role" if name not in names else "stands in more than one role"
            raise KeyPathError(
                ["manifests", name],
                f"manifest '{name}' {problem}; put it into exactly one of roles.general and roles.domain",
            )
    runs = [*config["candidates"], *config["sweep"]]
    for name in config["sweep"]:
        if name in config["candidates"]:
            raise KeyPathError(["sweep", name], f"'{name}' is a candidate already; give the sweep entry another name")
    gate_run = config["gate"]["run"]
    if gate_run is not None and gate_run not in config["candidates"]:
        raise KeyPathError(
            ["gate", "run"], f"gate.run names '{gate_run}', which is no candidate{_suggest(gate_run, runs)}"
        )
    for name, candidate in config["candidates"].items():
        if config["model"] is None and "hypotheses" not in candidate:
            raise KeyPathError(["candidates", name], f"candidate '{name}' needs a model, and `model` is null")
        for manifest in candidate.get("hypotheses", {}):
            if manifest not in manifests:
                raise KeyPathError(
                    ["candidates", name, "hypotheses", manifest],
                    f"'{manifest}' is no evaluation manifest{_suggest(manifest, manifests)}",
                )
    for manifest in (config["base"] or {}).get("hypotheses", {}):
        if manifest not in manifests:
            raise KeyPathError(
                ["base", "hypotheses", manifest],
                f"'{manifest}' is no evaluation manifest{_suggest(manifest, manifests)}",
            )
    if config["model"] is None and config["base"] is None:
        raise KeyPathError(
            ["model"], "`model` is null, so `base: {hypotheses: ...}` must bring the baseline's transcripts"
        )


def _check_parts(config: dict[str, Any], all_parts: list[str]) -> None:
    """Parts are chosen of what `auto` adapts; any other setting of target_modules says itself what is adapted."""
    trained = [(["candidates", n, "train"], c["train"]) for n, c in config["candidates"].items() if "train" in c]
    trained += [(["sweep", name], settings) for name, settings in config["sweep"].items()]
    for path, settings in trained:
        if settings["target_modules"] != "auto" and set(settings["target_parts"]) != set(all_parts):
            raise KeyPathError(
                [*path, "target_parts"],
                f"{'.'.join(path)}: target_parts goes with `target_modules: auto`; "
                f"{settings['target_modules']!r} says itself what is adapted",
            )


def _check_paths(config: dict[str, Any], study: Path) -> None:
    named = [
        (["manifests", name], value) if isinstance(value, str) else (["manifests", name, "path"], value["path"])
        for name, value in config["manifests"].items()
    ]
    for name, candidate in config["candidates"].items():
        if "adapter" in candidate:
            named.append((["candidates", name, "adapter"], candidate["adapter"]))
        named += _transcripts(["candidates", name, "hypotheses"], candidate)
    named += _transcripts(["base", "hypotheses"], config["base"] or {})
    for path, value in named:
        if not (study / value).exists():
            raise KeyPathError(path, f"{'.'.join(path)}: no such file or folder: {value} (looked in {study})")


def _transcripts(where: list[str], source: dict[str, Any]) -> list[tuple[list[str], str]]:
    """Key path and file of all transcripts that a run brings."""
    brought = source.get("hypotheses", {})
    return [([*where, m], given if isinstance(given, str) else given["path"]) for m, given in brought.items()]


def _deepest(error: ValidationError) -> tuple[int, int]:
    """Prefer the mistake deepest in the file: of several readings of a `oneOf`, the one that got furthest is meant."""
    return (len(error.absolute_path), error.validator == "additionalProperties")


def _unknown_key(error: ValidationError) -> str | None:
    if error.validator != "additionalProperties":
        return None
    unknown = [key for key in error.instance if key not in error.schema.get("properties", {})]
    return str(unknown[0]) if unknown else None


def _explain(error: ValidationError) -> str:
    path = ".".join(str(part) for part in error.absolute_path)
    unknown = _unknown_key(error)
    if unknown is not None:
        where = f" in {path}" if path else ""
        new_name = RENAMED.get(f"{path}.{unknown}")
        if new_name is not None:
            return f"unknown key '{unknown}'{where}; it is called '{new_name}' now. Rename it."
        return f"unknown key '{unknown}'{where}{_suggest(unknown, list(error.schema.get('properties', {})))}"
    if error.validator in {"pattern", "not"} and isinstance(error.instance, str) and len(error.absolute_path) < 2:
        return (
            f"{path}: '{error.instance}' cannot be a name here; names consist of letters, digits, _ and -, "
            "and 'base' is the baseline's"
        )
    if error.validator == "required":
        return f"{path or 'the configuration'}: {error.message}"
    if error.validator == "oneOf" and error.absolute_path and error.absolute_path[0] == "candidates":
        return f"{path}: a candidate has exactly one of train, adapter, checkpoint, hypotheses"
    if error.validator == "oneOf":
        return f"{path}: {error.instance!r} is not allowed; {error.schema.get('description', '')}"
    return f"{path or 'the configuration'}: {error.message}"


def _suggest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; known: {', '.join(known)}"


def _location(source: Path | None, path: list[Any], key: str | None = None) -> str:
    """`file:line` of the key path (or of an unknown key under it), as near as the YAML text tells."""
    if source is None:
        return "configuration"
    node = yaml.compose(source.read_text(encoding="utf-8"))
    line = 1
    for part in [*path, *([key] if key else [])]:
        if isinstance(node, yaml.MappingNode):
            for key_node, value_node in node.value:
                if key_node.value == str(part):
                    line, node = key_node.start_mark.line + 1, value_node
                    break
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line + 1
    return f"{source}:{line}"
