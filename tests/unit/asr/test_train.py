"""Training an adapter: deterministic, resumable, reused, and problems with a cause code instead of failures."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from tiny_models import Train

from lora.asr.decoding.audio_store import Rows
from lora.asr.devices import guess_device
from lora.asr.model_files import ModelFiles, describe_model
from lora.asr.training.data import plan_batches
from lora.asr.training.state import Training
from lora.records.base import write_text
from lora.records.provenance import RunRecord


def contents(folder: Path) -> dict[str, bytes]:
    """All outputs except records of the run, by name, without the run's name in its facts."""
    records = (".run.json", "experiment.json")
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(records)]
    return {
        str(path.relative_to(folder)): path.read_bytes().replace(f'"{folder.name}"'.encode(), b'"run"')
        for path in sorted(paths)
    }


def steps_taken(tmp_path: Path, name: str) -> int | None:
    return RunRecord.read(tmp_path / "adapters" / name / "train.run.json").optimizer_steps


def test_two_trainings_give_the_same_bytes(train: Train, tmp_path: Path) -> None:
    first, second = train("first"), train("second")
    assert contents(tmp_path / "adapters/first") == contents(tmp_path / "adapters/second")
    assert set(contents(tmp_path / "adapters/first")) == {
        *(
            f"{which}/{name}"
            for which in ("best", "last")
            for name in ("adapter_config.json", "adapter_model.safetensors", "lora_provenance.json")
        ),
        "train.json",
        "loss.tsv",
    }
    # The record notices a change of every one of them.
    recorded = RunRecord.read(tmp_path / "adapters/first/train.run.json").contents
    folder = tmp_path / "adapters/first"
    assert {Path(name).relative_to(folder).as_posix() for name in recorded} == contents(folder).keys()
    assert first.status == second.status == "ok"
    assert (first.optimizer_steps, first.planned_steps, steps_taken(tmp_path, "first")) == (5, 5, 5)
    assert first.learning_rate_peak == pytest.approx(1e-2)
    assert [point.step for point in first.validation] == [0, 2, 4, 5]
    assert first.best_kept is True
    assert first.best_step == min(first.validation[1:], key=lambda point: point.loss or 0).step
    assert first.zero_gradient_modules == first.other_trainable == []
    assert first.target_modules == 32
    config = json.loads((tmp_path / "adapters/first/best/adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "model folder"


def test_a_finished_training_is_only_copied(train: Train, tmp_path: Path) -> None:
    train("first")
    train("again", work="first")
    assert contents(tmp_path / "adapters/first") == contents(tmp_path / "adapters/again")
    assert steps_taken(tmp_path, "again") == 0
    train("other", "--learning-rate", "2e-2", work="first")
    assert steps_taken(tmp_path, "other") == 5


def test_an_interrupted_training_resumes_to_the_same_bytes(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lora.asr.training.trainer import SpeechTrainer

    train("uninterrupted")
    training_step = SpeechTrainer.training_step

    def interrupted(self: SpeechTrainer, *arguments: Any, **keywords: Any) -> Any:
        if self.state.global_step == 3:
            raise KeyboardInterrupt
        return training_step(self, *arguments, **keywords)

    monkeypatch.setattr(SpeechTrainer, "training_step", interrupted)
    with pytest.raises(AssertionError):
        train("resumed")
    monkeypatch.setattr(SpeechTrainer, "training_step", training_step)
    # A kill while a checkpoint is written leaves one without its state.
    (checkpoints,) = (tmp_path / "work/resumed/train").glob("*/checkpoints")
    (checkpoints / "checkpoint-3").mkdir()
    train("resumed")
    assert steps_taken(tmp_path, "resumed") == 3
    assert contents(tmp_path / "adapters/uninterrupted") == contents(tmp_path / "adapters/resumed")


@pytest.mark.parametrize("torn", ["optimizer.pt", "rng_state.pth", "adapter_model.safetensors"])
def test_a_truncated_checkpoint_is_not_resumed(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, torn: str
) -> None:
    from lora.asr.training import fit

    train("uninterrupted")
    with monkeypatch.context() as patched:
        patched.setattr(fit._Fitted, "write", interrupt)
        with pytest.raises(AssertionError):
            train("torn")
    (checkpoints,) = (tmp_path / "work/torn/train").glob("*/checkpoints")
    for path in checkpoints.glob(f"*/{torn}"):
        path.write_bytes(path.read_bytes()[:-100])
    train("torn")
    assert steps_taken(tmp_path, "torn") == 5
    assert contents(tmp_path / "adapters/uninterrupted") == contents(tmp_path / "adapters/torn")


def interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def test_learning_rate_zero_trains_to_zero_deltas(train: Train, tmp_path: Path) -> None:
    facts = train("still", "--learning-rate", "0")
    assert (facts.status, facts.learning_rate_peak, facts.optimizer_steps) == ("ok", 0.0, 5)
    tensors = load_file(tmp_path / "adapters/still/best/adapter_model.safetensors")
    assert not any(bool(value.any()) for name, value in tensors.items() if "lora_B" in name)


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (["--target-modules", "query,value"], "adapter.no_target_modules", "q_proj"),
        (["--learning-rate", "1e30"], "training.diverged", "not finite"),
    ],
)
def test_problems_with_a_cause_code_write_all_outputs(
    train: Train, tmp_path: Path, more: list[str], code: str, message: str
) -> None:
    facts = train("broken", *more)
    assert (facts.status, facts.code) == ("impossible", code)
    assert message in (facts.message or "")
    output = tmp_path / "adapters/broken"
    assert (output / "best").is_dir()
    assert (output / "last").is_dir()
    assert (output / "loss.tsv").read_text().startswith("step\tepoch\ttrain_loss\tlearning_rate\tgrad_norm\tvalidation")
    if code == "training.diverged":
        assert facts.non_finite_step is not None
    train("again", *more, work="broken")
    assert steps_taken(tmp_path, "again") == 0


def test_no_training_row(train: Train, tmp_path: Path) -> None:
    write_text(tmp_path / "empty.jsonl", "")
    facts = train("empty", dataset=tmp_path / "empty.jsonl")
    assert (facts.status, facts.code, facts.train_rows) == ("impossible", "data.too_few_samples", 0)
    assert (tmp_path / "adapters/empty/best").is_dir()


def test_whisper_with_accumulation_and_smoothing_chosen_by_wer(train: Train, whisper_folder: Path) -> None:
    facts = train(
        "whisper",
        "--gradient-accumulation",
        "2",
        "--label-smoothing",
        "0.1",
        "--select",
        "wer",
        "--max-steps",
        "2",
        "--use-dora",
        "--eval-decode",
        '{"max_new_tokens": 8}',
        model=whisper_folder,
    )
    assert facts.status == "ok"
    assert all(point.wer is not None for point in facts.validation)
    assert facts.other_trainable == []


def test_accumulated_steps_of_whisper_count_alike_with_and_without_smoothing(
    train: Train, whisper_folder: Path
) -> None:
    common = ["--gradient-accumulation", "4", "--max-steps", "1", "--dropout", "0", "--batch-size", "1"]
    plain = train("plain", *common, model=whisper_folder)
    smoothed = train("smoothed", *common, "--label-smoothing", "1e-6", model=whisper_folder)
    assert smoothed.first_train_loss == pytest.approx(plain.first_train_loss, rel=0.05)
    assert smoothed.gradient_norm_median == pytest.approx(plain.gradient_norm_median, rel=0.05)


def test_selecting_by_wer_without_words_is_a_user_error(
    train: Train, tmp_path: Path, make_manifest: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = make_manifest("validation", [0.6])
    rows.write_text(rows.read_text().replace("Some words 0.", "..."))
    with pytest.raises(AssertionError):
        train("silent", "--select", "wer", "--validation-path", str(rows))
    assert "contain no words" in capsys.readouterr().err


def test_generation_settings_of_the_model_count_only_where_wer_selects(moonshine_folder: Path) -> None:
    files = describe_model(str(moonshine_folder))
    other = replace(files, generation=files.generation | {"no_repeat_ngram_size": 3})
    settings = {"eval_decode": {}}

    def key(select: str, files: ModelFiles) -> str:
        nothing = Rows([], moonshine_folder)
        return Training("x", {**settings, "select": select}, files, guess_device("cpu"), None, nothing, nothing).key()

    assert key("loss", files) == key("loss", other)
    assert key("wer", files) != key("wer", other)


def test_one_device_trains_however_many_there_are(whisper_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """transformers would split each batch over all GPUs, but the run record names one device."""
    from transformers import TrainingArguments

    from lora.asr.labels.loss import SETTINGS
    from lora.asr.model_loading import load_model
    from lora.asr.training.trainer import training_arguments

    def several(arguments: Any) -> str:
        arguments.__dict__.setdefault("_n_gpu", 4)
        return "cpu"

    monkeypatch.setattr(TrainingArguments, "_setup_devices", property(several))
    speech = load_model(describe_model(str(whisper_folder)))
    settings = {**SETTINGS, "label_smoothing": 0.0, "gradient_accumulation": 1}
    assert training_arguments(settings, whisper_folder, speech, validate=False).n_gpu == 1


def test_an_initialisation_that_needs_data_is_rejected(train: Train, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        train("eva", "--init-lora-weights", "eva")
    assert "'eva' is not valid; expected PEFT initialisation: true" in capsys.readouterr().err


def test_labels_longer_than_the_decoder_are_left_out_and_reported(
    train: Train, whisper_folder: Path, make_manifest: Callable[..., Path], tmp_path: Path
) -> None:
    rows = make_manifest("long", [0.5, 0.7, 0.9])
    rows.write_text(rows.read_text().replace("Some words 1.", "very " * 40))
    assert train("long", "--max-steps", "1", model=whisper_folder, dataset=rows).train_rows == 2
    adjustments = RunRecord.read(tmp_path / "adapters/long/train.run.json").adjustments
    assert any("long-1" in line and "decoder takes at most 64" in line for line in adjustments)
    train("again", "--max-steps", "1", model=whisper_folder, dataset=rows, work="long")
    assert RunRecord.read(tmp_path / "adapters/again/train.run.json").adjustments == adjustments


def test_planned_batches_have_one_padding_step_and_epochs_have_every_row() -> None:
    steps = [1, 1, 1, 1, 1, 2, 2, 3]
    plan = plan_batches(steps, batch_size=2, count=10, seed=7)
    assert plan == plan_batches(steps, batch_size=2, count=10, seed=7)
    assert plan != plan_batches(steps, batch_size=2, count=10, seed=8)
    assert all(len({steps[row] for row in batch}) == 1 and 1 <= len(batch) <= 2 for batch in plan)
    epoch = [row for batch in plan[:5] for row in batch]
    assert sorted(epoch) == list(range(8))
