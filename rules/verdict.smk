"""From facts to the verdict and its documents.

Before: every fact file that the study's candidates and model allow. After: verdict, gate and summary; the exit code of the
gate; the generated block of docs/experiment_plan.md and an entry in notes.md.
"""


rule record_config:
    """Save the complete configuration with the results."""
    output:
        "results/config.json",
    log:
        "work/logs/record_config.log",
    benchmark:
        "work/benchmarks/record_config.tsv"
    conda:
        "../envs/data.yaml"
    params:
        # The configuration itself is in work/config.json, which every run writes anew.
        config=content_hash(json.dumps(of_the_study(config))),
        code=code("record_config"),
    shell:
        """
        python "$LORA/scripts/record_config.py" \
            --source work/config.json \
            --config {output:q} \
            >{log:q} 2>&1
        """


rule decide_verdict:
    """Decide checks, causes and the gate from all facts."""
    input:
        facts=files.all_facts(study),
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
    """Write the report as Markdown."""
    input:
        facts=files.all_facts(study),
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
    """Write the report as one HTML page with its plots."""
    input:
        summary="results/summary.md",
        plots=files.all_plots(study),  # embedded in the page
    output:
        report("results/summary.html", caption="../report/summary.rst", category="Verdict"),
    log:
        "work/logs/render_page.log",
    benchmark:
        "work/benchmarks/render_page.tsv"
    conda:
        "../envs/data.yaml"
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
    """Publish the documents and exit with the gate's code: 0 if the study is ready for the sweep."""
    input:
        summary="results/summary.md",
        page="results/summary.html",
        gate="results/gate.json",
        plots=files.all_plots(study),
    log:
        "work/logs/gate.log",
    conda:
        "../envs/data.yaml"
    shell:
        PUBLISH + CHECK_GATE
