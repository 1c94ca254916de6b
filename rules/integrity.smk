"""What the manifests hold beyond their counts.

Before: the manifests; usable rows of each. After: measures of every recording (made before rows are called usable),
what each evaluation manifest shares with training, who and what the duration filter takes away from training.
"""


rule inspect_audio:
    input:
        manifest=source_files,
        unpacked=unpacked_audio,
    output:
        "results/integrity/{manifest}.tsv",
    log:
        "work/logs/inspect_audio/{manifest}.log",
    benchmark:
        "work/benchmarks/inspect_audio/{manifest}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 4
    resources:
        mem_mb=4000,
        runtime=240,
        gpu=0,
    params:
        source=reading_flags,
        code=code("inspect_audio"),
    shell:
        """
        python "$LORA/scripts/inspect_audio.py" \
            {params.source:q} \
            --measures {output:q} \
            --workers {threads} \
            >{log:q} 2>&1
        """


rule compare_training:
    input:
        train_rows="results/manifests/train.jsonl",
        train_measures="results/integrity/train.tsv",
        rows="results/manifests/{manifest}.jsonl",
        measures="results/integrity/{manifest}.tsv",
    output:
        "results/leakage/{manifest}.json",
    log:
        "work/logs/compare_training/{manifest}.log",
    benchmark:
        "work/benchmarks/compare_training/{manifest}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        gpu=0,
    params:
        code=code("compare_training"),
    shell:
        """
        python "$LORA/scripts/compare_training.py" \
            --manifest-name {wildcards.manifest:q} \
            --train-rows {input.train_rows:q} \
            --train-measures {input.train_measures:q} \
            --rows {input.rows:q} \
            --measures {input.measures:q} \
            --leakage {output:q} \
            >{log:q} 2>&1
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
