"""The short adapter run, and what its adapter changes in files, weights, logits and text.

Before: the training and validation split, the model. After: the best and the last adapter of every candidate that trains,
its training facts and loss log, with `eval_rows` what it transcribed while it was trained and whether the saved adapter
gives the same texts (of an external adapter what its own trainer recorded), the effect ladder of every
candidate that has an adapter, and for every tuned checkpoint how far its weights are from the base model's.
"""


rule train_adapter:
    """Train a LoRA adapter for a few steps."""
    input:
        wait_for_run,
        train="results/splits/train.jsonl",
        val="results/splits/val.jsonl",
        replay=for_run(files.replay_rows),
        evaluated=for_run(files.in_run_rows),
        model=for_run(files.model_files),
    output:
        best=directory("results/adapters/{run}/best"),
        last=directory("results/adapters/{run}/last"),
        facts="results/adapters/{run}/train.json",
        loss="results/adapters/{run}/loss.tsv",
    log:
        "work/logs/train_adapter/{run}.log",
    benchmark:
        "work/benchmarks/train_adapter/{run}.tsv"
    wildcard_constraints:
        run=any_of(run for run in study.trained_runs if run not in study.evaluated_runs),
    conda:
        "../envs/asr.yaml"
    threads: study.model_threads * study.training_processes
    resources:
        mem_mb=per_attempt(6000),
        runtime=per_attempt(480),
        gpu=study.model_gpus * study.training_processes,
        # No param, because it changes no result: Snakemake would train again.
        trackers=for_run(flags.tracker_flags),
    params:
        model=for_run(flags.model_flags),
        contents=for_run(contents.of_model),
        settings=for_run(flags.training_flags),
        processes=study.training_processes,
        recipe=RECIPE["train"],
    shell:
        """
        python -P -m lora.runners.experiment train \
            --run {wildcards.run:q} \
            {params.model:q} \
            {params.settings:q} \
            --processes {params.processes:q} \
            --dataset-path {input.train:q} \
            --validation-path {input.val:q} \
            --output-dir results/adapters/{wildcards.run:q} \
            {resources.trackers} \
            >{log:q} 2>&1
        """


use rule train_adapter as train_and_evaluate with:
    # The same where evaluation manifests are transcribed at every validation, for looking only.
    output:
        best=directory("results/adapters/{run}/best"),
        last=directory("results/adapters/{run}/last"),
        facts="results/adapters/{run}/train.json",
        loss="results/adapters/{run}/loss.tsv",
        evaluations="results/adapters/{run}/evaluations.tsv",
        in_run=expand("results/adapters/{{run}}/in_run/{manifest}.jsonl", manifest=study.evaluations),
    wildcard_constraints:
        run=any_of(study.evaluated_runs),


rule compare_in_run:
    """Transcribe with the saved adapter alone, and compare with the last evaluation while it was trained."""
    input:
        wait_for_run,
        adapter=ancient("results/adapters/{run}/last"),
        facts="results/adapters/{run}/train.json",
        in_run=for_run(files.in_run_transcripts),
        rows=files.rows_of(study.evaluations),
        model=for_run(files.model_files),
    output:
        "results/in_run/{run}.json",
    log:
        "work/logs/compare_in_run/{run}.log",
    benchmark:
        "work/benchmarks/compare_in_run/{run}.tsv"
    wildcard_constraints:
        run=any_of(study.evaluated_runs),
    localrule: True
    conda:
        "../envs/asr.yaml"
    threads: study.model_threads
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(60),
        gpu=study.model_gpus,
    params:
        model=for_run(flags.model_flags),
        contents=for_run(contents.of_model),
        manifests=flags.transcribed_manifest_flags(study),
        recipe=RECIPE["transcribe"],
    shell:
        """
        python -P -m lora.runners.experiment compare-in-run \
            --run {wildcards.run:q} \
            {params.model:q} \
            --training-dir results/adapters/{wildcards.run:q} \
            {params.manifests:q} \
            --output {output:q} \
            >{log:q} 2>&1
        """


rule import_training:
    """Read what the trainer of an external adapter or a tuned checkpoint recorded."""
    input:
        for_run(files.training_record),
    output:
        "results/adapters/{run}/train.json",
    log:
        "work/logs/import_training/{run}.log",
    benchmark:
        "work/benchmarks/import_training/{run}.tsv"
    wildcard_constraints:
        run=any_of(study.runs_with("adapter", "checkpoint")),
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        weights=for_run(Study.external_weights),
        contents=for_run(contents.of_training_record),
        code=code("import_training"),
    shell:
        """
        python "$LORA/scripts/import_training.py" \
            --run {wildcards.run:q} \
            --weights {params.weights:q} \
            --train-facts {output:q} \
            >{log:q} 2>&1
        """


rule measure_effect:
    """Measure what an adapter changes in files, weights, logits and text."""
    input:
        wait_for_max_seconds,
        adapter=ancient(for_run(files.adapter_folder)),
        adapter_files=for_run(files.adapter_files),
        rows="results/splits/val.jsonl",
        model=for_run(files.model_files),
    output:
        "results/effect/{run}.json",
    log:
        "work/logs/measure_effect/{run}.log",
    benchmark:
        "work/benchmarks/measure_effect/{run}.tsv"
    wildcard_constraints:
        run=any_of(study.runs_with("train", "adapter")),
    conda:
        "../envs/asr.yaml"
    threads: study.model_threads
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(60),
        gpu=study.model_gpus,
    params:
        model=for_run(flags.model_flags),
        contents=for_run(contents.of_model),
        adapter=for_run(flags.adapter_flags),
        decode=for_run(flags.decode_json),
        sample=study.config.adapter.sample,
        recipe=RECIPE["effect"],
    shell:
        """
        python -P -m lora.runners.experiment effect \
            --run {wildcards.run:q} \
            {params.model:q} \
            {params.adapter:q} \
            --decode {params.decode:q} \
            --dataset-path {input.rows:q} \
            --sample {params.sample:q} \
            --output {output:q} \
            >{log:q} 2>&1
        """


rule compare_models:
    """Measure how far the weights of a tuned checkpoint are from those of the base model."""
    input:
        base=lambda wildcards: files.model_files(study, "base"),
        tuned=for_run(files.model_files),
    output:
        "results/effect/{run}.json",
    log:
        "work/logs/compare_models/{run}.log",
    benchmark:
        "work/benchmarks/compare_models/{run}.tsv"
    wildcard_constraints:
        run=any_of(study.runs_with("checkpoint")),
    conda:
        "../envs/asr.yaml"
    resources:
        mem_mb=per_attempt(4000),
    params:
        base=flags.base_model_flags(study),
        tuned=for_run(Study.model_id),
        base_contents=lambda wildcards: contents.of_model(study, "base"),
        tuned_contents=for_run(contents.of_model),
        recipe=RECIPE["compare"],
    shell:
        """
        python -P -m lora.runners.experiment compare-models \
            --run {wildcards.run:q} \
            {params.base:q} \
            --checkpoint {params.tuned:q} \
            --output {output:q} \
            >{log:q} 2>&1
        """
