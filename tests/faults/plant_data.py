"""Faults of manifests and audio, each next to a healthy case that looks like it."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import soundfile
import soxr
from cases import fault, neighbour
from healthy_study import Samples, change_audio, change_rows, embedded_rows
from small_study import DATA, Study


@fault("data.too_few_samples", "training manifest of 40 rows")
def few_rows(study: Study) -> None:
    study.write_rows("train", study.rows("train")[:40])


@neighbour("data.too_few_samples", "training manifest of 90 rows")
def rows_enough(study: Study) -> None:
    study.write_rows("train", study.rows("train")[:90])


@fault("data.filter_starves_training", "max_seconds 5 where 10 would do")
def short_limit(study: Study) -> None:
    study.configure({"durations": {"max_seconds": 5}})


@neighbour("data.filter_starves_training", "max_seconds 12, chosen by hand")
def long_limit(study: Study) -> None:
    study.configure({"durations": {"max_seconds": 12}})


@fault("data.filter_biased", "two speakers who only speak in long rows, max_seconds 10 by hand")
def lost_speakers(study: Study) -> None:
    slow_speakers(study)
    study.configure({"durations": {"max_seconds": 10}})


@neighbour("data.filter_biased", "two speakers who only speak in long rows, max_seconds chosen to keep them")
def slow_speakers(study: Study) -> None:
    rows = study.rows("train")
    long = [row for row in rows if row["duration"] > 10]
    for number, row in enumerate(long):
        row["speaker_id"] = f"slow speaker {number % 2}"
    study.write_rows("train", rows)


@neighbour("data.filter_biased", "long rows of everybody")
def long_rows_of_everybody(study: Study) -> None:
    rows = study.rows("train")
    speakers = sorted({row["speaker_id"] for row in rows if row["duration"] <= 10})
    for number, row in enumerate(row for row in rows if row["duration"] > 10):
        row["speaker_id"] = speakers[number % len(speakers)]
    study.write_rows("train", rows)


@fault("data.unreadable_audio", "missing, empty and torn audio files")
def unreadable(study: Study) -> None:
    rows = study.rows("train")
    torn = (study.folder / "data" / rows[4]["audio"]).read_bytes()[:60]
    (study.folder / "data/torn.ogg").write_bytes(torn)
    (study.folder / "data/empty.wav").touch()
    rows[0]["audio"], rows[2]["audio"], rows[4]["audio"] = "audio/none.ogg", "empty.wav", "torn.ogg"
    study.write_rows("train", rows)


@neighbour("data.unreadable_audio", "audio files with blanks, umlauts and quotes in their names")
def odd_names(study: Study) -> None:
    (study.folder / "data/Töne").mkdir()
    rows = study.rows("train")
    for row in rows[:6]:
        name = f"Töne/it's {row['id']} & more.ogg"
        shutil.copyfile(study.folder / "data" / row["audio"], study.folder / "data" / name)
        row["audio"] = name
    study.write_rows("train", rows)


@fault("data.empty_transcripts", "five rows without text")
def empty_texts(study: Study) -> None:
    rows = study.rows("train")
    for row, text in zip(rows, ("", " ", "\t", "", "\n"), strict=False):
        row["text"] = text
    study.write_rows("train", rows)


@neighbour("data.empty_transcripts", "texts with blanks around them")
def blanks_around(study: Study) -> None:
    change_rows(study, "train", lambda row: {**row, "text": f"  {row['text']}\n"}, every=3)


@fault("data.wrong_durations", "every tenth duration in milliseconds")
def some_milliseconds(study: Study) -> None:
    change_rows(study, "train", lambda row: {**row, "duration": row["duration"] * 1000}, every=10)


@fault("data.wrong_durations", "all durations in milliseconds")
def all_milliseconds(study: Study) -> None:
    change_rows(study, "train", lambda row: {**row, "duration": row["duration"] * 1000})


@neighbour("data.wrong_durations", "durations rounded to tenths, some missing")
def rounded_durations(study: Study) -> None:
    rows = study.rows("train")
    for number, row in enumerate(rows):
        row["duration"] = round(row["duration"], 1) if number % 4 else None
    study.write_rows("train", rows)


@fault("data.sample_rate_mismatch", "every fifth recording once sampled at 8 kHz")
def telephone(study: Study) -> None:
    change_audio(study, "train", lambda x, rate: soxr.resample(soxr.resample(x, rate, 8000), 8000, rate), every=5)


@neighbour("data.sample_rate_mismatch", "every fifth recording stored at 44.1 kHz")
def compact_disc(study: Study) -> None:
    change_audio(study, "train", lambda x, rate: soxr.resample(x, rate, 44100), every=5, rate=44100)


@fault("data.silent_audio", "every twentieth recording silent")
def silence(study: Study) -> None:
    change_audio(study, "train", lambda x, rate: np.zeros_like(x), every=20)


@neighbour("data.silent_audio", "every twentieth recording 15 dB quieter")
def quiet(study: Study) -> None:
    change_audio(study, "train", lambda x, rate: x * np.float32(10 ** (-15 / 20)), every=20)


@fault("data.clipped_audio", "every tenth recording overdriven by 18 dB")
def overdriven(study: Study) -> None:
    change_audio(study, "train", lambda x, rate: np.clip(loudest(x) * 8, -1, 1), every=10)


@neighbour("data.clipped_audio", "every tenth recording as loud as can be")
def loud(study: Study) -> None:
    change_audio(study, "train", lambda x, rate: loudest(x), every=10)


def loudest(samples: Samples) -> Samples:
    return samples / np.abs(samples).max() * np.float32(0.99)


@fault("data.transcript_mismatch", "texts of 40 rows shifted by one row")
def shifted_texts(study: Study) -> None:
    rows = study.rows("train")
    texts = [row["text"] for row in rows]
    for number in range(40):
        rows[number]["text"] = texts[(number + 1) % 40]
    study.write_rows("train", rows)


@fault("data.transcript_mismatch", "half of each text missing in every sixth row")
def halved_texts(study: Study) -> None:
    def half(row: dict[str, Any]) -> dict[str, Any]:
        words = str(row["text"]).split()
        return {**row, "text": " ".join(words[: max(len(words) // 5, 1)])}

    change_rows(study, "train", half, every=6)


@neighbour("data.transcript_mismatch", "training speech of the accent the model transcribes worst")
def hard_accent(study: Study) -> None:
    rows = [row for row in embedded_rows("train") if "clan" in row["speaker_id"] or "scotland" in row["speaker_id"]]
    study.write_rows("train", rows[:110])


@fault("data.duplicates", "five recordings entered twice, under ids of their own")
def repeated_recordings(study: Study) -> None:
    rows = study.rows("train")
    study.write_rows("train", [*rows, *({**row, "id": f"{row['id']}-again"} for row in rows[:5])])


@fault("data.duplicates", "five ids used twice")
def repeated_ids(study: Study) -> None:
    rows = study.rows("train")
    study.write_rows(
        "train", [*rows, *({**old, "id": row["id"]} for row, old in zip(rows, more_rows(5), strict=False))]
    )


def more_rows(count: int) -> list[dict[str, Any]]:
    """Rows of the embedded training manifest that the small study does not hold."""
    return embedded_rows("train")[-count:]


@neighbour("data.duplicates", "five sentences read twice, by two speakers")
def repeated_sentences(study: Study) -> None:
    read_by_another(study, study.rows("train")[:5])


def read_by_another(study: Study, rows: list[dict[str, Any]]) -> None:
    """Add other renderings of these rows (5 % slower), by another speaker, to the training manifest."""
    (study.folder / "data/changed").mkdir()
    added = []
    for row in rows:
        samples, rate = soundfile.read(DATA / row["audio"], dtype="float32")
        audio = f"changed/{row['id']}.wav"
        soundfile.write(study.folder / "data" / audio, soxr.resample(samples, 20000, 21000), rate)
        added.append({"id": f"other-{row['id']}", "audio": audio, "text": row["text"], "speaker_id": "another"})
    study.write_rows("train", [*study.rows("train"), *added])


@fault("data.leakage", "ten rows of the domain manifest in training")
def leaked(study: Study) -> None:
    shared = [{**row, "id": f"copy-{row['id']}"} for row in study.rows("domain")[:10]]
    study.write_rows("train", [*study.rows("train"), *shared])


@neighbour("data.leakage", "three sentences of the domain manifest read by others in training")
def shared_sentences(study: Study) -> None:
    read_by_another(study, study.rows("domain")[:3])


@fault("data.unstable_split", "two speakers, one of them with few rows")
def two_speakers(study: Study) -> None:
    rows = study.rows("train")
    study.write_rows("train", [{**row, "speaker_id": "b" if n % 7 == 0 else "a"} for n, row in enumerate(rows)])


@neighbour("data.unstable_split", "ten speakers with as many rows each")
def ten_speakers(study: Study) -> None:
    rows = study.rows("train")
    study.write_rows("train", [{**row, "speaker_id": f"speaker {n % 10}"} for n, row in enumerate(rows)])


@fault("data.exceeds_model_window", "a model with a window of 6 s, trained on rows of up to 10")
def small_window(study: Study) -> None:
    study.configure({"model": {"max_audio_seconds": 6}, "durations": {"max_seconds": 10}})


@neighbour("data.exceeds_model_window", "a model with a window of 30 s")
def wide_window(study: Study) -> None:
    study.configure({"model": {"max_audio_seconds": 30}})
