"""D1: do wrong durations alone make training rows too few? Then they are the cause, and that is its consequence."""

from __future__ import annotations

from lora import layout
from lora.diagnosis.data.audio import rows_of_wrong_length
from lora.diagnosis.facts import TRAIN, StudyFacts
from lora.diagnosis.findings import CauseResult
from lora.diagnosis.transitional import cause
from lora.formatting import count, seconds

REMEDY = "Correct `duration` in the training manifest (it counts seconds), or leave it out so that headers are read."


def starving_durations(facts: StudyFacts, evidence: list[str]) -> CauseResult | None:
    """A cause where no limit leaves enough rows by the manifest's durations, and one does by those of the audio.

    A configured limit is asked for alone; `auto` would have found any threshold within the model's window.
    """
    decision, needed = facts.decision, facts.config.durations.min_train_samples
    wrong = rows_of_wrong_length(facts, TRAIN)
    if decision is None or not wrong:
        return None
    window, asked = decision.model_window_seconds, decision.configured
    inside = [o for o in decision.options if window is None or o.threshold <= window]
    limits = [o for o in inside if asked is None] or [o for o in decision.options if o.threshold == asked]
    if any(option.train_rows >= needed for option in limits):
        return None
    lengths = [m.seconds for m in facts.audio.get(TRAIN, []) if m.seconds is not None]
    training = 1 - facts.config.split.val_fraction
    for option in limits:
        rows = int(training * sum(length <= option.threshold for length in lengths))
        if rows >= needed:
            return cause(
                "data.wrong_durations",
                f"By the durations of the training manifest {seconds(option.threshold)} leaves "
                f"{count(option.train_rows, 'row')} to train on, by those of the audio about {rows}: "
                f"{count(wrong, 'duration is', 'durations are')} wrong.",
                [*evidence, facts.path(layout.INTEGRITY, manifest=TRAIN)],
                manifest=TRAIN,
                remedy=REMEDY,
            )
    return None
