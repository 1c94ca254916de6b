"""Measure the model: WER by condition of speech, in the numbers that the model card quotes.

Example:
    model, processor = load(Path("data/model"))
    print(table(model, processor, training_sentences=set(), manifests=[], seed=3))

Reads: the model folder, manifests and their audio. Writes: nothing.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jiwer
import numpy as np
import soundfile
import torch
from transformers import AutoModelForSpeechSeq2Seq, AutoProcessor

from data.recipe.batches import grid_seconds, pad_to_grid
from data.recipe.sentences import domain_sentence, everyday_sentence
from data.recipe.speech import (
    GENERAL_ACCENTS,
    Synthesizer,
    add_noise,
    coloured_noise,
    draw_speaker,
    join,
)

ROWS_PER_CONDITION = 120
BATCH_SIZE = 16


def load(folder: Path) -> tuple:
    """Model (float32, evaluation mode) and processor."""
    model = AutoModelForSpeechSeq2Seq.from_pretrained(folder, dtype=torch.float32)
    return model.eval(), AutoProcessor.from_pretrained(folder)


@torch.inference_mode()
def transcribe(model, processor, recordings: list[np.ndarray], batch_size: int = BATCH_SIZE) -> list[str]:
    """Greedy transcripts, decoded in batches of one grid step."""
    by_step = defaultdict(list)
    for index, recording in enumerate(recordings):
        by_step[grid_seconds(recording.size)].append(index)
    texts = [""] * len(recordings)
    for indices in by_step.values():
        for start in range(0, len(indices), batch_size):
            chosen = indices[start : start + batch_size]
            values, mask = pad_to_grid([recordings[index] for index in chosen])
            tokens = model.generate(input_values=values, attention_mask=mask)
            decoded = processor.batch_decode(tokens, skip_special_tokens=True)
            for index, text in zip(chosen, decoded, strict=True):
                texts[index] = text
    return texts


def spoken_words(text: str) -> str:
    """Lower case without punctuation, as WER compares texts."""
    return " ".join(re.sub(r"[.,?]", " ", text.lower()).split())


def word_error_rate(references: list[str], hypotheses: list[str]) -> float:
    """Corpus WER over spoken words."""
    return jiwer.wer([spoken_words(text) for text in references], [spoken_words(text) for text in hypotheses])


def read_set(manifest: Path) -> tuple[list[str], list[np.ndarray]]:
    """References and recordings of a manifest."""
    rows = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
    recordings = [soundfile.read(manifest.parent / row["audio"], dtype="float32")[0] for row in rows]
    return [row["text"] for row in rows], recordings


@dataclass(frozen=True)
class Condition:
    """A kind of speech; the defaults are what the model was trained on."""

    name: str
    accents: tuple[str, ...] = GENERAL_ACCENTS
    write: Callable[[np.random.Generator], str] = everyday_sentence
    rates: tuple[int, int] = (135, 225)
    snr_db: tuple[float, float] | None = None
    sentences: int = 1


CONDITIONS = (
    Condition("everyday sentence in a known accent"),
    Condition("the same, fast (225 to 260 words a minute)", rates=(225, 260)),
    Condition("the same, in noise of 5 to 15 dB", snr_db=(5, 15)),
    Condition("the same, 3 sentences in a row", sentences=3),
    Condition("the same, 6 sentences in a row (about 13 s)", rates=(160, 200), sentences=6),
    Condition("the same, 10 sentences in a row (about 22 s)", rates=(160, 200), sentences=10),
    Condition("harbour jargon in a known accent", write=domain_sentence),
    Condition("everyday sentence, Lancashire", accents=("en-gb-x-gbclan",)),
    Condition("everyday sentence, Scottish", accents=("en-gb-scotland",)),
    Condition("everyday sentence, West Midlands", accents=("en-gb-x-gbcwmd",)),
    Condition("everyday sentence, Caribbean", accents=("en-029",)),
)


def speak_condition(
    condition: Condition, training_sentences: set[str], seed: list[int]
) -> tuple[list[str], list[np.ndarray]]:
    """Texts and recordings of new speakers; no sentence is in the training corpus."""
    rng = np.random.default_rng(seed)
    synthesizer = Synthesizer()
    references, recordings = [], []
    while len(references) < ROWS_PER_CONDITION:
        texts = [condition.write(rng) for _ in range(condition.sentences)]
        if training_sentences.intersection(texts):
            continue
        speaker = draw_speaker(rng, condition.accents, condition.rates)
        samples = join(rng, [synthesizer.speak(text, speaker) for text in texts])
        if condition.snr_db is not None:
            noise = coloured_noise(rng, samples.size, rng.uniform(0.0, 2.0))
            samples = add_noise(samples, noise, rng.uniform(*condition.snr_db))
        references.append(" ".join(texts))
        recordings.append(samples)
    return references, recordings


def table(model, processor, training_sentences: set[str], manifests: list[Path], seed: int) -> str:
    """WER by condition and by manifest, as the Markdown table of the model card."""
    lines = ["| speech | rows | words | WER |", "|---|---|---|---|"]
    sets = [
        (condition.name, speak_condition(condition, training_sentences, [seed, number]))
        for number, condition in enumerate(CONDITIONS)
    ]
    sets += [(f"`{manifest.name}`", read_set(manifest)) for manifest in manifests]
    for name, (references, recordings) in sets:
        wer = word_error_rate(references, transcribe(model, processor, recordings))
        words = sum(len(text.split()) for text in references)
        lines.append(f"| {name} | {len(references)} | {words} | {wer:.1%} |")
    return "\n".join(lines)
