"""Every declared dependency is imported by what declares it, and every import is declared."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
# Import names of packages that are called otherwise on PyPI.
IMPORTED_AS = {
    "pyyaml": "yaml",
    "markdown-it-py": "markdown_it",
    "py-rattler": "rattler",
    "whisper-normalizer": "whisper_normalizer",
    "mistral-common": "mistral_common",
    "axe-playwright-python": "axe_playwright_python",
    "espeakng-loader": "espeakng_loader",
}
INCLUDED_IN = {"pydantic_core": "pydantic"}  # packages that one of ours consists of, with its exact version
# Our own top-level modules: the library, scripts, and helpers of tests and of the study's recipe.
FOLDERS = ("scripts", "tests", "data/recipe", "benchmarks")
FILES = [path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("*.py")]
OWN = {"lora", "data"} | {path.parent.name if path.stem == "__init__" else path.stem for path in FILES}
USERS = {
    "requirements.txt": ("src", "scripts", "rules"),
    "requirements-bench.txt": ("benchmarks",),
    "requirements-test.txt": ("tests", "Makefile", "pyproject.toml"),
    "requirements-study.txt": ("data/recipe",),
}


def declared(name: str) -> dict[str, str]:
    """Packages that a requirements file pins, by import name, each with the comment on its line."""
    packages = {}
    for line in (REPOSITORY / name).read_text(encoding="utf-8").splitlines():
        match = re.match(r"([\w.-]+)==\S+\s*(?:#\s*(.*))?$", line)
        if match:
            package = match[1].lower()
            packages[IMPORTED_AS.get(package, package.replace("-", "_"))] = match[2] or ""
    return packages


def imported(folders: Iterable[str]) -> set[str]:
    """Top-level packages that Python and Snakemake files import, also inside functions."""
    names: set[str] = set()
    for folder in folders:
        for path in sorted((REPOSITORY / folder).rglob("*")):
            if path.suffix == ".py":
                tree = ast.parse(path.read_text(encoding="utf-8"))
            elif path.suffix == ".smk":
                lines = re.findall(r"^(?:from|import) .*$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
                tree = ast.parse("\n".join(line for line in lines if not line.endswith("(")))
            else:
                continue
            for node in ast.walk(tree):
                if isinstance(node, ast.Import):
                    names |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                    names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("name", USERS)
def test_every_declared_package_is_used(name: str) -> None:
    """Imported, or its line in the requirements file says which library or tool needs it ("needed by ...")."""
    used = imported(USERS[name])
    unused = {p for p, comment in declared(name).items() if p not in used and not comment.startswith("needed by ")}
    assert not unused


@pytest.mark.parametrize(
    ("folders", "files"),
    [
        (("src", "scripts", "rules"), ("requirements.txt",)),
        (("benchmarks",), ("requirements.txt", "requirements-bench.txt")),
        (("tests",), ("requirements.txt", "requirements-bench.txt", "requirements-test.txt")),
        (("data/recipe",), ("requirements.txt", "requirements-study.txt")),
    ],
    ids=["product", "benchmarks", "tests", "study"],
)
def test_every_import_is_declared(folders: tuple[str, ...], files: tuple[str, ...]) -> None:
    known = {package for name in files for package in declared(name)}
    known |= {part for part, package in INCLUDED_IN.items() if package in known}
    assert not imported(folders) - known - sys.stdlib_module_names - OWN
