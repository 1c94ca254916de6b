"""The effect ladder: does an adapter change its file, the loaded weights, the logits, the texts? WER is another stage.

Nothing is assumed: adapter calls inside `generate` are counted by hooks, "off" is compared bit by bit with a freshly
loaded base model, deltas are those that take effect (DoRA's magnitudes included). A stage that breaks does not stop the
measure_effect where the next can still be reached (values that are not finite, zeros, tensors that are missing or do not fit);
facts say which are null. Imports torch.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lora.asr.adapter.files import AdapterProblem
from lora.asr.adapter.loading import load_adapter
from lora.asr.adapter.weight_deltas import KEEPING_BASE, merged_share, original_weights, weight_deltas
from lora.asr.families.speech_model import SpeechModel
from lora.asr.ladder.logits import ValidationBatch, keep_base_logits, logits_stage
from lora.asr.ladder.texts import all_texts, text_stage
from lora.records.base import UserError
from lora.records.effect import EffectFacts, FileStage, LoadStage
from lora.records.training import ModuleChange

__all__ = ["ValidationBatch", "measure_effect"]


def measure_effect(
    speech: SpeechModel,
    run: str,
    adapter: str,
    batches: list[ValidationBatch],
    decode: dict[str, Any],
    changes: list[ModuleChange] | None = None,
) -> EffectFacts:
    """All stages but WER. `speech` is a freshly loaded base model, and is of no further use afterwards.

    `changes` are those of the training that made the adapter, where it is known. Raises UserError where the adapter
    folder does not exist; problems with a cause code are in the facts.
    """
    facts: dict[str, Any] = {"run": run, "adapter": adapter}
    with tempfile.TemporaryDirectory() as kept:
        before = original_weights(speech.model, adapter)
        keep_base_logits(speech, batches, Path(kept))
        base_texts = all_texts(speech, batches, decode)
        try:
            loaded = load_adapter(speech, adapter, whatever_fits=True)
        except AdapterProblem as problem:
            told = {"status": "impossible", "code": problem.code, "message": problem.message}
            return EffectFacts(**facts, **told, file=problem.file_stage, load=problem.load_stage)
        model, file = loaded.model, loaded.file_stage
        load = loaded.load_stage.model_copy(update={"merged_share": None if before else merged_share(model)})
        weights = weight_deltas(model, before, file.initialisation, changes or [])
        off = model.disable_adapter
        why = off_differs_by(file, load)
        logits = logits_stage(speech, batches, Path(kept), off, why) if batches else None
        text = None
        try:
            text = text_stage(speech, batches, base_texts, decode, off) if batches else None
        except (UserError, RuntimeError, IndexError):
            if logits is None or not logits.not_finite:
                raise  # beams and sampling cannot go on from what is no number; all else is no finding
        return EffectFacts(
            **facts,
            file=file,
            load=load,
            weights=weights,
            median_relative_norm=_median(delta.relative_norm for delta in weights),
            median_change=_median(delta.change for delta in weights),
            logits=logits,
            text=text,
        )


def off_differs_by(file: FileStage, load: LoadStage) -> list[str]:
    """Why the adapter switched off need not be the base; empty where nothing but plain LoRA or DoRA is in play."""
    reasons = []
    if file.initialisation not in KEEPING_BASE:
        reasons.append(f"initialisation {file.initialisation} changes base weights")
    if file.bias != "none":
        reasons.append(f"biases were trained ({file.bias})")
    if load.other_tensors_changed:
        reasons.append(f"tensors beside the LoRA matrices change the model ({len(load.other_tensors_changed)})")
    if load.batch_norms:
        reasons.append(f"BatchNorm statistics are not part of an adapter ({load.batch_norms} layers)")
    return reasons


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
