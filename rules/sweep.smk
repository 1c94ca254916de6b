"""The sweep: every run trained, transcribed and compared, and the hypotheses decided, once the gate is ready.

Before: results/gate.json. After: results/sweep_gate.json, for which every job of a run of the sweep waits, and which never
makes one stale; the table of runs, recipes compared, hypotheses decided, plots, and the sweep's block of
docs/experiment_plan.md.
"""


checkpoint open_sweep:
    """Refuse the sweep unless the gate is ready or overridden with a reason, which is recorded in notes.md."""
    input:
        "results/gate.json",
    output:
        "results/sweep_gate.json",
    log:
        "work/logs/open_sweep.log",
    benchmark:
        "work/benchmarks/open_sweep.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        override=flags.override_flags(study),
        code=code("open_sweep"),
    shell:
        """
        python "$LORA/scripts/open_sweep.py" \
            --gate {input:q} \
            {params.override:q} \
            --notes notes.md \
            --decision {output:q} \
            >{log:q} 2>&1
        """


rule summarise_sweep:
    """Collect the outcome of every entry of the sweep in one table."""
    input:
        wait_for_sweep,
        paired=study.per_run_and_manifest("results/paired/{run}/{manifest}.json", study.config.sweep),
    output:
        "results/sweep.tsv",
    log:
        "work/logs/summarise_sweep.log",
    benchmark:
        "work/benchmarks/summarise_sweep.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        code=code("summarise_sweep"),
    shell:
        """
        python "$LORA/scripts/summarise_sweep.py" \
            --paired {input.paired:q} \
            --table {output:q} \
            >{log:q} 2>&1
        """


rule compare_recipes:
    """Compare recipes, runs that differ in the seed alone, with the base model and with each other."""
    input:
        wait_for_sweep,
        base=study.per_manifest("results/wer/base/{manifest}.json"),
        runs=study.per_run_and_manifest("results/wer/{run}/{manifest}.json", study.trained_runs),
        in_run=expand("results/in_run/{run}.json", run=study.evaluated_runs),
        verdict="results/verdict.json",
        config="results/config.json",
    output:
        "results/recipes.json",
    log:
        "work/logs/compare_recipes.log",
    benchmark:
        "work/benchmarks/compare_recipes.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        code=code("compare_recipes"),
    shell:
        """
        python "$LORA/scripts/compare_recipes.py" \
            --results results \
            --config {input.config:q} \
            --recipes {output:q} \
            >{log:q} 2>&1
        """


rule decide_hypotheses:
    """Decide every hypothesis of the configuration."""
    input:
        wait_for_sweep,
        recipes="results/recipes.json",
        config="results/config.json",
    output:
        "results/hypotheses.json",
    log:
        "work/logs/decide_hypotheses.log",
    benchmark:
        "work/benchmarks/decide_hypotheses.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        code=code("decide_hypotheses"),
    shell:
        """
        python "$LORA/scripts/decide_hypotheses.py" \
            --recipes {input.recipes:q} \
            --config {input.config:q} \
            --hypotheses {output:q} \
            >{log:q} 2>&1
        """


rule plot_sweep:
    """Plot WER over the varied settings, domain gain against general loss, and the learning curve."""
    input:
        wait_for_sweep,
        recipes="results/recipes.json",
    output:
        levels_png=report("results/plots/sweep.levels.png", caption="../report/sweep_levels.rst", category="6 Sweep"),
        levels_svg="results/plots/sweep.levels.svg",
        tradeoff_png=report(
            "results/plots/sweep.tradeoff.png", caption="../report/sweep_tradeoff.rst", category="6 Sweep"
        ),
        tradeoff_svg="results/plots/sweep.tradeoff.svg",
        curve_png=report("results/plots/sweep.curve.png", caption="../report/sweep_curve.rst", category="6 Sweep"),
        curve_svg="results/plots/sweep.curve.svg",
    log:
        "work/logs/plot_sweep.log",
    benchmark:
        "work/benchmarks/plot_sweep.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        code=code("plot_sweep"),
    shell:
        """
        python "$LORA/scripts/plot_sweep.py" \
            --recipes {input.recipes:q} \
            --levels {output.levels_png:q} {output.levels_svg:q} \
            --tradeoff {output.tradeoff_png:q} {output.tradeoff_svg:q} \
            --curve {output.curve_png:q} {output.curve_svg:q} \
            >{log:q} 2>&1
        """


# It has no output, so that it always runs and restores a damaged block.
rule sweep:
    """Publish the sweep into docs/experiment_plan.md and notes.md, and print its hypotheses."""
    input:
        "results/sweep.tsv",
        "results/hypotheses.json",
        expand("results/plots/sweep.{plot}.{format}", plot=["levels", "tradeoff", "curve"], format=["png", "svg"]),
    log:
        "work/logs/sweep.log",
    localrule: True
    conda:
        "../envs/data.yaml"
    shell:
        """
        python "$LORA/scripts/publish_sweep.py" \
            --results results \
            --plan docs/experiment_plan.md \
            --notes notes.md \
            >{log:q} 2>&1
        """
