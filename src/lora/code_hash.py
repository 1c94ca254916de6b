"""Content hash of a command and of every module of ours that it imports: how cheap rules notice that code changed.

Snakemake notices neither an edited module nor a program called from `shell:`, and a path to code among a rule's inputs
would make everything stale once the repository moves; a hash in `params` does neither harm.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from pathlib import Path

SOURCE = Path(__file__).parents[1]


def code_hash(command: Path) -> str:
    """Hash of `command` and all `lora` modules reachable from its imports; the same wherever the repository stands."""
    seen: set[Path] = set()
    waiting = [command]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += _imported(path)
    contents = sorted((path.name, path.read_bytes()) for path in seen)
    return hashlib.sha256(repr(contents).encode()).hexdigest()[:16]


@functools.cache
def _imported(path: Path) -> list[Path]:
    """Files of the `lora` modules that one file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return [file for name in names if name.split(".")[0] == "lora" for file in _files(name)]


def _files(module: str) -> list[Path]:
    base = SOURCE.joinpath(*module.split("."))
    return [file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()]
