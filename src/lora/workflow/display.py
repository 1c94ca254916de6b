"""What a run prints: a line per finished stage, a live line for long jobs, failures, and the result of the target.

Snakemake reports what it does to a log handler. This handler takes over the terminal once a run has started;
Snakemake's own log file stays whole. Jobs write into their logs only, where their progress is read from, so that the
display is the same whether they run here or on a cluster with a shared file system. The log of a target is its result
in words, whose first line is the headline and whose last line says what to open.
"""

from __future__ import annotations

import errno
import logging
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from lora.formatting import count, listed
from lora.progress import Clock
from lora.provenance.disk_problem import disk_problem
from lora.terminal import Screen
from lora.workflow.jobs import Job, cut, elapsed, model_work, progress_of, read_log

TICK_SECONDS = 0.5
PLAIN_SECONDS = 30.0  # between two lines of progress of a job where nothing can be written over
TAIL_LINES = 25
ROOM_OF_A_LOG = 64 * 1024
UP_TO_DATE = "Up to date: nothing was computed."
# What else Snakemake says at level INFO and a person should see at once.
WORTH_SHOWING = ("Trying to restart job", "Terminating processes", "Creating conda environment", "Downloading and inst")
CHATTER = ("Assuming unrestricted shared filesystem", "Workflow has started")  # before the run starts
# Errors that follow a failed job, which is shown with the end of its log.
ECHOES = ("CalledProcessError", "At least one job did not complete", "Exiting because a job execution failed")


