"""Every candidate against the baseline: paired difference of errors, parity of settings, and what tuning could reach.

Before: transcripts, settings and WER of both. After: one paired file per candidate and manifest, one parity file per
candidate, and one file per manifest on the origin of the baseline's errors.
"""


rule compare_runs:
    """Compare the errors of a candidate and the baseline on the same utterances."""
    input:
        wait_for_run,
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
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        margin=study.config.statistics.equivalence_margin,
        confidence=study.config.statistics.confidence,
        replicates=study.config.statistics.replicates,
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
    """Sort the baseline's word errors by origin: how many of them can tuning fix?"""
    input:
        wait_for_max_seconds,
        rows="results/manifests/{manifest}.jsonl",
        baseline_wer="results/wer/base/{manifest}.json",
        baseline_transcripts="results/transcripts/base/{manifest}.jsonl",
        candidates=expand("results/transcripts/{run}/{{manifest}}.jsonl", run=study.config.candidates),
        candidates_wer=expand("results/wer/{run}/{{manifest}}.json", run=study.config.candidates),
        train=files.training_split(study),
    output:
        "results/reachable/{manifest}.json",
    log:
        "work/logs/split_errors/{manifest}.log",
    benchmark:
        "work/benchmarks/split_errors/{manifest}.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        candidates=for_manifest(flags.candidate_transcripts),
        candidates_wer=for_manifest(flags.candidate_scores),
        code=code("split_errors"),
    shell:
        """
        python "$LORA/scripts/split_errors.py" \
            --manifest-name {wildcards.manifest:q} \
            --rows {input.rows:q} \
            --baseline-wer {input.baseline_wer:q} \
            --baseline-transcripts {input.baseline_transcripts:q} \
            --candidate {params.candidates:q} \
            --candidate-wer {params.candidates_wer:q} \
            --train {input.train:q} \
            --reachable {output:q} \
            >{log:q} 2>&1
        """


rule compare_settings:
    """Compare the settings of a candidate and the baseline one by one."""
    input:
        wait_for_run,
        baseline_settings=study.per_manifest("results/transcripts/base/{manifest}.settings.json"),
        tuned_settings=study.per_manifest("results/transcripts/{{run}}/{manifest}.settings.json"),
        baseline_wer=study.per_manifest("results/wer/base/{manifest}.json"),
        tuned_wer=study.per_manifest("results/wer/{{run}}/{manifest}.json"),
        baseline_transcripts=study.per_manifest("results/transcripts/base/{manifest}.jsonl"),
        tuned_transcripts=study.per_manifest("results/transcripts/{{run}}/{manifest}.jsonl"),
    output:
        "results/parity/{run}.json",
    log:
        "work/logs/compare_settings/{run}.log",
    benchmark:
        "work/benchmarks/compare_settings/{run}.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
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
