"""Speak the four sets of the study and write their manifests.

| set | speech | for |
|---|---|---|
| train | Scottish, West Midlands and Lancashire voices in noise, harbour jargon, 1 to 25 s | tuning |
| domain | the same kind from other speakers, mostly under 10 s | headroom and gain |
| test | a handful of such rows | showing what too small a set is |
| heldout | short everyday sentences in the model's own accents | what tuning may spoil |

No sentence occurs twice in all the sets together, none was in the model's own
training, and no speaker is in two sets.

Example:
    make_manifests(Path("data"), training_sentences=set(), seed=1)

Reads: nothing. Writes: `<folder>/<set>_manifest.jsonl`, `<folder>/audio/<set>/*.ogg`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from data.recipe.sentences import domain_sentence, everyday_sentence
from data.recipe.speech import (
    DOMAIN_ACCENTS,
    GENERAL_ACCENTS,
    SAMPLE_RATE,
    Speaker,
    Synthesizer,
    add_noise,
    coloured_noise,
    draw_speaker,
    join,
)

OPUS_COMPRESSION = 0.96  # libsndfile's scale from 256 to 6 kbit/s; this is about 16 kbit/s
TEN_MILLISECONDS = SAMPLE_RATE // 100


@dataclass(frozen=True)
class Recipe:
    """Composition of a set; `lengths` counts rows between two durations in seconds."""

    lengths: dict[tuple[float, float], int]
    speakers: int
    accents: tuple[str, ...]
    snr_db: tuple[float, float]
    everyday_share: float


SETS = {
    "train": Recipe(
        # Up to 8 s there are 170 rows, too few to train on; up to 10 s there are 275.
        {
            (1, 5): 80,
            (5, 8): 90,
            (8, 10): 105,
            (10, 15): 45,
            (15, 20): 25,
            (20, 24): 10,
            (24, 25): 5,
        },
        speakers=40,
        accents=DOMAIN_ACCENTS,
        snr_db=(12, 24),
        everyday_share=0.65,
    ),
    "domain": Recipe(
        {(1, 5): 110, (5, 8): 60, (8, 10): 18, (10, 15): 10, (15, 20): 2},
        speakers=25,
        accents=DOMAIN_ACCENTS,
        snr_db=(12, 24),
        everyday_share=0.65,
    ),
    "test": Recipe(
        {(1, 5): 4, (5, 8): 2},
        speakers=3,
        accents=DOMAIN_ACCENTS,
        snr_db=(12, 24),
        everyday_share=0.65,
    ),
    "heldout": Recipe(
        {(1, 5): 140},
        speakers=28,
        accents=GENERAL_ACCENTS,
        snr_db=(20, 40),
        everyday_share=1.0,
    ),
}


def make_manifests(folder: Path, training_sentences: set[str], seed: int) -> None:
    """Speak and write every set, from sentences that are not in the training corpus."""
    used_sentences = set(training_sentences)
    used_speakers: set[Speaker] = set()
    synthesizer = Synthesizer()
    for index, (name, recipe) in enumerate(SETS.items()):
        rng = np.random.default_rng([seed, index])
        audio_folder = folder / "audio" / name
        audio_folder.mkdir(parents=True, exist_ok=True)
        for old in audio_folder.glob("*.ogg"):
            old.unlink()
        speakers = _new_speakers(rng, recipe, used_speakers)
        spans = [span for span, count in recipe.lengths.items() for _ in range(count)]
        lines = []
        # Shuffled, so that neither length nor speaker depends on the position in the file.
        for row, place in enumerate(rng.permutation(len(spans))):
            speaker = speakers[row % len(speakers)]
            text, samples = _record(rng, synthesizer, recipe, speaker, spans[place], used_sentences)
            path = audio_folder / f"{name}-{row + 1:03d}.ogg"
            soundfile.write(
                path,
                samples,
                SAMPLE_RATE,
                format="OGG",
                subtype="OPUS",
                compression_level=OPUS_COMPRESSION,
            )
            entry = {
                "id": path.stem,
                "audio": path.relative_to(folder).as_posix(),
                "text": text,
                "duration": soundfile.info(path).frames / SAMPLE_RATE,
                "speaker_id": speaker.id,
            }
            lines.append(json.dumps(entry) + "\n")
        (folder / f"{name}_manifest.jsonl").write_text("".join(lines), encoding="utf-8")


def _new_speakers(rng: np.random.Generator, recipe: Recipe, used: set[Speaker]) -> list[Speaker]:
    speakers: list[Speaker] = []
    while len(speakers) < recipe.speakers:
        # Accents take turns, so that each set has equal amounts of each.
        accent = recipe.accents[len(speakers) % len(recipe.accents)]
        speaker = draw_speaker(rng, (accent,), rates=(140, 200))
        if speaker not in used:
            used.add(speaker)
            speakers.append(speaker)
    return speakers


def _record(
    rng: np.random.Generator,
    synthesizer: Synthesizer,
    recipe: Recipe,
    speaker: Speaker,
    span: tuple[float, float],
    used: set[str],
) -> tuple[str, np.ndarray]:
    """Unused sentences of one speaker, as many as it takes to last between two durations."""
    while True:
        texts = [_unused(rng, recipe, used)]
        spoken = [synthesizer.speak(texts[0], speaker)]
        samples = join(rng, spoken)
        while samples.size <= span[0] * SAMPLE_RATE:
            texts.append(_unused(rng, recipe, used | set(texts)))
            spoken.append(synthesizer.speak(texts[-1], speaker))
            samples = join(rng, spoken)
        samples = np.pad(samples, (0, -samples.size % TEN_MILLISECONDS))
        if samples.size <= span[1] * SAMPLE_RATE:
            used.update(texts)
            noise = coloured_noise(rng, samples.size, rng.uniform(0.0, 2.0))
            return " ".join(texts), add_noise(samples, noise, rng.uniform(*recipe.snr_db))


def _unused(rng: np.random.Generator, recipe: Recipe, used: set[str]) -> str:
    write: Callable[[np.random.Generator], str] = (
        everyday_sentence if rng.random() < recipe.everyday_share else domain_sentence
    )
    while (text := write(rng)) in used:
        pass
    return text
