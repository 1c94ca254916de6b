"""Did the short training run do what it was told? Part of D3: what happened before there was an adapter to look at."""

from __future__ import annotations

import math

from lora import layout
from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import Findings
from lora.diagnosis.transitional import Answer, cause, found
from lora.formatting import count, listed, percent
from lora.records.training import TrainFacts
from lora.records.verdict import CheckStatus


def judge_training(facts: StudyFacts, run: str) -> Findings:
    """Checks of one candidate's training; empty where there was none, or it could not be done.

    Of a training elsewhere only that is judged which was recorded beside its adapter.
    """
    train = facts.training.get(run)
    if train is None or train.status == "impossible":
        return Findings()
    if train.source == "":
        told = f"Nothing beside the adapter {run} tells of its training; bring `trainer_state.json` with it."
        return found("training.history", Answer("unknown", told), [facts.path(layout.TRAINING, run=run)], run)
    findings = finite_loss(facts, run, train).add(trained_parameters(facts, run, train))
    if findings.causes and findings.causes[0].code == "training.diverged":
        return findings  # what follows from worthless weights is no cause of its own
    findings.add(steps(facts, run, train))
    if train.optimizer_steps != 0:
        findings.add(gradient(facts, run, train), learning_rate(facts, run, train), movement(facts, run, train))
        findings.add(validation(facts, run, train), best_step(facts, run, train))
    return findings


def _evidence(facts: StudyFacts, run: str) -> list[str]:
    log = [facts.path(layout.LOSS, run=run)] if facts.training[run].source is None else []
    return [facts.path(layout.TRAINING, run=run), *log]


