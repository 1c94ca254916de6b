"""The short adapter run, and what its adapter does to files, weights, logits and text.

Before: the training and validation split, the model. After: the best and the last adapter of every candidate that trains, its
training facts and loss log (of a brought adapter what its own trainer told), the effect ladder of every candidate
that has an adapter, and of every tuned checkpoint how far its weights lie from the base model's.
"""


rule train_adapter:
    input:
        decision,
        train="results/splits/train.jsonl",
        val="results/splits/val.jsonl",
        model=model_files,
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
        run=any_of([*runs_with("train"), *config["sweep"]]),
    conda:
        "../envs/asr.yaml"
    threads: model_threads() * training_processes()
    resources:
        mem_mb=lambda wildcards, attempt: 6000 * attempt,
        runtime=lambda wildcards, attempt: 480 * attempt,
        gpu=model_gpus() * training_processes(),
    params:
        # Asked when the training starts, and no input: not even as ancient() would Snakemake plan a sweep together with a
        # gate that has to be remade.
        gate=lambda wildcards: ["results/gate.json"] if wildcards.run in config["sweep"] else [],
        model=model_flags,
        settings=training_flags,
        processes=training_processes(),
        recipe=RECIPE["train"],
    shell:
        """
        for gate in {params.gate:q}; do
            python "$LORA/scripts/check_gate.py" --gate "$gate"
        done
        python -m lora.runners.experiment train \
            --run {wildcards.run:q} \
            {params.model:q} \
            {params.settings:q} \
            --processes {params.processes:q} \
            --dataset-path {input.train:q} \
            --validation-path {input.val:q} \
            --output-dir results/adapters/{wildcards.run:q} \
            2>&1 | tee {log:q}
        """


rule import_training:
    input:
        training_told,
    output:
        "results/adapters/{run}/train.json",
    log:
        "work/logs/import_training/{run}.log",
    benchmark:
        "work/benchmarks/import_training/{run}.tsv"
    wildcard_constraints:
        run=any_of(runs_with("adapter")),
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        gpu=0,
    params:
        adapter=lambda wildcards: config["candidates"][wildcards.run]["adapter"],
        code=code("import_training"),
    shell:
        """
        python "$LORA/scripts/import_training.py" \
            --run {wildcards.run:q} \
            --adapter {params.adapter:q} \
            --train-facts {output:q} \
            >{log:q} 2>&1
        """


rule measure_effect:
    input:
        decision,
        adapter=adapter_files,
        rows="results/splits/val.jsonl",
        model=model_files,
    output:
        "results/effect/{run}.json",
    log:
        "work/logs/measure_effect/{run}.log",
    benchmark:
        "work/benchmarks/measure_effect/{run}.tsv"
    wildcard_constraints:
        run=any_of(runs_with("train", "adapter")),
    conda:
        "../envs/asr.yaml"
    threads: model_threads()
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
        gpu=model_gpus(),
    params:
        model=model_flags,
        adapter=adapter_flags,
        decode=decode_of,
        sample=config["adapter"]["sample"],
        recipe=RECIPE["effect"],
    shell:
        """
        python -m lora.runners.experiment effect \
            --run {wildcards.run:q} \
            {params.model:q} \
            {params.adapter:q} \
            --decode {params.decode:q} \
            --dataset-path {input.rows:q} \
            --sample {params.sample:q} \
            --output {output:q} \
            2>&1 | tee {log:q}
        """


rule compare_models:
    input:
        base=lambda wildcards: folder_files(config["model"]["id"]),
        tuned=model_files,
    output:
        "results/effect/{run}.json",
    log:
        "work/logs/compare_models/{run}.log",
    benchmark:
        "work/benchmarks/compare_models/{run}.tsv"
    wildcard_constraints:
        run=any_of(runs_with("checkpoint")),
    conda:
        "../envs/asr.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=30,
        gpu=0,
    params:
        base=lambda wildcards: base_flags(),
        tuned=lambda wildcards: model_of(wildcards.run),
        recipe=RECIPE["compare"],
    shell:
        """
        python -m lora.runners.experiment compare-models \
            --run {wildcards.run:q} \
            {params.base:q} \
            --checkpoint {params.tuned:q} \
            --output {output:q} \
            2>&1 | tee {log:q}
        """
