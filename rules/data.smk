"""From manifests to the training split.

Before: the manifests that config.yaml names. After: recordings that were inside a manifest, as files; usable and rejected
rows of each; duration tables; the chosen max_seconds; the training and validation split, and how other seeds would split.
"""


rule unpack_audio:
    """Write recordings that are inside a manifest's files as audio files of their own."""
    input:
        for_manifest(files.manifest_files),
    output:
        audio=directory("results/audio/{manifest}"),
        record="results/audio/{manifest}.run.json",
    log:
        "work/logs/unpack_audio/{manifest}.log",
    benchmark:
        "work/benchmarks/unpack_audio/{manifest}.tsv"
    wildcard_constraints:
        manifest=any_of(study.packed_manifests),
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=per_attempt(4000),
        runtime=for_inputs(120, 0.1),
    params:
        source=for_manifest(flags.source_flags),
        contents=for_manifest(contents.of_manifest),
        code=code("unpack_audio"),
    shell:
        """
        python "$LORA/scripts/unpack_audio.py" \
            {params.source:q} \
            --output-dir {output.audio:q} \
            >{log:q} 2>&1
        """


rule validate_manifest:
    """Sort the rows of a manifest into usable and rejected ones."""
    input:
        manifest=for_manifest(files.manifest_files),
        unpacked=ancient(for_manifest(files.unpacked_audio)),
        unpacking=for_manifest(files.unpacking_record),
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
    resources:
        mem_mb=for_inputs(1000, 3),  # rows are read one by one; what stays are ids and pieces
        runtime=for_inputs(60, 0.2),
    params:
        source=for_manifest(flags.reading_flags),
        contents=for_manifest(contents.of_manifest),
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
    """Count what each duration threshold keeps of a manifest."""
    input:
        "results/manifests/{manifest}.jsonl",
    output:
        "results/durations/{manifest}.tsv",
    log:
        "work/logs/profile_durations/{manifest}.log",
    benchmark:
        "work/benchmarks/profile_durations/{manifest}.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        thresholds=study.config.durations.thresholds,
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
    """Join the duration tables of all manifests."""
    input:
        expand("results/durations/{manifest}.tsv", manifest=study.config.manifests),
    output:
        "results/durations/summary.tsv",
    log:
        "work/logs/summarise_durations.log",
    benchmark:
        "work/benchmarks/summarise_durations.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
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
    """Choose the longest training row. Its value is a file of its own, so that only a new value makes results stale."""
    input:
        rows="results/manifests/train.jsonl",
        retention="results/durations/retention.json",
    output:
        value="results/max_seconds.json",
        decision="results/durations/decision.json",
    log:
        "work/logs/choose_max_seconds.log",
    benchmark:
        "work/benchmarks/choose_max_seconds.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        durations=flags.duration_flags(study),
        split=flags.split_flags(study),
        code=code("choose_max_seconds"),
    shell:
        """
        python "$LORA/scripts/choose_max_seconds.py" \
            --rows {input.rows:q} \
            --retention {input.retention:q} \
            {params.durations:q} \
            {params.split:q} \
            --value {output.value:q} \
            --decision {output.decision:q} \
            >{log:q} 2>&1
        """


rule split_training:
    """Filter the training manifest by max_seconds and split off the validation rows."""
    input:
        wait_for_max_seconds,
        rows="results/manifests/train.jsonl",
    output:
        train="results/splits/train.jsonl",
        val="results/splits/val.jsonl",
        sizes="results/splits/sizes.tsv",
    log:
        "work/logs/split_training.log",
    benchmark:
        "work/benchmarks/split_training.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        max_seconds=max_seconds,
        split=flags.split_flags(study),
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


rule filter_replay:
    """Filter the manifest that trainings mix in by max_seconds, like the training manifest."""
    input:
        wait_for_max_seconds,
        rows="results/manifests/replay.jsonl",
    output:
        "results/splits/replay.jsonl",
    log:
        "work/logs/filter_replay.log",
    benchmark:
        "work/benchmarks/filter_replay.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        max_seconds=max_seconds,
        code=code("filter_replay"),
    shell:
        """
        python "$LORA/scripts/filter_replay.py" \
            --rows {input.rows:q} \
            --max-seconds {params.max_seconds:q} \
            --filtered {output:q} \
            >{log:q} 2>&1
        """


rule try_split_seeds:
    """Repeat the split with other seeds to see how much it depends on chance."""
    input:
        wait_for_max_seconds,
        rows="results/manifests/train.jsonl",
    output:
        "results/splits/stability.json",
    log:
        "work/logs/try_split_seeds.log",
    benchmark:
        "work/benchmarks/try_split_seeds.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        max_seconds=max_seconds,
        split=flags.split_flags(study),
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
