"""The machine that computes a result, found without a numeric library."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

from lora.records.experiment import Hardware


def hardware() -> Hardware:
    """Describe the CPU, the memory and the NVIDIA GPUs of this machine."""
    return Hardware(cpu=_cpu(), cores=os.cpu_count(), memory_gb=_memory_gb(), gpus=_gpus())


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (OSError, ValueError):
        return None


def _gpus() -> list[str]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    query = [program, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []
