"""What the manifests hold beyond their counts.

Before: usable rows of every manifest. After: who and what the duration filter takes away from training.
"""


rule profile_retention:
    input:
        "results/manifests/train.jsonl",
    output:
        "results/durations/retention.json",
    log:
        "work/logs/profile_retention.log",
    benchmark:
        "work/benchmarks/profile_retention.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        gpu=0,
    params:
        thresholds=limits_of_study(),
        code=code("profile_retention"),
    shell:
        """
        python "$LORA/scripts/profile_retention.py" \
            --rows {input:q} \
            --thresholds {params.thresholds:q} \
            --retention {output:q} \
            >{log:q} 2>&1
        """
