"""What a run prints: a line per stage, progress, failures with the end of their log, and the result of the target."""

from __future__ import annotations

import io
import json
import logging
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lora.terminal import Screen
from lora.workflow.display import UP_TO_DATE, RunDisplay
from lora.workflow.files import COMMANDS, PUBLISHED
from lora.workflow.jobs import elapsed


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Run:
    """A display that is fed with the records that Snakemake's logger sends."""

    def __init__(self, plan: list[str], terminal: bool = False, is_quiet: bool = False) -> None:
        self.errors: io.StringIO = Terminal() if terminal else io.StringIO()
        self.output = io.StringIO()
        self.now = 0.0
        self.plan = plan
        self.results: list[str] = []
        self.display = RunDisplay(
            screen=Screen(self.errors, self.output),
            unfinished=lambda: self.plan,
            results=lambda: self.results,
            run_log="run.log",
            is_quiet=is_quiet,
            clock=lambda: self.now,
        )
        self.send("Workflow has started!", "workflow_started")

    def send(self, message: str, event: str | None = None, level: int = logging.INFO, **facts: Any) -> None:
        record = logging.LogRecord("snakemake", level, "x.py", 1, message, None, None)
        record.__dict__.update(facts, **({} if event is None else {"event": event}))
        self.display.handle(record)

    def start(
        self, number: int, rule: str, value: str = "", outputs: tuple[str, ...] = ("out",), log: str = ""
    ) -> None:
        self.send("", "job_started")
        facts = {"jobid": number, "rule_name": rule, "wildcards": {"run": value} if value else {}}
        facts |= {"output": list(outputs), "log": [log] if log else [], "is_checkpoint": rule.startswith("choose")}
        self.send("", "job_info", **facts)

    def finish(self, number: int) -> None:
        self.send("", "job_finished", job_id=number)

    def lines(self) -> list[str]:
        return self.errors.getvalue().splitlines()


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_stage_is_one_line_when_its_last_job_ends() -> None:
    run = Run(["score_run", "score_run", "publish"])
    for number, value in enumerate(("base", "lora")):
        run.start(number, "score_run", value)
        run.now += 2
        assert run.lines() == []
        run.finish(number)
    assert run.lines() == ["      4.0 s  score run            2: base and lora"]


def test_a_checkpoint_may_make_jobs_of_a_stage_superfluous() -> None:
    run = Run(["score_run", "score_run", "choose_max_seconds"])
    run.start(1, "score_run", "base")
    run.finish(1)
    run.start(2, "choose_max_seconds")
    run.finish(2)
    run.plan = ["publish"]
    run.start(3, "publish", outputs=())
    assert [line.split("  ")[-1] for line in run.lines()[-1:]] == ["base"]
    assert len(run.lines()) == 2


def test_model_work_is_a_line_per_job_with_its_counts_and_fallbacks() -> None:
    Path("t.jsonl.run.json").write_text(
        json.dumps(
            {
                "outputs": ["t.jsonl"],
                "utterances_decoded": 3740,
                "utterances_reused": 0,
                "optimizer_steps": None,
                "fallbacks": ["cuda is not available: cpu"],
            }
        )
    )
    run = Run(["transcribe_run", "transcribe_run"])
    run.start(1, "transcribe_run", "lora", ("t.jsonl",))
    run.now = 113
    run.finish(1)
    (line,) = run.lines()
    assert line.split() == [
        "1",
        "min",
        "53",
        "s",
        "transcribe",
        "run",
        "lora:",
        "3,740",
        "decoded,",
        "fallback:",
        "cuda",
        "is",
        "not",
        "available:",
        "cpu",
    ]


def test_the_result_is_printed_once_after_the_stages() -> None:
    Path("publish.log").write_text("READY\n  cause  x\n  open   a, b\n")
    run = Run(["decide_verdict", "publish"])
    run.start(1, "decide_verdict")
    run.finish(1)
    run.start(2, "publish", outputs=(PUBLISHED, COMMANDS), log="publish.log")
    run.finish(2)
    run.display.close()
    assert run.output.getvalue() == "READY\n  cause  x\n  open   a, b\n"
    assert run.lines()[-1].endswith("1 job. Snakemake's log: run.log")


def test_a_run_that_computed_nothing_prints_two_lines() -> None:
    Path("publish.log").write_text("READY\n  cause  x\n  open          a, b\n")
    run = Run(["publish"])
    run.start(2, "publish", outputs=(), log="publish.log")
    run.finish(2)
    run.display.close()
    assert run.output.getvalue().splitlines() == ["READY", f"{UP_TO_DATE} Open a, b"]
    assert run.lines() == []


def test_published_results_are_named_again_where_no_job_ran() -> None:
    Path("publish.log").write_text("READY\n  cause  x\n  open          a, b\n")
    run = Run([])
    run.results = ["publish.log"]
    run.send("Nothing to be done (all requested files are present and up to date).")
    assert run.output.getvalue().splitlines() == ["READY", f"{UP_TO_DATE} Open a, b"]
    assert run.lines() == []


def test_without_a_result_of_before_a_run_says_that_nothing_was_to_do() -> None:
    run = Run([])
    run.results = ["no such file"]
    run.send("Nothing to be done (all requested files are present and up to date).")
    assert run.lines() == [UP_TO_DATE]


def test_a_target_without_a_command_says_that_nothing_was_to_do() -> None:
    run = Run([])
    run.send("Nothing to be done (all requested files are present and up to date).")
    assert run.lines() == [UP_TO_DATE]


