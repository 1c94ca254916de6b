"""Checks of commands that are too expensive to run: everything that is wrong with them as they are typed."""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import yaml
from shell_commands import Command
from small_study import REPOSITORY
from snakemake.cli import get_argument_parser
from snakemake.exceptions import CliException

from lora.runners import diagnose

MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
CLONE = "lora-tuning-diagnostics"  # the folder that `git clone` makes
MISSING = "the following arguments are required"


class Wrong(Exception):
    """A command that would fail."""


def check_make(command: Command) -> list[Command]:
    """Check targets and variables of make. Returns the commands of this project that it would run."""
    for name, _ in (word.split("=", 1) for word in command.words[1:] if "=" in word):
        if f"$({name})" not in MAKEFILE and f"$(or $({name})" not in MAKEFILE:
            raise Wrong(f"the Makefile uses no variable {name}")
    done = subprocess.run(["make", "-n", *command.words[1:]], cwd=REPOSITORY, capture_output=True, text=True)
    if done.returncode != 0:
        raise Wrong(done.stderr.strip())
    return [Command(f"{command.place}: {command.text}", text) for text in _project_commands(done.stdout)]


def _project_commands(printed: str) -> Iterator[str]:
    """Commands of a dry run of make without environment variables and the folder of the virtual environment."""
    for line in printed.splitlines():
        text = re.sub(r'^(?:\w+=\S*\s+)*"[^"]*/bin/(python|snakemake)"', r"\1", line)
        if re.match(r"snakemake|python (?:-m lora\.|scripts/|tests/|benchmarks/|data/)", text):
            yield text


def check_arguments(command: Command, incomplete: bool = False) -> None:
    """Let a script parse its arguments, and stop it there; with `incomplete`, some may be missing."""
    words = command.words
    if words[0] == "lora-diagnose":
        words = ["python", "-m", "lora.runners.diagnose", *words[1:]]
    is_module = words[1] == "-m"
    script, arguments = (words[2], words[3:]) if is_module else (words[1], words[2:])
    if not is_module:
        path = REPOSITORY / script
        if not path.is_file():
            raise Wrong(f"{script}: no such file")
        if "add_arguments" not in (source := path.read_text(encoding="utf-8")) and "ArgumentParser" not in source:
            if arguments:
                raise Wrong(f"{script} takes no arguments")
            return
    printed = io.StringIO()
    folder = str((REPOSITORY / script).parent)
    try:
        with (
            _parsing_only(),
            contextlib.redirect_stderr(printed),
            contextlib.redirect_stdout(printed),
            mock.patch.object(sys, "argv", [script, *arguments]),
            mock.patch.object(sys, "path", [folder, *sys.path]),  # a script finds the modules in its folder
        ):
            if is_module:
                runpy.run_module(script, run_name="__main__", alter_sys=True)
            else:
                runpy.run_path(str(REPOSITORY / script), run_name="__main__")
    except _Parsed:
        return
    except ModuleNotFoundError as missing:
        # A script whose packages are not installed for tests cannot parse anything here.
        if _required((missing.name or "").replace("_", "-")):
            return
        raise
    except SystemExit as end:
        if end.code in (0, None) or (incomplete and MISSING in printed.getvalue()):
            return
    raise Wrong(printed.getvalue().strip().splitlines()[-1] if printed.getvalue() else "it parses no arguments")


def _required(package: str) -> bool:
    """Whether a requirements file pins the package."""
    return any(f"{package}==" in path.read_text(encoding="utf-8") for path in REPOSITORY.glob("requirements*.txt"))


class _Parsed(BaseException):
    """The arguments are right. No Exception, so that no command takes it for a failure of its work."""


@contextlib.contextmanager
def _parsing_only() -> Iterator[None]:
    parse_args = argparse.ArgumentParser.parse_args

    def parse_and_stop(*arguments: object, **keywords: object) -> None:
        parse_args(*arguments, **keywords)  # type: ignore[arg-type]
        raise _Parsed

    with mock.patch.object(argparse.ArgumentParser, "parse_args", parse_and_stop):
        yield


def check_workflow(command: Command) -> list[str]:
    """Check the options of snakemake or lora-diagnose. Returns the targets, for one dry run of all of them."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stderr(printed), contextlib.redirect_stdout(printed):
            if command.words[0] == "lora-diagnose":
                args = diagnose.parser_for(command.words[1:2]).parse_args(command.words[1:])
                _check_study(args.directory, command.page)
                return [args.target] if hasattr(args, "target") else []
            args = get_argument_parser().parse_args(command.words[1:])
    except SystemExit as end:
        if end.code == 0:  # an option such as --version, which prints and ends
            return []
        raise Wrong(printed.getvalue().strip().splitlines()[-1]) from None
    except (ValueError, CliException) as problem:  # a value that Snakemake cannot take
        raise Wrong(f"Snakemake: {problem}") from None
    if args.workflow_profile:
        check_profile(REPOSITORY / args.workflow_profile / "config.yaml")
    return list(args.targets)


def _check_study(folder: Path, page: str) -> None:
    """Check that a study ships with the repository, or is written by a command of the same page."""
    written = f"lora-diagnose init {folder} " in (REPOSITORY / page).read_text(encoding="utf-8")
    if not written and not (REPOSITORY / folder / "config.yaml").is_file():
        raise Wrong(f"{folder}: no study of the repository, and no `lora-diagnose init {folder}` on the page")


def check_profile(path: Path) -> None:
    """Check that the keys of a profile are options of Snakemake, or of the executor that the profile names."""
    profile = yaml.safe_load(path.read_text(encoding="utf-8"))
    options = {name for action in get_argument_parser()._actions for name in action.option_strings}
    executor = profile.get("executor", "")
    for key in profile:
        if f"--{key}" not in options and not (executor and key.startswith(f"{executor}-")):
            raise Wrong(f"{path}: Snakemake has no option --{key}")
    if executor and not _required(f"snakemake-executor-plugin-{executor}"):
        raise Wrong(f"{path}: no requirements file installs the executor {executor}")


def check_packages(command: Command) -> None:
    """Check files of requirements, and names of packages."""
    words = iter(command.words[2:])
    for word in words:
        if word == "--index-url":
            next(words)
        elif word in {".", f"./{CLONE}"}:
            continue
        elif word in {"-r", "-e"}:
            path = REPOSITORY / next(words)
            if not (path / "pyproject.toml" if word == "-e" else path).is_file():
                raise Wrong(f"{path}: no such file")
        elif not re.fullmatch(r"[A-Za-z0-9][\w.-]*(==[\w.]+)?", word):
            raise Wrong(f"{word}: no name of a package")


def check_tests(command: Command) -> None:
    """Check that files and folders of tests exist."""
    for word in command.words[3:]:
        if "/" in word and not (REPOSITORY / word).exists():
            raise Wrong(f"{word}: no such file or folder")


def check_shell(command: Command) -> None:
    """Check what a command of the shell or of another tool needs from the repository."""
    words = command.words
    if words[0] == "." and words[1:] != [".venv/bin/activate"]:
        folder = words[1].removesuffix("/bin/activate")
        if f"python3 -m venv {folder}" not in (REPOSITORY / command.page).read_text(encoding="utf-8"):
            raise Wrong("make installs into .venv, and no command of the page makes another environment")
    if words[0] == "eval" and words[1] not in {
        f"$(lora-diagnose --print-completion {name})" for name in diagnose.SHELLS
    }:
        raise Wrong("lora-diagnose prints no such completion")
    if words[0] == "pre-commit":
        yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
