"""Training facts: what a short run did against what it was configured to do."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes

POINTS = [{"step": 0, "loss": 0.8}, {"step": 40, "loss": 0.40}, {"step": 100, "loss": 0.60}]
UNMOVED = [{"name": f"q{i}", "lora_a": 0.0, "delta": 0.0} for i in range(2)]
FAULTS: list[tuple[dict[str, Any], str, str, str, str, dict[str, Any]]] = [
    ({"non_finite_step": 7}, "training.diverged", "training.loss", "blocks", "not_finite", {"non_finite_step": 7}),
    (
        {"final_train_loss": 5.0, "validation": [{"step": 0, "loss": 0.8}, {"step": 100, "loss": 4.1}]},
        "training.diverged",
        "training.loss",
        "blocks",
        "grew",
        {"first": 0.81, "final": 5.0},
    ),
    (
        {"final_train_loss": 5.0, "validation": []},
        "training.diverged",
        "training.loss",
        "blocks",
        "grew",
        {"final": 5.0, "final_validation": None},
    ),
    (
        {"changes": UNMOVED},
        "training.lr_not_applied",
        "training.movement",
        "blocks",
        "none_moved",
        {"moved": 0, "modules": 2, "steps": 100},
    ),
    (
        {"optimizer_steps": 60},
        "training.steps_short",
        "training.steps",
        "blocks",
        "stopped_early",
        {"taken": 60, "planned": 100},
    ),
    (
        {"optimizer_steps": 0},
        "training.steps_short",
        "training.steps",
        "blocks",
        "stopped_early",
        {"taken": 0, "planned": 100},
    ),
    (
        {"other_trainable": ["proj_out.weight"]},
        "training.wrong_parameters",
        "training.parameters",
        "blocks",
        "other_parameters",
        {"others": {"count": 1, "first": ["proj_out.weight"]}},
    ),
    (
        {"trainable_parameters": 0},
        "training.wrong_parameters",
        "training.parameters",
        "blocks",
        "no_parameters",
        {"trainable": 0},
    ),
    (
        {"zero_gradient_modules": ["a", "b"]},
        "training.no_gradient",
        "training.gradient_flow",
        "blocks",
        "modules_without_gradient",
        {"without": {"count": 2, "first": ["a", "b"]}, "modules": 24},
    ),
    (
        {"gradient_norm_median": 0.0},
        "training.no_gradient",
        "training.gradient_flow",
        "blocks",
        "zero_norm",
        {"median_norm": 0.0},
    ),
    (
        {"learning_rate_peak": 0.0},
        "training.lr_not_applied",
        "training.learning_rate",
        "blocks",
        "not_applied",
        {"peak": 0.0, "configured": 0.001},
    ),
    (
        {"learning_rate_peak": 0.0004},
        "training.lr_not_applied",
        "training.learning_rate",
        "blocks",
        "not_applied",
        {"peak": 0.0004},
    ),
    (
        {"validation": POINTS},
        "training.overfit",
        "training.validation",
        "warns",
        "rose",
        {"best_step": 40, "best": 0.4, "last_step": 100, "last": 0.6},
    ),
    ({"best_kept": False}, "training.best_not_kept", "training.best", "warns", "not_kept", {"best_step": 80}),
]
HEALTHY: list[dict[str, Any]] = [
    {"final_train_loss": 0.9},
    {"first_train_loss": 0.1, "final_train_loss": 0.5},  # one batch against another, while validation improves
    {"changes": [{"name": "q0", "lora_a": 0.1, "delta": 0.02}, UNMOVED[1]]},
    {"validation": [{"step": 0, "loss": 0.4}, {"step": 100, "loss": 0.41}]},
    {"learning_rate_peak": 0.0009},
    {"validation": [{"step": 0, "loss": 0.8}, {"step": 60, "loss": 0.40}, {"step": 100, "loss": 0.43}]},
    {"fully_trained": ["proj_out.weight", "model.decoder.embed_tokens.weight"]},
    {"validation": [], "best_step": None, "best_kept": None},
    {"first_train_loss": None, "final_train_loss": None},
]


def test_healthy_training_has_no_cause(study: HealthyStudy) -> None:
    verdict = study.verdict()
    assert not [code for code in codes(verdict) if code.startswith("training.")]
    assert {c.status for c in verdict.checks if c.id.startswith("training.")} == {"pass"}


@pytest.mark.parametrize(("changes", "code", "check", "severity", "reason", "details"), FAULTS)
def test_a_fault_fails_its_check(
    study: HealthyStudy,
    changes: dict[str, Any],
    code: str,
    check: str,
    severity: str,
    reason: str,
    details: dict[str, Any],
) -> None:
    study.change("adapters/lora/train.json", changes)
    verdict = study.verdict()
    cause = cause_of(verdict, code)
    assert verdict.causes[0] == cause
    assert (cause.severity, cause.run) == (severity, "lora")
    assert (cause.reason, check_of(verdict, check).reason) == (reason, reason)
    assert details.items() <= cause.details.items()
    assert check_of(verdict, check).status == ("fail" if severity == "blocks" else "warn")
    assert verdict.ready_for_sweep is (severity != "blocks")
    assert check_of(verdict, "adapter_change").status == ("fail" if severity == "blocks" else "pass")


@pytest.mark.parametrize("changes", HEALTHY)
def test_an_unusual_but_healthy_training_raises_no_cause(study: HealthyStudy, changes: dict[str, Any]) -> None:
    study.change("adapters/lora/train.json", changes)
    assert not [code for code in codes(study.verdict()) if code.startswith("training.")]


def test_a_learning_rate_of_zero_is_the_cause_and_zero_deltas_are_its_evidence(study: HealthyStudy) -> None:
    study.change("adapters/lora/train.json", {"settings": {"learning_rate": 0.0}, "learning_rate_peak": 0.0})
    study.change("effect/lora.json", {"file": {"lora_b_zero": 24}})
    verdict = study.verdict()
    assert verdict.causes[0].code == "training.lr_not_applied"
    assert verdict.causes[0].details["zero_lora_b"] == 24
    assert "results/effect/lora.json" in verdict.causes[0].evidence
    assert "adapter.zero_delta" not in codes(verdict)
    assert check_of(verdict, "adapter.file").status == "fail"


def test_a_diverged_training_explains_an_adapter_that_is_not_finite(study: HealthyStudy) -> None:
    study.change("adapters/lora/train.json", {"non_finite_step": 3, "optimizer_steps": 2})
    message = {"status": "impossible", "code": "adapter.not_finite", "message": "values that are not finite"}
    study.change("effect/lora.json", message)
    verdict = study.verdict()
    assert [c.code for c in verdict.causes if c.run == "lora"] == ["training.diverged"]


def test_an_impossible_training_carries_its_own_cause(study: HealthyStudy) -> None:
    message = "target_modules 'nothing' match no module of the model, which offers fc1, q_proj"
    fault = {"status": "impossible", "code": "adapter.no_target_modules", "message": message}
    study.change("adapters/lora/train.json", fault)
    study.change("effect/lora.json", fault)
    for manifest in ("heldout", "domain", "test"):
        study.change(f"transcripts/lora/{manifest}.settings.json", {**fault, "manifest": None})
        study.change(f"wer/lora/{manifest}.json", {**fault, "within": None, "utterances": []})
        study.change(f"paired/lora/{manifest}.json", {**fault, "within": None, "all": None})
    verdict = study.verdict()
    assert [c.code for c in verdict.causes if c.severity == "blocks"] == ["adapter.no_target_modules"]
    assert (verdict.causes[0].reason, verdict.causes[0].details) == ("impossible", {"message": message})
    assert verdict.causes[0].evidence == ["results/adapters/lora/train.json"]
    assert check_of(verdict, "adapter_change").status == "fail"
    assert check_of(verdict, "parity").status == "unknown"


def test_no_share_of_the_learning_rate_need_be_applied(study: HealthyStudy) -> None:
    study.configure({"adapter": {"min_learning_rate_share": 0}})
    assert check_of(study.verdict(), "training.learning_rate").status == "pass"


@pytest.mark.parametrize(("final", "reported"), [(0.31, 0.31), (0.85, None)])
def test_the_final_training_loss_is_reported_only_where_it_fell(
    study: HealthyStudy, final: float, reported: float | None
) -> None:
    losses = [{"step": 20, "loss": 0.5}, {"step": 100, "loss": 0.9}]
    study.change("adapters/lora/train.json", {"validation": losses, "final_train_loss": final})
    (cause,) = [c for c in study.verdict().causes if c.code == "training.overfit"]
    assert cause.details["final_train_loss"] == reported


EXTERNAL = {
    "source": "theirs/checkpoint-100/trainer_state.json",
    "settings": {"learning_rate": None},
    "trainable_parameters": None,
    "total_parameters": None,
    "target_modules": None,
    "train_rows": None,
    "val_rows": None,
}


def test_a_training_done_elsewhere_is_checked_as_far_as_recorded(study: HealthyStudy) -> None:
    study.change("adapters/lora/train.json", EXTERNAL)
    verdict = study.verdict()
    assert not [code for code in codes(verdict) if code.startswith("training.")]
    assert check_of(verdict, "training.steps").status == "pass"
    assert check_of(verdict, "training.gradient_flow").status == "pass"
    assert check_of(verdict, "training.parameters").status == "unknown"
    assert check_of(verdict, "training.learning_rate").status == "unknown"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"learning_rate_peak": 0.0}, "training.lr_not_applied"),
        ({"gradient_norm_median": 0.0}, "training.no_gradient"),
        ({"optimizer_steps": 60}, "training.steps_short"),
        ({"best_kept": False}, "training.best_not_kept"),
        ({"validation": POINTS}, "training.overfit"),
    ],
)
def test_faults_of_a_training_done_elsewhere(study: HealthyStudy, changes: dict[str, Any], code: str) -> None:
    study.change("adapters/lora/train.json", EXTERNAL | changes)
    assert study.verdict().causes[0].code == code


def test_a_training_without_any_record_is_unknown(study: HealthyStudy) -> None:
    study.change("adapters/lora/train.json", {"source": "", "optimizer_steps": None, "planned_steps": None})
    verdict = study.verdict()
    assert not [code for code in codes(verdict) if code.startswith("training.")]
    check = check_of(verdict, "training.history")
    assert (check.status, check.reason) == ("unknown", "no_log")


def test_a_damaged_record_of_a_training_is_reported_and_judges_nothing(study: HealthyStudy) -> None:
    damaged = {"source": "theirs/trainer_state.json", "unreadable": "theirs/trainer_state.json: not readable as JSON"}
    study.change("adapters/lora/train.json", damaged)
    verdict = study.verdict()
    assert not [code for code in codes(verdict) if code.startswith("training.")]
    (check,) = [c for c in verdict.checks if c.id.startswith("training.")]
    assert (check.id, check.status, check.reason) == ("training.history", "unknown", "unreadable")
    assert check.details["message"] == damaged["unreadable"]
    assert "cannot be read: theirs/trainer_state.json: not readable as JSON. Copy the file again" in check.summary


@pytest.mark.parametrize(("rates", "short"), [([0.2, 0.25, 0.24, 0.23], False), ([0.25, 0.2, 0.24, 0.23], True)])
def test_a_run_that_no_longer_improved_was_stopped_for_that(
    study: HealthyStudy, rates: list[float], short: bool
) -> None:
    """Logs of older trainers do not record early stopping."""
    points = [{"step": 10 * n, "loss": 0.4, "wer": rate} for n, rate in enumerate(rates, 1)]
    stopped = {"optimizer_steps": 40, "planned_steps": 4000, "validation": points, "best_step": 10}
    study.change("adapters/lora/train.json", EXTERNAL | stopped)
    verdict = study.verdict()
    check = check_of(verdict, "training.steps")
    assert ("training.steps_short" in codes(verdict)) is short
    assert (check.status, check.reason) == (("fail", "stopped_early") if short else ("pass", "no_longer_improving"))
    assert ("its last 3 validations showed no improvement" in check.summary) is not short


def test_the_best_weights_of_a_run_that_overfitted_later_are_no_overfit(study: HealthyStudy) -> None:
    later = {"validation": POINTS, "best_step": 40, "weights_step": 40, "best_kept": True}
    study.change("adapters/lora/train.json", EXTERNAL | later)
    verdict = study.verdict()
    check = check_of(verdict, "training.validation")
    assert (check.status, check.reason) == ("pass", "rose_later")
    assert not [code for code in codes(verdict) if code.startswith("training.")]


def test_another_callback_may_end_a_run(study: HealthyStudy) -> None:
    early = {"patience": None, "waited": None, "stopped": True}
    study.change("adapters/lora/train.json", EXTERNAL | {"optimizer_steps": 40, "early_stopping": early})
    check = check_of(study.verdict(), "training.steps")
    assert (check.status, check.reason) == ("pass", "early_stopping")
    assert check.summary.endswith("early stopping ended it.")


def test_a_validation_wer_may_end_a_run(study: HealthyStudy) -> None:
    early = {"patience": None, "waited": None, "stopped": True, "threshold": 0.1, "wer": 0.082}
    study.change("adapters/lora/train.json", {"optimizer_steps": 40, "early_stopping": early})
    verdict = study.verdict()
    check = check_of(verdict, "training.steps")
    assert (check.status, check.reason) == ("pass", "early_stopping")
    assert (check.details["wer"], check.details["wer_threshold"]) == (0.082, 0.1)
    assert check.summary.endswith("early stopping ended it at a validation WER of 8.2 % (`wer_stop_threshold`: 10 %).")
    assert "training.steps_short" not in codes(verdict)


def test_what_a_log_lacks_asks_for_no_log(study: HealthyStudy) -> None:
    study.change("adapters/lora/train.json", EXTERNAL)
    check = check_of(study.verdict(), "training.parameters")
    assert check.details["missing"] == "trainer_log"
    assert "trainer_state.json" not in check.summary


@pytest.mark.parametrize(("guessed", "unit"), [(True, "percent"), (False, None)])
def test_a_guessed_unit_of_the_validation_wer_is_reported(study: HealthyStudy, guessed: bool, unit: str | None) -> None:
    points = [{"step": 10, "loss": 0.06, "wer": 0.028}, {"step": 20, "loss": 0.05, "wer": 0.026}]
    study.change(
        "adapters/lora/train.json",
        EXTERNAL | {"validation": points, "wer_unit": "percent", "wer_unit_guessed": guessed},
    )
    check = check_of(study.verdict(), "training.validation")
    assert check.details["guessed_unit"] == unit
    assert ("`eval_wer` in the trainer's log was taken as a percentage" in check.summary) is guessed


def test_an_untrained_adapter_is_not_called_bypassed(study: HealthyStudy) -> None:
    """Learning rate 0: zeros in the file, and therefore equal logits with the adapter on and off."""
    study.change("adapters/lora/train.json", {"learning_rate_peak": 0.0, "settings": {"learning_rate": 0.0}})
    effect = study.files["effect/lora.json"]
    study.change("effect/lora.json", {"file": {"lora_b_zero": effect["file"]["lora_b"]}})
    study.change("effect/lora.json", {"logits": {"argmax_flips": 0.0, "largest_difference": 0.0}})
    blocks = [cause.code for cause in study.verdict().causes if cause.severity == "blocks"]
    assert blocks == ["training.lr_not_applied"]


def test_early_stopping_is_no_short_training(study: HealthyStudy) -> None:
    stopped = {"early_stopping": {"patience": 5, "waited": 5, "stopped": True}, "optimizer_steps": 60}
    study.change("adapters/lora/train.json", EXTERNAL | stopped)
    verdict = study.verdict()
    assert "training.steps_short" not in codes(verdict)
    assert check_of(verdict, "training.steps").reason == "early_stopping"


def test_a_wer_that_rises_is_overfitting_and_one_that_falls_is_not(study: HealthyStudy) -> None:
    losses = [{"step": 20, "loss": 0.2, "wer": 0.177}, {"step": 100, "loss": 0.4, "wer": 0.284}]
    study.change("adapters/lora/train.json", EXTERNAL | {"validation": losses})
    cause = cause_of(study.verdict(), "training.overfit")
    assert (cause.details["measure"], cause.details["best_step"], cause.details["last"]) == ("wer", 20, 0.284)
    falling = [{"step": 20, "loss": 0.2, "wer": 0.284}, {"step": 100, "loss": 0.4, "wer": 0.177}]
    study.change("adapters/lora/train.json", {"validation": falling})
    assert "training.overfit" not in codes(study.verdict())


@pytest.mark.parametrize(("trend", "raised"), [("rising", True), ("constant", False), ("falling", False)])
def test_a_rate_that_still_rises_at_the_last_step(study: HealthyStudy, trend: str, raised: bool) -> None:
    rate = {"learning_rate_peak": 2.8e-5, "learning_rate_last": 2.8e-5, "learning_rate_trend": trend, "settings": {}}
    study.files["adapters/lora/train.json"]["settings"] = {}
    study.change("adapters/lora/train.json", {k: v for k, v in EXTERNAL.items() if k != "settings"} | rate)
    assert ("training.lr_not_applied" in codes(study.verdict())) is raised


@pytest.mark.parametrize(("steps", "raised"), [(100, True), (12, False)])
def test_a_training_loss_that_rises_by_a_third(study: HealthyStudy, steps: int, raised: bool) -> None:
    rising = {"first_train_loss": 1.16, "final_train_loss": 1.5, "validation": []}
    study.change("adapters/lora/train.json", rising | {"optimizer_steps": steps, "planned_steps": steps})
    assert ("training.diverged" in codes(study.verdict())) is raised


def test_whether_the_weights_are_of_the_best_step_may_not_be_recorded(study: HealthyStudy) -> None:
    study.change("adapters/lora/train.json", EXTERNAL | {"best_kept": None, "best_step": 20})
    assert check_of(study.verdict(), "training.best").reason == "step_not_recorded"


def validations(*points: tuple[int, float | None, float | None]) -> dict[str, Any]:
    return EXTERNAL | {"validation": [{"step": step, "loss": loss, "wer": wer} for step, loss, wer in points]}


@pytest.mark.parametrize(
    ("points", "status", "reason", "says"),
    [
        ([(20, 0.9, 0.22), (60, 0.4, 0.6)], "warn", "wer_rose_alone", "loss fell from 0.9 to 0.4"),
        ([(20, 0.9, 0.352), (40, 0.6, 0.352), (60, 0.4, 0.352)], "warn", "same_wer", "the same at all 3 validations"),
        ([(20, 0.9, 0.352), (40, 0.9, 0.352), (60, 0.9, 0.352)], "pass", "ok", "35.2 % at its last"),
        ([(20, 0.9, 0.352), (60, 0.4, 0.352)], "pass", "ok", "35.2 % at its last"),
        ([(20, None, None), (60, None, None)], "warn", "not_finite", "is finite (2 validations)"),
        ([(60, None, 0.2)], "pass", "ok", "The validation WER of lora is lowest at step 60 (20.0 %)"),
        ([], "unknown", "not_validated", "was not validated"),
    ],
)
def test_a_validation_that_is_in_question_is_no_overfitting(
    study: HealthyStudy, points: list[tuple[int, float | None, float | None]], status: str, reason: str, says: str
) -> None:
    study.change("adapters/lora/train.json", validations(*points) | {"best_step": None, "best_kept": None})
    verdict = study.verdict()
    check = check_of(verdict, "training.validation")
    assert (check.status, check.reason) == (status, reason)
    assert says in check.summary
    assert not [code for code in codes(verdict) if code.startswith("training.")]


def test_the_highest_error_taken_for_the_best(study: HealthyStudy) -> None:
    points = validations((20, 0.9, 0.4), (40, 0.6, 0.3), (60, 0.4, 0.22))
    study.change("adapters/lora/train.json", points | {"best_step": 60, "best_kept": None, "worst_as_best": 20})
    cause = cause_of(study.verdict(), "training.best_not_kept")
    assert (cause.reason, cause.details["taken_as_best"], cause.details["wer_of_taken"]) == ("worst_as_best", 20, 0.4)
    assert cause.remedy.startswith("Use the weights of step 60 if they were kept; otherwise train again.")
    assert "`greater_is_better=False`" in cause.remedy
    study.change("adapters/lora/train.json", {"best_kept": True})
    assert "training.best_not_kept" not in codes(study.verdict())


def test_early_stopping_at_the_highest_error_is_a_short_training(study: HealthyStudy) -> None:
    stopped = {"early_stopping": {"patience": 3, "waited": 3, "stopped": True}, "optimizer_steps": 60}
    study.change("adapters/lora/train.json", EXTERNAL | stopped | {"worst_as_best": 20})
    assert cause_of(study.verdict(), "training.steps_short").severity == "blocks"


def test_a_best_step_before_training_asks_for_no_weights_of_it(study: HealthyStudy) -> None:
    points = validations((0, 0.4, 0.2), (20, 0.6, 0.3), (60, 0.9, 0.4))
    study.change("adapters/lora/train.json", points | {"best_step": 0, "best_kept": False})
    verdict = study.verdict()
    assert check_of(verdict, "training.best").reason == "none_better"
    assert "training.best_not_kept" not in codes(verdict)
    assert cause_of(verdict, "training.overfit").remedy.startswith("Train with fewer steps")
