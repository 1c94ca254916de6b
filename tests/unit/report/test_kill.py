"""A publish killed at any moment leaves each document either unchanged or complete."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lora.report.documents import begin, end

NAME = "generated: diagnosis"
HUMAN = "text of a person, which must never be lost\n" * 200
BODY_LINES = 400
# Publishes forever, each time another text, and slowly: files grow piece by piece, and flushing takes a while.
SLOW = f"""
import itertools, os, sys, time
from pathlib import Path
from lora.report import documents

real_fdopen, real_fsync = os.fdopen, os.fsync

class Slow:
    def __init__(self, file): self.file = file
    def __enter__(self): return self
    def __exit__(self, *_): self.file.close()
    def write(self, data):
        for at in range(0, len(data), 4096):
            self.file.write(data[at:at + 4096]); self.file.flush(); time.sleep(0.001)
    def __getattr__(self, name): return getattr(self.file, name)

os.fdopen = lambda *a, **k: Slow(real_fdopen(*a, **k))
os.fsync = lambda handle: (time.sleep(0.002), real_fsync(handle), time.sleep(0.002))
path = Path(sys.argv[1])
Path(sys.argv[2]).touch()
for number in itertools.count():
    body = f"body {{os.getpid()}} {{number}}\\n" * {BODY_LINES}
    documents.update_document(path, "", lambda d: documents.replace_block(d, {NAME!r}, body, path))
"""


def is_intact(document: str) -> bool:
    """Human text around one block whose lines all come from one publish."""
    head, opened, rest = document.partition(f"{begin(NAME)}\n")
    body, closed, tail = rest.partition(f"{end(NAME)}\n")
    lines = body.splitlines()
    complete = lines == ["old"] or (len(lines) == BODY_LINES and len(set(lines)) == 1)
    return bool(opened and closed) and head == HUMAN and tail == HUMAN and complete


def kill_one(folder: Path, dice: random.Random) -> str:
    path, started = folder / "plan.md", folder / "started"
    started.unlink(missing_ok=True)
    source = Path(__file__).parents[3] / "src"
    publisher = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(path), str(started)],
        env={**os.environ, "PYTHONPATH": str(source)},
        start_new_session=True,
    )
    deadline = time.monotonic() + 20
    while not started.exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    before = path.read_bytes()
    while dice.random() < 0.999 and path.read_bytes() == before and time.monotonic() < deadline:
        time.sleep(0.002)  # mostly until its first rename, so that the kill hits a running writer
    time.sleep(dice.uniform(0.0, 0.06))
    publisher.send_signal(signal.SIGKILL)
    assert publisher.wait() == -signal.SIGKILL
    return path.read_text()


def kill_many(folder: Path, times: int) -> set[str]:
    (folder / "plan.md").write_text(f"{HUMAN}{begin(NAME)}\nold\n{end(NAME)}\n{HUMAN}")
    dice = random.Random(7)
    documents = [kill_one(folder, dice) for _ in range(times)]
    assert [is_intact(document) for document in documents] == [True] * times
    return set(documents)


def test_killed_publishes_damage_nothing(tmp_path: Path) -> None:
    seen = kill_many(tmp_path, 6)
    assert len(seen) > 1, "no publish came as far as its rename: the test proved nothing"


@pytest.mark.slow
def test_many_killed_publishes_damage_nothing(tmp_path: Path) -> None:
    assert len(kill_many(tmp_path, 120)) > 20
