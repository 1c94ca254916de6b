"""The study: its configuration, its lock, and the environment of every command. Functions and constants only."""

import atexit
import copy
import fcntl
import gc
import json
import logging
import os
import shutil
import sys
import threading
from pathlib import Path
from shlex import quote

from snakemake.logging import ColorizingTextHandler, logger
from snakemake.persistence import PersistenceBase
from snakemake.scheduling.job_scheduler import JobScheduler
from snakemake.settings.enums import PersistenceBackend
from snakemake.settings.types import DeploymentMethod
from snakemake.utils import update_config

CODE = Path(str(workflow.current_basedir)).parent
sys.path.insert(0, str(CODE / "src"))

from lora.configuration.loading import load_configuration, of_the_study
from lora.configuration.origin import Origin, typed_options
from lora.configuration.recorded import METADATA, discard_unreadable, require_comparable
from lora.configuration.study import StudyConfig
from lora.configuration.yaml_file import read_yaml
from lora.provenance.disk_problem import disk_problem
from lora.records.base import UserError, write_text
from lora.report import templates
from lora.report.documents import update_document
from lora.report.published import remove_outdated_mark
from lora.terminal import Screen
from lora.workflow.changed_results import ASIDE, set_aside_changed, set_aside_unrecorded
from lora.workflow.decode_check import check_decode
from lora.workflow.display import RunDisplay
from lora.workflow.files import LISTENING_PAGE, NOTES, PLAN, PUBLISHED, all_results
from lora.workflow.folders import require_folders
from lora.workflow.hard_links import unlink_from_copies
from lora.workflow.restored_audio import inspect_restored
from lora.workflow.study import Study, open_study

# Nearly all objects of a workflow live as long as the run; looking for garbage among them every 700 new objects was a tenth
# of the time that a run with nothing to do takes.
gc.set_threshold(50_000)

# Snakemake imports pandas to see whether a parameter is a table, which takes another tenth. Until something else has
# imported it, none is.
PersistenceBase._serialize_param = property(
    lambda self: self._serialize_param_pandas if "pandas" in sys.modules else self._serialize_param_builtin
)

# Snakemake's handler of SIGTERM waits for a lock that the main thread, which handles signals, has while it selects jobs.
# In a thread of its own it waits until they are selected; in the main thread, it would wait without end.
exit_gracefully = JobScheduler.exit_gracefully


def end_with_running_jobs(scheduler):
    logger.warning(
        "Ended by SIGTERM: no other job is started, and the running ones are waited for; SIGINT ends them too."
    )
    exit_gracefully(scheduler)


JobScheduler.exit_gracefully = lambda self, *_: threading.Thread(target=end_with_running_jobs, args=(self,)).start()

# `python` is the one that runs Snakemake, whether or not its environment is activated; an activated conda environment
# comes before it.
os.environ.update(PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]))

# On a full disk, logging would print a traceback for each line that Snakemake's log file has no room for.
for handler in logger.handlers:
    if isinstance(handler, logging.FileHandler):
        handler.handleError = lambda record: None

if not {"{", "}"}.isdisjoint(str(CODE)):
    raise WorkflowError(f"{CODE}: Snakemake reads braces in the tool's path as wildcards; rename the folder")

# Every command finds library and scripts through these two variables: a path in a rule would make results stale when the
# repository moves, and conda environments contain only other people's packages. Where a rule starts a module it is with
# `-P`, so that no `random.py` or `tokenizers.py` of the study folder is imported.
shell.prefix(f"set -euo pipefail; export LORA={quote(str(CODE))}; export PYTHONPATH={quote(str(CODE / 'src'))}; ")


def read_study():
    """The complete configuration, from --configfile or a module's `config`, else from config.yaml of the study folder.

    With it, the study that the rules ask for names, files and flags.
    """
    check_paths()
    paths = [Path(path) for path in workflow.config_settings.configfiles]
    options = typed_options(workflow.config_settings.config)
    given = copy.deepcopy(config)
    if not paths and ("manifests" not in given or given.keys() <= options.keys()):
        paths = [Path("config.yaml")]
        if not paths[0].exists():
            raise WorkflowError(f"no config.yaml in {Path.cwd()}: write one, or name one with --configfile")
    try:
        # Snakemake has read files of --configfile by itself, without a word about repeated keys.
        written = [read_yaml(path) for path in paths]
        if not workflow.config_settings.configfiles and paths:
            given = written[0]
            update_config(given, config)
        update_config(given, options)
        source = Origin(paths, options)
        complete = load_configuration(given, source, Path.cwd())
        check_decode(complete, source)
        return complete, open_study(StudyConfig.from_json(complete), source)
    except UserError as error:
        raise WorkflowError(str(error))


def check_paths():
    """End in one line if a module changes paths: commands and functions read files of the study where they are."""
    if workflow.modifier.path_modifier.replace_prefix("results/", "output") != "results/":
        raise WorkflowError(
            "module: prefix and replace_prefix are not supported, because a study has a folder of its own; for several "
            "studies in one workflow, call `lora-diagnose run -d FOLDER` in a rule (docs/cluster.md)"
        )


