"""Faults of trainings and of their data, planted into the study of a real Whisper, and neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
import soundfile
import soxr
from external_training import EARLY
from healthy_study import (
    change_audio,
    change_rows,
    use_external_adapter,
)
from plant_training import FALLING, log, use_external_history
from real_cases import fault, neighbour
from small_study import Study
from wild_studies import wild_rows


@fault(
    "training.diverged",
    "an adapter whose trainer logged losses of 0.0 in half precision",
    source="vasistalodagala/whisper-finetune#11",
)
def zero_losses(study: Study) -> None:
    broken = [{**entry, "loss": 0.0, "grad_norm": float("nan")} for entry in log(FALLING)[2:]]
    use_external_history(study, [*log(FALLING)[:2], *broken])


@fault(
    "training.lr_not_applied",
    "an adapter whose warm-up was longer than its training",
    source="a post-mortem of a Danish LoRA, x2q.net",
)
def endless_warmup(study: Study) -> None:
    rising = [{**entry, "learning_rate": 1e-7 * entry["step"]} for entry in log(FALLING)]
    use_external_history(study, rising)


VALIDATED = [{"step": step, "eval_loss": loss} for step, loss in ((20, 0.4), (40, 0.3), (60, 0.6), (80, 0.9))]


@fault(
    "training.best_not_kept",
    "an adapter of the last step, where the trainer's log names an earlier one as the best",
    source="huggingface/transformers#24103",
)
def last_instead_of_best(study: Study) -> None:
    level = [{"step": step, "eval_loss": loss} for step, loss in ((20, 0.4), (40, 0.3), (60, 0.305), (80, 0.31))]
    use_external_history(study, log(FALLING) + level, best_global_step=40, best_model_checkpoint="out/checkpoint-40")


@fault(
    "training.overfit",
    "an adapter that early stopping left at its last step, after the validation loss had tripled",
    source="ByErenOzer/Whisper_Finetune",
)
def stopped_early(study: Study) -> None:
    use_external_history(study, log(FALLING) + VALIDATED, max_steps=4000, best_global_step=40, stateful_callbacks=EARLY)


@neighbour("training.steps_short", "an adapter that early stopping left at the best of 80 of 4,000 steps")
def stopped_early_at_the_best(study: Study) -> None:
    falling = [{"step": step, "eval_loss": loss} for step, loss in ((20, 0.4), (40, 0.3), (60, 0.28), (80, 0.28))]
    use_external_history(study, log(FALLING) + falling, max_steps=4000, best_global_step=80, stateful_callbacks=EARLY)


@fault(
    "data.wrong_sampling_rate",
    "training audio with 8 kHz in headers of 16 kHz",
    also=("data.transcript_mismatch",),
)
def half_speed(study: Study) -> None:
    use_external_adapter(study)
    change_audio(study, "train", lambda samples, rate: samples, rate=8000)
    change_rows(study, "train", lambda row: {**row, "duration": 2 * row["duration"]})


@fault("data.odd_characters", "Cyrillic letters that look like Latin ones in every second domain text")
def look_alikes(study: Study) -> None:
    letters = str.maketrans("aeo", "\N{CYRILLIC SMALL LETTER A}\N{CYRILLIC SMALL LETTER IE}\N{CYRILLIC SMALL LETTER O}")
    change_rows(study, "domain", lambda row: {**row, "text": row["text"].translate(letters)}, every=2)


@fault("data.leakage", "twenty training recordings in the domain manifest, under other names")
def leaked(study: Study) -> None:
    copies = [{**row, "id": f"clip-{n}", "speaker_id": "new"} for n, row in enumerate(study.rows("train")[:20])]
    study.write_rows("domain", [*study.rows("domain"), *copies])


@fault(
    "data.exceeds_model_window",
    "training rows of 40 s, where the encoder takes 30",
    source="huggingface/community-events#57",
)
def beyond_the_window(study: Study) -> None:
    use_external_adapter(study)
    long_rows(study, 40)
    study.configure({"durations": {"max_seconds": 45}})


@neighbour("data.exceeds_model_window", "training rows of 22 to 30 s")
def within_the_window(study: Study) -> None:
    use_external_adapter(study)
    long_rows(study, 22)
    study.configure({"durations": {"max_seconds": 30}})


def long_rows(study: Study, seconds: float) -> None:
    """Join recordings that the study lacks to up to ten more training rows of at least so many seconds."""
    rows = study.rows("train")
    known = {row["id"] for row in rows}
    joined, parts = [], iter(row for row in wild_rows("accented/train.jsonl") if row["id"] not in known)
    for number in range(10):
        own: list[dict[str, Any]] = []
        while sum(row["duration"] for row in own) < seconds:
            row = next(parts, None)
            if row is None:
                break
            own.append(row)
        if not own:
            break
        audio = np.concatenate([soundfile.read(row["audio"], dtype="float32")[0] for row in own])
        path = study.folder / f"data/long-{number}.wav"
        soundfile.write(path, audio, 16000)
        text = " ".join(row["text"] for row in own)
        joined.append(
            {
                "id": path.stem,
                "audio": path.name,
                "text": text,
                "duration": len(audio) / 16000,
                "speaker_id": own[0]["speaker_id"],
            }
        )
    study.write_rows("train", [*rows, *joined])


@neighbour("headroom.baseline_broken", "telephone speech of 8 kHz in all manifests")
def telephone(study: Study) -> None:
    use_external_adapter(study)
    for name in study.config()["manifests"]:
        change_audio(study, name, lambda samples, rate: soxr.resample(samples, rate, 8000), rate=8000)
