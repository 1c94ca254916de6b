"""From rows and a model to transcripts, and from transcripts to word error rates and to texts in the wrong row.

Before: usable rows of every evaluation manifest; for a candidate its adapter, model or transcripts. After: transcripts and
settings of every run, the WER of every run on every evaluation manifest, and rows that another row's text fits, by the
base model and by brought transcripts.
"""


rule transcribe_run:
    input:
        lambda wildcards: decision(wildcards) if training_settings(wildcards.run) is not None else [],
        rows=rows_of(evaluation_manifests()),
        model=model_files,
        adapter=adapter_files,
    output:
        expand(
            "results/transcripts/{{run}}/{manifest}.{kind}",
            manifest=evaluation_manifests(),
            kind=["jsonl", "settings.json"],
        ),
    log:
        "work/logs/transcribe_run/{run}.log",
    benchmark:
        "work/benchmarks/transcribe_run/{run}.tsv"
    wildcard_constraints:
        run=any_of(transcribed_runs()),
    conda:
        "../envs/asr.yaml"
    threads: model_threads()
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
        gpu=model_gpus(),
    params:
        model=model_flags,
        adapter=adapter_flags,
        decode=decode_of,
        manifests=[
            flag
            for manifest in evaluation_manifests()
            for flag in ("--manifest", f"{manifest}=results/manifests/{manifest}.jsonl")
        ],
        recipe=RECIPE["transcribe"],
    shell:
        """
        python -m lora.runners.experiment transcribe \
            --run {wildcards.run:q} \
            {params.model:q} \
            {params.adapter:q} \
            --decode {params.decode:q} \
            {params.manifests:q} \
            --output-dir results/transcripts/{wildcards.run:q} \
            2>&1 | tee {log:q}
        """


rule import_transcripts:
    input:
        rows="results/manifests/{manifest}.jsonl",
        rejected="results/manifests/{manifest}.rejected.tsv",
        hypotheses=brought_hypotheses,
        recorded=brought_settings,
    output:
        transcripts="results/transcripts/{run}/{manifest}.jsonl",
        settings="results/transcripts/{run}/{manifest}.settings.json",
        account="results/transcripts/{run}/{manifest}.import.json",
    log:
        "work/logs/import_transcripts/{run}/{manifest}.log",
    benchmark:
        "work/benchmarks/import_transcripts/{run}/{manifest}.tsv"
    wildcard_constraints:
        run=any_of(imported_runs()),
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        gpu=0,
    params:
        form=brought_form,
        code=code("import_transcripts"),
    shell:
        """
        python "$LORA/scripts/import_transcripts.py" \
            --run {wildcards.run:q} \
            --manifest-name {wildcards.manifest:q} \
            --rows {input.rows:q} \
            --rejected {input.rejected:q} \
            --hypotheses {input.hypotheses:q} \
            --recorded {input.recorded:q} \
            {params.form:q} \
            --transcripts {output.transcripts:q} \
            --settings {output.settings:q} \
            --account {output.account:q} \
            >{log:q} 2>&1
        """


rule match_texts:
    input:
        lambda wildcards: decision(wildcards) if wildcards.manifest == "train" else [],
        rows="results/manifests/{manifest}.jsonl",
        transcripts=heard_by_the_base_model,
    output:
        "results/mismatches/{manifest}.json",
    log:
        "work/logs/match_texts/{manifest}.log",
    benchmark:
        "work/benchmarks/match_texts/{manifest}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        gpu=0,
    params:
        code=code("match_texts"),
    shell:
        """
        python "$LORA/scripts/match_texts.py" \
            --manifest-name {wildcards.manifest:q} \
            --rows {input.rows:q} \
            --transcripts {input.transcripts:q} \
            --mismatches {output:q} \
            >{log:q} 2>&1
        """


rule match_hypotheses:
    input:
        rows="results/manifests/{manifest}.jsonl",
        transcripts="results/transcripts/{run}/{manifest}.jsonl",
    output:
        "results/mismatches/{run}/{manifest}.json",
    log:
        "work/logs/match_hypotheses/{run}/{manifest}.log",
    benchmark:
        "work/benchmarks/match_hypotheses/{run}/{manifest}.tsv"
    wildcard_constraints:
        run=any_of(runs_with("hypotheses")),
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        gpu=0,
    params:
        code=code("match_texts"),
    shell:
        """
        python "$LORA/scripts/match_texts.py" \
            --manifest-name {wildcards.manifest:q} \
            --rows {input.rows:q} \
            --transcripts {input.transcripts:q} \
            --mismatches {output:q} \
            >{log:q} 2>&1
        """


rule score_run:
    input:
        decision,
        rows="results/manifests/{manifest}.jsonl",
        transcripts="results/transcripts/{run}/{manifest}.jsonl",
        settings="results/transcripts/{run}/{manifest}.settings.json",
    output:
        "results/wer/{run}/{manifest}.json",
    log:
        "work/logs/score_run/{run}/{manifest}.log",
    benchmark:
        "work/benchmarks/score_run/{run}/{manifest}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        gpu=0,
    params:
        max_seconds=max_seconds,
        normalizer=lambda wildcards: own_or_study(wildcards.run, "normalizer"),
        confidence=config["statistics"]["confidence"],
        replicates=config["statistics"]["replicates"],
        shared=config["statistics"]["assumed_shared_errors"],
        gain=config["statistics"]["target_gain"],
        code=code("score_run"),
    shell:
        """
        python "$LORA/scripts/score_run.py" \
            --run {wildcards.run:q} \
            --manifest-name {wildcards.manifest:q} \
            --rows {input.rows:q} \
            --transcripts {input.transcripts:q} \
            --settings {input.settings:q} \
            --max-seconds {params.max_seconds:q} \
            --normalizer {params.normalizer:q} \
            --confidence {params.confidence:q} \
            --replicates {params.replicates:q} \
            --assumed-shared-errors {params.shared:q} \
            --target-gain {params.gain:q} \
            --wer {output:q} \
            >{log:q} 2>&1
        """
