"""Packages of the library import downwards only, and only the model side knows torch."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
LIBRARY = REPOSITORY / "src" / "lora"
SCRIPTS = sorted((REPOSITORY / "scripts").glob("*.py"))

# What each package may import; records, provenance, formatting, progress, terminal and tool_folder are open to all.
GROUND = {"records", "layout", "provenance", "formatting", "progress", "terminal", "tool_folder"}
ALLOWED = {
    "records": {"records"},
    "layout": {"records"},
    "results": {"layout", "records"},
    "provenance": {"provenance", "records", "terminal", "tool_folder"},
    "tool_folder": set(),
    "formatting": {"records"},
    "progress": {"formatting"},
    "terminal": set(),
    "code_hash": set(),
    "configuration": {"configuration", "layout", "provenance", "records"},
    "diagnosis": {"diagnosis", "layout", "results", "configuration", "records", "formatting", "scoring"},
    "scoring": {"scoring", *GROUND},
    "data": {"data", *GROUND},
    "workflow": {"workflow", "configuration", "code_hash", "asr", "data", *GROUND},
    "asr": {"asr", "data", "scoring", "diagnosis", *GROUND},
    "stages": {"stages", "asr", "report", "data", "scoring", "diagnosis", "configuration", *GROUND},
    "report": {"report", "results", "configuration", "data", "scoring", "diagnosis", *GROUND},
    "notebook": {"runners", "records"},
    "runners": {
        "runners",
        "results",
        "stages",
        "configuration",
        "asr",
        "report",
        "data",
        "scoring",
        "diagnosis",
        *GROUND,
    },
}


def imports(path: Path) -> set[str]:
    """Dotted names of everything a file imports, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(f"{node.module}.{node.names[0].name}" if node.module == "lora" else str(node.module))
    return names


def package(path: Path) -> str:
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", sorted(LIBRARY.rglob("*.py")), ids=lambda p: str(p.relative_to(LIBRARY)))
def test_imports_go_down_only(path: Path) -> None:
    if path.parent == LIBRARY and path.name == "__init__.py":
        assert not imports(path)
        return
    for name in imports(path):
        if name.split(".")[0] == "lora":
            assert name.split(".")[1] in ALLOWED[package(path)], f"{path.relative_to(LIBRARY)} imports {name}"
        if name.split(".")[0] in {"torch", "transformers", "peft", "accelerate"}:
            assert package(path) in {"asr", "runners"}, f"{path.relative_to(LIBRARY)} imports {name}"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_scripts_import_no_model_library(path: Path) -> None:
    names = imports(path)
    assert not {n for n in names if n.split(".")[0] in {"torch", "transformers", "peft"}}
    assert not {n for n in names if n.startswith("lora.runners")}


COMMANDS = [
    *([str(path), "--help"] for path in SCRIPTS if not path.name.startswith("make_")),
    ["lora.runners.experiment", "--help"],
    ["lora.runners.experiment", "transcribe", "--help"],
    ["lora.runners.experiment", "run", "--help"],
    ["lora.runners.quick", "--help"],
    ["lora.runners.diagnose", "--help"],
    ["lora.runners.diagnose", "init", "--help"],
]

# Runs each command, and writes its exit code, the beginning of its output and the model libraries loaded so far.
ASK_ALL = """
import contextlib, io, json, runpy, sys
for command in json.load(sys.stdin):
    sys.argv, output, code = list(command), io.StringIO(), None
    with contextlib.redirect_stdout(output):
        try:
            run = runpy.run_path if command[0].endswith(".py") else runpy.run_module
            run(command[0], run_name="__main__")
        except SystemExit as ended:
            code = ended.code
    print(json.dumps([code, output.getvalue()[:7], sorted({"torch", "transformers", "peft"} & set(sys.modules))]))
"""


def test_help_answers_without_torch() -> None:
    """In one process: where none of them has loaded torch, each would not load it alone."""
    environment = dict(os.environ, PYTHONPATH=str(REPOSITORY / "src"))
    done = subprocess.run(
        [sys.executable, "-c", ASK_ALL],
        input=json.dumps(COMMANDS),
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    wrong = {
        " ".join(command): answer
        for command, answer in zip(COMMANDS, answers, strict=True)
        if answer != [0, "usage: ", []]
    }
    assert not wrong
