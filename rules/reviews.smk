"""What listeners found, where `reviews` names files of judgements: scores with and without wrong references.

Before: review files, rows, transcripts and WER of every run. After: merged judgements, the lines that could not be used,
and one file per evaluation manifest. No model works here.
"""


rule read_reviews:
    """Merge the judgements of all listeners, and list every line that cannot be used."""
    input:
        reviews=study.config.reviews,
        rows=files.rows_of(study.config.manifests),
    output:
        judgements="results/reviews/judgements.jsonl",
        rejected="results/reviews/rejected.tsv",
    log:
        "work/logs/read_reviews.log",
    benchmark:
        "work/benchmarks/read_reviews.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        rows=flags.rows_by_manifest(study),
        contents=contents.of_reviews(study),
        code=code("read_reviews"),
    shell:
        """
        python "$LORA/scripts/read_reviews.py" \
            --reviews {input.reviews:q} \
            --rows {params.rows:q} \
            --judgements {output.judgements:q} \
            --rejected {output.rejected:q} \
            >{log:q} 2>&1
        """


rule score_reviews:
    """Score all runs with and without the references that listeners found wrong."""
    input:
        wait_for_max_seconds,
        rows="results/manifests/{manifest}.jsonl",
        judgements="results/reviews/judgements.jsonl",
        baseline_wer="results/wer/base/{manifest}.json",
        baseline_transcripts="results/transcripts/base/{manifest}.jsonl",
        candidates=expand("results/transcripts/{run}/{{manifest}}.jsonl", run=study.config.candidates),
        suspected="results/reachable/{manifest}.json",
    output:
        "results/reviews/{manifest}.json",
    log:
        "work/logs/score_reviews/{manifest}.log",
    benchmark:
        "work/benchmarks/score_reviews/{manifest}.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        candidates=for_manifest(flags.candidate_transcripts),
        rows=flags.judged_rows_flags(study),
        margin=study.config.statistics.equivalence_margin,
        confidence=study.config.statistics.confidence,
        target_gain=study.config.statistics.target_gain,
        code=code("score_reviews"),
    shell:
        """
        python "$LORA/scripts/score_reviews.py" \
            --manifest-name {wildcards.manifest:q} \
            --rows {input.rows:q} \
            --judgements {input.judgements:q} \
            --baseline-wer {input.baseline_wer:q} \
            --baseline-transcripts {input.baseline_transcripts:q} \
            --candidate {params.candidates:q} \
            --suspected {input.suspected:q} \
            {params.rows:q} \
            --margin {params.margin:q} \
            --confidence {params.confidence:q} \
            --target-gain {params.target_gain:q} \
            --review {output:q} \
            >{log:q} 2>&1
        """
