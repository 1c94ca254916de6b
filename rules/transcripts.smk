"""From rows and a model to transcripts, and from transcripts to word error rates and mismatched rows.

Before: usable rows of every evaluation manifest; for a candidate its adapter, model or transcripts. After: transcripts and
settings of every run, the WER of every run on every evaluation manifest, and rows whose audio fits another row's text, by
hypotheses of the base model and of imported transcripts.
"""

# What every job that transcribes depends on.
TRANSCRIBED_FROM = dict(
    rows=files.rows_of(study.evaluations),
    model=for_run(files.model_files),
    adapter=ancient(for_run(files.adapter_folder)),
    adapter_files=for_run(files.adapter_files),
)


rule transcribe_run:
    """Transcribe all evaluation manifests with the model, or with a run's adapter or checkpoint."""
    input:
        wait_if_run_is_trained,
        **TRANSCRIBED_FROM,
    output:
        expand(
            "results/transcripts/{{run}}/{manifest}.{kind}",
            manifest=study.evaluations,
            kind=["jsonl", "settings.json"],
        ),
    log:
        "work/logs/transcribe_run/{run}.log",
    benchmark:
        "work/benchmarks/transcribe_run/{run}.tsv"
    wildcard_constraints:
        run=any_of(study.transcribed_runs if study.shards == 1 else []),
    conda:
        "../envs/asr.yaml"
    threads: study.model_threads
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(240),
        gpu=study.model_gpus,
    params:
        command="transcribe",
        own=lambda wildcards: ["--output-dir", f"results/transcripts/{wildcards.run}"],
        model=for_run(flags.model_flags),
        contents=for_run(contents.of_model),
        adapter=for_run(flags.adapter_flags),
        decode=for_run(flags.decode_json),
        manifests=flags.transcribed_manifest_flags(study),
        batch=flags.batch_flags(study),
        recipe=RECIPE["transcribe"],
    shell:
        """
        python -P -m lora.runners.experiment {params.command} \
            --run {wildcards.run:q} \
            {params.model:q} \
            {params.adapter:q} \
            --decode {params.decode:q} \
            {params.manifests:q} \
            {params.batch:q} \
            {params.own:q} \
            >{log:q} 2>&1
        """


use rule transcribe_run as transcribe_shard with:
    # With `model.shards` above 1: a part of the rows, into the cache that `merge_shards` reads.
    output:
        # Temporary, so that a study whose work/ was removed is still up to date.
        facts=temp("work/shards/{run}/{shard}-of-{shards}.json"),
        record=temp("work/shards/{run}/{shard}-of-{shards}.json.run.json"),
    log:
        "work/logs/transcribe_shard/{run}/{shard}-of-{shards}.log",
    benchmark:
        "work/benchmarks/transcribe_shard/{run}/{shard}-of-{shards}.tsv"
    wildcard_constraints:
        run=any_of(study.transcribed_runs),
        shard=r"\d+",
        shards=r"\d+",
    params:
        command="transcribe-shard",
        own=lambda wildcards, output: [
            "--shard",
            wildcards.shard,
            "--shards",
            wildcards.shards,
            "--output",
            output.facts,
        ],


use rule transcribe_run as merge_shards with:
    # The transcripts of the whole run, from the cache: it loads no model.
    input:
        wait_if_run_is_trained,
        **TRANSCRIBED_FROM,
        shards=for_run(files.shard_facts),
    log:
        "work/logs/merge_shards/{run}.log",
    benchmark:
        "work/benchmarks/merge_shards/{run}.tsv"
    wildcard_constraints:
        run=any_of(study.transcribed_runs if study.shards > 1 else []),
    threads: 1
    resources:
        mem_mb=for_rows(1500, 10),
        runtime=for_rows(30, 0.2),
    params:
        command="merge-shards",
        own=lambda wildcards, input: [
            *("--output-dir", f"results/transcripts/{wildcards.run}"),
            *("--shards", *input.shards),
        ],


rule import_transcripts:
    """Match external transcripts to the rows of a manifest."""
    input:
        rows="results/manifests/{manifest}.jsonl",
        rejected="results/manifests/{manifest}.rejected.tsv",
        hypotheses=for_run_and_manifest(files.imported_hypotheses),
        recorded=for_run_and_manifest(files.imported_settings),
    output:
        transcripts="results/transcripts/{run}/{manifest}.jsonl",
        settings="results/transcripts/{run}/{manifest}.settings.json",
        account="results/transcripts/{run}/{manifest}.import.json",
    log:
        "work/logs/import_transcripts/{run}/{manifest}.log",
    benchmark:
        "work/benchmarks/import_transcripts/{run}/{manifest}.tsv"
    wildcard_constraints:
        run=any_of(study.imported_runs),
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        file=for_run_and_manifest(flags.import_flags),
        contents=for_run_and_manifest(contents.of_hypotheses),
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
            {params.file:q} \
            --transcripts {output.transcripts:q} \
            --settings {output.settings:q} \
            --account {output.account:q} \
            >{log:q} 2>&1
        """


rule match_texts:
    """Find rows whose audio fits the transcript of another row, by hypotheses of the base model."""
    input:
        wait_if_manifest_is_train,
        rows="results/manifests/{manifest}.jsonl",
        transcripts=for_manifest(files.base_hypotheses),
    output:
        "results/mismatches/{manifest}.json",
    log:
        "work/logs/match_texts/{manifest}.log",
    benchmark:
        "work/benchmarks/match_texts/{manifest}.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
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


use rule match_texts as match_hypotheses with:
    # The same for imported transcripts, by their own hypotheses: are they in the right order?
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
        run=any_of(study.runs_with("hypotheses")),
    localrule: True


rule score_run:
    """Compute word and character error rates of a run on a manifest."""
    input:
        wait_for_run,
        rows="results/manifests/{manifest}.jsonl",
        transcripts="results/transcripts/{run}/{manifest}.jsonl",
        settings="results/transcripts/{run}/{manifest}.settings.json",
    output:
        "results/wer/{run}/{manifest}.json",
    log:
        "work/logs/score_run/{run}/{manifest}.log",
    benchmark:
        "work/benchmarks/score_run/{run}/{manifest}.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        max_seconds=max_seconds,
        normalizer=for_run(Study.normalizer),
        unit=study.config.text.unit,
        strip=study.config.text.strip,
        confidence=study.config.statistics.confidence,
        replicates=study.config.statistics.replicates,
        shared=study.config.statistics.assumed_shared_errors,
        gain=study.config.statistics.target_gain,
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
            --unit {params.unit:q} \
            --strip {params.strip:q} \
            --confidence {params.confidence:q} \
            --replicates {params.replicates:q} \
            --assumed-shared-errors {params.shared:q} \
            --target-gain {params.gain:q} \
            --wer {output:q} \
            >{log:q} 2>&1
        """
