"""Sentences of the training checks."""

from __future__ import annotations

from collections.abc import Callable

from lora.diagnosis.findings import CauseResult, CheckResult
from lora.diagnosis.wording.names import listed_examples
from lora.formatting import configured_percent, count, number, percent

Result = CheckResult | CauseResult


def history(result: Result) -> str:
    if result.reason == "unreadable":
        return (
            f"The record of the training of {result.run} cannot be read: {result.details['message']}. Copy the file "
            "again from where it was written, or remove it."
        )
    return (
        f"The training of {result.run} was not recorded next to its weights. Put the trainer's log "
        "(`trainer_state.json`) there."
    )


def loss(result: Result) -> str:
    details = result.details
    run = result.run
    if result.reason == "not_finite":
        return f"The training loss of {run} is not finite from step {details['non_finite_step']:,} on."
    if result.reason == "not_logged":
        return f"No training loss of {run} was logged."
    text = (
        f"The training loss of {run} went from {number(details['first'])} to {number(details['final'])} (means of the "
        "first and last tenth of the log)"
    )
    endings = {
        "ok": "",
        "grew": ": it grew instead of falling",
        "grew_but_validation_fell": (
            f", while the validation loss did not rise ({number(details['first_validation'])} to "
            f"{number(details['final_validation'])})"
        ),
    }
    return f"{text}{endings[result.reason]}."


def parameters(result: Result) -> str:
    details = result.details
    run = result.run
    if result.reason == "not_recorded":
        return f"The parameters that the training of {run} changed were not recorded."
    if result.reason == "no_parameters":
        return f"0 parameters of {run} were trainable."
    if result.reason == "other_parameters":
        others = details["others"]
        tensors = count(others["count"], "parameter tensor")
        return f"{run} also trained {tensors} that its adapter file does not contain ({listed_examples(others)})."
    share = percent(details["trainable"] / details["total"]) if details["total"] else "an unknown share"
    text = f"{run} trains {count(details['trainable'], 'parameter')} ({share} of the model), all in its adapter"
    whole = details["fully_trained"]
    if whole["count"]:
        text += f", including {count(whole['count'], 'fully trained tensor')} ({listed_examples(whole, most=2)})"
    return f"{text}."


def steps(result: Result) -> str:
    details = result.details
    run = result.run
    if result.reason == "not_recorded":
        return f"The optimizer steps of {run} were not recorded."
    text = f"{run} took {details['taken']:,} of {count(details['planned'], 'planned optimizer step')}"
    if result.reason == "early_stopping":
        best = f" since step {details['best_step']:,}" if details["best_step"] is not None else ""
        text += ": early stopping ended it"
        if details["patience"] is not None:
            text += f", after {count(details['patience'], 'validation')} without improvement{best}"
        if "wer" in details:
            limit = configured_percent(details["wer_threshold"])
            text += f" at a validation WER of {percent(details['wer'])} (`wer_stop_threshold`: {limit})"
    if result.reason == "no_longer_improving":
        text += f"; its last {count(details['idle'], 'validation')} showed no improvement"
    return f"{text}."


def gradient(result: Result) -> str:
    details = result.details
    run = result.run
    if result.reason == "not_recorded":
        return f"Gradients of {run} were not recorded."
    if result.reason == "modules_without_gradient":
        without = details["without"]
        modules = "adapted modules"
        if details["modules"]:
            modules = f"of {count(details['modules'], 'adapted module')}"
        return f"{without['count']} {modules} of {run} never received a gradient ({listed_examples(without)})."
    if result.reason == "zero_norm":
        return f"The median gradient norm of {run} is exactly 0."
    if details["modules"] is not None:
        return f"All {count(details['modules'], 'adapted module')} of {run} received gradients."
    return f"The median gradient norm of {run} is {number(details['median_norm'])}."


def learning_rate(result: Result) -> str:
    details = result.details
    run = result.run
    if result.reason == "not_recorded":
        return f"The learning rate that the optimizer of {run} used was not recorded."
    if result.reason in {"as_logged", "still_rising"}:
        return _logged_rate(result)
    text = f"The learning rate of {run} reached at most {details['peak']:g} in the optimizer"
    if details["configured"] is not None:
        text += f"; {details['configured']:g} is configured"
    if details["zero_lora_b"]:
        text += f". All {count(details['zero_lora_b'], 'lora_B matrix', 'lora_B matrices')} are still exactly zero"
    return f"{text}."


def _logged_rate(result: Result) -> str:
    details = result.details
    run = result.run
    if details["trend"] == "constant":
        return f"The learning rate of {run} was constant at {details['peak']:g}."
    if result.reason == "still_rising":
        return (
            f"The learning rate of {run} was still rising at its last step, {details['steps']:,} "
            f"({details['last']:g}): the warm-up is longer than the training."
        )
    return (
        f"The learning rate of {run} rose to {details['peak']:g} and was {details['last']:g} at its last logged step."
    )


def movement(result: Result) -> str:
    details = result.details
    run = result.run
    text = (
        f"{details['moved']} of {count(details['modules'], 'adapted module')} of {run} moved from their initial values"
    )
    if result.reason == "none_moved":
        text += f" in {count(details['steps'] or 0, 'optimizer step')}"
    return f"{text}."


