"""The sweep: every entry trained, transcribed and compared, once the gate is ready.

Before: results/gate.json, which is asked before each training but never makes one stale. After: results/sweep.tsv.
"""


rule summarise_sweep:
    input:
        of_every_run("results/paired/{run}/{manifest}.json", config["sweep"]),
    output:
        "results/sweep.tsv",
    log:
        "work/logs/summarise_sweep.log",
    benchmark:
        "work/benchmarks/summarise_sweep.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        code=code("summarise_sweep"),
    shell:
        """
        python "$LORA/scripts/summarise_sweep.py" \
            --paired {input:q} \
            --table {output:q} \
            >{log:q} 2>&1
        """
