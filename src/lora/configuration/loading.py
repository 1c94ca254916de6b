"""Load a study's configuration: complete it from the schema, and report the first mistake by file, line and key."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from lora.configuration.consistency import check_consistency
from lora.configuration.grid import expand_sweep
from lora.configuration.hypotheses import fill_preset
from lora.configuration.mistakes import KeyPathError, describe, key_path, likeliest
from lora.configuration.origin import Origin, location
from lora.configuration.plain_values import Validator, check_values, is_usable
from lora.configuration.schema import complete, load_schema, setting
from lora.layout import NOT_EVALUATED
from lora.records.base import UserError

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)[eE][+-]?\d{1,3}")


def load_configuration(given: dict[str, Any], source: Origin | Path | None, study: Path) -> dict[str, Any]:
    """Validate a configuration, fill in defaults and presets, and replace the groups of the sweep by their runs.

    Args:
        given: The configuration as Snakemake merged it.
        source: Where it came from, for line numbers; None if it was passed in memory.
        study: The folder that its paths are relative to.

    Returns:
        The complete configuration; `StudyConfig.from_json` makes a typed record of it.

    Raises:
        UserError: On the first mistake.
    """
    try:
        check_values(given)
    except KeyPathError as mistake:
        raise UserError(f"{location(source, mistake.path)}: {mistake.text}") from None
    validator = Validator(load_schema())
    given = _with_exponents(copy.deepcopy(given), validator)
    error = likeliest(validator.iter_errors(given))
    if error is not None:
        raise UserError(f"{location(source, key_path(error))}: {describe(error)}")
    try:
        if "sweep" in given:
            given["sweep"] = expand_sweep(given["sweep"])
        config: dict[str, Any] = complete(given)
        config["hypotheses"] = {name: fill_preset(entry) for name, entry in config["hypotheses"].items()}
        config["roles"] = _with_domain(config["roles"], config["manifests"])
        check_consistency(config, study)
    except KeyPathError as mistake:
        raise UserError(f"{location(source, mistake.path)}: {mistake.text}") from None
    return config


def _with_domain(roles: dict[str, Any], manifests: dict[str, Any]) -> dict[str, Any]:
    """Roles in which every evaluation manifest is of the domain unless it is general, where no domain is given."""
    others = [name for name in manifests if name not in NOT_EVALUATED and name not in roles["general"]]
    return {**roles, "domain": roles["domain"] or others}


def of_the_study(config: dict[str, Any]) -> dict[str, Any]:
    """A complete configuration without what belongs to one command only: what is saved with the results."""
    return {**config, **{key: setting(key).default for key in ("sweep_anyway", "sweep_reason")}}


def _with_exponents(given: dict[str, Any], validator: Draft202012Validator) -> dict[str, Any]:
    """Convert numbers such as 1e-3, which YAML 1.1 reads as text because they have no dot."""
    for error in validator.iter_errors(given):
        for mistake in [error, *(error.context or [])]:
            if mistake.validator == "type" and mistake.validator_value == "number" and mistake.absolute_path:
                if not isinstance(mistake.instance, str) or not NUMBER.fullmatch(mistake.instance):
                    continue
                number = float(mistake.instance)
                if not is_usable(number):
                    continue
                *parents, key = mistake.absolute_path
                section: Any = given
                for parent in parents:
                    section = section[parent]
                section[key] = number
    return given
