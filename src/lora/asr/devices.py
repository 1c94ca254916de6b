"""Which device and number type model work uses, and how it is made repeatable.

The device is part of what names a transcript cache, and a fully cached run must not pay for importing
torch: so the device is first found without torch (`guess_device`) and confirmed once torch is there
(`confirm_device`).
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
from dataclasses import dataclass, field, replace
from pathlib import Path

from lora.asr.adapter.initialisation import takes_from_base

# CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR of the driver's interface.
CAPABILITY_ATTRIBUTES = (75, 76)
BFLOAT16_FROM = (8, 0)


@dataclass(frozen=True)
class Device:
    """A device type, a number type, CPU threads, and what was chosen differently from what was asked."""

    type: str
    dtype: str
    threads: int
    fallbacks: list[str] = field(default_factory=list, compare=False)

    def settings(self) -> dict[str, str]:
        """What of it can change a result; threads do on a CPU (they change the order of sums)."""
        settings = {"type": self.type, "dtype": self.dtype}
        return settings | {"threads": str(self.threads)} if self.type == "cpu" else settings


def guess_device(device: str = "auto", dtype: str = "auto", threads: int = 2) -> Device:
    """Resolve `auto` and impossible wishes without torch.

    `auto` numbers are bfloat16 on GPUs that compute with them (NVIDIA from compute capability 8.0 on), else float32.
    """
    fallbacks = []
    capability = _cuda_capability()
    found = "cuda" if capability is not None else "mps" if _mps_works() else "cpu"
    if device == "auto":
        device = found
    elif (device == "cuda" and found != "cuda") or (device == "mps" and not _mps_works()):
        fallbacks.append(f"device {device} was asked for and is not there: cpu used")
        device = "cpu"
    brain_floats = device == "cuda" and capability is not None and capability >= BFLOAT16_FROM
    if dtype == "auto":
        dtype = "bfloat16" if brain_floats else "float32"
    elif dtype == "float16" and device == "cpu":
        fallbacks.append("float16 was asked for and is not dependable on a cpu: float32 used")
        dtype = "float32"
    elif dtype == "bfloat16" and device == "cuda" and not brain_floats:
        version = ".".join(map(str, capability or ()))
        fallbacks.append(f"bfloat16 was asked for and this GPU (compute capability {version}) lacks it: float32 used")
        dtype = "float32"
    return Device(device, dtype, threads, fallbacks)


def training_device(device: Device, initialisation: str, bias: str = "none") -> Device:
    """The same device in float32 where training in half precision is not dependable, and why."""
    reason = None
    if device.dtype != "float32" and device.type == "mps":
        reason = f"training in {device.dtype} on mps is not dependable"
    elif device.dtype != "float32" and takes_from_base(initialisation):
        reason = f"init_lora_weights {initialisation} changes base weights, which {device.dtype} would round"
    elif device.dtype != "float32" and bias == "all":
        reason = f"bias all trains biases of normalisations, which do not mix with {device.dtype}"
    if reason is None:
        return device
    return replace(device, dtype="float32", fallbacks=[*device.fallbacks, f"{reason}: float32 used for training"])


def confirm_device(device: Device) -> Device:
    """The same device, or the CPU where torch cannot use it after all. Imports torch."""
    import torch

    works = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if works[device.type]:
        return device
    reason = f"device {device.type} is there and torch {torch.__version__} cannot use it: cpu used, in float32"
    return Device("cpu", "float32", device.threads, [*device.fallbacks, reason])


def limit_threads(threads: int) -> None:
    """Set the threads of numeric libraries before they are imported, over what a workflow set."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    # Threads that wait by spinning starve each other where cores are shared: 0.6 instead of 6.8 utterances a second
    # were seen with 2 threads on 2 busy cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def make_deterministic(seed: int, threads: int, algorithms: bool = True) -> None:
    """Seed every generator and fix threads and algorithms. Imports torch.

    `algorithms` false is for decoding on a CPU, whose operations are deterministic all the same: the library's
    deterministic way of picking rows makes beam search there take twice as long.
    """
    import random

    import numpy as np
    import torch

    limit_threads(threads)
    torch.set_num_threads(threads)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(algorithms, warn_only=True)
    # Else every new tensor is first filled with NaN, in case somebody reads what nobody wrote, which slows beams down.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False  # float32 is float32, on a GPU too


def _cuda_capability() -> tuple[int, int] | None:
    """Compute capability of the first GPU that the driver shows, null without one or with a torch not built for it."""
    torch = importlib.util.find_spec("torch")
    if torch is None or torch.origin is None or not any(Path(torch.origin).parent.glob("lib/*torch_cuda*")):
        return None
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    count, device = ctypes.c_int(0), ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0 or count.value < 1:
        return None
    driver.cuDeviceGet(ctypes.byref(device), 0)
    version = (ctypes.c_int(0), ctypes.c_int(0))
    for part, attribute in zip(version, CAPABILITY_ATTRIBUTES, strict=True):
        driver.cuDeviceGetAttribute(ctypes.byref(part), attribute, device)
    return version[0].value, version[1].value


def _mps_works() -> bool:
    return platform.system() == "Darwin" and platform.machine() == "arm64"
