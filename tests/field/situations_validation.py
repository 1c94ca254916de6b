"""What validations in a trainer's log show: the worst step as the best, WER and loss apart, losses that are NaN."""

from __future__ import annotations

from pathlib import Path

from external_training import FALLING, evaluations, losses, state, with_adapter
from field_cases import Expected, field_case
from small_study import Study

NAN = float("nan")
IMPROVING = [(20, 0.5, 40.0), (40, 0.4, 30.0), (60, 0.3, 22.0)]


def validated(folder: Path, values: list[tuple[int, float, float]], **keys: object) -> Study:
    """A study whose candidate is checkpoint-60 of a training with these validations."""
    study = with_adapter(folder, "checkpoint-60")
    state(folder / "checkpoint-60", losses(FALLING) + evaluations(values), **keys)
    return study


@field_case(
    name="the worst step as the best",
    area="training",
    situation="`metric_for_best_model` is wer without `greater_is_better=False`: the Trainer loaded the step of 40 %",
    source="huggingface/transformers#31142",
    command="study",
    expected=Expected(
        causes=("training.best_not_kept",),
        says=("Step 60 of theirs", "took step 20 (WER 40.0 %), the worst one", "greater_is_better=False"),
    ),
)
def worst_as_best(folder: Path) -> Study:
    study = with_adapter(folder)
    log = losses(FALLING) + evaluations(IMPROVING)
    state(folder / "external", log, best_metric=40.0, best_global_step=20, best_model_checkpoint="out/checkpoint-20")
    return study


@field_case(
    name="the best step as the best",
    area="training",
    situation="the same log with `greater_is_better=False`",
    source="neighbour",
    command="study",
    expected=Expected(absent=("training.best_not_kept", "training.overfit")),
)
def best_as_best(folder: Path) -> Study:
    return validated(
        folder, IMPROVING, best_metric=22.0, best_global_step=60, best_model_checkpoint="out/checkpoint-60"
    )


@field_case(
    name="validation WER rises, loss falls",
    area="training",
    situation="the validation loss falls at every step while WER rises from 22 to 60 %",
    source="huggingface/blog#933, huggingface/community-events#202",
    command="study",
    expected=Expected(
        absent=("training.overfit",), says=("loss fell from 0.9 to 0.4", "Read what the validation decodes")
    ),
)
def wer_rises_alone(folder: Path) -> Study:
    return validated(folder, [(20, 0.9, 22.0), (40, 0.6, 35.0), (60, 0.4, 60.0)])


@field_case(
    name="validation WER that never changes",
    area="training",
    situation="the validation loss halves while WER is 35.2113 % at every step, to the last digit",
    source="vasistalodagala/whisper-finetune#11",
    command="study",
    expected=Expected(
        absent=("training.best_not_kept", "training.overfit"), says=("exactly the same at all 3 validations",)
    ),
)
def same_wer(folder: Path) -> Study:
    return validated(folder, [(20, 0.9, 35.2113), (40, 0.6, 35.2113), (60, 0.4, 35.2113)])


@field_case(
    name="validation loss NaN throughout",
    area="training",
    situation="training losses are sound, but `eval_loss` is NaN at every validation in half precision",
    source="modelscope/ms-swift#5580",
    command="study",
    expected=Expected(
        absent=("training.diverged",),
        says=("No validation loss of theirs is finite (3 validations)",),
        silent_on=("was not validated",),
    ),
)
def nan_validation(folder: Path) -> Study:
    study = with_adapter(folder, "checkpoint-60")
    log = losses(FALLING) + [{"step": step, "eval_loss": NAN} for step in (20, 40, 60)]
    state(folder / "checkpoint-60", log)
    return study


@field_case(
    name="validated before training",
    area="training",
    situation="`eval_on_start`: WER was 20 % before training and above it ever after",
    source="relative of huggingface/community-events#202",
    command="study",
    expected=Expected(
        absent=("training.best_not_kept",), says=("no later step improved on it",), silent_on=("weights of step 0",)
    ),
)
def best_before_training(folder: Path) -> Study:
    return validated(folder, [(0, 1.9, 20.0), (20, 1.5, 26.0), (40, 1.3, 24.0), (60, 1.2, 23.0)])


@field_case(
    name="losses summed over accumulated batches",
    area="training",
    situation="the Trainer logged training losses eight times too large, one per accumulated batch",
    source="neighbour, huggingface/transformers#35204",
    command="study",
    expected=Expected(absent=("training.diverged", "training.overfit", "training.best_not_kept")),
)
def accumulated_losses(folder: Path) -> Study:
    study = with_adapter(folder, "checkpoint-60")
    log = losses([8 * loss for loss in FALLING]) + evaluations(IMPROVING)
    state(folder / "checkpoint-60", log)
    return study
