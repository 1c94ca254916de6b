"""LoRA tuning diagnostics: manifests in, one verdict out. The files of rules/ come in the order data flows."""

from snakemake.utils import min_version

min_version("9.27")


include: "rules/study.smk"


report: "report/workflow.rst"


config, study = read_study()
start_study()


# Which executor runs the jobs is known only here.
onstart:
    check_python()


include: "rules/common.smk"


wildcard_constraints:
    manifest="[A-Za-z0-9][A-Za-z0-9_-]*",
    run="[A-Za-z0-9][A-Za-z0-9_-]*",


include: "rules/data.smk"
include: "rules/integrity.smk"
include: "rules/transcripts.smk"
include: "rules/labels.smk"
include: "rules/adapters.smk"
include: "rules/comparisons.smk"
include: "rules/reviews.smk"
include: "rules/verdict.smk"
include: "rules/plots.smk"
include: "rules/listen.smk"
include: "rules/sweep.smk"
include: "rules/targets.smk"


# The default target is here because Snakemake takes none from an included file.
rule publish:
    """All results of the diagnosis, published in the documents. Naming them all restores whichever was deleted."""
    default_target: True
    input:
        files.PUBLISHED,
        files.COMMANDS,
        files.all_results(study),
    localrule: True


set_default_resources()
