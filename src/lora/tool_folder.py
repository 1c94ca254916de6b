"""Where the files of the workflow are: Snakefile, rules, scripts, conda environments, profiles and captions."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parent


def tool_folder() -> Path:
    """Folder of the Snakefile: `lora/tool` where the package is installed, else the top of the checkout."""
    installed = PACKAGE / "tool"
    return installed if installed.is_dir() else PACKAGE.parents[1]
