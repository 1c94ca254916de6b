"""Choice of device, dtype and threads, with and without a GPU."""

import pytest

from lora.asr import devices
from lora.asr.devices import Device, confirm_device, guess_device, limit_threads, training_device


def test_auto_is_the_cpu_in_float32_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_cuda_capability", lambda: None)
    monkeypatch.setattr(devices, "_has_mps", lambda: False)
    device = guess_device("auto", "auto", 2)
    assert device.settings() == {"type": "cpu", "dtype": "float32", "threads": "2"}
    assert device.fallbacks == []
    assert confirm_device(device) is device


def test_an_impossible_request_falls_back_and_reports_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_cuda_capability", lambda: None)
    monkeypatch.setattr(devices, "_has_mps", lambda: False)
    device = guess_device("cuda", "float16", 1)
    assert (device.type, device.dtype) == ("cpu", "float32")
    assert len(device.fallbacks) == 2
    assert "cuda was requested" in device.fallbacks[0]
    assert "float16" in device.fallbacks[1]


def test_a_gpu_that_torch_cannot_use_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(devices, "_cuda_capability", lambda: (8, 6))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    guessed = guess_device("auto", "float16", 3)
    assert guessed.settings() == {"type": "cuda", "dtype": "float16"}
    confirmed = confirm_device(guessed)
    assert confirmed.settings() == {"type": "cpu", "dtype": "float32", "threads": "3"}
    assert "torch" in confirmed.fallbacks[0]


def test_default_dtype_by_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_cuda_capability", lambda: (8, 0))
    assert guess_device().settings() == {"type": "cuda", "dtype": "bfloat16"}
    assert guess_device("cpu").dtype == "float32"
    assert guess_device("cuda", "float32").dtype == "float32"
    monkeypatch.setattr(devices, "_cuda_capability", lambda: (7, 5))
    assert (guess_device().dtype, guess_device().fallbacks) == ("float32", [])
    old = guess_device("auto", "bfloat16")
    assert old.dtype == "float32"
    assert "(compute capability 7.5) does not support it: using float32" in old.fallbacks[0]
    assert guess_device("auto", "float16").dtype == "float16"
    monkeypatch.setattr(devices, "_cuda_capability", lambda: None)
    monkeypatch.setattr(devices, "_has_mps", lambda: True)
    assert guess_device().settings() == {"type": "mps", "dtype": "float32"}


def test_training_uses_float32_where_half_precision_is_not_reliable() -> None:
    half = Device("cuda", "bfloat16", 1)
    assert training_device(half, "true") is half
    pissa = training_device(half, "pissa_niter_4")
    assert (pissa.dtype, pissa.fallbacks[0][:31]) == ("float32", "init_lora_weights pissa_niter_4")
    assert training_device(Device("mps", "bfloat16", 1), "true").dtype == "float32"
    single = Device("mps", "float32", 1)
    assert training_device(single, "pissa") is single


def test_thread_count_overrides_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in (
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "TOKENIZERS_PARALLELISM",
        "OMP_WAIT_POLICY",
    ):
        monkeypatch.setenv(name, "7")
    limit_threads(1)
    assert os.environ["OMP_NUM_THREADS"] == os.environ["MKL_NUM_THREADS"] == "1"
    assert os.environ["OMP_WAIT_POLICY"] == "7"  # a value set by the user stays
