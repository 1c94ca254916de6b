"""Checks that a schema cannot express: names that refer to each other, settings that exclude each other, paths."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lora.configuration.hypotheses import check_hypotheses
from lora.configuration.mistakes import KeyPathError
from lora.configuration.recipes import identity
from lora.configuration.schema import setting
from lora.layout import NOT_EVALUATED, REPLAY, TRAIN
from lora.provenance.command_parser import suggest
from lora.provenance.disk_problem import why_absent

PATTERN_CHARACTERS = "{}<>"
HUB = "hub"  # the format of manifests whose `path` is no path


def check_consistency(config: dict[str, Any], study: Path) -> None:
    """Check a complete configuration whose paths are relative to `study`. Raises KeyPathError on the first mistake."""
    evaluations = [name for name in config["manifests"] if name not in NOT_EVALUATED]
    _check_manifests(config, evaluations)
    _check_roles(config, evaluations)
    _check_names(config)
    _check_repeated_runs(config)
    _check_override(config)
    _check_sources(config, evaluations)
    _check_module_groups(config)
    check_hypotheses(config, evaluations)
    _check_replay(config)
    _check_path_characters(config)
    _check_paths(config, study)


def _check_manifests(config: dict[str, Any], evaluations: list[str]) -> None:
    if config["model"] is not None and "train" not in config["manifests"]:
        raise KeyPathError(
            ["manifests"],
            "`manifests` needs `train`, the training manifest, because `model` is set. Add it, or set `model: null`.",
        )
    if REPLAY in config["manifests"] and TRAIN not in config["manifests"]:
        raise KeyPathError(
            ["manifests", REPLAY],
            f"manifest '{REPLAY}' is mixed into training, and there is no `train`. Add `train`, or remove it.",
        )
    if not evaluations:
        raise KeyPathError(["manifests"], "`manifests` names no manifest to evaluate on besides `train`. Add one.")


def _check_roles(config: dict[str, Any], evaluations: list[str]) -> None:
    assigned = [(role, name) for role, names in config["roles"].items() for name in names]
    for role, name in assigned:
        if name not in evaluations:
            raise KeyPathError(
                ["roles", role],
                f"roles.{role} names {name!r:.60}, which is no evaluation manifest; expected some of "
                f"{', '.join(evaluations)}. "
                "Set `roles: {general: [...], domain: [...]}` to names under `manifests`.",
            )
    names = [name for _, name in assigned]
    if not config["roles"]["domain"]:
        raise KeyPathError(
            ["roles", "general"],
            "every evaluation manifest is general, so none can show a gain. Add a manifest of the domain.",
        )
    for name in evaluations:
        if names.count(name) != 1:
            problem = "has no role" if name not in names else "has more than one role"
            raise KeyPathError(
                ["manifests", name],
                f"manifest '{name}' {problem}. Add it to exactly one of roles.general and roles.domain.",
            )


def _check_names(config: dict[str, Any]) -> None:
    for name, run in config["sweep"].items():
        if name in config["candidates"]:
            raise KeyPathError(
                ["sweep", run["group"]],
                f"'{name}' is the name of a candidate already. Give the sweep entry another name.",
            )
    gate_run = config["gate"]["run"]
    if gate_run is not None and gate_run not in config["candidates"]:
        runs = [*config["candidates"], *config["sweep"]]
        raise KeyPathError(
            ["gate", "run"], f"gate.run names {gate_run!r:.60}, which is no candidate{suggest(gate_run, runs)}"
        )


def _check_repeated_runs(config: dict[str, Any]) -> None:
    """Check that no two runs of the sweep are the same training: they would count as two seeds of one recipe."""
    seen: dict[str, str] = {}
    for name, run in config["sweep"].items():
        first = seen.setdefault(identity({key: value for key, value in run.items() if key != "group"}), name)
        if first != name:
            raise KeyPathError(
                ["sweep", run["group"]],
                f"sweep: the runs '{first}' and '{name}' have the same settings. Remove one of them; a hypothesis "
                "compares runs of all groups unless its `runs` names some.",
            )


def _check_override(config: dict[str, Any]) -> None:
    for key, other in (("sweep_anyway", "sweep_reason"), ("sweep_reason", "sweep_anyway")):
        if config[key] and not config[other]:
            raise KeyPathError(
                [key],
                f"{key} is set without {other}. To train a sweep although the gate is not ready, give both: "
                '--config sweep_anyway=True sweep_reason="...". Otherwise leave both out.',
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
            raise KeyPathError(path, f"{path[-1]!r:.60} is no evaluation manifest{suggest(path[-1], evaluations)}")
    if config["model"] is None and config["base"] is None:
        raise KeyPathError(
            ["model"],
            "`model` is null, so the baseline's transcripts are needed. Add `base: {hypotheses: {...}}`.",
        )


def _check_module_groups(config: dict[str, Any]) -> None:
    """Check expressions, and that module groups are chosen only with `target_modules: auto`, which they restrict."""
    every_group = set(setting("train.target_parts").default)
    for path, settings in _trainings(config):
        if isinstance(settings["target_modules"], str):
            _check_expression([*path, "target_modules"], settings["target_modules"])
        if settings["target_modules"] != "auto" and set(settings["target_parts"]) != every_group:
            raise KeyPathError(
                [*path, "target_parts"],
                f"{'.'.join(path)}: target_parts goes with `target_modules: auto`, and target_modules is "
                f"{settings['target_modules']!r}. Remove one of them.",
            )


def _check_expression(path: list[str], expression: str) -> None:
    """Check that names of modules are matched by an expression that is one."""
    try:
        re.compile(expression)
    except (re.error, OverflowError, RecursionError) as error:
        raise KeyPathError(
            path,
            f'"{".".join(path)}" is {expression!r:.80}, which is no regular expression ({error}). Correct it, or name '
            "the modules in a list.",
        ) from None


def _check_replay(config: dict[str, Any]) -> None:
    """Check that replayed rows have a manifest to come from, and that batches have room for a training row."""
    for path, settings in _trainings(config):
        share, where = settings["replay_share"], ".".join(path)
        if share and REPLAY not in config["manifests"]:
            raise KeyPathError(
                [*path, "replay_share"],
                f"{where}: replay_share is {share:g}, and `manifests` has no `{REPLAY}` to draw rows from. "
                "Add that manifest of general speech, or set replay_share to 0.",
            )
        problem = replay_problem(settings)
        if problem is not None:
            raise KeyPathError([*path, "replay_share"], f"{where}: {problem}")


def replay_problem(settings: dict[str, Any]) -> str | None:
    """What is wrong with the share of replayed rows; None if a batch has room for a training row next to them."""
    share, size = settings["replay_share"], settings["batch_size"]
    if not share or round(size * (1 - share), 9) >= 1:
        return None
    return (
        f"replay_share {share:g} leaves no room for a training row in a batch of {size}. "
        "Raise batch_size, or lower replay_share."
    )


def _trainings(config: dict[str, Any]) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """Key path and settings of every run that trains."""
    for name, candidate in config["candidates"].items():
        if "train" in candidate:
            yield ["candidates", name, "train"], candidate["train"]
    for run in config["sweep"].values():
        yield ["sweep", run["group"]], run


def _check_path_characters(config: dict[str, Any]) -> None:
    """Check that no path looks like a pattern of Snakemake, which would look for other files."""
    folders = [(["model", "id"], config["model"]["id"])] if config["model"] is not None else []
    folders += [
        (["candidates", name, "checkpoint"], candidate["checkpoint"])
        for name, candidate in config["candidates"].items()
        if "checkpoint" in candidate
    ]
    files = [*_manifest_files(config), *_adapter_folders(config), *_transcript_files(config), *_review_files(config)]
    for path, value in [*folders, *files]:
        found = sorted({character for character in value if character in PATTERN_CHARACTERS or ord(character) < 32})
        if found or not value.strip():
            problem = f"contains {' and '.join(map(repr, found))}" if found else "is empty"
            raise KeyPathError(
                path,
                f"{'.'.join(path)}: the path {value!r:.100} {problem}; expected a path without {{ }} < > and control "
                "characters. Rename the file or folder.",
            )


def _check_paths(config: dict[str, Any], study: Path) -> None:
    files = [*_manifest_files(config), *_adapter_folders(config), *_transcript_files(config), *_review_files(config)]
    for path, value in files:
        if not os.path.exists(study / value):  # noqa: PTH110 (Path raises OSError for a name that is too long)
            why = why_absent(study / value)
            raise KeyPathError(path, f"{'.'.join(path)}: {why}: {value:.200} (looked in {study})")


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


def _review_files(config: dict[str, Any]) -> Iterator[tuple[list[str], str]]:
    for path in config["reviews"]:
        yield ["reviews"], path
