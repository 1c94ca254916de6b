"""A real Whisper (tiny.en) on real speech: transcription, label audit, effect ladder and training.

They are compared with what people would use instead, and with the cost of transcribing the same utterances. Model and
recordings are those of `make wild` (folder `WILD`, by default `shared/wild` next to the checkout). faster-whisper is
compared where it is installed (`pip install faster-whisper==1.2.1`).
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from measuring import REPOSITORY, Figure, Goal, Line, Plan, Result, environment, line, line_of_seconds, seconds_of

TITLE = "A real Whisper on real speech"
MINUTES = 7
WILD = Path(os.environ.get("WILD", REPOSITORY.parent / "shared/wild")).absolute()
ROWS = {False: 16, True: 2}
PAIRS = {False: 3, True: 1}
BATCH = 8
STEPS = {False: 3, True: 1}
DECODE = {"max_new_tokens": 100, "num_beams": 1, "do_sample": False}
STATES = {"encoder and decoder": 6, "decoder": 2}  # states of the encoder in the ladder, by what the adapter adapts
AUDITED, LADDER = Goal(2.5, "at_most"), Goal(2.5, "at_most")

REMARKS = [
    "Profile of transcribing 16 utterances, two threads: 5.3 s, of which the encoder takes 4.0 s, always over 30 s of "
    "audio, and 21 decoder steps 1.0 s. Batches cannot change the first, so that nobody is much faster here.",
    "Profile of a label audit of them: 10.6 s; greedy hypotheses 5.5 s (with the only run of the encoder), agreement "
    "1.4 s, likelihoods 2.2 s, losses 1.4 s.",
    "Our training step returns freed memory to the system at once, which is what makes its peak smaller and the step "
    "longer.",
]


def run(plan: Plan) -> Result:
    import torch

    count, pairs = ROWS[plan.quick], PAIRS[plan.quick]
    result = Result(
        config={
            "rows": count,
            "pairs": pairs,
            "batch": BATCH,
            "steps": STEPS[plan.quick],
            "device": plan.device,
            "model": "openai/whisper-tiny.en",
            "threads": torch.get_num_threads(),
            "decode": DECODE,
        }
    )
    if not WILD.is_dir():
        result.remarks = [f"Not measured: no model and recordings at {WILD}."]
        return result
    result.remarks = REMARKS
    transcription(plan, count, pairs, result)
    diagnosis(plan, count, pairs, result)
    training(plan, pairs, result)
    return result


def some_rows(count: int) -> Any:
    """Rows of accented speech, evenly over the file, with their samples."""
    from lora.asr.training.data import SpeechRows
    from lora.data.manifest import read_manifest

    manifest = read_manifest(WILD / "accented/test.jsonl")
    rows = manifest.rows[:: len(manifest.rows) // count][:count]
    return SpeechRows(rows, manifest.folder, 16000, None)


def transcription(plan: Plan, count: int, pairs: int, result: Result) -> None:
    from transcribe_rows import Contest, share_unlike

    contest = Contest(WILD / "whisper-tiny.en", some_rows(count).rows, DECODE, plan.device, WILD / "accented")
    name = f"transcribe {count} utterances"
    texts = contest.ours()
    others = {
        "a loop, one utterance at a time": contest.one_by_one,
        "pipeline, batch size 8": partial(contest.pipeline, 8),
        "faster-whisper, float32": faster_whisper(plan, contest),
    }
    for against, theirs in others.items():
        result.figures.append(Figure(f"{name}: hypotheses unlike those of {against}", share_unlike(texts, theirs())))
        result.lines.append(line(name, contest.ours, against, theirs, Goal(None), pairs))


def faster_whisper(plan: Plan, contest: Any) -> Any:
    """Transcribe the same rows by CTranslate2 with the same weights, greedily and without timestamps."""
    from ctranslate2.converters import TransformersConverter
    from faster_whisper import WhisperModel

    folder = plan.folder / "ctranslate2"
    TransformersConverter(
        str(WILD / "whisper-tiny.en"), copy_files=["tokenizer.json", "preprocessor_config.json"]
    ).convert(str(folder), quantization="float32")
    threads = contest.device_settings.threads
    model = WhisperModel(str(folder), device=plan.device, compute_type="float32", cpu_threads=threads)

    def texts() -> dict[str, str]:
        found = {}
        for row, audio in zip(contest.rows, contest.audio(), strict=True):
            segments, _ = model.transcribe(
                audio["raw"],
                language="en",
                beam_size=1,
                temperature=0.0,
                without_timestamps=True,
                condition_on_previous_text=False,
            )
            found[row.id] = "".join(segment.text for segment in segments).strip()
        return found

    return texts


def diagnosis(plan: Plan, count: int, pairs: int, result: Result) -> None:
    """Label audit and effect ladder, in multiples of the cost of transcribing their utterances."""
    from lora.asr.labels.audit import audit_labels
    from lora.asr.ladder.effect import ValidationBatch, measure_effect
    from lora.asr.model_files import describe_model
    from lora.asr.model_loading import load_model
    from lora.asr.training.data import batches_in_order

    files = describe_model(str(WILD / "whisper-tiny.en"))
    speech = load_model(files, plan.device, "float32")
    rows = some_rows(count)
    batches = batches_in_order(rows.steps(speech.sampling_rate, speech.grid_seconds), BATCH)

    def transcribe() -> None:
        for batch in batches:
            speech.generate(speech.inputs([rows[index]["audio"] for index in batch]), DECODE)

    transcribe()  # warm
    result.lines.append(
        line(
            f"label audit of {count} utterances",
            lambda: audit_labels(speech, rows, BATCH, DECODE),
            "transcribing them",
            transcribe,
            AUDITED,
            pairs,
        )
    )
    validation = [
        ValidationBatch([rows[i]["audio"] for i in batch], [rows[i]["text"] for i in batch]) for batch in batches
    ]
    for adapted, states in STATES.items():
        adapter = random_adapter(plan.folder / adapted, files, adapted)

        def ladder(adapter: Path = adapter) -> None:
            measure_effect(load_model(files, plan.device, "float32"), "run", str(adapter), validation, DECODE)

        measured = line("", ladder, "", transcribe, Goal(None, "at_most"), pairs)
        per_state = [value / states for value in (measured.ratio, measured.least, measured.largest)]
        name = f"effect ladder, adapter on {adapted}, each of {states} states of the encoder"
        result.lines.append(
            Line(
                name,
                "transcribing the utterances",
                LADDER,
                *per_state,
                measured.ours_seconds / states,
                measured.theirs_seconds,
                pairs,
            )
        )


def random_adapter(folder: Path, files: Any, adapted: str) -> Path:
    """An adapter with small random deltas on q_proj and v_proj."""
    import torch
    from peft import LoraConfig, get_peft_model

    from lora.asr.model_loading import load_model

    part = "" if "encoder" in adapted else "decoder."
    config = LoraConfig(r=8, lora_alpha=16, target_modules=rf".*{part}.*\.(q_proj|v_proj)")
    torch.manual_seed(0)
    model = get_peft_model(load_model(files, "cpu", "float32").model, config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0, 0.002)
    model.save_pretrained(folder)
    return folder


def training(plan: Plan, pairs: int, result: Result) -> None:
    """Steps of eight rows, in processes of their own, because a peak is that of a process."""
    measured = {side: [train_alone(side, plan) for _ in range(pairs)] for side in ("ours", "theirs")}
    seconds = {side: iter([each[0] for each in runs]) for side, runs in measured.items()}
    result.lines.append(
        line_of_seconds(
            f"a training step of {BATCH} rows",
            lambda: next(seconds["ours"]),
            "Seq2SeqTrainer",
            lambda: next(seconds["theirs"]),
            Goal(None),
            pairs,
        )
    )
    for side, name in (("ours", "ours"), ("theirs", "Seq2SeqTrainer")):
        peak = max(each[1] for each in measured[side])
        result.figures.append(Figure(f"peak of training with {BATCH} rows a step: {name}", f"{peak:,.0f} MB"))


def train_alone(side: str, plan: Plan) -> tuple[float, float]:
    """Seconds of a step and the peak in MB."""
    command = [sys.executable, __file__, side, str(STEPS[plan.quick]), plan.device, str(plan.folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment())
    seconds, peak = map(float, done.stdout.split()[-2:])
    return seconds, peak


def train(side: str, steps: int, device: str, folder: Path) -> None:
    """Train a few steps in this process, and print seconds of a step and the peak in MB."""
    import train_steps
    from peft import LoraConfig

    from lora.asr.adapter.attach import attach
    from lora.asr.device_memory import return_freed_memory
    from lora.asr.model_files import describe_model
    from lora.asr.model_loading import load_model

    rows = some_rows(BATCH * steps)
    if side == "ours":
        return_freed_memory()
    speech = load_model(describe_model(str(WILD / "whisper-tiny.en")), device, "float32")
    attach(speech, LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"]))
    batches = [list(range(first, first + BATCH)) for first in range(0, BATCH * steps, BATCH)]
    if side == "ours":
        seconds = seconds_of(lambda: train_steps.ours(speech, rows, batches, folder))
    else:
        seconds = seconds_of(lambda: train_steps.plain(speech, rows, folder))
    print(seconds / steps, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)


if __name__ == "__main__":
    train(sys.argv[1], int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
