"""Commands, seeds, devices and output paths of what was executed, from the run records next to the results."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lora.formatting import UNKNOWN, count
from lora.layout import BASE, Location, locate
from lora.records.base import UserError
from lora.records.provenance import RunRecord
from lora.report.markdown import code, plain, table, text

ENDING = ".run.json"
DIGITS = 12  # of a commit; enough to recognise one
MOST_OUTPUTS = 3  # named per seed
HOW_TO_RUN = "Run them in the study's folder, with the environment of this project active."
HEADING = "## Commands, seeds and output paths"


@dataclass(frozen=True)
class Execution:
    """A run record and the path of its first output, relative to the results folder."""

    output: str
    record: RunRecord


def executions(
    results: Path, config: dict[str, Any], runs: Iterable[str] | None = None
) -> tuple[list[Execution], list[str]]:
    """Read the run records of what the configuration names.

    Args:
        results: Results folder of the study.
        config: The complete configuration; empty if it cannot be read.
        runs: Runs to list next to the baseline; None lists the candidates.

    Records of files that `lora.layout` does not list are not of this study: people may keep other results in a folder
    of their own in the results folder.

    Returns:
        The executions in the order data flows, and the paths of run records that cannot be read.
    """
    done: list[tuple[Location, Execution]] = []
    unreadable = []
    for path in sorted(results.rglob(f"*{ENDING}")):
        output = path.relative_to(results).as_posix().removesuffix(ENDING)
        location = locate(output)
        if location is None or not _configured(location, config, runs):
            continue
        try:
            done.append((location, Execution(output, RunRecord.read(path))))
        except (UserError, OSError):
            unreadable.append(f"{output}{ENDING}")
    done.sort(key=lambda entry: (entry[0].order, entry[1].output))
    return [execution for _, execution in done], unreadable


def commands_section(results: Path, config: dict[str, Any]) -> str:
    """Section of the commands as Markdown; changes only when something was executed."""
    done, unreadable = executions(results, config)
    if not done:
        return f"{HEADING}\n\nNo run record was found, so what was executed is unknown."
    rows = [_row(results, execution) for execution in done]
    headers = ["output", "seed", "device", "seconds", "decoded", "reused", "steps"]
    commands = "\n".join(unfenced(command_line(one.record.command, results.parent)) for one in done)
    parts = [
        HEADING,
        "What the last execution of each step did. The commands run from the study's folder, one after the other.",
        _notes(done, unreadable),
        f"### {count(len(done), 'command')}",
        table(headers, rows, numbers=[1, 3, 4, 5, 6]),
        f"```bash\n{commands}\n```",
    ]
    return "\n\n".join(part for part in parts if part)


def commands_script(study_folder: Path, done: list[Execution]) -> str:
    """The commands as a script: every line can be run by itself, from the study's folder."""
    lines = ["#!/bin/sh", "# The commands of the last execution of each step, in their order.", f"# {HOW_TO_RUN}"]
    for one in done:
        record = one.record
        facts = [one.output]
        facts += [] if record.seed is None else [f"seed {record.seed}"]
        facts += [_device(record)] if record.device else []
        lines += ["", f"# {plain('; '.join(facts))}", command_line(record.command, study_folder)]
    return "\n".join(lines) + "\n"


def last_day(done: list[Execution]) -> str:
    """Date (UTC) of the last execution; empty without one."""
    return max((one.record.started[:10] for one in done), default="")


def commit_of(done: list[Execution]) -> str:
    """Commit of the last execution that recorded one, shortened."""
    recorded = [(one.record.started, one.record.commit) for one in done if one.record.commit]
    if not recorded:
        return UNKNOWN
    commit, dirty, _ = max(recorded)[1].partition("-dirty")
    return f"{commit[:DIGITS]}{dirty}"


def seeds(done: list[Execution]) -> str:
    """Every seed with the outputs that were computed with it, as Markdown."""
    outputs: dict[int, list[str]] = defaultdict(list)
    for one in done:
        if one.record.seed is not None:
            outputs[one.record.seed].append(one.output)
    parts = []
    for seed, names in outputs.items():
        shown = ", ".join(code(name) for name in names[:MOST_OUTPUTS])
        more = f" and {len(names) - MOST_OUTPUTS} more" if len(names) > MOST_OUTPUTS else ""
        parts.append(f"{seed} ({shown}{more})")
    return "; ".join(parts) or "none recorded"


def remarks(done: list[Execution]) -> list[tuple[str, str]]:
    """Fallbacks and adjustments with the output that they concern, as Markdown, each once."""
    lines = []
    for kind in ("fallback", "adjustment"):
        for execution in done:
            record = execution.record
            for remark in record.fallbacks if kind == "fallback" else record.adjustments:
                lines.append((kind, f"{text(remark)} ({code(execution.output)})"))
    return list(dict.fromkeys(lines))


def devices(done: list[Execution]) -> list[str]:
    """Devices that a model ran on, such as `cpu, float32`, each once."""
    return list(dict.fromkeys(_device(execution.record) for execution in done if execution.record.device))


def _device(record: RunRecord) -> str:
    return ", ".join(part for part in (record.device, record.dtype) if part)


def _row(results: Path, execution: Execution) -> list[str]:
    record = execution.record
    counts = (record.utterances_decoded, record.utterances_reused, record.optimizer_steps)
    return [
        code(f"{results.name}/{_file_or_folder(results, execution.output)}"),
        "" if record.seed is None else str(record.seed),
        text(_device(record)),
        f"{record.seconds:.{2 if record.seconds < 10 else 0}f}",
        *("" if number is None else f"{number:,}" for number in counts),
    ]


def _file_or_folder(results: Path, output: str) -> str:
    """The output, or the folder of a command that fills one."""
    return output if (results / output).is_file() else f"{output.rpartition('/')[0]}/".lstrip("/")


def _notes(done: list[Execution], unreadable: list[str]) -> str:
    lines = [f"- {kind.capitalize()}: {remark}." for kind, remark in remarks(done)]
    if not lines:
        lines = ["- No device or dtype fallback, and no adjustment, was recorded."]
    lines += [f"- The run record {code(name)} cannot be read." for name in unreadable]
    return "\n".join(lines)


def command_line(command: str, study: Path) -> str:
    """The exact command on one line; only the path of a script in the study's folder is made relative."""
    line = plain(command)
    try:
        words = shlex.split(line)
    except ValueError:
        words = []
    if len(words) > 1 and Path(words[1]).is_absolute() and Path(words[1]).is_relative_to(study.resolve()):
        line = shlex.join([words[0], str(Path(words[1]).relative_to(study.resolve())), *words[2:]])
    return line


def unfenced(line: str) -> str:
    """A line of a fenced block that cannot end it."""
    return f" {line}" if line.startswith("```") else line


def _configured(location: Location, config: dict[str, Any], runs: Iterable[str] | None) -> bool:
    """False for leftovers of a run or manifest that the configuration no longer names."""
    if not config:
        return True
    listed = [BASE, *((config.get("candidates") or {}) if runs is None else runs)]
    run = location.wildcards.get("run")
    manifest = location.wildcards.get("manifest")
    return (run is None or run in listed) and (manifest is None or manifest in (config.get("manifests") or {}))
