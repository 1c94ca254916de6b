"""Every candidate against the baseline: paired difference of errors, parity of settings, and what tuning could reach.

Before: transcripts, settings and WER of both. After: one paired file per candidate and manifest, one parity file per candidate,
one file per manifest on what stands behind the baseline's errors.
"""


rule compare_runs:
    input:
        decision,
        baseline_wer="results/wer/base/{manifest}.json",
        tuned_wer="results/wer/{run}/{manifest}.json",
        baseline_transcripts="results/transcripts/base/{manifest}.jsonl",
        tuned_transcripts="results/transcripts/{run}/{manifest}.jsonl",
    output:
        "results/paired/{run}/{manifest}.json",
    log:
        "work/logs/compare_runs/{run}/{manifest}.log",
    benchmark:
        "work/benchmarks/compare_runs/{run}/{manifest}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        gpu=0,
    params:
        margin=config["statistics"]["equivalence_margin"],
        confidence=config["statistics"]["confidence"],
        replicates=config["statistics"]["replicates"],
        code=code("compare_runs"),
    shell:
        """
        python "$LORA/scripts/compare_runs.py" \
            --run {wildcards.run:q} \
            --manifest-name {wildcards.manifest:q} \
            --baseline-wer {input.baseline_wer:q} \
            --tuned-wer {input.tuned_wer:q} \
            --baseline-transcripts {input.baseline_transcripts:q} \
            --tuned-transcripts {input.tuned_transcripts:q} \
            --margin {params.margin:q} \
            --confidence {params.confidence:q} \
            --replicates {params.replicates:q} \
            --paired {output:q} \
            >{log:q} 2>&1
        """


rule split_errors:
    input:
        decision,
        rows="results/manifests/{manifest}.jsonl",
        baseline_wer="results/wer/base/{manifest}.json",
        baseline_transcripts="results/transcripts/base/{manifest}.jsonl",
        candidates=expand("results/transcripts/{run}/{{manifest}}.jsonl", run=config["candidates"]),
        train=training_words,
    output:
        "results/reachable/{manifest}.json",
    log:
        "work/logs/split_errors/{manifest}.log",
    benchmark:
        "work/benchmarks/split_errors/{manifest}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        gpu=0,
    params:
        candidates=lambda wildcards: [
            f"{run}=results/transcripts/{run}/{wildcards.manifest}.jsonl" for run in config["candidates"]
        ],
        code=code("split_errors"),
    shell:
        """
        python "$LORA/scripts/split_errors.py" \
            --manifest-name {wildcards.manifest:q} \
            --rows {input.rows:q} \
            --baseline-wer {input.baseline_wer:q} \
            --baseline-transcripts {input.baseline_transcripts:q} \
            --candidate {params.candidates:q} \
            --train {input.train:q} \
            --reachable {output:q} \
            >{log:q} 2>&1
        """


rule compare_settings:
    input:
        decision,
        baseline_settings=of_every_manifest("results/transcripts/base/{manifest}.settings.json"),
        tuned_settings=of_every_manifest("results/transcripts/{{run}}/{manifest}.settings.json"),
        baseline_wer=of_every_manifest("results/wer/base/{manifest}.json"),
        tuned_wer=of_every_manifest("results/wer/{{run}}/{manifest}.json"),
        baseline_transcripts=of_every_manifest("results/transcripts/base/{manifest}.jsonl"),
        tuned_transcripts=of_every_manifest("results/transcripts/{{run}}/{manifest}.jsonl"),
    output:
        "results/parity/{run}.json",
    log:
        "work/logs/compare_settings/{run}.log",
    benchmark:
        "work/benchmarks/compare_settings/{run}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        code=code("compare_settings"),
    shell:
        """
        python "$LORA/scripts/compare_settings.py" \
            --run {wildcards.run:q} \
            --baseline-settings {input.baseline_settings:q} \
            --tuned-settings {input.tuned_settings:q} \
            --baseline-wer {input.baseline_wer:q} \
            --tuned-wer {input.tuned_wer:q} \
            --baseline-transcripts {input.baseline_transcripts:q} \
            --tuned-transcripts {input.tuned_transcripts:q} \
            --parity {output:q} \
            >{log:q} 2>&1
        """
