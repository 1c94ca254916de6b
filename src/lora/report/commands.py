"""Commands, seeds, devices and output paths of what was executed, from the run records next to the results."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lora.layout import BASE, Location, locate
from lora.records.base import UserError
from lora.records.provenance import RunRecord
from lora.report.markdown import code, plain, table, text

ENDING = ".run.json"


@dataclass(frozen=True)
class Execution:
    """A run record and the path of its first output, relative to the results folder."""

    output: str
    record: RunRecord


def executions(results: Path, config: dict[str, Any]) -> tuple[list[Execution], list[str]]:
    """Read the run records of what the configuration names.

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
        if location is None or not _configured(location, config):
            continue
        try:
            done.append((location, Execution(output, RunRecord.read(path))))
        except (UserError, OSError):
            unreadable.append(f"{output}{ENDING}")
    done.sort(key=lambda entry: (entry[0].order, entry[1].output))
    return [execution for _, execution in done], unreadable


def commands_section(results: Path, config: dict[str, Any]) -> str:
    """Markdown; changes only when something was executed."""
    done, broken = executions(results, config)
    if not done:
        return "## Commands, seeds and output paths\n\nNo run record was found, so what was executed is unknown."
    rows = [_row(results, one) for one in done]
    headers = ["output", "seed", "device", "seconds", "decoded", "reused", "steps"]
    parts = [
        "## Commands, seeds and output paths",
        "What the last execution of each step did. The commands run from the study's folder, one after the other.",
        table(headers, rows, numbers=[1, 3, 4, 5, 6]),
        _notes(done, broken),
        "```bash\n" + "\n".join(_command(one.record.command, results.parent) for one in done) + "\n```",
    ]
    return "\n\n".join(part for part in parts if part)


def remarks(done: list[Execution]) -> list[tuple[str, str]]:
    """Fallbacks and adjustments with the output they concern, as Markdown, without repetitions."""
    lines = [("fallback", f"{text(f)} ({code(one.output)})") for one in done for f in one.record.fallbacks]
    lines += [("adjustment", f"{text(a)} ({code(one.output)})") for one in done for a in one.record.adjustments]
    return list(dict.fromkeys(lines))


def devices(done: list[Execution]) -> list[str]:
    """`cpu, float32` for each kind of device that a model ran on."""
    pairs = [(one.record.device, one.record.dtype) for one in done if one.record.device]
    return list(dict.fromkeys(", ".join(part for part in pair if part) for pair in pairs))


def _row(results: Path, one: Execution) -> list[str]:
    record = one.record
    device = ", ".join(part for part in (record.device, record.dtype) if part)
    counts = (record.utterances_decoded, record.utterances_reused, record.optimizer_steps)
    return [
        code(f"{results.name}/{_place(results, one.output)}"),
        "" if record.seed is None else str(record.seed),
        text(device),
        f"{record.seconds:.{2 if record.seconds < 10 else 0}f}",
        *("" if n is None else f"{n:,}" for n in counts),
    ]


def _place(results: Path, output: str) -> str:
    """The file, or the folder of a command that fills one."""
    return output if (results / output).is_file() else f"{output.rpartition('/')[0]}/".lstrip("/")


def _notes(done: list[Execution], broken: list[str]) -> str:
    lines = [f"- {kind.capitalize()}: {words}." for kind, words in remarks(done)]
    if not lines:
        lines = ["- No device or dtype fallback, and no adjustment, was recorded."]
    lines += [f"- The run record {code(name)} cannot be read." for name in broken]
    return "\n".join(lines)


def _command(command: str, study: Path) -> str:
    """Exact and on one line; only the script's path is shortened where it lies in the study's folder."""
    line = plain(command)
    try:
        words = shlex.split(line)
    except ValueError:
        words = []
    if len(words) > 1 and Path(words[1]).is_absolute() and Path(words[1]).is_relative_to(study.resolve()):
        line = shlex.join([words[0], str(Path(words[1]).relative_to(study.resolve())), *words[2:]])
    return f" {line}" if line.startswith("```") else line


def _configured(location: Location, config: dict[str, Any]) -> bool:
    """False for leftovers of a run or manifest that the configuration no longer names."""
    if not config:
        return True
    runs = [BASE, *(config.get("candidates") or {})]
    run, manifest = location.wildcards.get("run"), location.wildcards.get("manifest")
    return (run is None or run in runs) and (manifest is None or manifest in (config.get("manifests") or {}))
