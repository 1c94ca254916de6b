"""Evaluation manifests while a training runs: texts of the rows that `eval_rows` chose, at every validation.

They are decoded by the code of a stand-alone transcription, in the same batches, so that the saved adapter must give
the same texts. They are for looking only: nothing is selected by them.

Reads: audio, `work/audio/`. Writes: `<state>/in_run/<step>/cache.jsonl`; a resumed training keeps the texts of the
steps up to its checkpoint. Imports torch.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from lora.asr.decoding.audio_store import AudioIndex, AudioStore
from lora.asr.decoding.run_settings import conditions
from lora.asr.decoding.transcribe import BatchLimits, decode_all, transcript
from lora.asr.decoding.transcript_cache import TranscriptCache
from lora.asr.device_memory import Report
from lora.asr.families.speech_model import SpeechModel
from lora.asr.training.file_names import IN_RUN
from lora.asr.training.state import Training, write_evaluations
from lora.asr.training.validation_wer import word_errors
from lora.records.training import EvaluationRow
from lora.records.transcripts import Transcript

CACHE = "cache.jsonl"


class InRunEvaluations:
    """The evaluations of one training, by step."""

    def __init__(self, training: Training, state: Path, report: Report) -> None:
        """`report` is called with a message when a batch is halved for lack of memory."""
        self._rows = training.evaluated
        self._run = training.run
        self._folder = state / IN_RUN
        self._report = report
        self._conditions = conditions(
            training.files, training.device, training.settings["eval_decode"], training.target_rms
        )
        rate = training.files.sampling_rate
        work = state.parents[1]  # `work/train/<key>`
        self._store = AudioStore(rate, training.target_rms, index=AudioIndex(work, rate))
        self._keys = {name: self._store.add(rows) for name, rows in self._rows.items()}

    def evaluate(self, speech: SpeechModel, step: int) -> None:
        """Transcribe with the current weights what is not known of this step yet."""
        (self._folder / str(step)).mkdir(parents=True, exist_ok=True)
        cache = self._cache(step)
        keys = list(dict.fromkeys(key for keys in self._keys.values() for key in keys))
        missing = [key for key in keys if key not in cache]
        if missing:
            job = f"evaluation of {self._run} at step {step}"
            decode_all(missing, self._store, speech, self._conditions, cache, self._report, BatchLimits(), job)

    def write(self, output: Path) -> None:
        """Write the word errors of all steps, and the transcripts of the last one."""
        steps = evaluated_steps(self._folder)
        by_step = {step: self._transcripts(step) for step in steps}
        scored = [_scored(step, name, texts) for step in steps for name, texts in by_step[step].items()]
        write_evaluations(output, scored, by_step[steps[-1]] if steps else {name: [] for name in self._rows})

    def _cache(self, step: int) -> TranscriptCache:
        return TranscriptCache(self._folder / str(step) / CACHE)

    def _transcripts(self, step: int) -> dict[str, list[Transcript]]:
        cache = self._cache(step)
        return {
            name: [transcript(row, cache[key]) for row, key in zip(rows.rows, self._keys[name], strict=True)]
            for name, rows in self._rows.items()
        }


def _scored(step: int, manifest: str, transcripts: Sequence[Transcript]) -> EvaluationRow:
    errors, words = word_errors((row.reference, row.hypothesis) for row in transcripts)
    wer = errors / words if words else None
    return EvaluationRow(step=step, manifest=manifest, rows=len(transcripts), words=words, errors=errors, wer=wer)


def evaluated_steps(folder: Path) -> list[int]:
    """Steps with an evaluation, in order."""
    return sorted(int(path.name) for path in folder.glob("*") if path.name.isdecimal())


def forget_after(folder: Path, step: int) -> None:
    """Remove evaluations after `step`, from which a killed training resumes."""
    for later in evaluated_steps(folder):
        if later > step:
            shutil.rmtree(folder / str(later))


def utterances(folder: Path) -> int:
    """Number of utterances that all evaluations together decoded."""
    return sum(len(TranscriptCache(folder / str(step) / CACHE)) for step in evaluated_steps(folder))
