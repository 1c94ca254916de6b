"""Versions of the software that computes a result: installed packages and the commit of this code."""

from __future__ import annotations

import importlib.metadata
import subprocess
from functools import cache

from lora.tool_folder import tool_folder

PACKAGES = (
    "lora-tuning-diagnostics", "snakemake", "torch", "transformers", "tokenizers", "peft", "accelerate",
    "safetensors", "huggingface_hub", "numpy", "scipy", "pandas", "pyarrow", "tabulate", "rapidfuzz",
    "soundfile", "soxr", "matplotlib", "pydantic", "whisper-normalizer",
)  # fmt: skip
# Libraries whose version may change what a model computes.
MODEL_PACKAGES = (
    "torch", "transformers", "peft", "accelerate", "tokenizers", "safetensors", "numpy", "soundfile", "soxr",
)  # fmt: skip
CODE = ("Snakefile", "rules", "scripts", "src")


@cache
def version(package: str) -> str | None:
    """Installed version of a package, without importing it; None where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def versions() -> dict[str, str]:
    """Versions of the installed packages that results depend on, by their metadata."""
    installed = {package: version(package) for package in PACKAGES}
    return {package: number for package, number in installed.items() if number is not None}


def model_versions() -> dict[str, str]:
    """Releases of the packages that determine what a model computes.

    They are without the local part (2.13.0+cpu is 2.13.0): the device is a setting of its own.
    """
    return {package: (version(package) or "").partition("+")[0] for package in MODEL_PACKAGES}


@cache
def code_commit() -> str | None:
    """Commit of the repository of this code, with `-dirty` where the code differs; None outside a repository.

    A study within the repository changes its configuration and its published documents, which are no code.
    """
    root = tool_folder()
    if not (root / ".git").exists():
        return None  # an installed copy: the commit of a repository around it is another software's
    # `git status` would refresh the index, whose lock a killed job leaves behind.
    git = ["git", "--no-optional-locks", "-C", str(root)]
    try:
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10)
        changed = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no", "--", *CODE],
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if commit.returncode != 0:
        return None
    return commit.stdout.strip() + ("-dirty" if changed.stdout.strip() else "")
