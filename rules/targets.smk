"""Targets by name: each is a stage of the diagnosis, with everything before it."""


rule all:
    """All results of the diagnosis, without publishing them."""
    input:
        files.all_results(study),
    localrule: True


# The targets below have a command and no output, so that they always run and say what was found.
rule durations:
    """The duration filter and the split, with their plots; needs no model."""
    input:
        files.duration_facts(study),
        files.duration_plots(study),
        "results/config.json",
    log:
        "work/logs/durations.log",
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        target="durations",
    shell:
        PRINT_RESULT


rule baseline:
    """The baseline's word error rates."""
    input:
        study.per_manifest("results/wer/base/{manifest}.json"),
        files.baseline_plots(study),
        "results/config.json",
    log:
        "work/logs/baseline.log",
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        target="baseline",
    shell:
        PRINT_RESULT


rule effect:
    """What every candidate changes in weights and in errors."""
    input:
        expand("results/effect/{run}.json", run=study.runs_with("train", "adapter", "checkpoint")),
        study.per_run_and_manifest("results/paired/{run}/{manifest}.json", study.config.candidates),
        files.effect_plots(study),
        "results/config.json",
    log:
        "work/logs/effect.log",
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        target="effect",
    shell:
        PRINT_RESULT


rule report:
    """The report as one page with its plots, and the listening page."""
    input:
        "results/report/index.html",
        files.all_plots(study),
        "results/listen",
    log:
        "work/logs/report.log",
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        target="report",
    shell:
        LINK_LISTENING_PAGE + PRINT_RESULT


rule listen:
    """The listening page: audio, references and hypotheses of every evaluated row."""
    input:
        "results/report/index.html",
        "results/listen",
    log:
        "work/logs/listen.log",
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        target="report",
    shell:
        LINK_LISTENING_PAGE + PRINT_RESULT
