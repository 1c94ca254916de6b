"""On a real NVIDIA GPU (`make test-gpu`; skipped elsewhere): devices, numbers, memory, training, several processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_models import Train

from lora.asr.devices import confirm_device, guess_device
from lora.records.base import read_lines
from lora.records.effect import EffectFacts
from lora.records.labels import LabelFacts
from lora.records.provenance import RunRecord
from lora.records.transcripts import Transcript
from lora.runners.experiment import main

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no NVIDIA GPU that torch can use"),
]
REPOSITORY = Path(__file__).parents[3]
MODEL, ROWS = str(REPOSITORY / "data/model"), REPOSITORY / "data/domain_manifest.jsonl"
Transcribe = Callable[..., tuple[list[str], RunRecord]]


@pytest.fixture
def transcribe(tmp_path: Path) -> Transcribe:
    """Hypotheses of the trained model for the embedded study's domain manifest."""

    def run(name: str, *more: str) -> tuple[list[str], RunRecord]:
        arguments = ["transcribe", "--run", "base", "--model-id", MODEL, "--manifest", f"domain={ROWS}"]
        arguments += ["--output-dir", str(tmp_path / name), "--work-dir", str(tmp_path / f"work-{name}"), *more]
        assert main(arguments) == 0
        texts = [t.hypothesis for t in read_lines(tmp_path / name / "domain.jsonl", Transcript)]
        return texts, RunRecord.read(tmp_path / name / "transcribe.run.json")

    return run


@pytest.fixture
def scarce() -> Iterator[Callable[[float], None]]:
    """Limit the memory to this share of the largest amount reserved so far."""

    def allow(share: float) -> None:
        torch.cuda.synchronize()
        most = torch.cuda.max_memory_reserved()
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(share * most / torch.cuda.get_device_properties(0).total_memory)

    yield allow
    torch.cuda.set_per_process_memory_fraction(1.0)


def alike(first: list[str], second: list[str]) -> float:
    return sum(a == b for a, b in zip(first, second, strict=True)) / len(first)


def test_auto_takes_the_gpu_and_its_dtype() -> None:
    device = confirm_device(guess_device())
    brain_floats = torch.cuda.get_device_capability() >= (8, 0)
    assert (device.type, device.fallbacks) == ("cuda", [])
    assert device.dtype == ("bfloat16" if brain_floats else "float32")


def test_hypotheses_equal_those_of_the_cpu_except_near_ties(transcribe: Transcribe) -> None:
    cpu, _ = transcribe("cpu", "--device", "cpu")
    single, record = transcribe("single", "--dtype", "float32")
    assert (record.device, record.dtype) == ("cuda", "float32")
    assert alike(cpu, single) > 0.97
    half, record = transcribe("half", "--dtype", "bfloat16")
    assert alike(cpu, half) > 0.8
    again, _ = transcribe("again", "--dtype", "bfloat16")
    assert again == half


def test_out_of_memory_halves_the_batch(transcribe: Transcribe, scarce: Callable[[float], None]) -> None:
    whole, record = transcribe("whole", "--dtype", "float32")
    assert record.adjustments == []
    scarce(0.5)
    halved, record = transcribe("halved", "--dtype", "float32")
    assert any("out of memory" in line for line in record.adjustments)
    assert alike(whole, halved) > 0.97


def test_training_ladder_and_audit(train: Train, tmp_path: Path, moonshine_folder: Path) -> None:
    facts = train("run", "--device", "auto", "--max-steps", "20", "--eval-steps", "10", model=moonshine_folder)
    record = RunRecord.read(tmp_path / "adapters/run/train.run.json")
    assert (facts.status, record.device, record.dtype) == ("ok", "cuda", guess_device().dtype)
    assert (facts.validation[-1].loss or 9) < (facts.validation[0].loss or 0)
    weights = load_file(tmp_path / "adapters/run/best/adapter_model.safetensors")
    assert {value.dtype for value in weights.values()} == {torch.float32}
    common = ["--model-id", str(moonshine_folder), "--dataset-path", str(tmp_path / "training.jsonl")]
    common += ["--decode", '{"max_new_tokens": 8}', "--work-dir", str(tmp_path / "work")]
    effect, labels = tmp_path / "effect.json", tmp_path / "labels.json"
    adapter = str(tmp_path / "adapters/run/best")
    assert main(["effect", "--run", "run", "--adapter", adapter, "--output", str(effect), *common]) == 0
    stages = EffectFacts.read(effect)
    assert stages.logits is not None and stages.logits.off_equals_base and stages.logits.argmax_flips > 0  # noqa: PT018
    assert main(["audit", "--output", str(labels), *common]) == 0
    assert RunRecord.read(f"{labels}.run.json").dtype == "float32"
    assert LabelFacts.read(labels).losses


def test_training_in_halves(
    train: Train, tmp_path: Path, scarce: Callable[[float], None], make_manifest: Callable[..., Path]
) -> None:
    rows = make_manifest("long", [9.0] * 64)
    common = ["--device", "cuda", "--dtype", "float32", "--dropout", "0", "--max-steps", "2", "--batch-size", "64"]
    whole = train("whole", *common, dataset=rows, model=Path(MODEL))
    scarce(0.6)
    halved = train("halved", *common, dataset=rows, model=Path(MODEL))
    adjustments = RunRecord.read(tmp_path / "adapters/halved/train.run.json").adjustments
    assert any("out of memory with 64 utterances per batch" in line for line in adjustments)
    assert halved.final_train_loss == pytest.approx(whole.final_train_loss, rel=1e-2)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="there are not two NVIDIA GPUs")
def test_two_gpus_equal_two_accumulated_batches(train: Train, moonshine_folder: Path) -> None:
    common = ["--device", "cuda", "--dtype", "float32", "--dropout", "0", "--max-steps", "2"]
    one = train("one", *common, "--gradient-accumulation", "2", model=moonshine_folder)
    two = train("two", *common, "--processes", "2", model=moonshine_folder)
    assert two.final_train_loss == pytest.approx(one.final_train_loss, rel=1e-3)


def test_more_processes_than_gpus_are_rejected(
    train: Train, moonshine_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AssertionError):
        train("many", "--device", "cuda", "--processes", "99", model=moonshine_folder)
    assert "99 processes were asked for" in capsys.readouterr().err
