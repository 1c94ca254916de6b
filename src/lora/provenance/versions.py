"""Which software made a result: installed packages and the commit of this code."""

from __future__ import annotations

import importlib.metadata
import subprocess
from pathlib import Path

PACKAGES = (
    "lora-tuning-diagnostics", "snakemake", "torch", "transformers", "tokenizers", "peft", "accelerate",
    "safetensors", "huggingface_hub", "numpy", "scipy", "pandas", "pyarrow", "tabulate", "jiwer", "rapidfuzz",
    "soundfile", "soxr", "matplotlib", "pydantic", "whisper-normalizer",
)  # fmt: skip


def version(package: str) -> str | None:
    """Installed version of a package without importing it, null where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def versions() -> dict[str, str]:
    """Versions of the installed packages that results rest on, as their metadata states them."""
    return {package: found for package in PACKAGES if (found := version(package)) is not None}


def code_commit() -> str | None:
    """The commit of the repository that holds this code (`-dirty` where files differ), null without one."""
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists():
        return None  # an installed copy: a commit of some repository around it would say nothing
    git = ["git", "-C", str(root)]
    try:
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10)
        changed = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no"],
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if commit.returncode != 0:
        return None
    return commit.stdout.strip() + ("-dirty" if changed.stdout.strip() else "")
