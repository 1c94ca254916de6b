"""The listening page: every evaluated row with its audio, its reference and the hypotheses of all runs.

Before: usable rows, transcripts of every run, and the facts about rows that are worth listening to. After: results/listen/.
"""


rule prepare_sounds:
    """Draw the waveform of every row, and convert audio that a browser cannot play."""
    input:
        wait_if_manifest_is_train,
        rows="results/manifests/{manifest}.jsonl",
        transcripts=for_manifest(files.sampled_hypotheses),
        unpacked=ancient(for_manifest(files.unpacked_audio)),
        unpacking=for_manifest(files.unpacking_record),
    output:
        directory("results/sounds/{manifest}"),
    log:
        "work/logs/prepare_sounds/{manifest}.log",
    benchmark:
        "work/benchmarks/prepare_sounds/{manifest}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 4
    params:
        code=code("prepare_sounds"),
    shell:
        """
        python "$LORA/scripts/prepare_sounds.py" \
            --rows {input.rows:q} \
            --sounds {output:q} \
            --transcripts {input.transcripts:q} \
            --workers {threads} \
            >{log:q} 2>&1
        """


rule render_listening_page:
    """Write the listening page, which links the audio where it is."""
    input:
        wait_for_max_seconds,
        files.listening_facts(study),
        config="results/config.json",
    output:
        update(directory("results/listen")),  # not deleted before: people save reviews next to the page
    log:
        "work/logs/render_listening_page.log",
    benchmark:
        "work/benchmarks/render_listening_page.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        code=code("render_listening_page"),
    shell:
        """
        python "$LORA/scripts/render_listening_page.py" \
            --results results \
            --config {input.config:q} \
            --page {output:q} \
            >{log:q} 2>&1
        """
