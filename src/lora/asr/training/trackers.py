"""Trackers that a training sends its losses to: TensorBoard, Weights & Biases, MLflow. Torch-free.

Only those that `report_to` names are used, and only while a training runs: copying a finished one sends nothing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from lora.records.base import UserError

# Packages of which one must be installed.
PACKAGES = {"tensorboard": ("tensorboard", "tensorboardX"), "wandb": ("wandb",), "mlflow": ("mlflow",)}


def check_trackers(report_to: Sequence[str]) -> None:
    """Check that the packages of all trackers are installed. Raises UserError."""
    for tracker in report_to:
        if not any(find_spec(package) for package in PACKAGES[tracker]):
            raise UserError(
                f"report_to names {tracker}, and its package is not installed here. Install it "
                f"(pip install {PACKAGES[tracker][0]}), or remove {tracker} from report_to."
            )


def choose_log_folder(report_to: Sequence[str], work: Path, run: str) -> None:
    """Let TensorBoard write to `<work>/tensorboard/<run>`, unless TENSORBOARD_LOGGING_DIR names another folder.

    By default it would write next to the checkpoints, which are removed after training.
    """
    if "tensorboard" in report_to:
        os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(work / "tensorboard" / run))
