"""Fit one adapter in several processes, with one GPU each (or a share of the CPU). Imports torch.

The processes run this module as a script. Each takes different batches of one plan; gradients are averaged before every
optimiser step, so that all have the same weights, and the first process writes. torchrun would put each process into
its own session; these are killed together with the command, or keep its lock until they finish.

Reads: `<state>/handed_over.pickle`, written by the process that has the lock of the state, and what `fit` reads.
Writes: what `fit` writes.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import socket
import subprocess
import sys
import time
from contextlib import nullcontext, redirect_stderr
from pathlib import Path

import torch

from lora.asr.training.file_names import FACTS
from lora.asr.training.state import ADJUSTMENTS, FINISHED, Training, checkpoint_step, last_checkpoint
from lora.provenance.command import run_command
from lora.records.base import UserError
from lora.records.training import TrainFacts

HANDED_OVER = "handed_over.pickle"
POLL_SECONDS = 0.2


def fit_in_processes(training: Training, state: Path, lock: int) -> tuple[int, list[str]]:
    """Run `fit` in `training.processes` processes, which inherit the lock of the state (a file descriptor).

    Raises:
        UserError: A process ended without a result.
    """
    _check_gpus(training)
    newest = last_checkpoint(state / "checkpoints")  # removes damaged checkpoints before the processes read them
    start = 0 if newest is None else checkpoint_step(newest)
    handed_over = state / HANDED_OVER
    handed_over.write_bytes(pickle.dumps(training))
    succeeded = _run_processes(training.processes, training.device.type, state, lock)
    handed_over.unlink()
    if not succeeded or not (state / FINISHED / FACTS).is_file():
        raise UserError(f"training in {training.processes} processes ended without a result; see the messages above")
    facts = TrainFacts.read(state / FINISHED / FACTS)
    adjustments = json.loads((state / FINISHED / ADJUSTMENTS).read_text(encoding="utf-8"))
    return (facts.optimizer_steps or start) - start, list(adjustments)


def _run_processes(processes: int, device: str, state: Path, lock: int) -> bool:
    """Start the processes and wait; if one fails, stop the others, which would wait for it forever. True on success."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(processes)}
    common |= {"LOCAL_WORLD_SIZE": str(processes)} | ({"ACCELERATE_USE_CPU": "true"} if device == "cpu" else {})
    command = [sys.executable, "-P", "-m", "lora.asr.training.processes", str(state)]
    started: list[subprocess.Popen[bytes]] = []
    try:
        for rank in map(str, range(processes)):
            environment = os.environ | common | {"RANK": rank, "LOCAL_RANK": rank}
            started.append(subprocess.Popen(command, env=environment, pass_fds=[lock]))
        while any(process.poll() is None for process in started) and not any(process.poll() for process in started):
            time.sleep(POLL_SECONDS)
    finally:
        for process in started:
            process.terminate()  # does nothing if the process has ended
    return not any(process.wait() for process in started)


def _check_gpus(training: Training) -> None:
    processes = training.processes
    available = {"cpu": processes, "cuda": torch.cuda.device_count(), "mps": 1}[training.device.type]
    if processes > available:
        raise UserError(f"--processes is {processes}, but only {available} GPU(s) are available; lower --processes")


def main() -> int:
    from lora.asr.training.fit import fit

    state = Path(sys.argv[1])
    first = os.environ["RANK"] == "0"
    training: Training = pickle.loads((state / HANDED_OVER).read_bytes())
    if training.device.type == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    try:
        # One process logs its progress; an error is reported by the process that raises it.
        with nullcontext() if first else redirect_stderr(io.StringIO()):
            fit(training, state, first)
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
