"""Fit one adapter in several processes, a GPU each (or a share of the CPU): started here, taken part in as a module.

Each process takes other batches of one plan; gradients are averaged before every optimiser step, so that all hold the
same weights, and the first one writes. They are started without torchrun, which puts each into a session of its own:
these here are killed together with the command, or hold its lock until they have finished.

Reads: `<state>/handed_over.pickle`, written by the process that holds the state's lock, and what `fit` reads. Writes:
what `fit` writes. Imports torch.
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

from lora.asr.training.state import FACTS, FINISHED, TOLD, Training, last_checkpoint
from lora.provenance.command import run_command
from lora.records.base import UserError
from lora.records.training import TrainFacts

HANDED_OVER = "handed_over.pickle"
POLL_SECONDS = 0.2


def fit_in_processes(training: Training, state: Path, lock: int) -> tuple[int, list[str]]:
    """As `fit`, in `training.processes` processes, which hold the state's lock (a descriptor) as long as they live.

    Raises UserError where one of them ends without a result.
    """
    _check_gpus(training)
    newest = last_checkpoint(state / "checkpoints")  # removes what was torn before others look at it
    start = 0 if newest is None else int(newest.name.rpartition("-")[2])
    handed_over = state / HANDED_OVER
    handed_over.write_bytes(pickle.dumps(training))
    done = _all_end_well(training.processes, training.device.type, state, lock)
    handed_over.unlink()
    if not done or not (state / FINISHED / FACTS).is_file():
        raise UserError(f"training in {training.processes} processes ended without a result; the lines above say why")
    facts = TrainFacts.read(state / FINISHED / FACTS)
    told = json.loads((state / FINISHED / TOLD).read_text(encoding="utf-8"))
    return (facts.optimizer_steps or start) - start, list(told)


def _all_end_well(processes: int, device: str, state: Path, lock: int) -> bool:
    """Start them and wait; where one fails the others, which would wait for it for ever, are ended."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(processes)}
    common |= {"LOCAL_WORLD_SIZE": str(processes)} | ({"ACCELERATE_USE_CPU": "true"} if device == "cpu" else {})
    command = [sys.executable, "-m", "lora.asr.training.processes", str(state)]
    started: list[subprocess.Popen[bytes]] = []
    try:
        for rank in map(str, range(processes)):
            environment = os.environ | common | {"RANK": rank, "LOCAL_RANK": rank}
            started.append(subprocess.Popen(command, env=environment, pass_fds=[lock]))
        while any(process.poll() is None for process in started) and not any(process.poll() for process in started):
            time.sleep(POLL_SECONDS)
    finally:
        for process in started:
            process.terminate()  # nothing where it has ended
    return not any(process.wait() for process in started)


def _check_gpus(training: Training) -> None:
    device, wanted = training.device.type, training.processes
    there = {"cpu": wanted, "cuda": torch.cuda.device_count(), "mps": 1}[device]
    if wanted > there:
        raise UserError(f"{wanted} processes were asked for and there is one GPU each for {there}; lower --processes")


def main() -> int:
    from lora.asr.training.fit import fit

    state, first = Path(sys.argv[1]), os.environ["RANK"] == "0"
    training: Training = pickle.loads((state / HANDED_OVER).read_bytes())
    if training.device.type == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    try:
        # One of them is enough to follow; an error is told by whoever meets it.
        with nullcontext() if first else redirect_stderr(io.StringIO()):
            fit(training, state, first)
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
