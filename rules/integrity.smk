"""What is wrong with the recordings and texts of manifests.

Before: the manifests; usable rows of each. After: measurements of every recording (taken before rows are called usable),
what each evaluation manifest shares with training, which speakers and words the duration filter takes from training.
"""


rule inspect_audio:
    """Decode and measure every recording of a manifest."""
    input:
        manifest=for_manifest(files.manifest_files),
        unpacked=ancient(for_manifest(files.unpacked_audio)),
        unpacking=for_manifest(files.unpacking_record),
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
        mem_mb=for_inputs(4000, 10),
        runtime=for_inputs(240, 5),  # a million rows of 300 MB: a day with four threads
    params:
        source=for_manifest(flags.reading_flags),
        contents=for_manifest(contents.of_manifest),
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
    """Find recordings, texts and speakers that an evaluation manifest shares with the training manifest."""
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
    localrule: True
    conda:
        "../envs/data.yaml"
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


use rule compare_training as compare_replay with:
    # The same for the manifest that trainings mix in.
    input:
        train_rows="results/manifests/replay.jsonl",
        train_measures="results/integrity/replay.tsv",
        rows="results/manifests/{manifest}.jsonl",
        measures="results/integrity/{manifest}.tsv",
    output:
        "results/leakage/replay/{manifest}.json",
    log:
        "work/logs/compare_replay/{manifest}.log",
    benchmark:
        "work/benchmarks/compare_replay/{manifest}.tsv"
    localrule: True


rule profile_retention:
    """Measure which speakers and words each duration threshold takes from training."""
    input:
        "results/manifests/train.jsonl",
    output:
        "results/durations/retention.json",
    log:
        "work/logs/profile_retention.log",
    benchmark:
        "work/benchmarks/profile_retention.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        thresholds=study.duration_limits,
        code=code("profile_retention"),
    shell:
        """
        python "$LORA/scripts/profile_retention.py" \
            --rows {input:q} \
            --thresholds {params.thresholds:q} \
            --retention {output:q} \
            >{log:q} 2>&1
        """
