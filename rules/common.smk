"""What rules ask of the configuration: names of runs and manifests, files, facts. Functions and constants only."""

import functools
from pathlib import Path

from lora.asr.recipe import RECIPE
from lora.asr.training.history import history_file
from lora.code_hash import code_hash
from lora.data.transcripts.recorded_settings import adjacent_settings
from lora.data.formats.registry import contains_audio, manifest_files
from lora.data.source import Source
from lora.layout import required_facts, required_plots
from lora.records.base import UserError

# The two commands that always run: they cost well under a second and have no outputs that a killed run could take along,
# no benchmark either, which Snakemake would count as an output.
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


@functools.cache
def code(script):
    """Content hash of a script and of all our modules that it imports."""
    return code_hash(CODE / "scripts" / f"{script}.py")


def survey():
    """The files that each manifest's rows stand in, audio not among them, and whether audio lies inside of them."""
    files, packed = {}, []
    for manifest, value in config["manifests"].items():
        try:
            source = Source.from_config(value)
            files[manifest] = [str(path) for path in manifest_files(source)]
            packed += [manifest] if contains_audio(source) else []
        except UserError as error:
            raise WorkflowError(f"manifests.{manifest}: {error}")
    return files, packed


MANIFEST_FILES, PACKED_MANIFESTS = survey()


def source_files(wildcards):
    return MANIFEST_FILES[wildcards.manifest]


def unpacked_audio(wildcards):
    return [f"results/audio/{wildcards.manifest}"] if wildcards.manifest in PACKED_MANIFESTS else []


def evaluation_manifests():
    return [*config["roles"]["general"], *config["roles"]["domain"]]


def has_training():
    """Whether there is a training manifest: without a model there need be none."""
    return "train" in config["manifests"]


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
    parts = {".json", ".safetensors", ".txt", ".model", ".jinja"}  # what is read; a model card may change
    return sorted(str(path) for path in Path(folder).glob("*") if path.is_file() and path.suffix in parts)


def model_of(run):
    """Folder or hub id of the model that a run transcribes with, before any adapter."""
    return config["candidates"].get(run, {}).get("checkpoint", config["model"]["id"])


def model_threads():
    return config["model"]["cpu_threads"] if config["model"] is not None else 1


def model_gpus():
    """One GPU for a model job, unless the study forbids it; it counts only where a profile limits `gpu`."""
    return 0 if config["model"] is None or config["model"]["device"] == "cpu" else 1


def training_processes():
    return config["model"]["processes"] if config["model"] is not None else 1


def model_files(wildcards):
    return folder_files(model_of(wildcards.get("run", "base")))


def adapter_files(wildcards):
    """What must exist of a run's adapter: the outcome of its training, or the folder that somebody brought."""
    if training_settings(wildcards.run) is not None:
        return [f"results/adapters/{wildcards.run}/best", f"results/adapters/{wildcards.run}/train.json"]
    adapter = config["candidates"].get(wildcards.run, {}).get("adapter")
    return folder_files(adapter) if adapter else []


def training_told(wildcards):
    """The file beside a brought adapter that tells of its training, none where nothing does."""
    told = history_file(Path(config["candidates"][wildcards.run]["adapter"]))
    return [] if told is None else [str(told)]


def decision(wildcards):
    """Wait for the decision on max_seconds without depending on its file: only a new value makes results stale.

    Everything below the decision names it, even where the value is not used. Snakemake judges again after a checkpoint
    only the jobs that waited for it, and would rerun the others because the split might have changed.
    """
    if has_training():
        checkpoints.choose_max_seconds.get()
    return []


def training_words(wildcards):
    """The training split, whose words are those that training hears; none without a training manifest."""
    return "results/splits/train.jsonl" if has_training() else []


def brought_file(wildcards):
    """Path, format and columns of brought transcripts; a path alone stands for all that it can tell."""
    source = config["base"] if wildcards.run == "base" else config["candidates"][wildcards.run]
    given = source["hypotheses"].get(wildcards.manifest, [])
    return given if isinstance(given, dict) else {"path": given}


def brought_hypotheses(wildcards):
    return brought_file(wildcards)["path"]


def brought_settings(wildcards):
    """The settings file beside brought transcripts, where there is one."""
    hypotheses = brought_hypotheses(wildcards)
    beside = adjacent_settings(Path(hypotheses)) if hypotheses else None
    return str(beside) if beside is not None and beside.is_file() else []


def heard_by_the_base_model(wildcards):
    """Its transcripts of an evaluation manifest; of training its own texts of the sample that the label audit hears."""
    if wildcards.manifest == "train":
        return "results/labels.hypotheses.jsonl"
    return f"results/transcripts/base/{wildcards.manifest}.jsonl"


def duration_facts():
    """Duration tables of all manifests; of a training manifest what the filter and the split leave of it."""
    if not has_training():
        return ["results/durations/summary.tsv"]
    return [
        "results/durations/summary.tsv",
        "results/durations/decision.json",
        "results/durations/retention.json",
        "results/splits/sizes.tsv",
        "results/splits/stability.json",
    ]


def all_facts():
    """Every fact file that the verdict and the summary read."""
    return required_facts(config)


def all_plots():
    return required_plots(config)
