"""Every command of the documents works: run where that is cheap, else checked for all that can be wrong with it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from depths import (
    Wrong,
    check_arguments,
    check_make,
    check_packages,
    check_shell,
    check_tests,
    check_workflow,
)
from desk import environment, prepare
from markdown_pages import PAGES, code_blocks
from shell_commands import (
    ARGUMENTS,
    LANGUAGES,
    MAKE,
    PACKAGES,
    RUN,
    SHELL,
    SHELL_ONLY,
    TESTS,
    WORKFLOW,
    Command,
    commands_of,
    fenced,
    kind_of,
    mentioned,
)
from small_study import Study

CHECKS: dict[str, Callable[[Command], object]] = {
    TESTS: check_tests,
    PACKAGES: check_packages,
    SHELL_ONLY: check_shell,
}


class Collected:
    """What is checked together, because each alone would cost seconds."""

    def __init__(self) -> None:
        self.to_run: list[Command] = []
        self.targets: set[str] = set()
        self.wrong: list[str] = []

    def check(self, command: Command, incomplete: bool = False) -> None:
        """Check one command to the depth of its kind, or collect it."""
        kind = kind_of(command)
        try:
            if kind is None:
                raise Wrong("no kind of command; decide in KINDS of shell_commands.py how a test checks it")
            if kind == MAKE:
                for made in check_make(command):
                    self.check(made, incomplete)
            elif kind == WORKFLOW:
                self.targets.update(check_workflow(command))
            elif kind == RUN and not incomplete:
                self.to_run.append(command)
            elif kind in {ARGUMENTS, RUN}:
                check_arguments(command, incomplete)
            else:
                CHECKS[kind](command)
        except Wrong as problem:
            self.wrong.append(f"{command.place}: {command.text}\n    {problem}")


@pytest.fixture(scope="module")
def typed() -> Collected:
    """All fenced commands, checked or collected."""
    collected = Collected()
    for command in fenced():
        collected.check(command)
    return collected


@pytest.fixture(scope="module")
def in_sentences() -> Collected:
    """Commands that sentences and tables name, without the arguments that every use of them needs."""
    collected = Collected()
    for command in mentioned():
        collected.check(command, incomplete=True)
    return collected


@pytest.fixture(scope="module")
def desk(computed: Study, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Returns the prepared folder of a page: commands of a page may build on each other."""
    folders: dict[str, Path] = {}

    def get(page: str) -> Path:
        if page not in folders:
            folders[page] = prepare(tmp_path_factory.mktemp("desk") / "a clone", computed)
        return folders[page]

    return get


def test_every_code_block_says_what_it_is() -> None:
    """A block of another language contains no command; one without a language could hide some."""
    unknown = [
        f"{block.place}: code block {block.kind!r}; expected a fence with one of {', '.join(sorted(LANGUAGES))}"
        for page in PAGES
        for block in code_blocks(page)
        if block.kind not in LANGUAGES
    ]
    assert not unknown, "\n".join(unknown)


def test_every_fenced_command_is_right(typed: Collected) -> None:
    assert not typed.wrong, "\n".join(typed.wrong)


def test_every_command_in_a_sentence_is_right(in_sentences: Collected) -> None:
    assert not in_sentences.wrong, "\n".join(in_sentences.wrong)


def test_every_cheap_command_runs(typed: Collected, desk: Callable[[str], Path]) -> None:
    done_before: set[tuple[str, str]] = set()
    failed = []
    for command in typed.to_run:
        if (command.page, command.text) in done_before:
            continue
        done_before.add((command.page, command.text))
        folder = desk(command.page)
        done = subprocess.run(
            command.text, shell=True, cwd=folder, env=environment(folder), capture_output=True, text=True
        )
        if done.returncode != 0:
            failed.append(f"{command.place}: {command.text}\n    {done.stderr.strip()[-500:]}")
    assert done_before
    assert not failed, "\n".join(failed)


def test_every_target_exists(typed: Collected, in_sentences: Collected, computed: Study, tmp_path: Path) -> None:
    study = computed.copy(tmp_path / "study")
    study.configure({"sweep": {"again": {"max_steps": 2}}})
    dry_run = study.snakemake(*sorted(typed.targets | in_sentences.targets), "-n", "--quiet", "all")
    assert dry_run.returncode == 0, dry_run.stdout[-2000:] + dry_run.stderr[-2000:]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("make runn", "No rule to make target"),
        ("make run CORE=2", "no variable CORE"),
        ("make quick ARGS='--bas a.trn --tuned b.trn --no-such'", None),
        ("make faults ARGS='--no-such'", "unrecognized arguments: --no-such"),
        ("snakemake --cors 2", "unrecognized arguments: --cors"),
        ("lora-diagnose run -x my-study", "unrecognized arguments: -x"),
        ("lora-diagnose run -d examples/none", "no study of the repository"),
        ("python scripts/no_such.py --rows x", "no such file"),
        ("python -m lora.runners.experiment train --lern-rate 1", "unknown option --lern-rate"),
        ("pip install -r requirements-none.txt", "no such file"),
        ("python -m pytest tests/none", "no such file"),
        (". env/bin/activate", "make installs into .venv"),
        ("curl example.org", "no kind of command"),
    ],
)
def test_a_wrong_command_is_found(text: str, problem: str | None) -> None:
    collected = Collected()
    collected.check(Command("README.md:1", text))
    if problem is None:
        assert collected.to_run
    else:
        (wrong,) = collected.wrong
        assert wrong.startswith(f"README.md:1: {text}")
        assert problem in wrong


def test_commands_of_a_block() -> None:
    (page,) = (page for page in PAGES if page.name == "contributing.md")
    block = next(block for block in code_blocks(page) if block.kind == SHELL)
    commands = [command.text for command in commands_of(block)]
    assert "pre-commit install" in commands
    assert not [command for command in commands if "#" in command or "&" in command]
