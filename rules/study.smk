"""The study: its configuration, its lock, and the surroundings of every command. Functions and constants only."""

import atexit
import fcntl
import os
import sys
from pathlib import Path
from shlex import quote

from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config

CODE = Path(str(workflow.current_basedir)).parent
sys.path.insert(0, str(CODE / "src"))

from lora.configuration.loading import load_configuration
from lora.records.base import UserError

# `python` is the one that runs Snakemake, its environment activated or not; an activated conda environment goes before it.
os.environ.update(PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]))

# Every command finds library and scripts through these two variables: a path in a rule would make results stale when the
# repository moves, and conda environments hold only other people's packages.
shell.prefix(f"set -euo pipefail; export LORA={quote(str(CODE))}; export PYTHONPATH={quote(str(CODE / 'src'))}; ")


def study_configuration():
    """The complete configuration: --configfile or a module's own, else config.yaml of the study folder."""
    files = [Path(path) for path in workflow.config_settings.configfiles]
    given = dict(config)
    if not files and "manifests" not in given:
        files = [Path("config.yaml")]
        if not files[0].exists():
            raise WorkflowError(f"no config.yaml in {Path.cwd()}: write one, or name it with --configfile")
        given = load_configfile(files[0])
        update_config(given, config)
    try:
        return load_configuration(given, files[-1] if files else None, Path.cwd())
    except UserError as error:
        raise WorkflowError(str(error))


def lock_study():
    """Let one run at a time write to the study; the kernel frees the lock however the run ends."""
    # `workflow.dryrun` is known only after the Snakefile was read.
    if not workflow.is_main_process or workflow.output_settings.dryrun:
        return
    Path("work").mkdir(exist_ok=True)
    lock = open("work/study.lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise WorkflowError(f"another run is at work in {Path.cwd()}; wait for it to end, or stop it")
    # Until the process ends the file must stay open, and Snakemake keeps no name of ours alive.
    atexit.register(lock.close)
