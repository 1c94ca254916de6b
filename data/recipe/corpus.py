"""Synthesise the general corpus that the model is trained on: sentences in three well-known accents.

Example:
    make_corpus(Path("work/study"), count=24_000, seed=1)
    corpus = Corpus(Path("work/study"))
    corpus.samples(0), corpus.texts[0], corpus.speakers[0]

Writes: `<folder>/corpus-<part>.npy` (all samples of a part, int16, end to end) and
`<folder>/corpus-<part>.jsonl` (a row per utterance: text, speaker, where its samples end).
Reads: the same, in `Corpus`.
"""

from __future__ import annotations

import json
from multiprocessing import Process
from pathlib import Path

import numpy as np

from data.recipe.sentences import corpus_sentence
from data.recipe.speech import GENERAL_ACCENTS, Synthesizer, draw_speaker

PARTS = 2
UTTERANCES_PER_SPEAKER = 40


def make_corpus(folder: Path, count: int, seed: int) -> None:
    """Speak `count` utterances, each part in a process of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    workers = [Process(target=_speak_part, args=(folder, part, count // PARTS, [seed, part])) for part in range(PARTS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise RuntimeError("a part of the corpus could not be spoken")


def _speak_part(folder: Path, part: int, count: int, seed: list[int]) -> None:
    rng = np.random.default_rng(seed)
    synthesizer = Synthesizer()
    spoken, rows, end = [], [], 0
    for index in range(count):
        if index % UTTERANCES_PER_SPEAKER == 0:
            speaker = draw_speaker(rng, GENERAL_ACCENTS)
        text = corpus_sentence(rng)
        samples = (synthesizer.speak(text, speaker) * 32767).round().astype(np.int16)
        end += samples.size
        spoken.append(samples)
        rows.append({"text": text, "speaker": speaker.id, "end": end})
    np.save(folder / f"corpus-{part}.npy", np.concatenate(spoken))
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / f"corpus-{part}.jsonl").write_text(lines, encoding="utf-8")


class Corpus:
    """The spoken corpus; samples stay on disk until they are used."""

    def __init__(self, folder: Path) -> None:
        self.texts: list[str] = []
        self.speakers: list[str] = []
        self._places: list[tuple[int, int, int]] = []
        self._parts: list[np.ndarray] = []
        for part in range(PARTS):
            self._parts.append(np.load(folder / f"corpus-{part}.npy", mmap_mode="r"))
            start = 0
            for line in (folder / f"corpus-{part}.jsonl").read_text("utf-8").splitlines():
                row = json.loads(line)
                self.texts.append(row["text"])
                self.speakers.append(row["speaker"])
                self._places.append((part, start, row["end"]))
                start = row["end"]

    def __len__(self) -> int:
        return len(self.texts)

    def samples(self, index: int) -> np.ndarray:
        """The utterance as floats."""
        part, start, end = self._places[index]
        return self._parts[part][start:end].astype(np.float32) / 32767

    def seconds(self, index: int) -> float:
        """Duration of the utterance in seconds."""
        _, start, end = self._places[index]
        return (end - start) / 16_000
