"""The chapters of the report of a study as text, and changes of its configuration, for tests of single sections."""

from __future__ import annotations

import json
from typing import Any

import example

from lora.records.base import write_text
from lora.report.chapters import CHAPTERS
from lora.report.study import Study


def written(study: Study) -> str:
    """All chapters but the commands, which have a time."""
    return "\n\n".join(chapter.write(study) for chapter in CHAPTERS if chapter.key != "commands") + "\n"


def again(study: Study) -> str:
    """The chapters of the files as they are now."""
    return written(Study(study.results, study.config_path))


def configure(study: Study, **changes: Any) -> None:
    write_text(study.config_path, json.dumps({**example.CONFIG, **changes}))


def row(markdown: str, start: str) -> list[str]:
    line = next(line for line in markdown.splitlines() if line.startswith(f"| {start}"))
    return [cell.strip() for cell in line.strip("|").split(" | ")]
