"""Targets by name: each is a stage of the diagnosis, with everything before it."""


localrules:
    all,
    durations,
    baseline,
    effect,
    report,
    sweep,
    publish,
    gate,
    open_sweep,


rule all:
    """All documents and plots, without publishing them."""
    input:
        "results/summary.md",
        "results/summary.html",
        "results/gate.json",
        files.all_plots(study),


rule durations:
    """The duration filter and the split; needs no model."""
    input:
        files.duration_facts(study),


rule baseline:
    """The baseline's word error rates."""
    input:
        study.per_manifest("results/wer/base/{manifest}.json"),


rule effect:
    """What every candidate changes in weights and in errors."""
    input:
        expand("results/effect/{run}.json", run=study.runs_with("train", "adapter", "checkpoint")),
        study.per_run_and_manifest("results/paired/{run}/{manifest}.json", study.config.candidates),


rule report:
    """The report as one page with its plots."""
    input:
        "results/summary.html",
        files.all_plots(study),
