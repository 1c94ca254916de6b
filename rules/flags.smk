"""What a configuration becomes on the command lines of rules, and the decision on max_seconds. Functions only."""

import json
from pathlib import Path

from lora.asr.model_files import window_seconds
from lora.data.source import Source
from lora.records.durations import MaxSeconds


def source_flags(wildcards):
    """What a person says of a manifest, as flags of every command that reads it."""
    return Source.from_config(config["manifests"][wildcards.manifest]).flags()


def reading_flags(wildcards):
    """The same, and where its audio was written if it lies inside the manifest's files."""
    return [
        *source_flags(wildcards),
        *(flag for folder in unpacked_audio(wildcards) for flag in ("--unpacked", folder)),
    ]


def adapter_flags(wildcards):
    if training_settings(wildcards.run) is not None:
        folder = f"results/adapters/{wildcards.run}"
        return ["--adapter", f"{folder}/best", "--train-facts", f"{folder}/train.json"]
    adapter = config["candidates"].get(wildcards.run, {}).get("adapter")
    return ["--adapter", adapter] if adapter else []


def base_flags():
    """Which model the study tunes, as flags."""
    model = config["model"]
    return ["--model-id", model["id"], *(["--revision", model["revision"]] if model["revision"] is not None else [])]


def model_flags(wildcards):
    """Flags that load a run's model, the same for every command that does."""
    run = wildcards.get("run", "base")
    model, rms = config["model"], own_or_study(run, "preprocess")["target_rms"]
    flags = ["--model-id", model_of(run)]
    if model["revision"] is not None and model_of(run) == model["id"]:
        flags += ["--revision", model["revision"]]
    for key in ("language", "prompt"):
        if model[key] is not None:
            flags += [f"--{key}", model[key]]
    flags += ["--device", model["device"], "--dtype", model["dtype"], "--cpu-threads", model["cpu_threads"]]
    return [*flags, "--target-rms", "none" if rms is None else rms]


def decode_of(wildcards):
    return json.dumps(own_or_study(wildcards.get("run", "base"), "decode"), sort_keys=True)


def training_flags(wildcards):
    """A run's training settings as flags of the runner; what is false or empty is left out."""
    flags = []
    for key, value in training_settings(wildcards.run).items():
        if value is False or value == []:
            continue
        flags.append(f"--{key}".replace("_", "-"))
        if isinstance(value, dict):
            flags.append(json.dumps(value, sort_keys=True))
        elif isinstance(value, list):
            flags.append(",".join(value))
        elif value is not True:
            flags.append(value)
    return flags


def loss_flags():
    """Of all trainings the settings that bear on how the loss is computed: accumulating two batches stands for more."""
    steps = set()
    for run in [*runs_with("train"), *config["sweep"]]:
        settings = training_settings(run)
        steps.add((settings["label_smoothing"], min(settings["gradient_accumulation"], 2)))
    settings = [{"gradient_accumulation": count, "label_smoothing": share} for share, count in sorted(steps)]
    return [flag for step in settings for flag in ("--train-settings", json.dumps(step))]


def window_of_model():
    """Longest audio the model hears in one piece, as far as it can be known without loading it."""
    if config["model"] is None:
        return "none"
    seconds = config["model"]["max_audio_seconds"]
    if seconds == "auto":
        seconds = window_seconds(config["model"]["id"])
    return "none" if seconds is None else seconds


def max_seconds(wildcards):
    """The decided value; before the decision is made nothing below it can run, so any text will do."""
    if not has_training():
        return "none"
    decided = Path("results/max_seconds.json")
    if not decided.exists():
        return "undecided"
    value = MaxSeconds.read(decided).max_seconds
    return "none" if value is None else value


def limits_of_study():
    """Every value of max_seconds that the study looks at, in seconds: its thresholds and a number it asks for."""
    durations = config["durations"]
    asked = [] if durations["max_seconds"] == "auto" else [durations["max_seconds"]]
    return sorted({*durations["thresholds"], *asked})


def split_flags():
    """How the training manifest is split; the decision on max_seconds counts rows of the very same split."""
    split = config["split"]
    by_speaker = "--by-speaker" if split["by_speaker"] else "--no-by-speaker"
    return ["--val-fraction", split["val_fraction"], by_speaker, "--split-seed", split["seed"]]


def brought_form(wildcards):
    """What a person says of a file of transcripts, as flags; none where the file tells it."""
    told = brought_file(wildcards)
    flags = ["--format", told["format"]] if "format" in told else []
    columns = [f"{what}={name}" for what, name in sorted(told.get("columns", {}).items())]
    return [*flags, *(["--columns", *columns] if columns else [])]
