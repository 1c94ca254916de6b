"""Device, number type (dtype) and deterministic settings of model work.

The device is part of the fingerprint of the transcript cache, and a fully cached run must not import torch, which takes
seconds. Therefore `guess_device` finds the device without torch, and `confirm_device` checks it once torch is imported.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
from dataclasses import dataclass, field, replace
from pathlib import Path

from lora.asr.adapter.initialisation import takes_from_base
from lora.provenance.recording import Recording

# CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR of the CUDA driver API.
CAPABILITY_ATTRIBUTES = (75, 76)
BFLOAT16_FROM = (8, 0)


@dataclass(frozen=True)
class Device:
    """A device and how to compute on it.

    Attributes:
        type: `cpu`, `cuda` or `mps`.
        dtype: Number type of the model, such as `float32`.
        threads: CPU threads.
        fallbacks: A sentence for each requested setting that could not be used.
    """

    type: str
    dtype: str
    threads: int
    fallbacks: list[str] = field(default_factory=list, compare=False)

    def settings(self) -> dict[str, str]:
        """Settings that can change a result; on a CPU these include threads, which change the order of sums."""
        settings = {"type": self.type, "dtype": self.dtype}
        return settings | {"threads": str(self.threads)} if self.type == "cpu" else settings


def guess_device(device: str = "auto", dtype: str = "auto", threads: int = 2) -> Device:
    """Resolve `auto` and settings that cannot be used, without importing torch.

    The dtype `auto` is bfloat16 on GPUs that support it (NVIDIA from compute capability 8.0), otherwise float32.
    """
    fallbacks = []
    capability = _cuda_capability()
    available = "cuda" if capability is not None else "mps" if _has_mps() else "cpu"
    if device == "auto":
        device = available
    elif (device == "cuda" and available != "cuda") or (device == "mps" and not _has_mps()):
        fallbacks.append(f"device {device} was requested but is not available: using cpu")
        device = "cpu"
    has_bfloat16 = device == "cuda" and capability is not None and capability >= BFLOAT16_FROM
    if dtype == "auto":
        dtype = "bfloat16" if has_bfloat16 else "float32"
    elif dtype == "float16" and device == "cpu":
        fallbacks.append("float16 was requested but is not reliable on a CPU: using float32")
        dtype = "float32"
    elif dtype == "bfloat16" and device == "cuda" and not has_bfloat16:
        version = ".".join(map(str, capability or ()))
        fallbacks.append(
            f"bfloat16 was requested but this GPU (compute capability {version}) does not support it: using float32"
        )
        dtype = "float32"
    return Device(device, dtype, threads, fallbacks)


def training_device(device: Device, initialisation: str, bias: str = "none") -> Device:
    """The device for training: float32 replaces half precision where training in it is not reliable."""
    reason = None
    if device.dtype != "float32" and device.type == "mps":
        reason = f"training in {device.dtype} on mps is not reliable"
    elif device.dtype != "float32" and takes_from_base(initialisation):
        reason = f"init_lora_weights {initialisation} changes base weights, which {device.dtype} would round"
    elif device.dtype != "float32" and bias == "all":
        reason = f"bias: all trains biases of normalisation layers, which cannot be combined with {device.dtype}"
    if reason is None:
        return device
    return replace(device, dtype="float32", fallbacks=[*device.fallbacks, f"{reason}: using float32 for training"])


def confirm_device(device: Device) -> Device:
    """The same device, or the CPU in float32 if torch cannot use it. Imports torch."""
    import torch

    usable = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if usable[device.type]:
        return device
    reason = f"device {device.type} exists but torch {torch.__version__} cannot use it: using cpu in float32"
    return Device("cpu", "float32", device.threads, [*device.fallbacks, reason])


def record_device(device: Device, run: Recording) -> None:
    """State in the run record which device was used, and what could not be used as requested."""
    for text in device.fallbacks:
        run.fallback(text)
    run.device(device.type, device.dtype)


def limit_threads(threads: int) -> None:
    """Set the number of threads of numeric libraries before they are imported, overriding the workflow's setting."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    # Spinning threads starve each other on shared cores: 0.6 instead of 6.8 utterances per second with 2 threads on 2
    # busy cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def make_deterministic(seed: int, threads: int, algorithms: bool = True) -> None:
    """Seed all random number generators and fix threads and algorithms. Imports torch.

    `algorithms=False` is for decoding on a CPU: its operations are deterministic anyway, and torch's deterministic row
    selection makes beam search take twice as long.
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
    # Otherwise torch fills every new tensor with NaN first, which slows down beam search.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False  # float32 keeps its full precision on a GPU


def _cuda_capability() -> tuple[int, int] | None:
    """Compute capability of the first GPU, from the driver; None without a GPU or without a torch built for it."""
    torch = importlib.util.find_spec("torch")
    if torch is None or torch.origin is None or not any(Path(torch.origin).parent.glob("lib/*torch_cuda*")):
        return None
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    count = ctypes.c_int(0)
    device = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0 or count.value < 1:
        return None
    driver.cuDeviceGet(ctypes.byref(device), 0)
    version = (ctypes.c_int(0), ctypes.c_int(0))
    for part, attribute in zip(version, CAPABILITY_ATTRIBUTES, strict=True):
        driver.cuDeviceGetAttribute(ctypes.byref(part), attribute, device)
    return version[0].value, version[1].value


def _has_mps() -> bool:
    return platform.system() == "Darwin" and platform.machine() == "arm64"
