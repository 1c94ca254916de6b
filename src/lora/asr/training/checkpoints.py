"""Checkpoints of a training that was interrupted: which one it can go on from. Imports safetensors."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file

from lora.asr.adapter.files import WEIGHTS

TORCH_FILES = ("optimizer.pt", "scheduler.pt")
RANDOM_STATES = "rng_state*.pth"  # one a process


def last_checkpoint(checkpoints: Path) -> Path | None:
    """The newest checkpoint that was written to its end and can be read; others are removed."""
    newest: tuple[int, Path] | None = None
    for folder in checkpoints.glob("checkpoint-*"):
        try:
            # The library writes this file last.
            step = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))["global_step"]
            # It does not force files to disk: a machine that goes down may leave some of them torn.
            load_file(folder / WEIGHTS)
            random = list(folder.glob(RANDOM_STATES))
            if not random or not all(map(zipfile.is_zipfile, [*random, *(folder / name for name in TORCH_FILES)])):
                raise ValueError
        except (OSError, ValueError, KeyError, SafetensorError):
            shutil.rmtree(folder)
            continue
        if newest is None or step > newest[0]:
            newest = (step, folder)
    return None if newest is None else newest[1]
