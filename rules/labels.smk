"""What the base model shows about labels and headroom before anything is trained.

Before: the training split, the model, the baseline's WER. After: the label audit, and harder versions of the best domain
manifest if every domain manifest is saturated.
"""


rule audit_labels:
    """Check a sample of training labels and the training loss with the base model."""
    input:
        wait_for_max_seconds,
        rows="results/splits/train.jsonl",
        model=for_run(files.model_files),
    output:
        facts="results/labels.json",
        own="results/labels.hypotheses.jsonl",
    log:
        "work/logs/audit_labels.log",
    benchmark:
        "work/benchmarks/audit_labels.tsv"
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
        decode=for_run(flags.decode_json),
        sample=study.config.labels.sample,
        seed=study.config.labels.seed,
        losses=flags.loss_flags(study),
        recipe=RECIPE["audit"],
    shell:
        """
        python -P -m lora.runners.experiment audit \
            {params.model:q} \
            --decode {params.decode:q} \
            --dataset-path {input.rows:q} \
            --sample {params.sample:q} \
            --seed {params.seed:q} \
            {params.losses:q} \
            --output {output.facts:q} \
            --hypotheses {output.own:q} \
            >{log:q} 2>&1
        """


rule harden_manifest:
    """Measure baseline WER on distorted audio if every domain manifest is saturated."""
    input:
        wait_for_max_seconds,
        rows=files.rows_of(study.config.roles.domain),
        wer=expand("results/wer/base/{manifest}.json", manifest=study.config.roles.domain),
        model=for_run(files.model_files),
    output:
        "results/hardened.json",
    log:
        "work/logs/harden_manifest.log",
    benchmark:
        "work/benchmarks/harden_manifest.tsv"
    conda:
        "../envs/asr.yaml"
    threads: study.model_threads
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(240),
        gpu=study.model_gpus,
    params:
        model=for_run(flags.model_flags),
        contents=for_run(contents.of_model),
        decode=for_run(flags.decode_json),
        manifests=flags.hardened_manifest_flags(study),
        min_wer=study.config.headroom.min_wer,
        max_wer=study.config.headroom.max_wer,
        recipe=RECIPE["harden"],
    shell:
        """
        python -P -m lora.runners.experiment harden \
            {params.model:q} \
            --decode {params.decode:q} \
            {params.manifests:q} \
            --min-wer {params.min_wer:q} \
            --max-wer {params.max_wer:q} \
            --output {output:q} \
            >{log:q} 2>&1
        """
