"""A device with too little memory: work continues in smaller batches, reports it, and gives the same result."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tiny_families import ASKED, MAKERS
from tiny_models import Train

from lora.asr import model_loading
from lora.asr.device_memory import BatchHalving, is_out_of_memory, retry_with_smaller_batches
from lora.asr.families.speech_model import SpeechModel
from lora.asr.training import fit
from lora.records.base import UserError
from lora.records.effect import EffectFacts
from lora.records.labels import LabelFacts
from lora.records.provenance import RunRecord
from lora.runners.experiment import main

Limit = Callable[..., None]
MPS = "MPS backend out of memory (MPS allocated: 8.0 GB). Tried to allocate 1.0 GB on private pool."


SCATTERED = """
import sys

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6

if sys.argv[1] == "returned":  # only then: what is imported may arrange the heap so that no gaps are left
    from lora.asr.device_memory import return_freed_memory
    return_freed_memory()
del (large := [b"x" * 24_000_000])[:]  # freed once, glibc keeps blocks of this size for reuse
before = resident()
kept = []
for _ in range(20):
    kept += [b"x" * 16_000_000, b"x" * 40_000]  # a large one, and a small one that pins the heap
del kept[::2]
print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries decide for themselves")
def test_freed_memory_is_returned_between_blocks_in_use() -> None:
    def megabytes(how: str) -> float:
        command = [sys.executable, "-c", SCATTERED, how]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert megabytes("returned") < 50
    assert megabytes("kept") > 200


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Limit:
    """Make models that are loaded from now on run out of memory above this number of rows, in forward or backward."""
    original = model_loading.load_model

    def limit(rows: int, backward: bool = False, error: RuntimeError | None = None) -> None:
        def check(count: int) -> None:
            if count > rows:
                raise error or torch.OutOfMemoryError("CUDA out of memory")

        def loaded(*arguments: Any) -> SpeechModel:
            speech = original(*arguments)
            _without_dropout(speech.model)
            if backward:
                first = speech.model.get_encoder().layers[0]
                first.register_full_backward_hook(lambda _module, _given, gradients: check(len(gradients[0])))
            else:
                speech.model.register_forward_pre_hook(
                    lambda _module, _given, named: check(len(next(iter(named.values())))), with_kwargs=True
                )
            return speech

        monkeypatch.setattr(model_loading, "load_model", loaded)
        monkeypatch.setattr(fit, "load_model", loaded)

    return limit


def _without_dropout(model: torch.nn.Module) -> None:
    """Disable the model's own dropout, because other batches draw other random numbers."""
    for module in model.modules():
        for name in ("p", "dropout", "attention_dropout", "activation_dropout"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 0.0)


def test_out_of_memory_errors_are_recognised() -> None:
    assert is_out_of_memory(torch.OutOfMemoryError("x"))
    assert is_out_of_memory(RuntimeError(MPS))
    assert not is_out_of_memory(RuntimeError("shapes do not fit"))


