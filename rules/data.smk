"""From manifests to the training split.

Before: the manifests that config.yaml names. After: recordings that lay inside a manifest, as files; usable and rejected
rows of each, duration tables, the decision on max_seconds, the training and validation split, and what other seeds would
make of it.
"""


rule unpack_audio:
    input:
        source_files,
    output:
        directory("results/audio/{manifest}"),
    log:
        "work/logs/unpack_audio/{manifest}.log",
    benchmark:
        "work/benchmarks/unpack_audio/{manifest}.tsv"
    wildcard_constraints:
        manifest=any_of(PACKED_MANIFESTS),
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
        gpu=0,
    params:
        source=source_flags,
        code=code("unpack_audio"),
    shell:
        """
        python "$LORA/scripts/unpack_audio.py" \
            {params.source:q} \
            --output-dir {output:q} \
            >{log:q} 2>&1
        """


rule validate_manifest:
    input:
        manifest=source_files,
        unpacked=unpacked_audio,
        measures="results/integrity/{manifest}.tsv",
    output:
        rows="results/manifests/{manifest}.jsonl",
        rejected="results/manifests/{manifest}.rejected.tsv",
        facts="results/manifests/{manifest}.facts.json",
    log:
        "work/logs/validate_manifest/{manifest}.log",
    benchmark:
        "work/benchmarks/validate_manifest/{manifest}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
        gpu=0,
    params:
        source=reading_flags,
        code=code("validate_manifest"),
    shell:
        """
        python "$LORA/scripts/validate_manifest.py" \
            {params.source:q} \
            --measures {input.measures:q} \
            --rows {output.rows:q} \
            --rejected {output.rejected:q} \
            --facts {output.facts:q} \
            >{log:q} 2>&1
        """


rule profile_durations:
    input:
        "results/manifests/{manifest}.jsonl",
    output:
        "results/durations/{manifest}.tsv",
    log:
        "work/logs/profile_durations/{manifest}.log",
    benchmark:
        "work/benchmarks/profile_durations/{manifest}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        gpu=0,
    params:
        thresholds=config["durations"]["thresholds"],
        code=code("profile_durations"),
    shell:
        """
        python "$LORA/scripts/profile_durations.py" \
            --rows {input:q} \
            --manifest-name {wildcards.manifest:q} \
            --thresholds {params.thresholds:q} \
            --table {output:q} \
            >{log:q} 2>&1
        """


rule summarise_durations:
    input:
        expand("results/durations/{manifest}.tsv", manifest=config["manifests"]),
    output:
        "results/durations/summary.tsv",
    log:
        "work/logs/summarise_durations.log",
    benchmark:
        "work/benchmarks/summarise_durations.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        code=code("summarise_durations"),
    shell:
        """
        python "$LORA/scripts/summarise_durations.py" \
            --tables {input:q} \
            --summary {output:q} \
            >{log:q} 2>&1
        """


checkpoint choose_max_seconds:
    input:
        "results/manifests/train.jsonl",
    output:
        value="results/max_seconds.json",
        decision="results/durations/decision.json",
    log:
        "work/logs/choose_max_seconds.log",
    benchmark:
        "work/benchmarks/choose_max_seconds.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        gpu=0,
    params:
        durations=[
            *("--thresholds", *config["durations"]["thresholds"]),
            *("--max-seconds", config["durations"]["max_seconds"]),
            *("--min-train-samples", config["durations"]["min_train_samples"]),
            *("--max-held-out-speakers", config["integrity"]["max_held_out_speakers"]),
            *("--window", window_of_model()),
        ],
        split=split_flags(),
        code=code("choose_max_seconds"),
    shell:
        """
        python "$LORA/scripts/choose_max_seconds.py" \
            --rows {input:q} \
            {params.durations:q} \
            {params.split:q} \
            --value {output.value:q} \
            --decision {output.decision:q} \
            >{log:q} 2>&1
        """


rule split_training:
    input:
        decision,
        rows="results/manifests/train.jsonl",
    output:
        train="results/splits/train.jsonl",
        val="results/splits/val.jsonl",
        sizes="results/splits/sizes.tsv",
    log:
        "work/logs/split_training.log",
    benchmark:
        "work/benchmarks/split_training.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        gpu=0,
    params:
        max_seconds=max_seconds,
        split=split_flags(),
        code=code("split_training"),
    shell:
        """
        python "$LORA/scripts/split_training.py" \
            --rows {input.rows:q} \
            --max-seconds {params.max_seconds:q} \
            {params.split:q} \
            --train {output.train:q} \
            --val {output.val:q} \
            --sizes {output.sizes:q} \
            >{log:q} 2>&1
        """


rule try_split_seeds:
    input:
        decision,
        rows="results/manifests/train.jsonl",
    output:
        "results/splits/stability.json",
    log:
        "work/logs/try_split_seeds.log",
    benchmark:
        "work/benchmarks/try_split_seeds.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        gpu=0,
    params:
        max_seconds=max_seconds,
        split=split_flags(),
        code=code("try_split_seeds"),
    shell:
        """
        python "$LORA/scripts/try_split_seeds.py" \
            --rows {input.rows:q} \
            --max-seconds {params.max_seconds:q} \
            {params.split:q} \
            --stability {output:q} \
            >{log:q} 2>&1
        """
