"""Training history from the files next to an external adapter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lora.asr.training.history import training_history
from lora.records.training import TrainFacts


def logged(step: int, loss: float = 1.0, norm: float = 0.5) -> dict[str, Any]:
    return {"step": step, "loss": loss, "grad_norm": norm, "learning_rate": 1e-3 / step}


def trainer_folder(folder: Path, name: str, history: list[dict[str, Any]], **state: Any) -> Path:
    adapter = folder / name
    adapter.mkdir()
    contents = {"global_step": 40, "max_steps": 40, "log_history": history, **state}
    (adapter / "trainer_state.json").write_text(json.dumps(contents))  # NaN as the Trainer writes it
    return adapter


VALIDATED = [{"step": 20, "eval_loss": 0.4}, {"step": 40, "eval_loss": 0.6, "eval_wer": 0.3}]


def test_an_adapter_without_history_has_unknown_facts(tmp_path: Path) -> None:
    facts = training_history("theirs", tmp_path)
    assert facts.source == ""
    assert facts.optimizer_steps is None


def test_the_state_of_a_trainer(tmp_path: Path) -> None:
    adapter = trainer_folder(tmp_path, "checkpoint-40", [logged(1), *VALIDATED[:1], logged(40, 0.2), *VALIDATED[1:]])
    facts = training_history("theirs", adapter)
    assert (facts.run, facts.source) == ("theirs", str(adapter / "trainer_state.json"))
    assert (facts.optimizer_steps, facts.planned_steps) == (40, 40)
    assert (facts.first_train_loss, facts.final_train_loss) == (1.0, 0.2)
    assert facts.learning_rate_peak == 1e-3
    assert [(p.step, p.loss, p.wer) for p in facts.validation] == [(20, 0.4, None), (40, 0.6, 0.3)]
    assert (facts.best_step, facts.best_kept) == (20, False)
    assert facts.trainable_parameters is None


@pytest.mark.parametrize(
    ("name", "state", "best_kept"),
    [
        ("checkpoint-20", {}, True),
        ("checkpoint-40", {"best_model_checkpoint": "out/checkpoint-40"}, True),
        ("checkpoint-20", {"best_model_checkpoint": "from/checkpoint-40-clean/checkpoint-20"}, True),
        ("checkpoint-20", {"best_global_step": 40}, False),
        ("final", {}, None),
    ],
)
def test_whether_the_adapter_is_the_best_step(
    tmp_path: Path, name: str, state: dict[str, Any], best_kept: bool | None
) -> None:
    facts = training_history("theirs", trainer_folder(tmp_path, name, [logged(1), *VALIDATED], **state))
    assert facts.best_kept is best_kept


@pytest.mark.parametrize(
    ("rates", "state", "best", "worst"),
    [
        ([40.0, 30.0, 22.0], {"best_global_step": 1, "best_metric": 40.0}, 3, 1),
        ([40.0, 30.0, 22.0], {"best_model_checkpoint": "out/checkpoint-1", "best_metric": 40.0}, 3, 1),
        ([40.0, 30.0, 22.0], {"best_global_step": 3, "best_metric": 22.0}, 3, None),
        (
            [40.0, 30.0, 22.0],
            {"best_global_step": 2, "best_metric": 30.0},
            2,
            None,
        ),  # the best of those that were saved
        ([40.0, 30.0, 22.0], {"best_global_step": 1, "best_metric": 0.9}, 1, None),  # by another metric
        ([22.0, 22.0, 22.0], {"best_global_step": 1, "best_metric": 22.0}, 1, None),
        ([40.0, 30.0, 22.0], {}, 3, None),
    ],
)
def test_a_trainer_that_looked_for_the_highest_error(
    tmp_path: Path, rates: list[float], state: dict[str, Any], best: int, worst: int | None
) -> None:
    history = [{"step": n, "eval_loss": 1.0 / n, "eval_wer": rate} for n, rate in enumerate(rates, 1)]
    facts = training_history("theirs", trainer_folder(tmp_path, "out", [logged(1), *history], **state))
    assert (facts.best_step, facts.worst_as_best) == (best, worst)


def test_weights_of_a_step_as_good_as_the_first_best_are_the_best(tmp_path: Path) -> None:
    history = [{"step": n, "eval_loss": 1.0 / n, "eval_wer": 35.2} for n in (20, 40)]
    for name, best, kept in (("checkpoint-40", 40, True), ("checkpoint-30", 20, False), ("final", 20, None)):
        facts = training_history("theirs", trainer_folder(tmp_path, name, [logged(1), *history]))
        assert (facts.best_step, facts.best_kept) == (best, kept)


NAN = float("nan")
STATE: dict[str, Any] = {"global_step": 40, "max_steps": 40, "log_history": []}


@pytest.mark.parametrize(
    ("history", "step"),
    [
        ([logged(1), logged(2, NAN), logged(3)], 2),
        ([logged(1), logged(2, 0.0, NAN), logged(3, 0.0, NAN)], 2),
        ([logged(1, norm=NAN), logged(2, norm=float("inf")), logged(3)], None),  # half precision finding its scale
        ([logged(1), logged(2)], None),
    ],
)
def test_a_loss_that_becomes_not_finite(tmp_path: Path, history: list[dict[str, Any]], step: int | None) -> None:
    facts = training_history("theirs", trainer_folder(tmp_path, "out", history))
    assert facts.non_finite_step == step
    assert facts.code == (None if step is None else "training.diverged")


def test_a_run_of_this_software(tmp_path: Path) -> None:
    TrainFacts(run="short", optimizer_steps=40, best_step=20, best_kept=True).write(tmp_path / "train.json")
    for name, best_kept in (("best", True), ("last", False)):
        (tmp_path / name).mkdir()
        facts = training_history("theirs", tmp_path / name)
        assert (facts.run, facts.best_kept, facts.optimizer_steps) == ("theirs", best_kept, 40)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "not the state of a Trainer"),
        ("{}", "no key 'log_history'"),
        (
            '{"log_history": [{"loss": 1, "step": 1}], "max_steps": 1, "global_step": "many"}',
            'global_step is "many"; expected',
        ),
        ('{"log_history": [{"loss": "low"}]}', 'log_history[0].loss is "low"; expected a number'),
        ('{"log_history": 3}', "log_history is 3; expected a list"),
        ('{"log_history": ["loss"]}', 'log_history[0] is "loss"; expected an object'),
        ('{"log_history": [{"eval_loss": 1}]}', "log_history[0].step is null; expected a number of steps"),
        ('{"log_history": [{"step": -2, "loss": 1}]}', "log_history[0].step is -2; expected a number of steps"),
        (json.dumps(STATE | {"global_step": 10**400}), "global_step is 1000"),
        (json.dumps(STATE | {"best_global_step": -1}), "best_global_step is -1; expected a number of steps"),
        (json.dumps(STATE | {"epoch": []}), "epoch is []; expected a number"),
        (
            json.dumps(STATE | {"stateful_callbacks": {"EarlyStoppingCallback": {"args": 5}}}),
            "stateful_callbacks.EarlyStoppingCallback.args is 5; expected an object",
        ),
        ('{"global_step": 40, "log_history": [{"lo', "not readable as JSON"),
        ("[" * 100_000, "not readable as JSON"),
        ("", "not readable as JSON"),
    ],
)
def test_a_damaged_state_leaves_the_training_unknown(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "trainer_state.json"
    path.write_text(text)
    facts = training_history("theirs", tmp_path)
    assert (facts.source, facts.optimizer_steps) == (str(path), None)
    assert facts.unreadable is not None
    assert facts.unreadable.startswith(f"{path}: ")
    assert reason in facts.unreadable


def test_a_damaged_record_of_this_software_leaves_the_training_unknown(tmp_path: Path) -> None:
    (tmp_path / "train.json").write_text('{"status": "ok", "run": "short"')
    facts = training_history("theirs", tmp_path)
    assert "train.json: not a TrainFacts record" in (facts.unreadable or "")


def test_a_data_set_is_no_record_of_a_training(tmp_path: Path) -> None:
    adapter = trainer_folder(tmp_path, "checkpoint-40", [logged(40)])
    (adapter / "train.json").write_text('[{"audio": "a.wav", "text": "a"}]')
    facts = training_history("theirs", adapter)
    assert (facts.optimizer_steps, facts.unreadable) == (40, None)


@pytest.mark.parametrize(
    ("evaluated", "unit", "guessed"),
    [
        ([(0.3, 0.22), (0.2, 0.18)], "fraction", False),
        ([(0.3, 22.0), (0.2, 0.9)], "percent", False),
        ([(2.1, 1.4), (0.9, 0.6)], "fraction", True),  # more errors than words at first
        ([(0.06, 2.8), (0.05, 2.6)], "percent", True),
        ([(0.06, 1.8), (0.05, 0.9)], "percent", True),  # falls below one error in 100 words
        ([(3.2, 1.2), (2.9, 1.1)], "fraction", True),
        ([(None, 2.8), (None, 2.6)], "percent", True),
        ([(None, 1.8), (None, 0.9)], "fraction", True),
        ([(0.3, None)], None, False),
    ],
)
def test_the_unit_of_logged_wers(
    tmp_path: Path, evaluated: list[tuple[float | None, float | None]], unit: str | None, guessed: bool
) -> None:
    history = [
        {"step": n, "eval_loss": loss} | ({} if rate is None else {"eval_wer": rate})
        for n, (loss, rate) in enumerate(evaluated, 1)
    ]
    facts = training_history("theirs", trainer_folder(tmp_path, "out", history))
    assert (facts.wer_unit, facts.wer_unit_guessed) == (unit, guessed)
    scale = 100 if unit == "percent" else 1
    assert [point.wer for point in facts.validation] == [None if r is None else r / scale for _, r in evaluated]


EARLY = {
    "EarlyStoppingCallback": {
        "args": {"early_stopping_patience": 3},
        "attributes": {"early_stopping_patience_counter": 3},
    }
}


def test_early_stopping_and_the_best_step_are_read_from_a_later_checkpoint(tmp_path: Path) -> None:
    first = [logged(10), {"step": 10, "eval_loss": 0.2, "eval_wer": 17.7}]
    later = [logged(40), {"step": 40, "eval_loss": 0.4, "eval_wer": 28.4}]
    best = trainer_folder(tmp_path, "checkpoint-10", first, global_step=10, max_steps=4000)
    trainer_folder(
        tmp_path, "checkpoint-40", first + later, max_steps=4000, best_global_step=10, stateful_callbacks=EARLY
    )
    trainer_folder(tmp_path, "checkpoint-50", [logged(5, 7.0)], global_step=50)  # of another run
    facts = training_history("theirs", best)
    assert (facts.optimizer_steps, facts.weights_step, facts.best_step, facts.best_kept) == (40, 10, 10, True)
    assert facts.early_stopping is not None
    assert facts.early_stopping.stopped
    assert [point.wer for point in facts.validation] == pytest.approx([0.177, 0.284])


@pytest.mark.parametrize(
    ("losses", "validation", "step"),
    [
        ([1.2, 2.4, 0.0, 0.0], NAN, 3),
        ([1.2, 2.4, 0.0, 0.0], None, 3),
        ([1.2, 0.1, 0.002, 0.0], None, None),
        ([1.2, 2.4, 0.0, 0.0], 0.3, None),
        ([0.0, 0.0], NAN, 1),
    ],
)
def test_a_loss_of_zero_is_hidden_nan_or_real(
    tmp_path: Path, losses: list[float], validation: float | None, step: int | None
) -> None:
    history = [{"step": n, "loss": loss} for n, loss in enumerate(losses, 1)]
    if validation is not None:
        history.append({"step": len(losses), "eval_loss": validation})
    facts = training_history("theirs", trainer_folder(tmp_path, "out", history))
    assert facts.non_finite_step == step


@pytest.mark.parametrize(
    ("rates", "trend"), [([1, 2, 3], "rising"), ([1, 2, 2], "falling"), ([2, 2, 2], "constant"), ([1, 2], None)]
)
def test_the_course_of_the_learning_rate(tmp_path: Path, rates: list[float], trend: str | None) -> None:
    history = [{"step": n, "loss": 1.0, "learning_rate": rate} for n, rate in enumerate(rates, 1)]
    assert training_history("theirs", trainer_folder(tmp_path, "out", history)).learning_rate_trend == trend


def test_a_second_evaluation_of_a_step_is_no_validation(tmp_path: Path) -> None:
    """`Trainer.evaluate` after training: of the weights of the best step, or on the test rows."""
    again = {"step": 40, "eval_loss": 0.9, "eval_wer": 0.9}
    facts = training_history("theirs", trainer_folder(tmp_path, "out", [*VALIDATED, again]))
    assert [(point.step, point.loss, point.wer) for point in facts.validation] == [(20, 0.4, None), (40, 0.6, 0.3)]


def test_of_several_evaluation_sets_the_first_is_the_validation(tmp_path: Path) -> None:
    log = [
        {"step": step, f"eval_{name}_loss": loss, f"eval_{name}_wer": loss / 2}
        for step, losses in ((20, (0.4, 9.0)), (40, (0.6, 8.0)))
        for name, loss in zip(("dev", "test"), losses, strict=True)
    ]
    facts = training_history("theirs", trainer_folder(tmp_path, "out", [logged(1), *log]))
    assert [(point.step, point.loss, point.wer) for point in facts.validation] == [(20, 0.4, 0.2), (40, 0.6, 0.3)]


def test_losses_are_means_of_tenths(tmp_path: Path) -> None:
    history = [logged(n, loss) for n, loss in enumerate([3.0, 1.0, *[1.0] * 16, 0.2, 0.4], 1)]
    facts = training_history("theirs", trainer_folder(tmp_path, "out", history))
    assert (facts.first_train_loss, facts.final_train_loss) == pytest.approx((2.0, 0.3))


def test_the_history_of_an_adapter_in_adapter_model_is_one_folder_above(tmp_path: Path) -> None:
    checkpoint = trainer_folder(tmp_path, "checkpoint-40", [logged(40)])
    (checkpoint / "adapter_model").mkdir()
    facts = training_history("theirs", checkpoint / "adapter_model")
    assert (facts.optimizer_steps, facts.weights_step) == (40, 40)


@pytest.mark.parametrize(
    ("files", "weights"),
    [
        (["checkpoint-40/trainer_state.json"], "checkpoint-40/accent"),  # an adapter with a name of its own
        (["trainer_state.json"], "final"),  # saved next to the state that `Trainer.save_state` wrote
        (["trainer_state.json"], "."),
    ],
)
def test_where_the_log_of_an_adapter_is(tmp_path: Path, files: list[str], weights: str) -> None:
    for name in files:
        path = tmp_path / "run" / name
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"global_step": 40, "max_steps": 40, "log_history": []}))
    (tmp_path / "run" / weights).mkdir(parents=True, exist_ok=True)
    assert training_history("theirs", tmp_path / "run" / weights).optimizer_steps == 40


@pytest.mark.parametrize(("steps", "stop", "stopped"), [(40, True, True), (40, False, None), (100, True, None)])
def test_another_callback_that_ended_the_run(tmp_path: Path, steps: int, stop: bool, stopped: bool | None) -> None:
    """At the last planned step the control of every run says stop."""
    callbacks = {"TrainerControl": {"args": {"should_training_stop": stop}, "attributes": {}}}
    state = {"global_step": steps, "max_steps": 100, "stateful_callbacks": callbacks}
    early = training_history("theirs", trainer_folder(tmp_path, "out", [logged(1)], **state)).early_stopping
    assert (None if early is None else early.stopped) is stopped
