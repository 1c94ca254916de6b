"""Faults of rows as a whole: pieces of recordings, sampling rates, characters, rejected rows, the speaker column."""

from __future__ import annotations

from typing import Any

import numpy as np
import soundfile
import soxr
from cases import fault, neighbour
from healthy_study import change_audio, change_rows
from small_study import Study

PIECES = 5  # rows per joined recording


@fault("data.wrong_offsets", "five training rows on each recording, all from 0 s", also=("data.transcript_mismatch",))
def lost_offsets(study: Study) -> None:
    study.write_rows("train", [{**row, "offset": 0.0} for row in joined_recordings(study)])


@neighbour("data.wrong_offsets", "five training rows on each recording, one after the other")
def right_offsets(study: Study) -> None:
    study.write_rows("train", joined_recordings(study))


def joined_recordings(study: Study) -> list[dict[str, Any]]:
    """Training rows as pieces of recordings that contain the audio of five rows each."""
    (study.folder / "data/joined").mkdir()
    rows = study.rows("train")
    for start in range(0, len(rows), PIECES):
        parts: list[Any] = []
        audio = f"joined/{start}.wav"
        begin, rate = 0.0, 0
        for row in rows[start : start + PIECES]:
            samples, rate = soundfile.read(study.folder / "data" / row["audio"], dtype="float32")
            row |= {"audio": audio, "offset": round(begin, 4), "duration": round(len(samples) / rate, 4)}
            begin += len(samples) / rate
            parts.append(samples)
        soundfile.write(study.folder / "data" / audio, np.concatenate(parts), rate)
    return rows


@fault(
    "data.wrong_sampling_rate",
    "all training audio with 8 kHz in its headers instead of 16 kHz",
    also=("data.too_few_samples", "data.transcript_mismatch"),
)
def half_speed(study: Study) -> None:
    change_audio(study, "train", lambda x, rate: x, rate=8000)
    change_rows(study, "train", lambda row: {**row, "duration": None})


@neighbour("data.wrong_sampling_rate", "training speech a twelfth slower")
def slow_speech(study: Study) -> None:
    change_audio(study, "train", lambda x, rate: soxr.resample(x, rate, 1.08 * rate))
    change_rows(study, "train", lambda row: {**row, "duration": None})


@fault("data.odd_characters", "zero width spaces in every third domain text")
def zero_width_spaces(study: Study) -> None:
    change_rows(
        study, "domain", lambda row: {**row, "text": "\u200b".join((row["text"][:2], row["text"][2:]))}, every=3
    )


@neighbour("data.odd_characters", "no-break spaces and typographic quotes in every third domain text")
def typography(study: Study) -> None:
    change_rows(study, "domain", lambda row: {**row, "text": f"“{row['text']}”".replace(" ", "\u00a0", 1)}, every=3)


@fault("data.unusable_rows", "words for a number as the duration of every fourth row")
def durations_in_words(study: Study) -> None:
    change_rows(study, "train", lambda row: {**row, "duration": "about six"}, every=4)


@neighbour("data.unusable_rows", "durations as strings")
def durations_as_strings(study: Study) -> None:
    change_rows(study, "train", lambda row: {**row, "duration": str(row["duration"])}, every=4)


@fault("data.empty_transcripts", "an empty text in every third domain row")
def lost_texts(study: Study) -> None:
    change_rows(study, "domain", lambda row: {**row, "text": ""}, every=3)


@neighbour("data.empty_transcripts", "three silent domain rows with an empty text")
def silent_rows(study: Study) -> None:
    change_audio(study, "domain", lambda x, rate: np.zeros_like(x), every=25)
    change_rows(study, "domain", lambda row: {**row, "text": ""}, every=25)


@fault("data.constant_speaker", "the same speaker in every training row")
def constant_speaker(study: Study) -> None:
    change_rows(study, "train", lambda row: {**row, "speaker_id": "default"})


@neighbour("data.constant_speaker", "no speaker in any training row")
def no_speaker(study: Study) -> None:
    change_rows(study, "train", lambda row: {**row, "speaker_id": None})
