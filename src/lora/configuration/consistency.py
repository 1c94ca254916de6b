"""Checks that a schema cannot express: names that refer to each other, settings that exclude each other, paths."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lora.configuration.mistakes import suggest
from lora.configuration.schema import setting

HUB = "hub"  # the format of manifests whose `path` is no path


class KeyPathError(Exception):
    """A mistake at a path of keys."""

    def __init__(self, path: list[str], text: str) -> None:
        super().__init__(text)
        self.path = path
        self.text = text


def check_consistency(config: dict[str, Any], study: Path) -> None:
    """Check a complete configuration whose paths are relative to `study`. Raises KeyPathError on the first mistake."""
    evaluations = [name for name in config["manifests"] if name != "train"]
    _check_manifests(config, evaluations)
    _check_roles(config, evaluations)
    _check_names(config)
    _check_sources(config, evaluations)
    _check_module_groups(config)
    _check_paths(config, study)


def _check_manifests(config: dict[str, Any], evaluations: list[str]) -> None:
    if config["model"] is not None and "train" not in config["manifests"]:
        raise KeyPathError(
            ["manifests"],
            "`manifests` needs `train`, the training manifest, because `model` is set. Add it, or set `model: null`.",
        )
    if not evaluations:
        raise KeyPathError(["manifests"], "`manifests` names no manifest to evaluate on besides `train`. Add one.")


def _check_roles(config: dict[str, Any], evaluations: list[str]) -> None:
    assigned = [(role, name) for role, names in config["roles"].items() for name in names]
    for role, name in assigned:
        if name not in evaluations:
            raise KeyPathError(
                ["roles", role],
                f"roles.{role} names '{name}', which is no evaluation manifest; expected some of "
                f"{', '.join(evaluations)}. "
                "Set `roles: {general: [...], domain: [...]}` to names under `manifests`.",
            )
    names = [name for _, name in assigned]
    for name in evaluations:
        if names.count(name) != 1:
            problem = "has no role" if name not in names else "has more than one role"
            raise KeyPathError(
                ["manifests", name],
                f"manifest '{name}' {problem}. Add it to exactly one of roles.general and roles.domain.",
            )


def _check_names(config: dict[str, Any]) -> None:
    for name in config["sweep"]:
        if name in config["candidates"]:
            raise KeyPathError(
                ["sweep", name], f"'{name}' is the name of a candidate already. Give the sweep entry another name."
            )
    gate_run = config["gate"]["run"]
    if gate_run is not None and gate_run not in config["candidates"]:
        runs = [*config["candidates"], *config["sweep"]]
        raise KeyPathError(
            ["gate", "run"], f"gate.run names '{gate_run}', which is no candidate{suggest(gate_run, runs)}"
        )


def _check_sources(config: dict[str, Any], evaluations: list[str]) -> None:
    """Check that every run has a model or transcripts, and transcripts only of evaluation manifests."""
    for name, candidate in config["candidates"].items():
        if config["model"] is None and "hypotheses" not in candidate:
            raise KeyPathError(
                ["candidates", name],
                f"candidate '{name}' needs a model, and `model` is null. Set `model`, or give it `hypotheses`.",
            )
    for path, _ in _transcript_files(config):
        if path[-1] not in evaluations:
            raise KeyPathError(path, f"'{path[-1]}' is no evaluation manifest{suggest(path[-1], evaluations)}")
    if config["model"] is None and config["base"] is None:
        raise KeyPathError(
            ["model"],
            "`model` is null, so the baseline's transcripts are needed. Add `base: {hypotheses: {...}}`.",
        )


def _check_module_groups(config: dict[str, Any]) -> None:
    """Check that module groups are chosen only with `target_modules: auto`, which they restrict."""
    every_group = set(setting("train.target_parts").default)
    trained = [
        (["candidates", name, "train"], candidate["train"])
        for name, candidate in config["candidates"].items()
        if "train" in candidate
    ]
    trained += [(["sweep", name], settings) for name, settings in config["sweep"].items()]
    for path, settings in trained:
        if settings["target_modules"] != "auto" and set(settings["target_parts"]) != every_group:
            raise KeyPathError(
                [*path, "target_parts"],
                f"{'.'.join(path)}: target_parts goes with `target_modules: auto`, and target_modules is "
                f"{settings['target_modules']!r}. Remove one of them.",
            )


def _check_paths(config: dict[str, Any], study: Path) -> None:
    for path, value in [*_manifest_files(config), *_adapter_folders(config), *_transcript_files(config)]:
        if not (study / value).exists():
            raise KeyPathError(path, f"{'.'.join(path)}: no such file or folder: {value} (looked in {study})")


def _manifest_files(config: dict[str, Any]) -> Iterator[tuple[list[str], str]]:
    for name, manifest in config["manifests"].items():
        if isinstance(manifest, str):
            yield ["manifests", name], manifest
        elif manifest.get("format") != HUB:
            yield ["manifests", name, "path"], manifest["path"]


def _adapter_folders(config: dict[str, Any]) -> Iterator[tuple[list[str], str]]:
    for name, candidate in config["candidates"].items():
        if "adapter" in candidate:
            yield ["candidates", name, "adapter"], candidate["adapter"]


def _transcript_files(config: dict[str, Any]) -> Iterator[tuple[list[str], str]]:
    """Key path and file of the transcripts of every run."""
    sources = [(["candidates", name], candidate) for name, candidate in config["candidates"].items()]
    for where, source in [*sources, (["base"], config["base"] or {})]:
        for manifest, entry in source.get("hypotheses", {}).items():
            path = [*where, "hypotheses", manifest]
            yield path, entry if isinstance(entry, str) else entry["path"]
