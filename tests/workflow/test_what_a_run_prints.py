"""What a person sees of a run: a line per stage, the verdict once, and why a job failed."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess

import pytest
from small_study import Study

from lora.workflow.display import UP_TO_DATE

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
PROFILE = "Using workflow specific profile"  # printed before the workflow is read


def test_a_run_prints_a_line_per_stage_and_the_verdict_once(computed: Study) -> None:
    printed = computed.folder.with_suffix(".output").read_text().splitlines()
    lines = computed.folder.with_suffix(".errors").read_text().splitlines()
    assert sum("READY FOR THE SWEEP" in line for line in [*printed, *lines]) == 1
    assert "READY FOR THE SWEEP" in printed[0]
    assert len(printed) <= 30
    assert len(lines) <= 50
    named = [
        name
        for name in ("inspect audio", "transcribe run", "train adapter", "decide verdict", "score run")
        if any(f"  {name}  " in f"{line}  " for line in lines)
    ]
    assert len(named) == 5
    assert any("lora: 4 steps" in line for line in lines)
    assert "jobs. Snakemake's log: .snakemake/log/" in lines[-1]
    (log,) = (computed.folder / ".snakemake/log").glob("*.log")
    whole = log.read_text()
    assert "rule train_adapter:" in whole
    assert "steps (100%) done" in whole


def test_a_run_with_nothing_to_do_prints_three_lines(study: Study) -> None:
    done = study.snakemake()
    printed, lines = done.stdout.splitlines(), done.stderr.splitlines()
    assert len(printed) == 2
    assert "READY FOR THE SWEEP" in printed[0]
    assert printed[1].startswith(f"{UP_TO_DATE} Open docs/experiment_plan.md, results/")
    assert all(line.startswith(PROFILE) for line in lines)
    assert len(lines) <= 1
    assert study.snakemake("all").stderr.splitlines()[-1] == UP_TO_DATE


def test_a_terminal_gets_colour_unless_it_is_unwelcome(study: Study) -> None:
    assert COLOUR.search(printed_on_a_terminal(study, {"TERM": "xterm"}))
    assert not COLOUR.search(printed_on_a_terminal(study, {"TERM": "xterm", "NO_COLOR": "1"}))


def printed_on_a_terminal(study: Study, environment: dict[str, str]) -> str:
    terminal, end = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with subprocess.Popen(study.command(), cwd=study.folder, stdout=end, stderr=end, env=kept | environment):
        os.close(end)
        text = b""
        try:
            while chunk := os.read(terminal, 4096):
                text += chunk
        except OSError:  # Linux reports the other end's closing so
            pass
    os.close(terminal)
    return text.decode()


@pytest.mark.parametrize(
    ("target", "headline", "named"),
    [
        ("durations", "10 s is the smallest threshold", "results/plots/durations.png"),
        ("baseline", "Baseline: WER ", "results/plots/baseline.png"),
        ("effect", "lora changes ", "results/plots/weights.lora.png"),
        ("report", "READY FOR THE SWEEP", "results/"),
        ("gate", "READY FOR THE SWEEP", "GATE OPEN"),
    ],
)
def test_every_target_ends_with_its_result(study: Study, target: str, headline: str, named: str) -> None:
    done = study.snakemake(target)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(headline)
    assert named in done.stdout.splitlines()[-1]
    assert len(done.stdout.splitlines()) <= 10


def test_a_failed_job_shows_its_reason(study: Study) -> None:
    (study.results / "verdict.json").unlink()
    (study.results / "wer/base/test.json").write_text(json.dumps({"run": 3}))
    (study.results / "wer/base/test.json.run.json").unlink()  # with it, a run would compute the damaged result again
    done = study.snakemake("--rerun-triggers", "mtime")
    assert done.returncode != 0
    failed = next(line for line in done.stderr.splitlines() if line.startswith("FAILED"))
    assert "work/logs/" in failed
    assert "results/wer/base/test.json" in done.stderr
    assert " failed: " in done.stderr.splitlines()[-1]
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) < 40


def test_a_log_file_without_room_is_no_traceback(study: Study) -> None:
    limited = ["bash", "-c", 'ulimit -f 20; exec "$@"', "limited"]  # in KiB
    done = subprocess.run([*limited, *study.command("--debug-dag")], cwd=study.folder, capture_output=True, text=True)
    assert done.returncode == 0
    assert UP_TO_DATE in done.stdout
    *_, newest = sorted((study.folder / ".snakemake/log").glob("*.log"))  # named by their time
    assert newest.stat().st_size == 20 * 1024
    assert "Logging error" not in done.stderr
