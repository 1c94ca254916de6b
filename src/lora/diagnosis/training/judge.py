"""Did the training of an adapter do what it was configured to do?"""

from __future__ import annotations

from lora import layout
from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import Findings, check
from lora.diagnosis.training.loss import finite_loss
from lora.diagnosis.training.parameters import gradient, movement, trained_parameters
from lora.diagnosis.training.steps import learning_rate, steps
from lora.diagnosis.training.validation import best_step, validation
from lora.records.training import TrainFacts


def judge_training(facts: StudyFacts, run: str) -> Findings:
    """Checks of one candidate's training; none where it was not trained, or could not be.

    Training done elsewhere is judged by what was recorded next to the adapter.
    """
    train = facts.training.get(run)
    if train is None or train.status == "impossible":
        return Findings()
    if train.source == "" or train.unreadable is not None:
        return unknown_history(facts, run, train)
    findings = finite_loss(facts, run, train).add(trained_parameters(facts, run, train))
    if findings.causes and findings.causes[0].code == "training.diverged":
        return findings  # what follows from worthless weights is no cause of its own
    findings.add(steps(facts, run, train))
    if train.optimizer_steps != 0:
        findings.add(gradient(facts, run, train), learning_rate(facts, run, train), movement(facts, run, train))
        findings.add(validation(facts, run, train), best_step(facts, run, train))
    return findings


def unknown_history(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """An external training without a record, or with one that is damaged."""
    result = check(
        "training.history",
        status="unknown",
        reason="no_log" if train.unreadable is None else "unreadable",
        evidence=[facts.path(layout.TRAINING, run=run)],
        details={"message": train.unreadable},
        run=run,
    )
    return Findings.of(result)
