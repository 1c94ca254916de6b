"""What training settings mean together: which of them identify a training, and what it measures. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Values at which a setting changes nothing. They are left out of commands and keys, so that trainings that were
# finished before these settings existed stay valid.
WITHOUT_EFFECT: dict[str, Any] = {"data_share": 1, "replay_share": 0, "eval_rows": 0, "wer_stop_threshold": None}
IN_ROWS = "data_share"  # known by the rows that it leaves


def has_effect(key: str, value: Any) -> bool:
    """Whether a setting changes anything."""
    return key not in WITHOUT_EFFECT or bool(value != WITHOUT_EFFECT[key])


def identifying(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that, with the rows and the model, determine the results of a training."""
    return {key: value for key, value in settings.items() if key != IN_ROWS and has_effect(key, value)}


def measures_wer(settings: Mapping[str, Any]) -> bool:
    """Whether validations measure the WER: it selects the best step, or ends the training."""
    return settings["select"] == "wer" or settings.get("wer_stop_threshold") is not None
