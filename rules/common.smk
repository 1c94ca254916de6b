"""Functions only: the study's configuration and lock, the prefix of every command, and what rules ask of the configuration."""

import atexit
import fcntl
import functools
import json
import os
import sys
from pathlib import Path
from shlex import quote

from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config

CODE = Path(str(workflow.current_basedir)).parent
sys.path.insert(0, str(CODE / "src"))

from lora.asr.model_files import window_seconds
from lora.asr.recipe import RECIPE
from lora.code_hash import code_hash
from lora.configuration import load_configuration
from lora.records import MaxSeconds, UserError

# `python` is the one that runs Snakemake, its environment activated or not; an activated conda environment goes before it.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

# Every command finds library and scripts through these two variables: a path in a rule would make results stale when the
# repository moves, and conda environments hold only other people's packages.
shell.prefix(f"set -euo pipefail; export LORA={quote(str(CODE))}; export PYTHONPATH={quote(str(CODE / 'src'))}; ")


# The two commands that always run: they cost well under a second and have no outputs that a killed run could take along.
PUBLISH = """
        python "$LORA/scripts/publish.py" \
            --results results \
            --summary {input.summary:q} \
            --plan docs/experiment_plan.md \
            --notes notes.md \
            2>&1 | tee {log:q}
        """
CHECK_GATE = """
        python "$LORA/scripts/check_gate.py" --gate {input.gate:q} 2>&1 | tee -a {log:q}
        """


def study_configuration():
    """The complete configuration: --configfile or a module's own, else config.yaml of the study folder."""
    files = [Path(path) for path in workflow.config_settings.configfiles]
    given = dict(config)
    if not files and "manifests" not in given:
        files = [Path("config.yaml")]
        if not files[0].exists():
            raise WorkflowError(f"no config.yaml in {Path.cwd()}: write one, or name it with --configfile")
        given = load_configfile(files[0])
        update_config(given, config)
    try:
        return load_configuration(given, files[-1] if files else None, Path.cwd())
    except UserError as error:
        raise WorkflowError(str(error))


