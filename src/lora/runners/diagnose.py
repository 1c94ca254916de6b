"""Find out why LoRA tuning leaves the word error rate flat: write a study, diagnose it, listen, start the sweep.

Example:
    lora-diagnose init my-study --model openai/whisper-tiny --train train.jsonl --domain dev.jsonl
    lora-diagnose run -d my-study
    lora-diagnose quick --manifest dev.jsonl --baseline base.trn --tuned tuned.ctm

The tool and a study are two folders. `run`, `gate`, `sweep`, `report` and `listen` run Snakemake on the study of `-d`
(default: the current folder); options of Snakemake go after `--`.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shlex
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NoReturn

from lora.configuration.origin import named_files
from lora.configuration.yaml_file import read_yaml
from lora.data.existing_files import is_file
from lora.provenance.command import run_command
from lora.provenance.command_parser import CommandParser
from lora.provenance.disk_problem import why_absent
from lora.records.base import UserError
from lora.report.listen_command import VARIABLE as LISTEN_COMMAND
from lora.tool_folder import tool_folder

TARGETS = {
    "run": ("publish", "diagnose the study and print the verdict"),
    "gate": ("gate", "as run, but with exit code 1 unless the study is ready for the sweep"),
    "sweep": ("sweep", "train the runs of `sweep:` in config.yaml if the study is ready, and decide its hypotheses"),
    "report": ("report", "write the full report, results/report/index.html"),
    "listen": ("listen", "write the listening page, results/listen/index.html"),
}
MODULES = {
    "init": ("lora.runners.init", "write a study folder with a commented config.yaml"),
    "quick": ("lora.runners.quick", "compare two files of transcripts in seconds, without a model"),
    "convert": ("lora.runners.convert", "convert a manifest of any format to JSON lines"),
}
SHELLS = ("bash", "zsh", "tcsh")
PLAN = "list what a run would do, and which file or key makes it necessary"


class PrintToolFolder(argparse.Action):
    """Print the folder of the workflow and end."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(tool_folder())
        parser.exit()


class PrintCompletion(argparse.Action):
    """Print the completion of a shell and end."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: object, shell: object, *_: object) -> None:
        import shtab

        print(shtab.complete(parser_for(MODULES), shell=str(shell)))
        parser.exit()


def parser_for(imported: Collection[str]) -> CommandParser:
    """The parser; subcommands with modules of their own get their arguments only where `imported` names them."""
    parser = CommandParser(prog="lora-diagnose", description=__doc__)
    parser.add_argument(
        "--print-completion",
        action=PrintCompletion,
        choices=SHELLS,
        default=argparse.SUPPRESS,
        help='print the completion of a shell: eval "$(lora-diagnose --print-completion bash)"',
    )
    parser.add_argument(
        "--tool-folder",
        action=PrintToolFolder,
        nargs=0,
        default=argparse.SUPPRESS,
        help="print the folder of Snakefile, rules and profiles",
    )
    parsers = parser.add_subparsers(metavar="SUBCOMMAND", required=True)
    for name, (module_name, summary) in MODULES.items():
        subparser = parsers.add_parser(name, help=summary)
        if name in imported:
            module = importlib.import_module(module_name)
            subparser.description = module.__doc__
            module.add_arguments(subparser)
            subparser.set_defaults(execute=module.execute)
    for name, (target, summary) in TARGETS.items():
        subparser = parsers.add_parser(name, help=summary, description=summary)
        _add_study_arguments(subparser)
        subparser.set_defaults(execute=run_target, target=target)
    subparser = parsers.add_parser("plan", help=PLAN, description=PLAN)
    _add_study_arguments(subparser)
    subparser.set_defaults(execute=plan)
    return parser


def _add_study_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-d", "--directory", type=Path, default=Path(), metavar="DIR", help="folder of the study")
    parser.add_argument("-c", "--cores", type=_cores, default="all", metavar="N", help="cores to use; default: all")
    parser.add_argument("snakemake", nargs="*", metavar="...", help="options of Snakemake, after --")


def _cores(text: str) -> str:
    """A number of cores for Snakemake, which waits without end where it has none."""
    if text != "all" and not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a whole number from 1 nor 'all'")
    return text


def run_target(args: argparse.Namespace) -> NoReturn:
    """Become Snakemake on a study, so that a signal to this process (of `timeout`, of CI) ends the run itself."""
    command = [sys.executable, "-P", "-m", "snakemake", args.target, "-s", str(tool_folder() / "Snakefile")]
    directory = [] if args.directory == Path() else ["-d", str(args.directory)]
    environment = dict(os.environ, **{LISTEN_COMMAND: shlex.join(["lora-diagnose", "listen", *directory])})
    # --cores after --configfile, which takes every word up to the next option.
    command += [*_study(args.directory, args.snakemake), "--cores", args.cores, *args.snakemake]
    os.execve(sys.executable, command, environment)


def plan(args: argparse.Namespace) -> NoReturn:
    """Become scripts/plan.py on a study, which passes signals on."""
    command = [sys.executable, str(tool_folder() / "scripts/plan.py"), "--cores", args.cores, "--"]
    os.execv(sys.executable, [*command, *_study(args.directory, args.snakemake), *args.snakemake])


def _study(folder: Path, options: Sequence[str]) -> list[str]:
    """Snakemake's options for a study folder.

    Args:
        folder: The study.
        options: Further options, which may name other configurations.

    Raises:
        UserError: It is none, or a configuration is no YAML, which Snakemake reports without file and line.
    """
    config = folder / "config.yaml"
    if not is_file(config):
        raise UserError(
            f"{config}: {why_absent(config)}; go to the folder of a study, name it with -d, or write one: "
            "lora-diagnose init"
        )
    for path in (config, *named_files(options)):
        read_yaml(path)
    return ["--directory", str(folder), "--configfile", str(config)]


def main(argv: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if argv is None else argv)
    args = parser_for(given[:1]).parse_args(given)
    return run_command(lambda: int(args.execute(args) or 0))


if __name__ == "__main__":
    sys.exit(main())
