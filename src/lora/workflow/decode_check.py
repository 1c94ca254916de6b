"""Wrong arguments of `generate` are a mistake of the configuration, and found before any work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lora.asr.decoding.decode_arguments import argument_problem
from lora.asr.model_files import model_type_of
from lora.configuration.origin import Origin, location
from lora.records.base import UserError


def check_decode(config: dict[str, Any], source: Origin | Path | None) -> None:
    """Check every `decode` and `eval_decode` of a complete configuration.

    The type of a model on the hub is not known before it is downloaded: then an argument of any family passes.

    Args:
        config: From `load_configuration`.
        source: Where it came from, for line numbers; None if it was passed in memory.

    Raises:
        UserError: On the first wrong argument.
    """
    if config["model"] is None:
        return
    model_type = model_type_of(config["model"]["id"])
    for path, decode in _decodes(config):
        if (problem := argument_problem(decode, model_type)) is not None:
            raise UserError(f"{location(source, [*path, problem.key])}: {problem.text}")


def _decodes(config: dict[str, Any]) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """Key path and arguments of each."""
    yield ["decode"], config["decode"]
    for run, candidate in config["candidates"].items():
        yield ["candidates", run, "decode"], candidate.get("decode") or {}
        yield ["candidates", run, "train", "eval_decode"], (candidate.get("train") or {}).get("eval_decode") or {}
    for run, train in config["sweep"].items():
        yield ["sweep", run, "eval_decode"], train.get("eval_decode") or {}
