"""The effect ladder: does the adapter have an effect in its file, the loaded weights, the logits and the hypotheses?

Every stage is measured: hooks count the adapter calls inside `generate`, the model with the adapter disabled is
compared bit by bit with a freshly loaded base model, and weight deltas are the effective ones (with DoRA's magnitudes).
A failed stage (values that are not finite, zeros, missing or unfitting tensors) does not stop the measurement if later
stages can still run; facts that could not be measured are None. WER is measured elsewhere. Imports torch.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

from lora.asr.adapter.initialisation import KEEPING_BASE
from lora.asr.adapter.loading import load_adapter
from lora.asr.adapter.problem import AdapterProblem
from lora.asr.adapter.weight_deltas import merged_share, original_weights, weight_deltas
from lora.asr.encode_once import encode_once
from lora.asr.families.speech_model import SpeechModel
from lora.asr.ladder.logits import ValidationBatch, equal_logits, keep_base_logits, logits_stage
from lora.asr.ladder.texts import all_texts, counted_texts, text_stage
from lora.asr.progress import report_inputs
from lora.progress import Progress
from lora.records.base import UserError
from lora.records.effect import EffectFacts, FileStage, LoadStage, LogitsStage, TextStage
from lora.records.training import ModuleChange

__all__ = ["ValidationBatch", "measure_effect"]

# Passes through the audio in each stage, and their costs relative to transcribing it (Whisper tiny.en, rounded).
BASE, DISABLED, ENABLED, MERGED = "base model", "adapter disabled", "adapter enabled", "adapter merged"
STAGES = {BASE: (1.0, 0.15), DISABLED: (1.0, 0.15), ENABLED: (1.0, 0.15), MERGED: (1.0, 1.0, 1.0)}


def measure_effect(
    speech: SpeechModel,
    run: str,
    adapter: str,
    batches: list[ValidationBatch],
    decode: dict[str, Any],
    changes: list[ModuleChange] | None = None,
) -> EffectFacts:
    """Measure all stages but WER. Problems with a cause code are in the facts.

    Args:
        speech: A freshly loaded base model; it cannot be used afterwards.
        run: Name of the run.
        adapter: The adapter folder.
        batches: Validation utterances; without any, logits and hypotheses are not measured.
        decode: Decoding settings.
        changes: Module changes that the training recorded, if known.

    Raises:
        UserError: The adapter folder does not exist.
    """
    facts: dict[str, Any] = {"run": run, "adapter": adapter}
    progress = _progress(speech, run, batches)
    with tempfile.TemporaryDirectory() as folder, encode_once(speech), report_inputs(speech, progress):
        base_logits = Path(folder)
        before = original_weights(speech.model, adapter)
        base_texts = all_texts(speech, batches, decode)
        keep_base_logits(speech, batches, base_logits)
        try:
            loaded = load_adapter(speech, adapter, whatever_fits=True)
        except AdapterProblem as problem:
            return EffectFacts(
                **facts,
                status="impossible",
                code=problem.code,
                message=problem.message,
                remedy=problem.remedy,
                file=problem.file_stage,
                load=problem.load_stage,
            )
        model = loaded.model
        file = loaded.file_stage
        load = loaded.load_stage.model_copy(update={"merged_share": None if before else merged_share(model)})
        weights = weight_deltas(model, before, file.initialisation, changes or [])
        logits, text = None, None
        if batches:
            reasons = off_differs_by(file, load)
            off = model.disable_adapter
            logits, text = _outputs(speech, batches, base_texts, base_logits, decode, off, reasons, progress.start)
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


def _outputs(
    speech: SpeechModel,
    batches: list[ValidationBatch],
    base_texts: list[str],
    base_logits: Path,
    decode: dict[str, Any],
    off: Callable[[], AbstractContextManager[Any]],
    reasons: list[str],
    start: Callable[[str], None],
) -> tuple[LogitsStage, TextStage | None]:
    """Logits and hypotheses, one state of the adapter after the other, so that each encodes the audio once.

    In each state hypotheses come first: the encoder has to run while calls of its modules are counted.
    """
    start(DISABLED)
    with off():
        texts_off = counted_texts(speech, batches, decode)
        off_equals_base = equal_logits(speech, batches, base_logits)
    compare_logits = partial(logits_stage, speech, batches, base_logits, off_equals_base, reasons)
    logits = None
    start(ENABLED)
    try:
        texts_on = counted_texts(speech, batches, decode)
        logits = compare_logits()
        start(MERGED)
        return logits, text_stage(speech, batches, base_texts, texts_on, texts_off, decode)
    except (UserError, RuntimeError, IndexError):
        logits = logits or compare_logits()
        if not logits.not_finite:
            raise  # only beam search and sampling over NaN logits may fail
        return logits, None


def _progress(speech: SpeechModel, run: str, batches: list[ValidationBatch]) -> Progress:
    lengths = [len(samples) for batch in batches for samples in batch.audio]
    return Progress(
        f"effect of {run}", sum(lengths) / speech.sampling_rate, sum(map(speech.padded_seconds, lengths)), STAGES
    )


def off_differs_by(file: FileStage, load: LoadStage) -> list[str]:
    """Reasons why the model with the adapter disabled may differ from the base model; empty for plain LoRA and DoRA."""
    reasons = []
    if file.initialisation not in KEEPING_BASE:
        reasons.append(f"initialisation {file.initialisation} changes base weights")
    if file.bias != "none":
        reasons.append(f"biases were trained ({file.bias})")
    if load.other_tensors_changed:
        reasons.append(f"tensors other than LoRA matrices change the model ({len(load.other_tensors_changed)})")
    if load.batch_norms:
        reasons.append(f"BatchNorm statistics are not part of an adapter ({load.batch_norms} layers)")
    return reasons


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
