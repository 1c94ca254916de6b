"""Sentences of checks and causes. Judges return codes and numbers (`lora.diagnosis.findings`); this package words them.

Each module covers one subject and has up to three tables: `SUMMARIES` by check id, `BECAUSE` by cause code where the
sentence is not that of the check that raises the cause, and `REMEDIES` by cause code where the remedy depends on the
numbers (all others are in `lora.diagnosis.causes`). A remedy function may return None to use the table's text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lora.diagnosis.causes import CAUSES
from lora.diagnosis.checks import CHECKS
from lora.diagnosis.findings import CauseResult, CheckResult
from lora.diagnosis.wording import (
    audio,
    effect,
    errors,
    headroom,
    hypotheses,
    labels,
    loading,
    manifests,
    markup,
    notation,
    outcomes,
    parity,
    reviews,
    rows,
    split,
    texts,
    training,
)

SUMMARIES: dict[str, Callable[[Any], str]] = {
    **split.SUMMARIES,
    **rows.SUMMARIES,
    **audio.SUMMARIES,
    **manifests.SUMMARIES,
    **texts.SUMMARIES,
    **markup.SUMMARIES,
    **notation.SUMMARIES,
    **headroom.SUMMARIES,
    **errors.SUMMARIES,
    **reviews.SUMMARIES,
    **labels.SUMMARIES,
    **training.SUMMARIES,
    **loading.SUMMARIES,
    **effect.SUMMARIES,
    **outcomes.SUMMARIES,
    **hypotheses.SUMMARIES,
    **parity.SUMMARIES,
}
BECAUSE: dict[str, Callable[[CauseResult], str]] = {
    **split.BECAUSE,
    **rows.BECAUSE,
    **audio.BECAUSE,
    **texts.BECAUSE,
    **headroom.BECAUSE,
    **errors.BECAUSE,
    **reviews.BECAUSE,
    **labels.BECAUSE,
    **parity.BECAUSE,
}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {
    **split.REMEDIES,
    **rows.REMEDIES,
    **audio.REMEDIES,
    **manifests.REMEDIES,
    **texts.REMEDIES,
    **markup.REMEDIES,
    **notation.REMEDIES,
    **headroom.REMEDIES,
    **errors.REMEDIES,
    **reviews.REMEDIES,
    **labels.REMEDIES,
    **training.REMEDIES,
    **loading.REMEDIES,
    **effect.REMEDIES,
    **outcomes.REMEDIES,
    **hypotheses.REMEDIES,
    **parity.REMEDIES,
}

# What to provide for an unknown check, by `details["missing"]`; `inputs` is worded by the table of checks.
MISSING = {
    "training_manifest": "Name the training manifest in `manifests.train`.",
    "model": "Name the model in `model.id`.",
    "candidate": "Add a candidate to `candidates`.",
    "transcripts_or_adapter": "Provide transcripts of {run} for the baseline's rows, or its adapter "
    "(`adapter: ...`) and the model.",
    "trainer_log": "The trainer's log does not record more; a training with this software does.",
    "failed_step": "Fix the cause listed for this run, then run the diagnosis again.",
}


def summary(result: CheckResult) -> str:
    """The answer of a check in words, followed by what to provide if it is unknown."""
    if result.explained_by:
        text = " ".join(because(r) if isinstance(r, CauseResult) else summary(r) for r in result.explained_by)
    else:
        text = SUMMARIES[result.id](result)
    missing = result.details.get("missing")
    if missing is None:
        return text
    needed = CHECKS[result.id].needs if missing == "inputs" else MISSING[missing].format(run=result.run)
    return f"{text} {needed}" if needed else text


def because(result: CauseResult) -> str:
    """What was measured, as one or two sentences with numbers."""
    if result.reason == "impossible":
        message = str(result.details["message"] or CAUSES[result.code].meaning)
        return f"{message.rstrip('.')}."
    if result.code in BECAUSE or result.check is None:
        return BECAUSE[result.code](result)
    return SUMMARIES[result.check](result)


def remedy(result: CauseResult) -> str:
    """What to do about a cause: nearer to the case than the table's text where the numbers allow it."""
    if result.reason == "impossible":
        return result.details.get("remedy") or CAUSES[result.code].remedy
    special = REMEDIES.get(result.code)
    text = special(result) if special is not None else None
    return text or CAUSES[result.code].remedy
