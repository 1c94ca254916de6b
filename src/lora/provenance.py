"""Who made a result: command, seed, versions, device, fallbacks and counts, as `<first output>.run.json`.

Example:
    with recording(outputs=["results/wer/base/domain.json"]) as run:
        run.adjust("scored without rows 3 and 4: empty references")

Reads: package metadata, the code's own git commit where there is one. Writes: the run record. Everything
that changes from one execution to the next (times, hosts, absolute paths) stands in run records and nowhere
else in `results/`.
"""

from __future__ import annotations

import gc
import hashlib
import importlib.metadata
import os
import platform
import resource
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

from lora.records import RunRecord, UserError

PACKAGES = (
    "lora-tuning-diagnostics", "snakemake", "torch", "transformers", "tokenizers", "peft", "accelerate",
    "safetensors", "huggingface_hub", "numpy", "scipy", "pandas", "pyarrow", "tabulate", "jiwer", "rapidfuzz",
    "soundfile", "soxr", "matplotlib", "pydantic", "whisper-normalizer",
)  # fmt: skip
HASH_LENGTH = 32
# Containers made before Python looks for cycles among them. Tables of 100,000 records hold none, and its usual 700 made
# scoring take twice as long.
COLLECT_AFTER = 50_000


def content_hash(*parts: str | bytes) -> str:
    """Hash of a sequence of parts; ("ab", "c") and ("a", "bc") differ."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()[:HASH_LENGTH]


def file_hash(path: Path | str) -> str:
    """Hash of a file's bytes. Raises UserError naming the file when it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:HASH_LENGTH]
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None


def version(package: str) -> str | None:
    """Installed version of a package without importing it, null where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def versions() -> dict[str, str]:
    """Versions of the installed packages that results rest on, as their metadata states them."""
    return {package: found for package in PACKAGES if (found := version(package)) is not None}


def code_commit() -> str | None:
    """The commit of the repository that holds this code (`-dirty` where files differ), null without one."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None  # an installed copy: a commit of some repository around it would say nothing
    git = ["git", "-C", str(root)]
    try:
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10)
        changed = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no"],
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if commit.returncode != 0:
        return None
    return commit.stdout.strip() + ("-dirty" if changed.stdout.strip() else "")


_acting: ContextVar[list[str] | None] = ContextVar("acting", default=None)


@contextmanager
def acting_as(command: Sequence[str]) -> Iterator[None]:
    """Record what happens inside as done by this command: a step of a longer one that could be typed by itself."""
    token = _acting.set(list(command))
    try:
        yield
    finally:
        _acting.reset(token)


def command_line() -> str:
    """The command of this process as a person would type it again, quoted for a shell."""
    acting = _acting.get()
    if acting is not None:
        return shlex.join(["python", *acting])
    main = sys.modules.get("__main__")
    module = getattr(main, "__spec__", None)
    program = ["-m", module.name.removesuffix(".__main__")] if module is not None else [_script()]
    return shlex.join(["python", *program, *sys.argv[1:]])


def _script() -> str:
    """Path of the running script; relative where it lies below this folder, so that others can type it too."""
    script, here = Path(sys.argv[0]), Path.cwd()
    return str(script.relative_to(here)) if script.is_relative_to(here) else str(script)


def peak_memory_mb() -> float:
    """The largest resident set of this process so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3  # bytes there, kilobytes here


class Recording:
    """What happens during an execution that its run record should tell."""

    def __init__(self, seed: int | None) -> None:
        self.seed = seed
        self.fallbacks: list[str] = []
        self.adjustments: list[str] = []
        self.device_type: str | None = None
        self.dtype: str | None = None
        self.decoded: int | None = None
        self.reused: int | None = None
        self.optimizer_steps: int | None = None

    def fallback(self, text: str) -> None:
        """A device or dtype other than the one asked for."""
        if text not in self.fallbacks:
            self.fallbacks.append(text)
            print(f"fallback: {text}", file=sys.stderr, flush=True)

    def adjust(self, text: str) -> None:
        """Anything else that was done for a person and that they should know."""
        self.adjustments.append(text)
        print(f"adjusted: {text}", file=sys.stderr, flush=True)

    def device(self, type: str, dtype: str) -> None:
        self.device_type, self.dtype = type, dtype

    def count(self, decoded: int = 0, reused: int = 0, optimizer_steps: int | None = None) -> None:
        """Add to the counts of utterances decoded and reused, and of optimiser steps."""
        self.decoded = (self.decoded or 0) + decoded
        self.reused = (self.reused or 0) + reused
        if optimizer_steps is not None:
            self.optimizer_steps = (self.optimizer_steps or 0) + optimizer_steps


@contextmanager
def recording(
    outputs: Sequence[Path | str], seed: int | None = None, record_path: Path | str | None = None
) -> Iterator[Recording]:
    """Record an execution beside its first output; nothing is written when it fails.

    `record_path` names another place for the record (a command that writes a folder full of files).
    """
    command, started, begun = command_line(), datetime.now(UTC), time.monotonic()
    print(f"command: {command}", file=sys.stderr, flush=True)
    run = Recording(seed)
    yield run
    RunRecord(
        command=command,
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - begun, 3),
        peak_memory_mb=round(peak_memory_mb(), 1),
        host=socket.gethostname(),
        platform=platform.platform(),
        python=platform.python_version(),
        versions=versions(),
        commit=code_commit(),
        seed=run.seed,
        device=run.device_type,
        dtype=run.dtype,
        fallbacks=run.fallbacks,
        adjustments=run.adjustments,
        utterances_decoded=run.decoded,
        utterances_reused=run.reused,
        optimizer_steps=run.optimizer_steps,
        outputs=[str(path) for path in outputs],
    ).write(record_path if record_path is not None else f"{outputs[0]}.run.json")


def run_command(function: Callable[[], int]) -> int:
    """Run a command line; what a person can mend (files and disks included) becomes one line and exit code 2."""
    gc.set_threshold(COLLECT_AFTER)
    try:
        return function()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("error: interrupted; the same command goes on where it stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of stdout left (`| head`); closing it again at exit must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:  # disk full, no permission, a file that vanished
        print(f"error: {error}", file=sys.stderr)
        return 2
