"""List what a run would do, and which file or configuration key is the reason; and what a sweep will cost.

Example: python scripts/plan.py --cores 2
         python scripts/plan.py --cores 2 -- --directory my-study --configfile my-study/config.yaml
Reads: the study, its results, Snakemake's dry run. Writes: the results of the target `durations` (duration tables,
max_seconds, split), which needs no torch. They come first because everything else depends on them; after that the dry
run is exact.
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snakemake.utils import update_config

from lora.configuration.loading import load_configuration
from lora.configuration.origin import Origin, named_files
from lora.configuration.recorded import changed_keys
from lora.configuration.study import StudyConfig
from lora.configuration.yaml_file import read_yaml
from lora.provenance.child import signals_passed_on
from lora.provenance.command import command
from lora.records.base import UserError
from lora.stages.sweep import planned_sweep
from lora.tool_folder import tool_folder

MODEL_WORK = {
    "transcribe_run": "transcribes (utterances transcribed before with the same settings come from work/)",
    "transcribe_shard": "transcribes a part of the rows",
    "train_adapter": "trains",
    "train_and_evaluate": "trains, and transcribes evaluation rows while it trains",
    "compare_in_run": "transcribes rows that were evaluated in training with the saved adapter alone",
    "audit_labels": "audits labels with the model",
    "measure_effect": "measures the adapter's effect",
    "harden_manifest": "checks for headroom, and measures harder manifests if there is none",
}
# Jobs that compute nothing.
TARGETS = {"all", "publish", "update_documents", "gate", "durations", "baseline", "effect", "report", "listen"}
NEVER_COMPUTED = "never computed"
JOB = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):$", re.MULTILINE)


@dataclass(frozen=True)
class Job:
    rule: str
    wildcards: str
    reason: str

    @property
    def name(self) -> str:
        return f"{self.rule} ({self.wildcards})" if self.wildcards else self.rule


def planned_jobs(dry_run: str) -> list[Job]:
    """Parse the jobs that a dry run prints, without the two that always run and targets without commands."""
    pieces = JOB.split(dry_run)
    jobs = []
    for rule, text in zip(pieces[1::2], pieces[2::2], strict=True):
        reason = re.search(r"^    reason: (.*)$", text, re.MULTILINE)
        wildcards = re.search(r"^    wildcards: (.*)$", text, re.MULTILINE)
        values = ", ".join(part.split("=")[1] for part in wildcards[1].split(", ")) if wildcards else ""
        if rule not in TARGETS:
            jobs.append(Job(rule, values, reason[1].strip() if reason else ""))
    return jobs


def own_reason(job: Job) -> str | None:
    """Describe why a job itself is stale; None if it only follows another job."""
    reasons = []
    for text in re.split(r"(?<=\S)\s*; ", job.reason):
        if text.startswith("Updated input files: "):
            reasons.append(f"changed file: {text.removeprefix('Updated input files: ')}")
        elif text.startswith("Params have changed"):
            values = re.search(r"before: (.*) now: (.*)$", text)
            reasons.append(f"changed setting or code: {difference(*values.groups()) if values else 'unknown'}")
        elif text.startswith("Missing output files: "):
            reasons.append(NEVER_COMPUTED)
        elif text.startswith("Set of input files has changed"):
            reasons.append("different input files than last time")
        elif not text.startswith(("Input files updated by another job", "Rules with a run or shell declaration")):
            reasons.append(text)
    return "; ".join(reasons) or None


def difference(before: str, now: str) -> str:
    """Show two parameter values as Snakemake prints them; of two lists of flags only those that differ."""
    try:
        old, new = ast.literal_eval(before.strip()), ast.literal_eval(now.strip())
    except (SyntaxError, ValueError):
        old, new = before.strip(), now.strip()
    if not isinstance(old, list) or not isinstance(new, list) or len(old) != len(new):
        return f"{_short(old)} -> {_short(new)}"
    names = ["", *new]
    changes = [(names[i], o, n) for i, (o, n) in enumerate(zip(old, new, strict=True)) if o != n]
    return ", ".join(f"{name} {_short(o)} -> {_short(n)}" for name, o, n in changes)


def _short(value: object, length: int = 80) -> str:
    text = str(value)
    return text if len(text) <= length else text[: length - 1] + "…"


def snakemake(arguments: list[str]) -> str:
    command = [sys.executable, "-m", "snakemake", "-s", str(tool_folder() / "Snakefile"), *arguments]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as workflow,
        signals_passed_on(workflow, "the plan"),
    ):
        output = "".join(workflow.communicate())
    if workflow.returncode != 0:
        raise UserError(f"the dry run failed; Snakemake reports:\n{output[-3000:]}")
    return output


def read_study(folder: Path, files: list[Path]) -> StudyConfig | None:
    """The configuration of a study, of which later files replace keys of earlier ones; None if a file is missing."""
    if not all(path.exists() for path in files):
        return None
    given: dict[str, Any] = {}
    for path in files:
        update_config(given, read_yaml(path))
    return StudyConfig.from_json(load_configuration(given, Origin(files), folder))


def study_changes(folder: Path, current: StudyConfig) -> list[str]:
    recorded = folder / "results" / "config.json"
    if not recorded.exists():
        return []
    try:
        before = StudyConfig.read(recorded)
    except UserError:
        return []  # damaged, or of an earlier version: a run records it again
    return changed_keys(before.to_json(), current.to_json())


def sweep_lines(folder: Path, config: StudyConfig) -> list[str]:
    """What the sweep will cost and can show, for each hypothesis; nothing for a study without a sweep."""
    return [*planned_sweep(folder / "results", config), ""] if config.sweep else []


def describe(jobs: list[Job], changes: list[str], decided: list[Job]) -> str:
    """Describe the plan: changed keys, fresh decisions, stale jobs with their reasons, jobs that follow."""
    lines = [f"Changed in the configuration: {change}" for change in changes]
    causes = {reason: None for job in decided if (reason := own_reason(job)) not in (None, NEVER_COMPUTED)}
    if decided:
        lines.append(f"Decided just now, without the model: {counted(decided)}")
        lines += [f"  because of a {reason}" for reason in causes]
    if not jobs:
        return "\n".join([*lines, "Nothing is stale: a run would only publish."])
    own = [(job, reason) for job in jobs if (reason := own_reason(job)) is not None]
    fresh = [job for job, reason in own if reason == NEVER_COMPUTED]
    stale: dict[tuple[str, str], list[Job]] = {}
    for job, reason in own:
        # Changes of the configuration are listed key by key already.
        if reason != NEVER_COMPUTED and job.rule != "record_config":
            stale.setdefault((job.rule, reason), []).append(job)
    for (rule, reason), same in stale.items():
        lines.append(f"Stale: {same[0].name if len(same) == 1 else f'{rule} x{len(same)}'}: {reason}")
    if fresh:
        lines.append(f"Never computed: {counted(fresh)}")
    followers = [job for job in jobs if own_reason(job) is None]
    if followers:
        lines.append(f"Computed again because of these: {counted(followers)}")
    work = [f"  {job.name} {MODEL_WORK[job.rule]}" for job in jobs if job.rule in MODEL_WORK]
    lines.append("Model work:" if work else "No model work: no utterance is decoded and no optimiser step taken.")
    return "\n".join([*lines, *work])


def counted(jobs: list[Job]) -> str:
    return ", ".join(f"{rule} x{n}" if n > 1 else rule for rule, n in Counter(job.rule for job in jobs).items())


def execute(args: argparse.Namespace) -> int:
    passed = ["--cores", str(args.cores), *args.snakemake]
    folder = Path(passed[passed.index("--directory") + 1]) if "--directory" in passed else Path()
    config = read_study(folder, named_files(passed) or [folder / "config.yaml"])
    changes = study_changes(folder, config) if config else []
    decided = planned_jobs(snakemake(["-n", "durations", *passed]))
    snakemake(["durations", *passed])
    print(describe(planned_jobs(snakemake(["-n", "publish", *passed])), changes, decided))
    print("\n".join(sweep_lines(folder, config) if config else []), end="")
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cores", default="all", help="as for snakemake")
    parser.add_argument("snakemake", nargs="*", help="further arguments for snakemake, after --")


main = command(__doc__, add_arguments, execute)

if __name__ == "__main__":
    sys.exit(main())
