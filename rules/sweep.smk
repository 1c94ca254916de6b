"""The sweep: every entry trained, transcribed and compared, once the gate is ready.

Before: results/gate.json, which is checked before each training but never makes one stale. After: results/sweep.tsv.
"""


rule summarise_sweep:
    """Collect the outcome of every entry of the sweep in one table."""
    input:
        study.per_run_and_manifest("results/paired/{run}/{manifest}.json", study.config.sweep),
    output:
        "results/sweep.tsv",
    log:
        "work/logs/summarise_sweep.log",
    benchmark:
        "work/benchmarks/summarise_sweep.tsv"
    conda:
        "../envs/data.yaml"
    params:
        code=code("summarise_sweep"),
    shell:
        """
        python "$LORA/scripts/summarise_sweep.py" \
            --paired {input:q} \
            --table {output:q} \
            >{log:q} 2>&1
        """
