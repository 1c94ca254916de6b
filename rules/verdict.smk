"""From facts to the verdict and its documents.

Before: every fact file that the study's candidates and model allow. After: verdict, gate and report; the exit code of the
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
    localrule: True
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
    localrule: True
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


rule render_report:
    """Write the full report as one HTML page with its plots."""
    input:
        facts=files.all_facts(study),
        config="results/config.json",
        verdict="results/verdict.json",
        plots=files.all_plots(study),  # embedded in the page
    output:
        page=report("results/report/index.html", caption="../report/report.rst", category="1 Verdict"),
        landing="results/report/verdict.txt",  # report/workflow.rst begins with it
    log:
        "work/logs/render_report.log",
    benchmark:
        "work/benchmarks/render_report.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        code=code("render_report"),
    shell:
        """
        python "$LORA/scripts/render_report.py" \
            --results results \
            --config {input.config:q} \
            --report {output.page:q} \
            --landing {output.landing:q} \
            >{log:q} 2>&1
        """


rule update_documents:
    """Update the page in docs/experiment_plan.md, add an entry to notes.md, and list all commands.

    An edited document is an input that has changed, so that a damaged block is restored.
    """
    input:
        report="results/report/index.html",
        gate="results/gate.json",
        plots=files.all_plots(study),
        documents=files.documents(),
    output:
        mark=files.PUBLISHED,
        commands=touch(files.COMMANDS),  # like the mark not older than the documents
    log:
        "work/logs/update_documents.log",
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        code=code("publish"),
    shell:
        PUBLISH


rule gate:
    """Publish the documents and exit with the gate's code: 0 if the study is ready for the sweep."""
    input:
        files.all_results(study),
        gate="results/gate.json",
    log:
        "work/logs/gate.log",
    localrule: True
    conda:
        "../envs/data.yaml"
    shell:
        PUBLISH + CHECK_GATE
