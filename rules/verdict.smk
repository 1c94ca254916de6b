"""From facts to the verdict and its documents.

Before: every fact file that the study's candidates and model allow. After: verdict, gate and summary; the gate's exit code; the
generated block of docs/experiment_plan.md and an entry in notes.md.
"""


rule record_config:
    output:
        "results/config.json",
    log:
        "work/logs/record_config.log",
    benchmark:
        "work/benchmarks/record_config.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        gpu=0,
    params:
        config=json.dumps(config),
        code=code("record_config"),
    shell:
        """
        python "$LORA/scripts/record_config.py" \
            --json {params.config:q} \
            --config {output:q} \
            >{log:q} 2>&1
        """


rule decide_verdict:
    input:
        facts=all_facts(),
        config="results/config.json",
    output:
        verdict="results/verdict.json",
        gate="results/gate.json",
    log:
        "work/logs/decide_verdict.log",
    benchmark:
        "work/benchmarks/decide_verdict.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        code=code("decide_verdict"),
    shell:
        """
        python "$LORA/scripts/decide_verdict.py" \
            --results results \
            --config {input.config:q} \
            --verdict {output.verdict:q} \
            --gate {output.gate:q} \
            >{log:q} 2>&1
        """


rule render_summary:
    input:
        facts=all_facts(),
        config="results/config.json",
        verdict="results/verdict.json",
    output:
        "results/summary.md",
    log:
        "work/logs/render_summary.log",
    benchmark:
        "work/benchmarks/render_summary.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        code=code("render_summary"),
    shell:
        """
        python "$LORA/scripts/render_summary.py" \
            --results results \
            --config {input.config:q} \
            --summary {output:q} \
            >{log:q} 2>&1
        """


rule render_page:
    input:
        summary="results/summary.md",
        plots=all_plots(),  # the page holds them
    output:
        report("results/summary.html", caption="../report/summary.rst", category="Verdict"),
    log:
        "work/logs/render_page.log",
    benchmark:
        "work/benchmarks/render_page.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        gpu=0,
    params:
        code=code("render_page"),
    shell:
        """
        python "$LORA/scripts/render_page.py" \
            --summary {input.summary:q} \
            --page {output:q} \
            >{log:q} 2>&1
        """


rule gate:
    input:
        summary="results/summary.md",
        page="results/summary.html",
        gate="results/gate.json",
        plots=all_plots(),
    log:
        "work/logs/gate.log",
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        gpu=0,
    shell:
        PUBLISH + CHECK_GATE
