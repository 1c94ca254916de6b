"""What trainers log: states of runs that stopped, diverged, overfitted or never reached their rate."""

from __future__ import annotations

from pathlib import Path

from external_training import EARLY, FALLING, evaluations, losses, save_adapter, state, whisper_study, with_adapter
from field_cases import Expected, field_case
from small_study import Study


@field_case(
    name="early stopping",
    area="training",
    situation="the Trainer stopped after three evaluations without improvement; WER (in percent) rose from 18 to 28",
    source="ByErenOzer/Whisper_Finetune",
    command="study",
    expected=Expected(
        causes=("training.overfit",), absent=("training.steps_short",), says=("step 10", "18.0 %", "28.0 %")
    ),
)
def early_stopping(folder: Path) -> Study:
    study = with_adapter(folder)
    log = losses([1.0, 0.5, 0.3, 0.2]) + evaluations(
        [(10, 0.2, 18.0), (20, 0.4, 29.0), (30, 0.4, 31.0), (40, 0.4, 28.0)]
    )
    state(folder / "external", log, max_steps=4000, best_global_step=10, stateful_callbacks=EARLY)
    return study


@field_case(
    name="stopped by hand",
    area="training",
    situation="the same log without early stopping: somebody ended the run at 40 of 4,000 steps",
    source="neighbour",
    command="study",
    expected=Expected(causes=("training.steps_short",)),
)
def stopped_by_hand(folder: Path) -> Study:
    study = with_adapter(folder)
    state(folder / "external", losses([1.0, 0.5, 0.3, 0.2]), max_steps=4000)
    return study


@field_case(
    name="validation loss rises, WER falls",
    area="training",
    situation="the usual course of a Whisper fine-tuning: the loss rises from its minimum while WER still falls",
    source="neighbour",
    command="study",
    expected=Expected(absent=("training.overfit", "training.best_not_kept", "training.diverged")),
)
def loss_rises_wer_falls(folder: Path) -> Study:
    study = with_adapter(folder, "checkpoint-60")
    log = losses(FALLING) + evaluations([(20, 0.30, 0.22), (40, 0.36, 0.20), (60, 0.45, 0.18)])
    state(folder / "checkpoint-60", log)
    return study


@field_case(
    name="hidden NaN",
    area="training",
    situation="a learning rate of 0.003: the logged loss is exactly 0 from step 30 on and the validation loss is NaN",
    source="vasistalodagala/whisper-finetune#11",
    command="study",
    expected=Expected(causes=("training.diverged",), says=("exactly 0",)),
)
def hidden_nan(folder: Path) -> Study:
    study = with_adapter(folder)
    log = [{k: v for k, v in entry.items() if k != "grad_norm"} for entry in losses([1.2, 2.4, 0.0, 0.0])]
    state(folder / "external", log + evaluations([(40, float("nan"), 100.0)]))
    return study


@field_case(
    name="a loss of 0 that is real",
    area="training",
    situation="few rows learnt by heart: the loss falls to 0.0000 and the validation loss is finite",
    source="neighbour",
    command="study",
    expected=Expected(absent=("training.diverged",)),
)
def real_zero(folder: Path) -> Study:
    study = with_adapter(folder)
    log = losses([1.2, 0.1, 0.01, 0.001, 0.0, 0.0]) + evaluations([(20, 0.3, 0.2), (60, 0.31, 0.2)])
    state(folder / "external", log)
    return study


@field_case(
    name="rising loss",
    area="training",
    situation="a dropout of 0.99: the training loss rises by a third, in all of 60 steps",
    source="embedded study",
    command="study",
    expected=Expected(causes=("training.diverged",)),
)
def rising_loss(folder: Path) -> Study:
    study = with_adapter(folder)
    state(folder / "external", losses([1.16, 1.2, 1.3, 1.35, 1.45, 1.5]))
    return study


@field_case(
    name="warm-up longer than the run",
    area="training",
    situation="the learning rate still rose at the last of all planned steps",
    source="x2q.net, a Danish LoRA post-mortem",
    command="study",
    expected=Expected(causes=("training.lr_not_applied",), says=("still rising",)),
)
def endless_warmup(folder: Path) -> Study:
    study = with_adapter(folder)
    state(folder / "external", losses(FALLING, rates=[1e-6 * n for n in range(1, 7)]))
    return study


@field_case(
    name="constant learning rate",
    area="training",
    situation="a constant rate after a short warm-up",
    source="neighbour",
    command="study",
    expected=Expected(absent=("training.lr_not_applied",)),
)
def constant_rate(folder: Path) -> Study:
    study = with_adapter(folder)
    state(folder / "external", losses(FALLING, rates=[5e-5, *[1e-4] * 5]))
    return study


@field_case(
    name="best checkpoint of a run that went on",
    area="training",
    situation="checkpoint-10 of an early-stopped run is given; checkpoint-40 next to it has the whole log",
    source="neighbour",
    command="study",
    expected=Expected(absent=("training.steps_short", "training.best_not_kept", "training.overfit")),
)
def best_of_run(folder: Path) -> Study:
    save_adapter(folder / "run/checkpoint-10")
    first = [*losses([1.0]), *evaluations([(10, 0.2, 0.18)])]
    later = [*losses([1.0, 0.5, 0.3, 0.2])[1:], *evaluations([(20, 0.4, 0.29), (30, 0.4, 0.31), (40, 0.4, 0.28)])]
    state(folder / "run/checkpoint-10", first, max_steps=4000)
    state(
        folder / "run/checkpoint-40",
        first + later,
        max_steps=4000,
        global_step=40,
        best_global_step=10,
        stateful_callbacks=EARLY,
    )
    return whisper_study(folder, {"adapter": str(folder / "run/checkpoint-10")})


@field_case(
    name="damaged trainer_state.json",
    area="training",
    situation="trainer_state.json ends in the middle of a line: the disk was full",
    source="huggingface/transformers, checkpoints written while a disk filled up",
    command="study",
    expected=Expected(
        absent=("training.steps_short", "training.diverged"), says=("trainer_state.json: not readable as JSON",)
    ),
)
def damaged_state(folder: Path) -> Study:
    study = with_adapter(folder)
    state(folder / "external", losses(FALLING))
    path = folder / "external/trainer_state.json"
    path.write_text(path.read_text()[:200])
    return study


@field_case(
    name="validation WER of a few percent",
    area="training",
    situation="the Trainer logged `eval_wer` as 2.8 and 2.4, a percentage, at a validation loss of 0.05",
    source="neighbour of early stopping",
    command="study",
    expected=Expected(
        absent=("training.overfit", "training.best_not_kept"), says=("2.4 %", "was taken as a percentage")
    ),
)
def low_wer_in_percent(folder: Path) -> Study:
    study = with_adapter(folder, "checkpoint-60")
    state(folder / "checkpoint-60", losses(FALLING) + evaluations([(30, 0.06, 2.8), (60, 0.05, 2.4)]))
    return study
