"""Pictures of the facts, each as PNG and SVG.

Before: rows and decision, WER of every run, loss logs, effect ladders. After: results/plots/.
"""


rule plot_durations:
    input:
        rows="results/manifests/train.jsonl",
        decision="results/durations/decision.json",
    output:
        png=report("results/plots/durations.png", caption="../report/durations.rst", category="Training data"),
        svg="results/plots/durations.svg",
    log:
        "work/logs/plot_durations.log",
    benchmark:
        "work/benchmarks/plot_durations.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
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
    input:
        retention="results/durations/retention.json",
        decision="results/durations/decision.json",
    output:
        png=report("results/plots/retention.png", caption="../report/retention.rst", category="Training data"),
        svg="results/plots/retention.svg",
    log:
        "work/logs/plot_retention.log",
    benchmark:
        "work/benchmarks/plot_retention.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
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
    input:
        decision,
        wer=of_every_run("results/wer/{run}/{manifest}.json", ["base", *config["candidates"]]),
        paired=of_every_run("results/paired/{run}/{manifest}.json", config["candidates"]),
    output:
        png=report("results/plots/wer.png", caption="../report/wer.rst", category="Word error rate"),
        svg="results/plots/wer.svg",
    log:
        "work/logs/plot_wer.log",
    benchmark:
        "work/benchmarks/plot_wer.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        min_wer=config["headroom"]["min_wer"],
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


rule plot_loss:
    input:
        decision,
        loss="results/adapters/{run}/loss.tsv",
        facts="results/adapters/{run}/train.json",
    output:
        png=report(
            "results/plots/loss.{run}.png",
            caption="../report/loss.rst",
            category="Training",
            labels={"run": "{run}"},
        ),
        svg="results/plots/loss.{run}.svg",
    log:
        "work/logs/plot_loss/{run}.log",
    benchmark:
        "work/benchmarks/plot_loss/{run}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
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
    input:
        decision,
        effect="results/effect/{run}.json",
    output:
        png=report(
            "results/plots/weights.{run}.png",
            caption="../report/weights.rst",
            category="Effect",
            labels={"run": "{run}"},
        ),
        svg="results/plots/weights.{run}.svg",
    log:
        "work/logs/plot_weights/{run}.log",
    benchmark:
        "work/benchmarks/plot_weights/{run}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
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
