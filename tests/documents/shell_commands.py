"""Commands of shell blocks, and the kind of each: what a test can afford to do with it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_pages import PAGES, Block, code_blocks, inline_code

SHELL = "sh"
LANGUAGES = {SHELL, "text", "yaml", "json", "python", "mermaid"}

# Cheap commands are run as they are typed, in a prepared folder; of the others as much is checked as is cheap.
RUN = "run"
MAKE = "make"  # the target exists, and what make would run is checked in turn
WORKFLOW = "workflow"  # the options exist, and a dry run finds the targets
ARGUMENTS = "arguments"  # the script exists, and accepts the arguments
TESTS = "tests"  # the files exist
PACKAGES = "packages"  # the requirements exist, or are valid
SHELL_ONLY = "shell"  # what surrounds the commands: where one is, and in which environment
# By how a command begins; the longest beginning decides.
KINDS = {
    "make": MAKE,
    "snakemake": WORKFLOW,
    "lora-diagnose": WORKFLOW,
    "lora-diagnose init": RUN,
    "lora-diagnose quick": RUN,
    "lora-diagnose convert": RUN,
    "python -m lora.runners.quick": RUN,
    "python -m lora.runners.experiment": ARGUMENTS,
    "python -m lora.runners.experiment write-corrected": RUN,
    "python scripts/render_listening_page.py": RUN,
    "python scripts": ARGUMENTS,
    "python benchmarks": ARGUMENTS,
    "python tests": ARGUMENTS,
    "python data/recipe": ARGUMENTS,
    "python -m zipfile": RUN,
    "python -m pytest": TESTS,
    "pip install": PACKAGES,
    "python3 -m venv": SHELL_ONLY,
    "eval": SHELL_ONLY,
    "pre-commit install": SHELL_ONLY,
    "git clone": SHELL_ONLY,
    "cd": SHELL_ONLY,
    ".": SHELL_ONLY,
}
# What stands for something else in a sentence: <study>, FOLDER, N, and so on.
PLACEHOLDER = re.compile(r"[<>]|\.\.\.|\b(?:[A-Z]{3,}|[A-Z])\b(?!=)")
REMOTE = "--format hub"  # no test contacts a hub


@dataclass(frozen=True)
class Command:
    """A command as somebody types it.

    Attributes:
        place: Page and line, and the command that runs this one, if there is one.
        text: The command on one line, without comments.
    """

    place: str
    text: str

    @property
    def page(self) -> str:
        return self.place.partition(":")[0]

    @property
    def start(self) -> str:
        """The command without variables of its environment in front."""
        return re.sub(r"^(?:[A-Z_]+=\S* +)+", "", self.text)

    @property
    def words(self) -> list[str]:
        return shlex.split(self.start)


def commands_of(block: Block) -> Iterator[Command]:
    """The commands of a shell block, one by one; `a && b` are two."""
    line = block.line
    for text in block.text.replace("\\\n", "\0").splitlines():
        for part in _parts(text.replace("\0", " ")):
            yield Command(f"{block.page}:{line}", part)
        line += 1 + text.count("\0")


def _parts(text: str) -> list[str]:
    words = shlex.shlex(text, posix=False, punctuation_chars="&")
    words.whitespace_split = True
    parts: list[list[str]] = [[]]
    for word in words:
        if word == "&&":
            parts.append([])
        else:
            parts[-1].append(word)
    return [" ".join(part) for part in parts if part]


def kind_of(command: Command) -> str | None:
    """What a test does with a command; None if nobody decided it."""
    found = [start for start in KINDS if re.match(rf"{re.escape(start)}(?![\w-])", command.start)]
    if not found:
        return None
    kind = KINDS[max(found, key=len)]
    return ARGUMENTS if kind == RUN and REMOTE in command.text else kind


def fenced() -> list[Command]:
    """Every command in the shell blocks of all pages."""
    blocks = (block for page in PAGES for block in code_blocks(page) if block.kind == SHELL)
    return [command for block in blocks for command in commands_of(block)]


def mentioned() -> list[Command]:
    """Commands inside sentences and tables: those that are typed as they stand, without placeholders."""
    found = (block for page in PAGES for block in inline_code(page))
    programs = ("make ", "lora-diagnose ", "snakemake ", "python ", "pip ")
    return [
        Command(block.place, block.text)
        for block in found
        if block.text.startswith(programs) and not PLACEHOLDER.search(block.text)
    ]