def test_a_failed_job_shows_the_end_of_its_log_and_no_control_characters() -> None:
    Path("x.log").write_text("".join(f"line {n}\n" for n in range(90)) + "error: no such file \x1b[2J\n")
    run = Run(["train_adapter"])
    run.start(7, "train_adapter", "lora", log="x.log")
    run.now = 3
    run.send("RuleException:\nCalledProcessError in file", "error", logging.ERROR)
    run.send("", "job_error", logging.ERROR, jobid=7, rule_name="train_adapter", log=["x.log"])
    run.send("Exiting because a job execution failed. Look above for error messages", None, logging.ERROR)
    run.display.close()
    lines = run.lines()
    assert lines[0] == "FAILED  train adapter (lora) after 3.0 s; the end of x.log:"
    assert lines[-2] == "    error: no such file [2J"
    assert lines[-1].startswith("1 job failed: train adapter (lora). ")
    assert 20 < len(lines) < 35
    assert "CalledProcessError" not in run.errors.getvalue()


def test_a_job_whose_second_attempt_succeeds_has_not_failed() -> None:
    run = Run(["train_adapter"])
    run.start(7, "train_adapter", "lora")
    run.send("", "job_error", logging.ERROR, jobid=7, rule_name="train_adapter", log=[])
    run.start(7, "train_adapter", "lora")
    run.finish(7)
    run.display.close()
    assert not any(" failed: " in line for line in run.lines())


def test_a_target_that_fails_prints_its_reasons_as_its_result() -> None:
    Path("gate.log").write_text("NOT READY\nreason\n")
    run = Run(["gate"])
    run.start(1, "gate", outputs=(), log="gate.log")
    run.send("", "job_error", logging.ERROR, jobid=1, rule_name="gate", log=["gate.log"])
    assert run.output.getvalue() == "NOT READY\nreason\n"


def test_errors_without_a_job_are_printed() -> None:
    run = Run([])
    run.send("MissingRuleException:\nNo rule to produce nonsense", "error", logging.ERROR)
    assert run.lines()[-1] == "No rule to produce nonsense"


def test_a_terminal_has_a_live_line_that_is_cleared() -> None:
    Path("t.log").write_text(
        "model loaded\ntraining lora: step 4 of 9: mean loss 2.1, 3 s per second, 40 s remaining\n"
    )
    run = Run(["train_adapter", "score_run"], terminal=True)
    run.start(1, "train_adapter", "lora", log="t.log")
    run.start(2, "score_run", "base")
    run.now = 5
    run.display.show_progress()
    live = run.errors.getvalue().rpartition("\x1b[K")[2]
    assert live.removeprefix("\x1b[2m").startswith("40 s remaining, training lora: step 4 of 9")
    run.finish(2)
    assert run.errors.getvalue().endswith("\r\x1b[K      5.0 s  score run            base\n")


def test_elsewhere_progress_is_a_plain_line_now_and_then() -> None:
    log = Path("t.log")
    run = Run(["train_adapter"])
    run.start(1, "train_adapter", "lora", log="t.log")
    for second in range(0, 100, 5):
        log.write_text(f"training lora: step {second}: {100 - second} s remaining\n")
        run.now = second
        run.display.show_progress()
    assert [line.split(": ")[1] for line in run.lines()] == ["step 30", "step 60", "step 90"]


def test_the_log_of_an_earlier_execution_is_no_progress() -> None:
    Path("t.log").write_text("training lora: step 4: 40 s remaining\n")
    os.utime("t.log", (time.time() - 60,) * 2)
    run = Run(["train_adapter"])
    run.start(1, "train_adapter", "lora", log="t.log")
    run.now = 50
    run.display.show_progress()
    assert run.lines() == []


def test_quiet_runs_print_results_and_errors_only() -> None:
    Path("publish.log").write_text("READY\nx\ny\n")
    run = Run(["score_run", "publish"], is_quiet=True)
    run.start(1, "score_run", "base")
    run.finish(1)
    run.start(2, "publish", outputs=(), log="publish.log")
    run.finish(2)
    assert run.lines() == []
    assert run.output.getvalue() == "READY\nx\ny\n"


def test_snakemake_prints_where_no_job_is_run() -> None:
    display = RunDisplay(Screen(io.StringIO(), io.StringIO()), list, list, None)
    record = logging.LogRecord("snakemake", logging.INFO, "x.py", 1, "Congratulations", None, None)
    assert display.leaves_to_snakemake(record)
    display.has_started = True
    assert not display.leaves_to_snakemake(record)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (113.2, "1 min 53 s"), (7500, "2 h 5 min")],
)
def test_elapsed_time(seconds: float, words: str) -> None:
    assert elapsed(seconds) == words


def test_a_mistake_of_the_display_never_stops_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)  # or the traceback is printed
    run = Run([])
    run.send("", "job_info", unexpected="record")
    run.send("Nothing to be done (all requested files are present and up to date).")
    assert run.lines() == [UP_TO_DATE]


def test_a_job_whose_log_had_no_room_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=4096))
    run = Run(["score_run"])
    run.start(0, "score_run", "base", log="work/logs/score_run/base.log")
    run.now = 3
    run.send("Error", "job_error", logging.ERROR, jobid=0, rule_name="score_run", log=["work/logs/score_run/base.log"])
    assert run.lines() == [
        "FAILED  score run (base) after 3.0 s, and left no log. work/logs: no space is left on the disk. Free some, "
        "and run the same command again; finished work is kept."
    ]