class RunDisplay(logging.Handler):
    """Shows a run of Snakemake on a screen."""

    def __init__(
        self,
        screen: Screen,
        unfinished: Callable[[], Iterable[str]],
        results: Callable[[], Iterable[str]],
        run_log: str | None,
        is_quiet: bool = False,
        clock: Clock = time.monotonic,
    ) -> None:
        """Wait for the run to start.

        Args:
            screen: Where to print.
            unfinished: The rule of every job that the run has still to finish.
            results: Logs with the results of the targets, as far as an earlier run wrote them.
            run_log: Snakemake's own log, which is named to whoever wants to know more.
            is_quiet: Print results and errors only.
            clock: Current time in seconds.
        """
        super().__init__()
        self.has_started = False
        self._screen = screen
        self._unfinished = unfinished
        self._results = results
        self._run_log = run_log
        self._is_quiet = is_quiet
        self._clock = clock
        self._began = clock()
        self._running: dict[int, Job] = {}
        self._stages: dict[str, list[tuple[Job, float]]] = {}
        self._remaining: Counter[str] = Counter()
        self._recount = True  # before the first job, and after a checkpoint has changed the plan
        self._computed = 0
        self._failed: list[str] = []
        self._steps = ""
        self._printed: dict[int, tuple[float, str]] = {}  # latest plain line of progress of each job, and when
        self._stop = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def leaves_to_snakemake(self, record: logging.LogRecord) -> bool:
        """Whether Snakemake prints a record itself: only where no job is run, as in `--lint` or `--summary`."""
        return not self.has_started and not record.getMessage().startswith(CHATTER)

    def emit(self, record: logging.LogRecord) -> None:
        """Show what a record of Snakemake's logger reports. A mistake of the display never stops a run."""
        try:
            self._show(record)
        except Exception:
            self.handleError(record)

    def _show(self, record: logging.LogRecord) -> None:
        event = str(getattr(record, "event", None))
        if event == "workflow_started":
            self.has_started = True
        elif event == "job_started":
            self._plan_again()
        elif event == "job_info":
            self._start(record)
        elif event == "job_finished":
            self._finish(self._running.pop(record.__dict__["job_id"], None))
        elif event == "progress":
            self._steps = f"[{record.__dict__['done']}/{record.__dict__['total']}] "
        elif event == "job_error":
            self._fail(record)
        elif self.has_started:
            self._message(record)

    def close(self) -> None:
        """End the display: print what is left, and last what has failed."""
        if not self._stop.is_set():
            self._stop.set()
            self._print_stages(list(self._stages))
            self._screen.live("")
            if self._failed:
                jobs = count(len(self._failed), "job")
                self._screen.line(f"{jobs} failed: {listed(self._failed)}. {self._log_hint()}".rstrip())
        super().close()

    def _start(self, record: logging.LogRecord) -> None:
        facts = record.__dict__
        self._running[facts["jobid"]] = Job(
            rule=facts["rule_name"],
            values="/".join(str(value) for value in facts["wildcards"].values()),
            outputs=list(facts["output"]),
            logs=list(facts["log"]),
            is_checkpoint=facts["is_checkpoint"],
            began=self._clock(),
            began_at=time.time(),
        )
        if not self._ticker.is_alive() and not self._stop.is_set():
            self._ticker.start()

    def _plan_again(self) -> None:
        """Count the jobs to come, and print the stages that have none any more."""
        if self._recount:
            self._remaining = Counter(self._unfinished())
            self._recount = False
            self._print_stages([rule for rule in self._stages if not self._remaining[rule]])

    def _finish(self, job: Job | None) -> None:
        if job is None:
            return
        self._remaining[job.rule] -= 1
        self._recount |= job.is_checkpoint
        if job.is_target:
            self._show_result(job.logs)
            return
        self._computed += 1
        self._failed = [name for name in self._failed if name != job.name]  # another attempt succeeded
        seconds = self._clock() - job.began
        work = model_work(job.outputs)
        if work:
            self._print_stage(job.rule, seconds, f"{job.values}: {work}" if job.values else work)
            return
        self._stages.setdefault(job.rule, []).append((job, seconds))
        if not self._remaining[job.rule]:
            self._print_stages([job.rule])

    def _print_stages(self, rules: Sequence[str]) -> None:
        for rule in rules:
            jobs = self._stages.pop(rule)
            names = [job.values for job, _ in jobs if job.values]
            what = f"{len(names)}: {listed(names, most=5)}" if len(names) > 1 else "".join(names)
            self._print_stage(rule, sum(seconds for _, seconds in jobs), what)

    def _print_stage(self, rule: str, seconds: float, what: str) -> None:
        if not self._is_quiet:
            self._screen.line(f"{elapsed(seconds):>11}  {rule.replace('_', ' '):<20} {what}".rstrip())

    def _show_result(self, logs: Iterable[str]) -> bool:
        """Print the result of a target: all of it after a run that computed something, else headline and last line.

        Returns whether there is one.
        """
        text = "".join(read_log(Path(log)) for log in logs).strip()
        if not text:
            return False
        if self._computed:
            self._print_stages(list(self._stages))
            if not self._is_quiet:
                jobs = count(self._computed, "job")
                self._screen.line(f"{elapsed(self._clock() - self._began):>11}  {jobs}. {self._log_hint()}".rstrip())
            self._screen.result(text)
        else:
            lines = text.splitlines()
            last = " ".join(lines[-1].split()) if len(lines) > 1 else ""
            self._screen.result(f"{lines[0]}\n{UP_TO_DATE} {last[:1].upper()}{last[1:]}".rstrip())
        return True

    def _fail(self, record: logging.LogRecord) -> None:
        facts = record.__dict__
        job = self._running.pop(facts["jobid"], None)
        if job is not None and job.is_target:  # the reasons of a target that fails are its result
            self._computed += 1
            self._show_result(job.logs)
            self._failed.append(job.name)
            return
        name = job.name if job else facts["rule_name"]
        self._failed.append(name)
        seconds = f" after {elapsed(self._clock() - job.began)}" if job else ""
        logs = [(log, read_log(Path(log)).splitlines()[-TAIL_LINES:]) for log in facts["log"]]
        ends = [
            f"; the end of {log}:\n" + "\n".join(f"    {cut(line)}" for line in lines) for log, lines in logs if lines
        ]
        self._screen.line(f"FAILED  {name}{seconds}{''.join(ends) or f', and left no log{_full_disk()}'}")

    def _message(self, record: logging.LogRecord) -> None:
        text = record.getMessage() if record.msg else ""
        if record.levelno >= logging.WARNING:
            if not any(echo in text for echo in ECHOES):
                self._screen.line(text)
        elif text.startswith("Nothing to be done"):
            if not self._show_result(self._results()):
                self._screen.line(UP_TO_DATE)
        elif text.startswith(WORTH_SHOWING) and not self._is_quiet:
            self._screen.line(text)

    def _log_hint(self) -> str:
        return f"Snakemake's log: {self._run_log}" if self._run_log else ""

    def _tick(self) -> None:
        while not self._stop.wait(TICK_SECONDS):
            with self.lock:  # type: ignore[union-attr]
                if not self._stop.is_set() and not self._is_quiet:
                    self.show_progress()

    def show_progress(self) -> None:
        """Show what runs: on a terminal as the live line, elsewhere as a plain line now and then."""
        now = self._clock()
        known = {number: line for number, job in self._running.items() if (line := progress_of(job)) is not None}
        if self._screen.is_live:
            waiting = [f"{job.name} {elapsed(now - job.began)}" for n, job in self._running.items() if n not in known]
            self._screen.live(self._steps + " | ".join([*map(_time_left_first, known.values()), *waiting]))
            return
        for number, line in known.items():
            since, before = self._printed.get(number, (self._running[number].began, ""))
            if now - since >= PLAIN_SECONDS and line != before:
                self._printed[number] = now, line
                self._screen.line(f"{'':>11}  {line}")


def _full_disk() -> str:
    """What to do where a log had no room."""
    full = shutil.disk_usage(Path()).free < ROOM_OF_A_LOG
    return f". {disk_problem(OSError(errno.ENOSPC, '', 'work/logs'))}" if full else ""


def _time_left_first(line: str) -> str:
    """A line of progress whose end, the time left, is not cut off by a narrow terminal."""
    text, _, left = line.rpartition(", ")
    return f"{left}, {text}" if text else line
