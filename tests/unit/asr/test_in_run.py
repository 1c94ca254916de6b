"""Evaluation manifests while a training runs, early stopping by WER, and the saved adapter alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file
from test_train import contents, steps_taken
from tiny_models import Train

from lora import layout
from lora.asr.decoding.audio_store import Rows
from lora.asr.devices import guess_device
from lora.asr.model_files import describe_model
from lora.asr.training.state import Training
from lora.data.manifest import read_manifest
from lora.records.base import read_lines
from lora.records.in_run import InRunFacts
from lora.records.provenance import RunRecord
from lora.records.training import EvaluationRow, TrainFacts
from lora.records.transcripts import Transcript
from lora.results import read_rows
from lora.runners.experiment import main

Compare = Callable[..., InRunFacts]
SHORT = ("--eval-decode", '{"max_new_tokens": 8}')  # a random model writes to the limit


@pytest.fixture
def manifests(make_manifest: Callable[..., Path]) -> list[str]:
    domain = make_manifest("domain", [0.7, 1.1, 1.6, 0.9], first_seed=30)
    general = make_manifest("general", [0.8, 1.2], first_seed=60)
    return ["--manifest", f"domain={domain}", "--manifest", f"general={general}"]


@pytest.fixture
def evaluated(train: Train, manifests: list[str]) -> Train:
    def run(name: str, *more: str, **keywords: Any) -> TrainFacts:
        return train(name, "--eval-rows", "3", *SHORT, *manifests, *more, **keywords)

    return run


@pytest.fixture
def compare(tmp_path: Path, manifests: list[str]) -> Compare:
    """Run `experiment compare-in-run` on the output of a training."""

    def run(name: str, *more: str) -> InRunFacts:
        output = tmp_path / "in_run" / f"{name}.json"
        arguments = [
            "compare-in-run", "--run", name, "--model-id", "model folder", "--device", "cpu", "--cpu-threads", "1",
            "--training-dir", str(tmp_path / "adapters" / name), *manifests, "--output", str(output),
            "--work-dir", str(tmp_path / "work" / name), *more,
        ]  # fmt: skip
        assert main(arguments) == 0
        return InRunFacts.read(output)

    return run


def evaluations(results: Path, run: str) -> list[EvaluationRow]:
    return read_rows(results, layout.EVALUATIONS, run=run).readable() or []


def record(path: Path) -> RunRecord:
    return RunRecord.read(f"{path}.run.json")


def test_every_validation_transcribes_the_chosen_rows_and_changes_nothing(
    train: Train, evaluated: Train, tmp_path: Path
) -> None:
    train("plain")
    evaluated("looked")
    output = tmp_path / "adapters/looked"
    rows = evaluations(tmp_path, "looked")
    assert [(row.step, row.manifest, row.rows) for row in rows] == [
        (step, name, count) for step in (0, 2, 4, 5) for name, count in (("domain", 3), ("general", 2))
    ]
    assert all(row.wer == pytest.approx(row.errors / row.words, abs=1e-5) for row in rows)
    assert [len(list(read_lines(output / f"in_run/{name}.jsonl", Transcript))) for name in ("domain", "general")] == [
        3,
        2,
    ]
    assert RunRecord.read(output / "train.run.json").utterances_decoded == 4 * 5
    for which in ("best", "last"):
        name = f"{which}/adapter_model.safetensors"
        assert (output / name).read_bytes() == (tmp_path / "adapters/plain" / name).read_bytes()
    assert (
        TrainFacts.read(output / "train.json").best_step
        == TrainFacts.read(output.parent / "plain/train.json").best_step
    )
    evaluated("again", work="looked")
    assert contents(output) == contents(tmp_path / "adapters/again")
    assert steps_taken(tmp_path, "again") == 0


def test_a_resumed_training_gives_the_same_evaluations(
    evaluated: Train, make_manifest: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lora.asr.training.trainer import SpeechTrainer

    general = make_manifest("other", [0.6, 0.9, 1.4, 1.8], first_seed=80)
    more = ["--replay-share", "0.34", "--replay-path", str(general), "--data-share", "0.7"]
    evaluated("uninterrupted", *more)
    training_step = SpeechTrainer.training_step

    def interrupted(self: SpeechTrainer, *arguments: Any, **keywords: Any) -> Any:
        if self.state.global_step == 3:
            raise KeyboardInterrupt
        return training_step(self, *arguments, **keywords)

    with monkeypatch.context() as patched:
        patched.setattr(SpeechTrainer, "training_step", interrupted)
        with pytest.raises(AssertionError):
            evaluated("resumed", *more)
    (state,) = (tmp_path / "work/resumed/train").iterdir()
    # A kill during an evaluation leaves texts of a step that has no checkpoint.
    shutil.copytree(state / "in_run/2", state / "in_run/4")
    evaluated("resumed", *more)
    assert steps_taken(tmp_path, "resumed") == 3
    assert RunRecord.read(tmp_path / "adapters/resumed/train.run.json").utterances_decoded == 2 * 5
    assert contents(tmp_path / "adapters/uninterrupted") == contents(tmp_path / "adapters/resumed")


def test_eval_rows_needs_manifests(train: Train, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AssertionError):
        train("blind", "--eval-rows", "2")
    assert "--manifest NAME=PATH" in capsys.readouterr().err


def test_without_validation_rows_the_manifests_are_transcribed_before_and_after(
    evaluated: Train, tmp_path: Path
) -> None:
    (tmp_path / "none.jsonl").write_text("")
    evaluated("unvalidated", "--validation-path", str(tmp_path / "none.jsonl"))
    rows = evaluations(tmp_path, "unvalidated")
    assert sorted({row.step for row in rows}) == [0, 5]


def test_an_impossible_training_writes_all_outputs(evaluated: Train, compare: Compare, tmp_path: Path) -> None:
    evaluated("broken", "--target-modules", "query")
    output = tmp_path / "adapters/broken"
    assert (output / "evaluations.tsv").read_text().startswith("step\tmanifest\trows")
    assert (output / "in_run/domain.jsonl").read_text() == ""
    facts = compare("broken")
    assert (facts.status, facts.code) == ("impossible", "adapter.no_target_modules")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_saved_adapter_alone_gives_the_texts_of_its_training(
    evaluated: Train, compare: Compare, tmp_path: Path, dtype: str
) -> None:
    evaluated("healthy", "--dtype", dtype)
    facts = compare("healthy", "--dtype", dtype)
    assert (facts.status, facts.step, facts.rows, facts.same_as_in_run) == ("ok", 5, 5, 5)
    assert [one.manifest for one in facts.manifests] == ["domain", "general"]
    assert facts.same_as_base < 5
    assert facts.settings is not None
    assert facts.settings.decode is not None
    assert facts.settings.decode["num_beams"] == 1
    assert record(tmp_path / "in_run/healthy.json").utterances_decoded == 10  # with the adapter, and with the base
    assert compare("healthy", "--dtype", dtype) == facts
    assert record(tmp_path / "in_run/healthy.json").utterances_reused == 10


def test_an_adapter_that_was_swapped_after_training_shows(evaluated: Train, compare: Compare, tmp_path: Path) -> None:
    evaluated("swapped")
    weights = tmp_path / "adapters/swapped/last/adapter_model.safetensors"
    save_file({name: tensor * (0 if "lora_B" in name else 1) for name, tensor in load_file(weights).items()}, weights)
    facts = compare("swapped")
    assert facts.same_as_base == facts.rows == 5
    assert facts.same_as_in_run < 5
    (domain, general) = facts.manifests
    assert domain.in_run_same_as_base == domain.same_as_in_run
    named = len(domain.differing_from_in_run) + len(general.differing_from_in_run)
    assert named == 5 - facts.same_as_in_run


def test_other_rows_than_in_training_are_a_user_error(
    evaluated: Train, compare: Compare, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluated("moved")
    path = tmp_path / "domain.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    with pytest.raises(AssertionError):
        compare("moved")
    assert "manifest domain" in capsys.readouterr().err


def test_training_ends_at_the_validation_wer(train: Train, tmp_path: Path) -> None:
    reached = train("reached", *SHORT, "--wer-stop-threshold", "1")
    missed = train("missed", *SHORT, "--wer-stop-threshold", "0")
    assert (reached.optimizer_steps, missed.optimizer_steps) == (2, 5)
    assert reached.early_stopping is not None
    assert (reached.early_stopping.stopped, reached.early_stopping.threshold) == (True, 1)
    assert reached.early_stopping.wer == reached.validation[-1].wer
    assert missed.early_stopping is not None
    assert (missed.early_stopping.stopped, missed.early_stopping.wer) == (False, None)
    assert (reached.status, reached.best_step, reached.best_kept) == ("ok", 2, True)
    assert steps_taken(tmp_path, "reached") == 2


def test_a_training_killed_after_its_last_validation_still_ends_there(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lora.asr.training import fit

    def kill(*_: Any) -> None:
        raise KeyboardInterrupt

    train("uninterrupted", *SHORT, "--wer-stop-threshold", "1")
    with monkeypatch.context() as patched:
        patched.setattr(fit._Fitted, "write", kill)
        with pytest.raises(AssertionError):
            train("killed", *SHORT, "--wer-stop-threshold", "1")
    train("killed", *SHORT, "--wer-stop-threshold", "1")
    assert steps_taken(tmp_path, "killed") == 0
    assert contents(tmp_path / "adapters/uninterrupted") == contents(tmp_path / "adapters/killed")


def test_settings_without_effect_leave_finished_trainings_valid(
    moonshine_folder: Path, make_manifest: Callable[..., Path]
) -> None:
    nothing = Rows([], moonshine_folder)
    settings = {"select": "loss", "eval_decode": {}, "max_steps": 3}
    training = Training(
        "x", settings, describe_model(str(moonshine_folder)), guess_device("cpu"), None, nothing, nothing
    )

    def key(report_to: tuple[str, ...] = (), **more: Any) -> str:
        return replace(training, settings=settings | more, report_to=list(report_to)).key()

    neutral = {"data_share": 1.0, "replay_share": 0.0, "eval_rows": 0, "wer_stop_threshold": None}
    assert key() == key(**neutral) == key(data_share=0.5) == key(("wandb",))
    others = [key(replay_share=0.1), key(eval_rows=1), key(wer_stop_threshold=0.1), key()]
    assert len(set(others)) == 4
    rows = read_manifest(make_manifest("general", [0.5]))
    assert replace(training, replay=Rows(rows.rows, rows.folder)).key() != training.key()
    assert replace(training, evaluated={"domain": Rows(rows.rows, rows.folder)}).key() != training.key()
