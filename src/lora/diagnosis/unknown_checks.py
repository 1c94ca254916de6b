"""What would make a check known that is not: one sentence a person can act on, for every check that can be unknown."""

from __future__ import annotations

from lora.diagnosis.facts import TRAIN, StudyFacts
from lora.records.verdict import Check

NO_TRAINING = "Name the training manifest (`manifests.train`) to have it answered."
NO_MODEL = "Name the model (`model.id`) to have it answered."
AGAIN = "Mend what keeps its facts from being made (its evidence names them), then diagnose again."
SETTINGS = "Write what is known of a run into `<stem>.settings.json` beside its transcripts (docs/candidates.md)."
OF_TRAINING = {"data_sufficiency", "data.filter_bias", "data.split_stability", "data.leakage"}
ON_A_CANDIDATE = {"adapter_change", "parity"}
STAGES = {"adapter.file", "adapter.load", "adapter.weights", "adapter.logits", "adapter.text"}
# By check id, or by how it begins; the first that fits.
PROVIDE = {
    "data.rejected_rows": "Mend the manifest so that it can be read.",
    "data.audio": "Provide the recordings and run the whole diagnosis; they were not listened to.",
    "data.texts": "Provide the baseline's transcripts of it: texts of fewer than a few words tell nothing.",
    "headroom.references": "Provide a training manifest and a candidate that differs much from the baseline.",
    "headroom": "Provide rows that hold words, lie within `max_seconds` and have a transcript of the baseline.",
    "training.history": "",  # says itself what to bring
    "training": "Train with this software, or bring the trainer's own log (`trainer_state.json`) with the adapter.",
    "labels.style": "Give the model a larger token cap, or more rows to hear (`labels.sample`).",
    "labels": "Give the audit rows that it can label (`labels.sample`, and texts within the decoder's limit).",
    "adapter.forgetting": "Add rows to this general manifest until the interval lies within the margin.",
    "adapter.outcome": "Provide transcripts of this run for the very rows of the manifest.",
    "parity.hypotheses": "Provide transcripts of more than a few words a row.",
    "parity": SETTINGS,
}


def with_remedy(facts: StudyFacts, check: Check) -> Check:
    """The check, and if it is unknown what to provide behind its summary."""
    if check.status != "unknown":
        return check
    told = _provide(facts, check)
    return check.model_copy(update={"summary": f"{check.summary} {told}"}) if told else check


def _provide(facts: StudyFacts, check: Check) -> str:
    if check.id in OF_TRAINING and TRAIN not in facts.config.manifests:
        return NO_TRAINING
    if check.id.startswith("labels") and facts.config.model is None:
        return NO_MODEL
    if check.id in ON_A_CANDIDATE and facts.config.gate_run is None:
        return "Add a candidate to `candidates`."
    if check.id == "adapter_change" or check.id in STAGES:
        return _of_the_adapter(facts, check.run or facts.config.gate_run or "")
    return next((told for begin, told in PROVIDE.items() if check.id.startswith(begin)), AGAIN)


def _of_the_adapter(facts: StudyFacts, run: str) -> str:
    """Of transcripts alone nobody can see an adapter; of an adapter that could not be loaded a cause says why."""
    if facts.config.kind(run) == "hypotheses":
        return f"Provide transcripts of {run} for the baseline's rows, or its adapter (`adapter: ...`) and the model."
    effect = facts.effect.get(run)
    if effect is not None and effect.status == "impossible":
        return "A cause says why: mend that, and diagnose again."
    return AGAIN