def test_halved_sizes_persist_and_other_errors_propagate() -> None:
    messages: list[str] = []
    sizes: list[int] = []

    def work(rows: Sequence[int]) -> int:
        sizes.append(len(rows))
        if len(rows) > 2:
            raise RuntimeError(MPS)
        return sum(rows)

    parts = BatchHalving(messages.append)
    assert parts.run(range(5), work) == [(0, 1), (2, 5), (4, 4)]
    assert parts.run(range(3), work) == [(0, 1), (2, 2)]
    assert sizes == [5, 2, 2, 1, 2, 1]
    assert messages == ["out of memory with 5 utterances per batch: continuing with at most 2"]
    with pytest.raises(ZeroDivisionError):
        parts.run([0], lambda rows: 1 // rows[0])
    assert retry_with_smaller_batches(16, messages.append, lambda size: work(range(size))) == 1
    assert [line.partition("most ")[2][:1] for line in messages] == ["2", "8", "4", "2"]
    with pytest.raises(UserError, match="for a single utterance; use --device cpu"):
        retry_with_smaller_batches(2, messages.append, lambda size: work(range(9)))


CASES = [
    (False, ["--gradient-accumulation", "2"]),
    (True, ["--gradient-accumulation", "2"]),
    (False, ["--label-smoothing", "0.1", "--select", "wer", "--eval-decode", '{"max_new_tokens": 4}']),
]


@pytest.mark.parametrize("family", ["moonshine", "whisper"])
@pytest.mark.parametrize(("backward", "more"), CASES)
def test_training_in_halves_gives_the_same_result(
    train: Train,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    limit: Limit,
    backward: bool,
    more: list[str],
    family: str,
) -> None:
    common = ["--dropout", "0", "--max-steps", "2", "--batch-size", "4", "--eval-steps", "1", *more]
    model = request.getfixturevalue(f"{family}_folder")
    whole = train("whole", *common, model=model)
    limit(1, backward)
    halved = train("halved", *common, model=model)
    messages = RunRecord.read(tmp_path / "adapters/halved/train.run.json").adjustments
    assert any("utterances per batch: continuing with at most 1" in line for line in messages)
    assert RunRecord.read(tmp_path / "adapters/whole/train.run.json").adjustments == []
    first, second = (
        load_file(tmp_path / f"adapters/{name}/last/adapter_model.safetensors") for name in ("whole", "halved")
    )
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, rtol=1e-3, atol=1e-4)
    assert halved.first_train_loss == pytest.approx(whole.first_train_loss, rel=1e-4)
    assert halved.gradient_norm_median == pytest.approx(whole.gradient_norm_median, rel=1e-3)
    assert [p.loss for p in halved.validation] == pytest.approx([p.loss for p in whole.validation], rel=1e-4)
    assert [p.wer for p in halved.validation] == [p.wer for p in whole.validation]


@pytest.mark.parametrize("family", ["wav2vec2", "granite_speech", "qwen3_asr"])
def test_halves_of_other_families_are_weighted_like_their_losses(
    train: Train, tmp_path: Path, limit: Limit, family: str
) -> None:
    common = ["--dropout", "0", "--max-steps", "1", "--batch-size", "4", "--eval-steps", "1"]
    common += [word for key, value in ASKED.get(family, {}).items() for word in (f"--{key}", value)]
    model = MAKERS[family](tmp_path / family)
    limit(100)
    whole = train("whole", *common, model=model)
    limit(2)
    halved = train("halved", *common, model=model)
    assert RunRecord.read(tmp_path / "adapters/halved/train.run.json").adjustments
    assert halved.first_train_loss == pytest.approx(whole.first_train_loss, rel=1e-4)
    assert halved.gradient_norm_median == pytest.approx(whole.gradient_norm_median, rel=1e-3)


def test_one_row_that_exceeds_memory_is_a_user_error(
    train: Train, limit: Limit, capsys: pytest.CaptureFixture[str]
) -> None:
    limit(0, error=RuntimeError(MPS))
    with pytest.raises(AssertionError):
        train("none")
    assert "error: the device has not enough memory for a single utterance; use --device cpu" in capsys.readouterr().err


def test_ladder_and_label_audit_restart_with_smaller_batches(
    make_manifest: Callable[..., Path], train: Train, tmp_path: Path, moonshine_folder: Path, limit: Limit
) -> None:
    rows = make_manifest("rows", [0.7, 0.8, 0.8, 0.8])
    train("run", "--max-steps", "1")

    def facts(name: str, batch: int) -> tuple[EffectFacts, LabelFacts, list[str]]:
        common = ["--model-id", str(moonshine_folder), "--dataset-path", str(rows), "--batch-size", str(batch)]
        common += ["--device", "cpu", "--cpu-threads", "1", "--decode", json.dumps({"max_new_tokens": 8})]
        effect, labels = tmp_path / f"{name}.effect.json", tmp_path / f"{name}.labels.json"
        adapter = str(tmp_path / "adapters/run/last")
        assert main(["effect", "--run", "run", "--adapter", adapter, "--output", str(effect), *common]) == 0
        assert main(["audit", "--output", str(labels), "--hypotheses", f"{labels}l", *common]) == 0
        assert len(Path(f"{labels}l").read_text().splitlines()) == 4
        messages = [line for path in (effect, labels) for line in RunRecord.read(f"{path}.run.json").adjustments]
        return EffectFacts.read(effect), LabelFacts.read(labels), messages

    small = facts("small", 2)
    limit(2)
    halved = facts("halved", 4)
    assert halved[:2] == small[:2]
    assert halved[2] == ["out of memory with 4 utterances per batch: continuing with at most 2"] * 2
