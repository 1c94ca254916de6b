"""What the base model says about labels and headroom before anything is trained.

Before: the training split, the model, the baseline's WER. After: the label audit, and harder versions of the best domain
manifest where every domain manifest is saturated.
"""


rule audit_labels:
    input:
        decision,
        rows="results/splits/train.jsonl",
        model=model_files,
    output:
        facts="results/labels.json",
        own="results/labels.hypotheses.jsonl",
    log:
        "work/logs/audit_labels.log",
    benchmark:
        "work/benchmarks/audit_labels.tsv"
    conda:
        "../envs/asr.yaml"
    threads: model_threads()
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
        gpu=model_gpus(),
    params:
        model=model_flags,
        decode=decode_of,
        sample=config["labels"]["sample"],
        seed=config["labels"]["seed"],
        losses=loss_flags(),
        recipe=RECIPE["audit"],
    shell:
        """
        python -m lora.runners.experiment audit \
            {params.model:q} \
            --decode {params.decode:q} \
            --dataset-path {input.rows:q} \
            --sample {params.sample:q} \
            --seed {params.seed:q} \
            {params.losses:q} \
            --output {output.facts:q} \
            --hypotheses {output.own:q} \
            2>&1 | tee {log:q}
        """


rule harden_manifest:
    input:
        decision,
        rows=rows_of(config["roles"]["domain"]),
        wer=expand("results/wer/base/{manifest}.json", manifest=config["roles"]["domain"]),
        model=model_files,
    output:
        "results/hardened.json",
    log:
        "work/logs/harden_manifest.log",
    benchmark:
        "work/benchmarks/harden_manifest.tsv"
    conda:
        "../envs/asr.yaml"
    threads: model_threads()
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
        gpu=model_gpus(),
    params:
        model=model_flags,
        decode=decode_of,
        manifests=[
            flag
            for manifest in config["roles"]["domain"]
            for flag in (
                *("--manifest", f"{manifest}=results/manifests/{manifest}.jsonl"),
                *("--baseline-wer", f"{manifest}=results/wer/base/{manifest}.json"),
            )
        ],
        min_wer=config["headroom"]["min_wer"],
        max_wer=config["headroom"]["max_wer"],
        recipe=RECIPE["harden"],
    shell:
        """
        python -m lora.runners.experiment harden \
            {params.model:q} \
            --decode {params.decode:q} \
            {params.manifests:q} \
            --min-wer {params.min_wer:q} \
            --max-wer {params.max_wer:q} \
            --output {output:q} \
            2>&1 | tee {log:q}
        """
