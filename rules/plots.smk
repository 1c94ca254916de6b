"""Plots of the facts, each as PNG and SVG.

Before: rows and the chosen max_seconds, WER of every run, loss logs, effect ladders. After: results/plots/.
"""


rule plot_durations:
    """Plot the durations of the training manifest and the chosen max_seconds."""
    input:
        rows="results/manifests/train.jsonl",
        decision="results/durations/decision.json",
    output:
        png=report("results/plots/durations.png", caption="../report/durations.rst", category="3 Training data"),
        svg="results/plots/durations.svg",
    log:
        "work/logs/plot_durations.log",
    benchmark:
        "work/benchmarks/plot_durations.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        code=code("plot_durations"),
    shell:
        """
        python "$LORA/scripts/plot_durations.py" \
            --rows {input.rows:q} \
            --decision {input.decision:q} \
            --png {output.png:q} \
            --svg {output.svg:q} \
            >{log:q} 2>&1
        """


rule plot_retention:
    """Plot what duration thresholds keep of speakers and words."""
    input:
        retention="results/durations/retention.json",
        decision="results/durations/decision.json",
    output:
        png=report("results/plots/retention.png", caption="../report/retention.rst", category="3 Training data"),
        svg="results/plots/retention.svg",
    log:
        "work/logs/plot_retention.log",
    benchmark:
        "work/benchmarks/plot_retention.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        code=code("plot_retention"),
    shell:
        """
        python "$LORA/scripts/plot_retention.py" \
            --retention {input.retention:q} \
            --decision {input.decision:q} \
            --png {output.png:q} \
            --svg {output.svg:q} \
            >{log:q} 2>&1
        """


rule plot_wer:
    """Plot the WER of every run on every evaluation manifest."""
    input:
        wait_for_max_seconds,
        wer=study.per_run_and_manifest("results/wer/{run}/{manifest}.json", ["base", *study.config.candidates]),
        paired=study.per_run_and_manifest("results/paired/{run}/{manifest}.json", study.config.candidates),
    output:
        png=report("results/plots/wer.png", caption="../report/wer.rst", category="2 Word error rate"),
        svg="results/plots/wer.svg",
    log:
        "work/logs/plot_wer.log",
    benchmark:
        "work/benchmarks/plot_wer.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        min_wer=study.config.headroom.min_wer,
        code=code("plot_wer"),
    shell:
        """
        python "$LORA/scripts/plot_wer.py" \
            --wer {input.wer:q} \
            --paired {input.paired:q} \
            --min-wer {params.min_wer:q} \
            --png {output.png:q} \
            --svg {output.svg:q} \
            >{log:q} 2>&1
        """


rule plot_baseline:
    """Plot the baseline's WER on every evaluation manifest, before there is any other run."""
    input:
        wait_for_max_seconds,
        wer=study.per_manifest("results/wer/base/{manifest}.json"),
    output:
        png="results/plots/baseline.png",
        svg="results/plots/baseline.svg",
    log:
        "work/logs/plot_baseline.log",
    benchmark:
        "work/benchmarks/plot_baseline.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        min_wer=study.config.headroom.min_wer,
        code=code("plot_wer"),
    shell:
        """
        python "$LORA/scripts/plot_wer.py" \
            --wer {input.wer:q} \
            --min-wer {params.min_wer:q} \
            --png {output.png:q} \
            --svg {output.svg:q} \
            >{log:q} 2>&1
        """


rule plot_loss:
    """Plot the training and validation loss of a run."""
    input:
        wait_for_max_seconds,
        loss="results/adapters/{run}/loss.tsv",
        facts="results/adapters/{run}/train.json",
    output:
        png=report(
            "results/plots/loss.{run}.png",
            caption="../report/loss.rst",
            category="4 Training",
            labels={"run": "{run}"},
        ),
        svg="results/plots/loss.{run}.svg",
    log:
        "work/logs/plot_loss/{run}.log",
    benchmark:
        "work/benchmarks/plot_loss/{run}.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        code=code("plot_loss"),
    shell:
        """
        python "$LORA/scripts/plot_loss.py" \
            --loss {input.loss:q} \
            --train-facts {input.facts:q} \
            --png {output.png:q} \
            --svg {output.svg:q} \
            >{log:q} 2>&1
        """


rule plot_weights:
    """Plot how far each adapted module is from the base model."""
    input:
        wait_for_max_seconds,
        effect="results/effect/{run}.json",
    output:
        png=report(
            "results/plots/weights.{run}.png",
            caption="../report/weights.rst",
            category="5 Effect of the adapter",
            labels={"run": "{run}"},
        ),
        svg="results/plots/weights.{run}.svg",
    log:
        "work/logs/plot_weights/{run}.log",
    benchmark:
        "work/benchmarks/plot_weights/{run}.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        code=code("plot_weights"),
    shell:
        """
        python "$LORA/scripts/plot_weights.py" \
            --effect {input.effect:q} \
            --png {output.png:q} \
            --svg {output.svg:q} \
            >{log:q} 2>&1
        """