def start_study():
    """Lock the study and save its configuration, in a run that computes something.

    One run at a time writes to a study; the kernel frees the lock however the run ends. Jobs read the configuration
    from work/config.json because a command line has room for 128 KiB per argument only.
    """
    if not workflow.is_main_process:
        return
    check_folders()
    check_records()
    # `workflow.dryrun` is known only after the Snakefile was read.
    if workflow.output_settings.dryrun:
        try:
            remove_changed(pretend=True)
        except (UserError, OSError) as error:
            raise WorkflowError(str(error))
        return
    if workflow.resource_settings.cores == 0:
        raise WorkflowError("--cores 0: no job could ever start; name a number from 1, or all")
    check_conda()
    try:
        Path("work").mkdir(exist_ok=True)
        lock = open("work/study.lock", "w")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The file must stay open until the process ends, and Snakemake keeps no name of ours alive.
        atexit.register(lock.close)
        write_text("work/config.json", json.dumps(of_the_study(config), ensure_ascii=False))
        prepare_results()
        prepare_documents()
        # A killed run leaves Snakemake's copy of an output with `update`, on which the next one would fail.
        shutil.rmtree(f".snakemake/backups/{LISTENING_PAGE}", ignore_errors=True)
    except BlockingIOError:
        raise WorkflowError(f"another run is using {Path.cwd()}; wait until it ends, or stop it")
    except OSError as error:
        raise WorkflowError(disk_problem(error) or str(error))
    except UserError as error:
        raise WorkflowError(str(error))
    show_run()


def check_folders():
    """End in one line if a file, or a link to nothing, is where a folder of the study has to be."""
    try:
        require_folders(all_results(study))
    except UserError as error:
        raise WorkflowError(str(error))


def check_records():
    """End in one line if results are of another configuration and nothing shows which of them that concerns."""
    if workflow.workflow_settings.persistence_backend != PersistenceBackend.FILE:
        return  # records in a database do not get lost with a hidden folder
    try:
        require_comparable(Path("results/config.json"), of_the_study(config))
    except UserError as error:
        raise WorkflowError(str(error))


def prepare_results():
    """Leave only results that Snakemake can trust."""
    unlink_from_copies(METADATA)
    remove_changed()
    discard_unreadable(Path("results/config.json"))


def remove_changed(pretend=False):
    """Remove results that are not as they were computed, or would be others now, so that Snakemake computes them.

    With `pretend`, in a dry run, it only names them: Snakemake's list of jobs is without them.
    """
    moved = f"a run moves it to {ASIDE}, and computes it again" if pretend else f"moved to {ASIDE}, and computed again"
    inspected = "a run inspects it again" if pretend else "it is inspected again"
    for path in set_aside_unrecorded(METADATA, Path("results"), pretend=pretend):
        print(f"{path}: Snakemake's record of it is damaged; {moved}", file=sys.stderr)
    for path in set_aside_changed(Path("results"), pretend=pretend):
        print(f"{path}: changed since it was computed; {moved}", file=sys.stderr)
    for manifest in inspect_restored(study, pretend=pretend):
        print(f"manifest {manifest}: audio that could not be reached is there now; {inspected}", file=sys.stderr)


def prepare_documents():
    """Begin the documents that do not exist, and notice changed ones whose times are old.

    `update_documents` has both as inputs, and would be stale if their set grew.
    """
    for path, template in ((NOTES, templates.NOTES), (PLAN, templates.PLAN)):
        update_document(path, template, lambda document: document)
    remove_outdated_mark(Path(PUBLISHED), (PLAN, NOTES))


def check_conda():
    """End in one line if conda environments are asked for and there is no conda, neither here nor in a container."""
    methods = workflow.deployment_settings.deployment_method
    if methods == {DeploymentMethod.CONDA} and shutil.which("conda") is None:
        raise WorkflowError(
            "--use-conda: no `conda` on PATH; install Miniforge and activate it, or leave the option out"
        )


def check_python():
    """End in one line if jobs elsewhere cannot start this Python: Snakemake writes its path into their scripts as it is."""
    if workflow.non_local_exec and quote(sys.executable) != sys.executable:
        raise WorkflowError(
            f"{sys.executable}: jobs on a cluster cannot start a Python whose path has a blank or another special "
            "character; install into an environment with another path"
        )


def show_run():
    """Print a line per stage and the result instead of what Snakemake prints; --verbose and --printshellcmds keep both.

    Snakemake's log file in .snakemake/log has everything in any case.
    """
    settings = workflow.output_settings
    log_files = [handler.baseFilename for handler in logger.handlers if isinstance(handler, logging.FileHandler)]
    display = RunDisplay(
        screen=Screen(sys.stderr, sys.stdout),
        unfinished=lambda: [job.rule.name for job in workflow.dag.needrun_jobs()],
        results=lambda: [log for job in workflow.dag.jobs if PUBLISHED in job.output for log in job.log],
        run_log=os.path.relpath(log_files[0]) if log_files else None,
        is_quiet=bool(settings.quiet),
    )
    for handler in logger.handlers:
        if isinstance(handler, ColorizingTextHandler) and not (settings.verbose or settings.printshellcmds):
            handler.addFilter(display.leaves_to_snakemake)
    logger.addHandler(display)
