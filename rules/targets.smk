"""Nouns one can ask for; each is a stage of the diagnosis and makes all before it."""


localrules:
    all,
    durations,
    baseline,
    effect,
    report,
    sweep,
    publish,
    gate,


rule all:
    input:
        "results/summary.md",
        "results/summary.html",
        "results/gate.json",
        all_plots(),


rule durations:
    input:
        duration_facts(),


rule baseline:
    input:
        of_every_manifest("results/wer/base/{manifest}.json"),


rule effect:
    input:
        expand("results/effect/{run}.json", run=runs_with("train", "adapter", "checkpoint")),
        of_every_run("results/paired/{run}/{manifest}.json", config["candidates"]),


rule report:
    input:
        "results/summary.html",
        all_plots(),


rule sweep:
    input:
        "results/sweep.tsv",
