"""What was executed: commands, seeds, devices and output paths, from the run records beside the results."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lora.records.base import UserError
from lora.records.provenance import RunRecord
from lora.report.markdown import code, plain, table, text

# Outputs in the order data flows, so that the commands can be run one after the other.
STAGES = (
    r"config\.json",
    r"audio/",
    r"integrity/",
    r"manifests/",
    r"leakage/",
    r"durations/(?!summary|decision)",
    r"durations/",
    r"max_seconds\.json",
    r"splits/",
    r"transcripts/base/",
    r"wer/base/",
    r"labels\.json",
    r"mismatches/",
    r"hardened\.json",
    r"adapters/",
    r"transcripts/",
    r"wer/",
    r"effect/",
    r"paired/",
    r"reachable/",
    r"parity/",
    r"verdict\.json",
    r"sweep\.",
    r"plots/",
    r"summary\.md",
    r"summary\.html",
)
ENDING = ".run.json"


@dataclass(frozen=True)
class Execution:
    """A run record and the path of its first output, relative to the results folder."""

    output: str
    record: RunRecord


def executions(results: Path, config: dict[str, Any]) -> tuple[list[Execution], list[str]]:
    """Run records of what the configuration still names, in the order data flows; and those that cannot be read.

    What no stage writes is not of this study: a person may keep other results in a folder of their own here.
    """
    found, broken = [], []
    for path in sorted(results.rglob(f"*{ENDING}")):
        output = path.relative_to(results).as_posix().removesuffix(ENDING)
        if _stage(output) is None or not _configured(output, config):
            continue
        try:
            found.append(Execution(output, RunRecord.read(path)))
        except (UserError, OSError):
            broken.append(f"{output}{ENDING}")
    found.sort(key=lambda one: (_stage(one.output) or 0, one.output))
    return found, broken


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


def _configured(output: str, config: dict[str, Any]) -> bool:
    """False for leftovers of a run or manifest that the configuration no longer names."""
    runs = {"base", *(config.get("candidates") or {})}
    folder, *rest = output.split("/")
    if not config or not rest:
        return True
    if folder in {"transcripts", "wer", "paired", "adapters"}:
        return rest[0] in runs
    if folder in {"effect", "parity"}:
        return rest[0].split(".")[0] in runs
    if folder in {"audio", "integrity", "manifests", "leakage", "mismatches", "reachable"}:
        return rest[0].split(".")[0] in (config.get("manifests") or {})
    return True


def _stage(output: str) -> int | None:
    return next((place for place, stage in enumerate(STAGES) if re.match(stage, output)), None)