def validation(result: Result) -> str:
    details = result.details
    run = result.run
    if result.reason == "not_validated":
        return f"{run} was not validated during training."
    if result.reason == "not_finite":
        return (
            f"No validation loss of {run} is finite ({count(details['validations'], 'validation')}), so it shows no "
            "best step. Validate in float32 or bfloat16, and look for validation rows without labels."
        )
    wer = details["measure"] == "wer"
    printed = percent if wer else number
    text = (
        f"The validation {'WER' if wer else 'loss'} of {run} is lowest at step {details['best_step']:,} "
        f"({printed(details['best'])}) and {printed(details['last'])} at its last, {details['last_step']:,}"
    )
    if result.reason == "same_wer":
        text += (
            f": exactly the same at all {details['validations']} validations, while the loss changed. Check that the "
            "validation decodes with the weights in training, and read what it decodes"
        )
    if result.reason == "wer_rose_alone":
        text += (
            f", while the validation loss fell from {number(details['best_loss'])} to {number(details['last_loss'])}: "
            "right tokens became more likely, so this is no overfitting. Read what the validation decodes: its "
            "language and task, its maximum length and loops"
        )
    if result.reason == "rose_later":
        text += "; the weights are those of the lowest, so what came later does not concern them"
    if result.reason == "no_improvement":
        text += ": no step improved on the base model"
    if result.reason == "rose" and wer and details["best_loss"] is not None and details["last_loss"] is not None:
        text += f" (validation loss {number(details['best_loss'])} and {number(details['last_loss'])})"
    if result.reason == "rose" and details["final_train_loss"] is not None:
        text += f", while the training loss fell to {number(details['final_train_loss'])}"
    if wer and details["guessed_unit"] is not None:
        unit = "a percentage" if details["guessed_unit"] == "percent" else "a fraction"
        text += f"; `eval_wer` in the trainer's log was taken as {unit}"
    return f"{text}."


def best(result: Result) -> str:
    details = result.details
    run = result.run
    if result.reason == "not_recorded":
        return f"The best step of {run} was not recorded."
    rate = f" (WER {percent(details['wer_of_best'])})" if details["wer_of_best"] is not None else ""
    step = f"Step {details['best_step']:,} of {run} has the best validation result{rate}"
    if result.reason == "step_not_recorded":
        return (
            f"{step}. Whether these weights are of that step is not recorded: their folder is not named "
            f"`checkpoint-{details['best_step']}`."
        )
    if result.reason == "none_better":
        return f"{step}: that is before training, and no later step improved on it."
    if result.reason == "worst_as_best":
        taken = f" (WER {percent(details['wer_of_taken'])})" if details["wer_of_taken"] is not None else ""
        return (
            f"{step}, but the trainer took step {details['taken_as_best']:,}{taken}, the worst one, for the best: it "
            "looked for the highest value."
        )
    given = f" {details['weights_step']:,}" if details["weights_step"] is not None else ""
    endings = {
        "ok": ", and its weights were kept",
        "not_kept": ", but its weights were not kept",
        "other_step": f", but the weights are of step{given}" if given else ", but the weights are of another step",
    }
    return f"{step}{endings[result.reason]}."


def best_remedy(result: CauseResult) -> str | None:
    step = result.details["best_step"]
    if result.reason == "worst_as_best":
        return (
            f"Use the weights of step {step:,} if they were kept; otherwise train again. Set "
            "`greater_is_better=False`, because `metric_for_best_model` is an error."
        )
    if result.reason != "other_step":
        return None
    return f"Use the weights of step {step:,} if they were kept; otherwise train again and keep the best step."


def overfit_remedy(result: CauseResult) -> str | None:
    """A checkpoint of another trainer may be kept; the best step of our own trainings is."""
    if not result.details.get("external"):
        return None
    best = result.details["best_step"]
    start = f"Use the weights of step {best:,} if they were kept; otherwise train" if best else "Train"  # 0: untrained
    return f"{start} with fewer steps, a lower learning rate or dropout. More training rows help more."


def no_gradient_remedy(result: CauseResult) -> str | None:
    if result.reason != "encoder_unchanged":
        return None
    return (
        "If gradient checkpointing is on, call `model.enable_input_require_grads()` before training or set "
        "`gradient_checkpointing_kwargs={'use_reentrant': False}`. In a Whisper model the inputs of the encoder need "
        "it as well: a hook on `model.model.encoder.conv1` that calls `output.requires_grad_(True)`. Then train again."
    )


SUMMARIES: dict[str, Callable[[Result], str]] = {
    "training.history": history,
    "training.loss": loss,
    "training.parameters": parameters,
    "training.steps": steps,
    "training.gradient_flow": gradient,
    "training.learning_rate": learning_rate,
    "training.movement": movement,
    "training.validation": validation,
    "training.best": best,
}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {
    "training.best_not_kept": best_remedy,
    "training.overfit": overfit_remedy,
    "training.no_gradient": no_gradient_remedy,
}
