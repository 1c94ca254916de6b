"""What all rules share: lookups by run and manifest, code hashes, the choice of max_seconds, default resources."""

import functools

from snakemake.resources import Resources

from lora.asr.recipe import RECIPE
from lora.code_hash import code_hash
from lora.provenance.hashes import content_hash
from lora.workflow import contents, files, flags
from lora.workflow.files import any_of

# Rules that take seconds of one core on files that are already there are `localrule: True`: a cluster job for each would
# wait longer than it works. (Jobs in a group, which would share a submission, do not go together with checkpoints:
# Snakemake 9.27 runs some of them twice and forgets others. The directive `localrules` misses renamed rules of a module.)

# The commands of targets. Their log is the result in words, which the run prints at its end. All but `update_documents`
# always run: they take well under a second, and have no outputs, which a killed run could delete, and no benchmark, which
# Snakemake counts as an output.
PUBLISH = """
        python "$LORA/scripts/publish.py" \
            --results results \
            --plan docs/experiment_plan.md \
            --notes notes.md \
            --mark work/published \
            >{log:q} 2>&1
        """
CHECK_GATE = """
        python "$LORA/scripts/check_gate.py" --gate {input.gate:q} >>{log:q} 2>&1
        """
# The report links the listening page only if that exists, so it is written again after it.
LINK_LISTENING_PAGE = """
        python "$LORA/scripts/render_report.py" \
            --results results \
            --config results/config.json \
            --report results/report/index.html \
            --landing results/report/verdict.txt \
            >{log:q} 2>&1
        """
PRINT_RESULT = """
        python "$LORA/scripts/print_result.py" \
            --results results \
            --target {params.target} \
            >{log:q} 2>&1
        """


@functools.cache
def code(script):
    """Content hash of a script and of all modules of this project that it imports."""
    return code_hash(CODE / "scripts" / f"{script}.py")


# Input folders are `ancient`, next to a file that changes when they do: Snakemake knows a folder by its time only, which
# a copy of the study changes.


def for_run(function):
    """Call `function(study, run)` for the job's run, which is the baseline in rules without one."""
    return lambda wildcards: function(study, wildcards.get("run", "base"))


def for_manifest(function):
    """Call `function(study, manifest)` for the job's manifest."""
    return lambda wildcards: function(study, wildcards.manifest)


def for_run_and_manifest(function):
    """Call `function(study, run, manifest)` for the job's run and manifest."""
    return lambda wildcards: function(study, wildcards.run, wildcards.manifest)


def wait_for_max_seconds(wildcards):
    """Wait for the choice of max_seconds without depending on its file: only a new value makes results stale.

    Every rule after the choice names this, even where it does not use the value. After a checkpoint, Snakemake judges
    again only the jobs that waited for it, and would rerun the others because the split might have changed.
    """
    if study.has_training:
        checkpoints.choose_max_seconds.get()
    return []


def wait_for_sweep(wildcards):
    """Wait until the sweep may start, without depending on a file: a gate that opens later makes nothing stale."""
    checkpoints.open_sweep.get()
    return []


def wait_for_run(wildcards):
    """Wait for what decides about a run: the choice of max_seconds, and of the sweep its gate."""
    if wildcards.run in study.config.sweep:
        wait_for_sweep(wildcards)
    return wait_for_max_seconds(wildcards)


def wait_if_run_is_trained(wildcards):
    """Wait for what decides about a run where this study trains it."""
    return wait_for_run(wildcards) if study.training_settings(wildcards.run) is not None else []


def wait_if_manifest_is_train(wildcards):
    """Wait for the choice of max_seconds where it decides which rows are sampled."""
    return wait_for_max_seconds(wildcards) if wildcards.manifest == "train" else []


def max_seconds(wildcards):
    """The chosen max_seconds."""
    return study.max_seconds()


def per_attempt(amount):
    """A resource that grows with every attempt of a job."""
    return lambda wildcards, attempt: amount * attempt


def for_inputs(amount, per_mb):
    """A resource that grows with the size of a job's inputs (`per_mb` per MB) and with every attempt.

    It is unknown (`<TBD>` in a dry run) until the inputs exist.
    """
    return lambda wildcards, input, attempt: attempt * round(amount + per_mb * input.size_mb)


def for_rows(amount, per_mb):
    """The same for a job whose other inputs, such as model files, it does not read into memory."""

    def resource(wildcards, input, attempt):
        megabytes = sum(os.path.getsize(path) for path in input.rows) / 1e6
        return attempt * round(amount + per_mb * megabytes)

    return resource


# Resources of every rule that names none. A job without `gpu` uses no GPU. The stages without a model need up to 7 MB of
# memory per MB of rows and transcripts (docs/benchmarks.md); a million rows are 300 MB.
DEFAULT_RESOURCES = {"mem_mb": for_inputs(1500, 10), "runtime": for_inputs(30, 0.2)}


def set_default_resources():
    """Give every rule of this workflow the default resources that neither it nor a profile sets.

    With `default-resources` in a profile, Snakemake adds a memory default of its own, an expression without raw text. It
    gives way to ours.
    """
    for job_type in workflow.rules:
        if not Path(str(job_type.snakefile)).is_relative_to(CODE):
            continue
        _, own = job_type.ruleinfo.resources or ((), {})
        for name, amount in DEFAULT_RESOURCES.items():
            if name not in job_type.resources or (name not in own and job_type.resources[name].raw is None):
                job_type.resources.update(Resources.from_mapping({name: amount}))
