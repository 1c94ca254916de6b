"""A study on a real Slurm has the results of a run without one, whatever happens to jobs, node and controller."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import one_node_slurm
import pytest
from one_node_slurm import Slurm, slurm
from small_study import REPOSITORY, Study, make_study

pytest.importorskip("snakemake_executor_plugin_slurm", reason="requirements-slurm.txt is not installed")

# The plugin asks `sacct`, which needs an accounting database; this answers the same question from the controller.
SACCT = """#!/bin/sh
while [ "$1" != --name ]; do shift; done
exec squeue --noheader --states all --format '%i|%T' --name "$2"
"""
MODEL_RULES = ["transcribe_run", "train_adapter", "audit_labels", "measure_effect", "harden_manifest"]
NO_GPU = [f"{rule}:gpu=0" for rule in MODEL_RULES]


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slurm]:
    reason = one_node_slurm.missing()
    if reason is not None:
        pytest.skip(f"no Slurm can be started: {reason}")
    (tmp_path / "bin").mkdir()
    sacct = tmp_path / "bin/sacct"
    sacct.write_text(SACCT)
    sacct.chmod(0o755)
    monkeypatch.setenv("PATH", f"{sacct.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("USER", "root")
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder, ExitStack() as stack:
        try:
            running = stack.enter_context(slurm(Path(folder)))
        except TimeoutError as error:
            pytest.skip(str(error))
        yield running


@pytest.fixture(scope="module")
def python() -> Iterator[str]:
    """This Python under a path without blanks, which jobs on a cluster need."""
    with tempfile.TemporaryDirectory(prefix="python-") as folder:
        link = Path(folder, "environment")
        link.symlink_to(sys.prefix)
        yield str(link / "bin" / Path(sys.executable).name)


def on_cluster(study: Study) -> list[str]:
    profile = ("--workflow-profile", str(REPOSITORY / "profiles/slurm"))
    quick = ("--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "10", "--jobs", "4")
    return study.command(*profile, *quick, "--set-resources", *NO_GPU)


@pytest.mark.slow
def test_disturbed_slurm_jobs_give_the_same_bytes(computed: Study, cluster: Slurm, python: str, tmp_path: Path) -> None:
    study = replace(make_study(tmp_path / "on a cluster"), python=python)
    disturbed: list[str] = []

    def disturb() -> None:
        """Cancel the first training job, then drain and resume the node, then restart the controller."""
        log = study.folder / "work/logs/train_adapter/lora.log"
        while not log.exists():
            time.sleep(0.2)
        cluster.ask("scancel", *cluster.jobs())
        disturbed.append("cancelled")
        cluster.ask("scontrol", "update", f"NodeName={cluster.host}", "State=DRAIN", "Reason=test")
        time.sleep(5)
        cluster.ask("scontrol", "update", f"NodeName={cluster.host}", "State=RESUME")
        disturbed.append("drained")
        cluster.stop_controller()
        time.sleep(2)
        cluster.start_controller()
        disturbed.append("restarted")

    person = threading.Thread(target=disturb, daemon=True)
    person.start()
    done = subprocess.run(on_cluster(study), cwd=study.folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    person.join(60)
    assert disturbed == ["cancelled", "drained", "restarted"]
    assert study.digests() == computed.digests()
    logs = "".join(path.read_text() for path in (study.folder / ".snakemake/log").glob("*.log"))
    submitted = logs.count("has been submitted with SLURM jobid")
    assert 10 <= submitted <= 18  # 8 for manifests, 5 or 6 for the model, and those that were cancelled


@pytest.mark.slow
def test_jobs_that_outlive_a_killed_snakemake_are_not_repeated(
    computed: Study, cluster: Slurm, python: str, tmp_path: Path
) -> None:
    """Snakemake is killed while a training runs, which goes on; the next run waits for it and takes its result."""
    study = replace(make_study(tmp_path / "on a cluster"), python=python)
    killed = subprocess.Popen(
        on_cluster(study),
        cwd=study.folder,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    log = study.folder / "work/logs/train_adapter/lora.log"
    while not log.exists():
        assert killed.poll() is None
        time.sleep(0.2)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert cluster.jobs()
    done = subprocess.run(on_cluster(study), cwd=study.folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert study.digests() == computed.digests()
    work, alone = study.work_since({}), computed.work_since({})
    assert work.steps == 0  # the record of the job that took the result of the one before
    assert work.decoded.items() <= alone.decoded.items()


@pytest.mark.slow
def test_a_python_under_a_path_with_a_blank_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "an environment"
    link.symlink_to(sys.prefix)
    study = replace(make_study(tmp_path / "study"), python=str(link / "bin" / Path(sys.executable).name))
    done = subprocess.run(on_cluster(study), cwd=study.folder, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"{study.python}: jobs on a cluster cannot start a Python whose path has a blank" in done.stderr
