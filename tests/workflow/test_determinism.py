"""Same inputs, same bytes: from scratch, on one core or two, killed and resumed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_study import Study, make_study


@pytest.mark.slow
def test_from_scratch_on_one_core_gives_the_same_bytes(computed: Study, tmp_path: Path) -> None:
    again = make_study(tmp_path / "from scratch")
    again.run(cores=1)
    assert again.digests() == computed.digests()


def test_killed_and_resumed_gives_the_same_bytes(computed: Study, tmp_path: Path) -> None:
    study = make_study(tmp_path / "killed")
    kills = 0
    deadline = time.monotonic() + 600
    for sign in ("work/transcripts/*/cache.jsonl", "work/train/*", "results/effect/*.json"):
        process = subprocess.Popen(
            study.command(),
            cwd=study.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while not list(study.folder.glob(sign)) and process.poll() is None:
            assert time.monotonic() < deadline, f"{sign} did not appear"
            time.sleep(0.05)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            kills += 1
        process.wait()
    assert kills == 3
    study.run()
    assert study.digests() == computed.digests()


def test_the_lock_refuses_a_second_run_and_frees_itself(study: Study) -> None:
    study.configure({"candidates": {"lora": {"train": {"max_steps": 16}}}})
    shutil.rmtree(study.folder / "work/logs")
    first = subprocess.Popen(
        study.command(), cwd=study.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    log = study.folder / "work/logs/train_adapter/lora.log"
    while not log.exists() or "command" not in log.read_text():
        assert first.poll() is None
        time.sleep(0.05)
    second = study.snakemake()
    assert second.returncode != 0
    assert "another run is using" in second.stdout + second.stderr
    assert study.snakemake("-n").returncode == 0
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert study.run().steps <= 16
    assert (study.results / "wer/lora/domain.json").exists()


# Snakemake, to which SIGTERM comes while it selects the first jobs, and has its scheduler locked.
ENDED_WHILE_SELECTING = """
import os, signal, sys
from snakemake.cli import main
from snakemake.scheduling.job_scheduler import JobScheduler
update = JobScheduler.update_available_resources
def end(self, jobs):
    os.kill(os.getpid(), signal.SIGTERM)
    update(self, jobs)
JobScheduler.update_available_resources = end
main(sys.argv[1:])
"""


def test_a_run_ends_with_a_signal_that_comes_while_it_selects_jobs(tmp_path: Path) -> None:
    study = make_study(tmp_path / "ended")
    command = [sys.executable, "-c", ENDED_WHILE_SELECTING, *study.command("durations")[3:]]
    done = subprocess.run(command, cwd=study.folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stderr
    (log,) = (study.folder / ".snakemake/log").iterdir()
    assert "Will exit after finishing currently running jobs" in log.read_text()
    assert done.stderr.count("Ended by SIGTERM: no other job is started") == 1
    study.run("durations")
    assert (study.results / "max_seconds.json").exists()