def finite_loss(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """A loss that stays finite and does not grow."""
    evidence, most = _evidence(facts, run), facts.config.adapter.max_loss_growth
    if train.non_finite_step is not None:
        because = f"The training loss of {run} was not finite from step {train.non_finite_step} on."
        broken = cause("training.diverged", because, evidence, run)
        return found("training.loss", Answer("fail", because, None, most, broken), evidence, run)
    first, final = train.first_train_loss, train.final_train_loss
    if first is None or final is None:
        return found(
            "training.loss", Answer("unknown", f"No training loss of {run} was logged.", None, most), evidence, run
        )
    told = f"The training loss of {run} went from {first:.3f} to {final:.3f}"
    growth = final / first if first > 0 else math.inf if final > 0 else 1.0
    if growth <= most:
        return found("training.loss", Answer("pass", f"{told}.", growth, most), evidence, run)
    # The loss of one batch against that of another: rows differ, the validation split does not.
    points = _validation_losses(train)
    if len(points) > 1 and points[-1][1] <= points[0][1]:
        told += f", while validation loss did not rise ({points[0][1]:.3f} to {points[-1][1]:.3f}): batches differ"
        return found("training.loss", Answer("pass", f"{told}.", growth, most), evidence, run)
    broken = cause("training.diverged", f"{told}: it grew instead of falling.", evidence, run)
    return found("training.loss", Answer("fail", f"{told}.", growth, most, broken), evidence, run)


def trained_parameters(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """Parameters that require a gradient are those of the adapter and no others."""
    evidence = _evidence(facts, run)
    if train.trainable_parameters is None:
        answer = Answer("unknown", f"Which parameters the training of {run} changed was not recorded.")
        return found("training.parameters", answer, evidence, run)
    if not train.other_trainable and train.trainable_parameters:
        share = (
            percent(train.trainable_parameters / train.total_parameters)
            if train.total_parameters
            else "an unknown part"
        )
        whose = "all of them the adapter's"
        if train.fully_trained:
            tensors = f"{count(len(train.fully_trained), 'tensor')} trained whole"
            whose += f", those of {tensors} included ({listed(train.fully_trained, most=2)})"
        summary = f"{run} trains {count(train.trainable_parameters, 'parameter')} ({share}), {whose}."
        return found("training.parameters", Answer("pass", summary, 0, 0), evidence, run)
    because = f"{run} had no trainable parameter at all."
    if train.other_trainable:
        others = count(len(train.other_trainable), "parameter tensor")
        because = f"{run} also trained {others} that its adapter file does not hold ({listed(train.other_trainable)})."
    broken = cause("training.wrong_parameters", because, evidence, run)
    answer = Answer("fail", because, len(train.other_trainable), 0, broken)
    return found("training.parameters", answer, evidence, run)


def steps(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """Optimiser steps taken against planned."""
    evidence, done, planned = _evidence(facts, run), train.optimizer_steps, train.planned_steps
    if done is None or planned is None:
        return found("training.steps", Answer("unknown", f"The steps of {run} were not recorded."), evidence, run)
    told = f"{run} took {done} of {count(planned, 'planned optimiser step')}."
    if done >= planned and done > 0:
        return found("training.steps", Answer("pass", told, done, planned), evidence, run)
    broken = cause("training.steps_short", told, evidence, run)
    return found("training.steps", Answer("fail", told, done, planned, broken), evidence, run)


def gradient(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """Every adapted module receives a gradient."""
    evidence, dead, median = _evidence(facts, run), train.zero_gradient_modules, train.gradient_norm_median
    if dead:
        modules = f" of {count(train.target_modules, 'adapted module')}" if train.target_modules else " adapted modules"
        because = f"{len(dead)}{modules} of {run} never had a gradient ({listed(dead)})."
    elif median is None:
        answer = Answer("unknown", f"Gradients of {run} were not recorded.")
        return found("training.gradient", answer, evidence, run)
    elif median:
        summary = f"The median gradient norm of {run} is {median:.3g}."
        if train.target_modules is not None:
            summary = f"All {count(train.target_modules, 'adapted module')} of {run} received gradients."
        return found("training.gradient", Answer("pass", summary, 0, 0), evidence, run)
    else:
        because = f"The median gradient norm of {run} is exactly 0."
    broken = cause("training.no_gradient", because, evidence, run)
    return found("training.gradient", Answer("fail", because, len(dead), 0, broken), evidence, run)


def learning_rate(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """The optimiser's own peak against the configured learning rate; a configured 0 teaches nothing either."""
    evidence, peak = _evidence(facts, run), train.learning_rate_peak
    asked, least = train.settings.get("learning_rate"), facts.config.adapter.min_learning_rate_share
    if peak == 0 and asked is None:
        asked = 0.0  # nobody recorded what was asked for, and nothing was applied
    if peak is None or not isinstance(asked, int | float):
        answer = Answer("unknown", f"The learning rate that {run} applied is not known.", peak, None)
        return found("training.learning_rate", answer, evidence, run)
    told = f"The learning rate of {run} peaked at {peak:g} in the optimiser"
    if train.settings.get("learning_rate") is not None:
        told += f"; {asked:g} was asked for"
    threshold = least * asked
    if peak > 0 and threshold <= peak and least * peak <= asked:
        return found("training.learning_rate", Answer("pass", f"{told}.", peak, threshold), evidence, run)
    file = facts.effect[run].file if run in facts.effect else None
    if file is not None and file.lora_b and file.lora_b_zero == file.lora_b:
        told += f", and all {file.lora_b} lora_B matrices are still exactly zero"
        evidence = [*evidence, facts.path(layout.EFFECT, run=run)]
    broken = cause("training.lr_not_applied", f"{told}.", evidence, run)
    return found("training.learning_rate", Answer("fail", f"{told}.", peak, threshold, broken), evidence, run)


def validation(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """Validation loss after its best step."""
    evidence, most = _evidence(facts, run), facts.config.adapter.max_overfit
    points = _validation_losses(train)
    if not points:
        return found("training.validation", Answer("unknown", f"{run} was not validated.", None, most), evidence, run)
    best_step, best = min(points, key=lambda point: (point[1], point[0]))
    last_step, last = points[-1]
    rise = (last - best) / best if best > 0 else 0.0
    told = (
        f"Validation loss of {run} is lowest at step {best_step} ({best:.3f}) and {last:.3f} at its last, {last_step}"
    )
    if best_step == 0 and last_step > 0 and rise <= most:
        told += ": no step improved on the base model"
        return found("training.validation", Answer("warn", f"{told}.", rise, most), evidence, run)
    if rise <= most or last_step <= best_step:
        return found("training.validation", Answer("pass", f"{told}.", rise, most), evidence, run)
    first, final = train.first_train_loss, train.final_train_loss
    if first is not None and final is not None and final < first:
        told += f", while training loss fell to {final:.3f}"
    broken = cause("training.overfit", f"{told}.", evidence, run)
    return found("training.validation", Answer("warn", f"{told}.", rise, most, broken), evidence, run)


def _validation_losses(train: TrainFacts) -> list[tuple[int, float]]:
    return [(p.step, p.loss) for p in train.validation if p.loss is not None and math.isfinite(p.loss)]


def movement(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """Weights truly moved: an optimiser may count steps and hold other parameters, or none."""
    evidence, known = _evidence(facts, run), [c for c in train.changes if c.delta is not None]
    if not known:
        return Findings()
    moved = [c for c in known if c.delta or c.lora_a]
    told = f"{len(moved)} of {count(len(known), 'adapted module')} of {run} moved from their initial values"
    if moved:
        status: CheckStatus = "pass" if len(moved) == len(known) else "warn"
        return found("training.movement", Answer(status, f"{told}.", len(moved), len(known)), evidence, run)
    because = f"{told}, though {count(train.optimizer_steps or 0, 'optimiser step')} were counted."
    broken = cause("training.lr_not_applied", because, evidence, run)
    return found("training.movement", Answer("fail", because, 0, len(known), broken), evidence, run)


def best_step(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """The weights that are judged are those of the best step."""
    evidence = _evidence(facts, run)
    if train.best_kept is None:
        return found("training.best", Answer("unknown", f"The best step of {run} is not known."), evidence, run)
    if train.best_kept:
        answer = Answer("pass", f"The best step of {run} ({train.best_step}) was kept.", train.best_step)
        return found("training.best", answer, evidence, run)
    because = f"The best step of {run} is {train.best_step}, and its weights were not kept."
    remedy = None
    if train.source is not None:
        because = f"By validation the best step of {run} is {train.best_step}, and the adapter is of another one."
        remedy = f"Name the adapter of step {train.best_step}, if it was kept; else train again and keep the best step."
    broken = cause("training.best_not_kept", because, evidence, run, remedy=remedy)
    return found("training.best", Answer("warn", because, train.best_step, None, broken), evidence, run)