def lock_study():
    """Let one run at a time write to the study; the kernel frees the lock however the run ends."""
    executes = workflow.is_main_process and workflow.executor_plugin is not None and not workflow.dryrun
    if not executes:
        return
    Path("work").mkdir(exist_ok=True)
    lock = open("work/study.lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise WorkflowError(f"another run is at work in {Path.cwd()}; wait for it to end, or stop it")
    # Until the process ends the file must stay open, and Snakemake keeps no name of ours alive.
    atexit.register(lock.close)


@functools.cache
def code(script):
    """Content hash of a script and of all our modules that it imports."""
    return code_hash(CODE / "scripts" / f"{script}.py")


def evaluation_manifests():
    return [*config["roles"]["general"], *config["roles"]["domain"]]


def rows_of(manifests):
    return [f"results/manifests/{manifest}.jsonl" for manifest in manifests]


def of_every_manifest(pattern):
    return expand(pattern, manifest=evaluation_manifests())


def of_every_run(pattern, runs):
    return expand(pattern, run=runs, manifest=evaluation_manifests())


def runs_with(*kinds):
    """Candidates of some of the kinds train, adapter, checkpoint, hypotheses, in the configuration's order."""
    return [name for name, candidate in config["candidates"].items() if any(kind in candidate for kind in kinds)]


def imported_runs():
    return [*(["base"] if config["base"] is not None else []), *runs_with("hypotheses")]


def transcribed_runs():
    """Runs that the model transcribes: the baseline, candidates with weights, entries of the sweep."""
    base = [] if config["base"] is not None else ["base"]
    return [*base, *runs_with("train", "adapter", "checkpoint"), *config["sweep"]]


def any_of(names):
    """A wildcard constraint that admits these names only, and nothing when there are none."""
    return "|".join(names) or "(?!)"


def training_settings(run):
    """Settings of a run that trains, None for any other."""
    candidate = config["candidates"].get(run, {"train": config["sweep"].get(run)})
    return candidate.get("train")


def own_or_study(run, key):
    """A candidate's own decode, normalizer or preprocess, else the study's."""
    return config["candidates"].get(run, {}).get(key, config[key])


def folder_files(folder):
    """Files of a model or adapter folder that people brought; none for the name of a model on the hub."""
    return sorted(str(path) for path in Path(folder).glob("*") if path.is_file() and not path.name.startswith("."))


def model_of(run):
    """Folder or hub id of the model that a run transcribes with, before any adapter."""
    return config["candidates"].get(run, {}).get("checkpoint", config["model"]["id"])


def model_threads():
    return config["model"]["cpu_threads"] if config["model"] is not None else 1


def model_gpus():
    """One GPU for a model job, unless the study forbids it; it counts only where a profile limits `gpu`."""
    return 0 if config["model"] is None or config["model"]["device"] == "cpu" else 1


def model_files(wildcards):
    return folder_files(model_of(wildcards.get("run", "base")))


def adapter_files(wildcards):
    """What must exist of a run's adapter: the outcome of its training, or the folder that somebody brought."""
    if training_settings(wildcards.run) is not None:
        return [f"results/adapters/{wildcards.run}/best", f"results/adapters/{wildcards.run}/train.json"]
    adapter = config["candidates"].get(wildcards.run, {}).get("adapter")
    return folder_files(adapter) if adapter else []


def adapter_flags(wildcards):
    if training_settings(wildcards.run) is not None:
        folder = f"results/adapters/{wildcards.run}"
        return ["--adapter", f"{folder}/best", "--train-facts", f"{folder}/train.json"]
    adapter = config["candidates"].get(wildcards.run, {}).get("adapter")
    return ["--adapter", adapter] if adapter else []


def model_flags(wildcards):
    """Flags that load a run's model, the same for every command that does."""
    run = wildcards.get("run", "base")
    model, rms = config["model"], own_or_study(run, "preprocess")["target_rms"]
    flags = ["--model-id", model_of(run)]
    if model["revision"] is not None:
        flags += ["--revision", model["revision"]]
    flags += ["--device", model["device"], "--dtype", model["dtype"], "--cpu-threads", model["cpu_threads"]]
    return [*flags, "--target-rms", "none" if rms is None else rms]


def decode_of(wildcards):
    return json.dumps(own_or_study(wildcards.get("run", "base"), "decode"), sort_keys=True)


def training_flags(wildcards):
    """A run's training settings as flags of the runner; what is false is left out."""
    flags = []
    for key, value in training_settings(wildcards.run).items():
        if value is False:
            continue
        flags.append(f"--{key}".replace("_", "-"))
        if isinstance(value, dict):
            flags.append(json.dumps(value, sort_keys=True))
        elif isinstance(value, list):
            flags.append(",".join(value))
        elif value is not True:
            flags.append(value)
    return flags


def window_of_model():
    """Longest audio the model hears in one piece, as far as it can be known without loading it."""
    if config["model"] is None:
        return "none"
    seconds = config["model"]["max_audio_seconds"]
    if seconds == "auto":
        seconds = window_seconds(config["model"]["id"])
    return "none" if seconds is None else seconds


def decision(wildcards):
    """Wait for the decision on max_seconds without depending on its file: only a new value makes results stale.

    Every rule below the decision names it, not only those that use the value: Snakemake judges again after a checkpoint
    only the jobs that waited for it, and would rerun the others because the split might have changed.
    """
    checkpoints.choose_max_seconds.get()
    return []


def max_seconds(wildcards):
    """The decided value; before the decision is made nothing below it can run, so any text will do."""
    decided = Path("results/max_seconds.json")
    if not decided.exists():
        return "undecided"
    value = MaxSeconds.read(decided).max_seconds
    return "none" if value is None else value


def split_flags():
    """How the training manifest is split; the decision on max_seconds counts rows of the very same split."""
    split = config["split"]
    by_speaker = "--by-speaker" if split["by_speaker"] else "--no-by-speaker"
    return ["--val-fraction", split["val_fraction"], by_speaker, "--split-seed", split["seed"]]


def brought_hypotheses(wildcards):
    source = config["base"] if wildcards.run == "base" else config["candidates"][wildcards.run]
    return source["hypotheses"].get(wildcards.manifest, [])


def all_facts():
    """Every fact file that judgement and summary read."""
    facts = [
        *(f"results/manifests/{manifest}.rejected.tsv" for manifest in config["manifests"]),
        "results/durations/summary.tsv",
        "results/durations/decision.json",
        "results/splits/sizes.tsv",
        *of_every_manifest("results/wer/base/{manifest}.json"),
        *of_every_manifest("results/transcripts/base/{manifest}.settings.json"),
    ]
    for run in config["candidates"]:
        facts += [f"results/wer/{run}/{manifest}.json" for manifest in evaluation_manifests()]
        facts += [f"results/paired/{run}/{manifest}.json" for manifest in evaluation_manifests()]
        facts.append(f"results/parity/{run}.json")
    if config["model"] is not None:
        facts.append("results/labels.json")
        facts += [f"results/adapters/{run}/train.json" for run in runs_with("train")]
        facts += [f"results/effect/{run}.json" for run in runs_with("train", "adapter")]
        if config["headroom"]["harden"]:
            facts.append("results/hardened.json")
    return facts


def all_plots():
    names = ["durations", "wer"]
    if config["model"] is not None:
        names += [f"loss.{run}" for run in runs_with("train")]
        names += [f"weights.{run}" for run in runs_with("train", "adapter")]
    return [f"results/plots/{name}.{kind}" for name in names for kind in ("png", "svg")]
