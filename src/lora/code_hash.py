"""Content hash of a command and of every module of this project that it imports, by which cheap rules notice new code.

Templates, style sheets and scripts of a page in the folder of such a module belong to it.

Snakemake notices neither an edited module nor a changed program called from `shell:`. A path to code among a rule's
inputs would make everything stale when the repository moves; a hash in `params` does not.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
from pathlib import Path

SOURCE = Path(__file__).parents[1]
# `import lora.a`, `from lora.a import b, c`, `from lora.a import (` over several lines. Parsing every file properly
# took a third of the time that Snakemake needs to find that there is nothing to do.
IMPORT = re.compile(
    r"^[ \t]*(?:from|import)[ \t]+(lora\b[\w.]*)(?:[ \t]+import[ \t]+(\([^)]*\)|[^\n]*))?", re.MULTILINE
)

PAGE_SUFFIXES = {".j2", ".css", ".js"}


def code_hash(command: Path) -> str:
    """Hash `command` and all `lora` modules reachable from its imports; independent of where the repository is."""
    seen: set[Path] = set()
    waiting = [command]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += _imported(path)
    seen |= {file for folder in {path.parent for path in seen} for file in _page_files(folder)}
    contents = sorted((path.name, _digest(path)) for path in seen)
    return hashlib.sha256(repr(contents).encode()).hexdigest()[:16]


@functools.cache
def _page_files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.suffix in PAGE_SUFFIXES]


@functools.cache
def _content(path: Path) -> bytes:
    return path.read_bytes()


@functools.cache
def _digest(path: Path) -> str:
    return hashlib.sha256(_content(path)).hexdigest()


@functools.cache
def _imported(path: Path) -> list[Path]:
    """Files of the `lora` modules that a file imports anywhere; a name imported from a package may be a module."""
    names: set[str] = set()
    for module, parts in IMPORT.findall(_content(path).decode()):
        names |= {module} | {f"{module}.{part}" for part in re.findall(r"\w+", parts)}
    modules = _modules()
    return [modules[name] for name in names if name in modules]


@functools.cache
def _modules() -> dict[str, Path]:
    """Files of this project by the names of their modules; that of a package is its `__init__.py`."""
    found = {}
    for folder, _, files in os.walk(SOURCE):
        package = os.path.relpath(folder, SOURCE).replace(os.sep, ".")
        for name in files:
            if name == "__init__.py":
                found[package] = Path(folder, name)
            elif name.endswith(".py"):
                found[f"{package}.{name.removesuffix('.py')}"] = Path(folder, name)
    return found
