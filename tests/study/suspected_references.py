"""Count the suspected reference errors in correct references, and in references with replaced words.

Example: PYTHONPATH=src python tests/study/suspected_references.py     # after `snakemake effect` on the embedded study

Reads: results/ of the embedded study (transcripts of base and lora, training split). Writes: a table on stdout, that
of docs/methods.md. In a share of the rows one or two words are replaced, by words of the training texts or by others.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

from lora.data.manifest import read_rows
from lora.records.manifests import Utterance
from lora.records.scores import WerFacts
from lora.scoring.alignment import utterance_errors, word_edits
from lora.scoring.normalizers import normalizer
from lora.scoring.reachable_errors import split_errors
from lora.scoring.transcripts import read_transcripts

RESULTS = Path("results")
OTHERS = ["banana", "volcano", "giraffe", "umbrella", "philosophy", "marmalade", "kangaroo", "orchid", "penguin"]
SEEDS = range(10)
BASIC = normalizer("basic")


def replaced(rows: list[Utterance], share: float, words: list[str], seed: int) -> list[Utterance]:
    dice = random.Random(seed)
    chosen = set(dice.sample(range(len(rows)), round(share * len(rows))))
    changed = []
    for number, row in enumerate(rows):
        said = row.text.split()
        for _ in range(dice.choice((1, 2)) if number in chosen else 0):
            said[dice.randrange(len(said))] = dice.choice(words)
        changed.append(replace(row, text=" ".join(said)))
    return changed


def suspected_rows(manifest: str, rows: list[Utterance], vocabulary: frozenset[str]) -> int:
    base, tuned = (read_transcripts(RESULTS / f"transcripts/{run}/{manifest}.jsonl") for run in ("base", "lora"))
    edits = {row.id: word_edits(BASIC.words(row.text), BASIC.words(tuned[row.id].hypothesis)) for row in rows}
    word_counts = Counter(word for row in rows for word in BASIC.words(row.text))
    errors = utterance_errors(rows, base, BASIC)
    return split_errors(manifest, errors, word_counts, {"lora": edits}, ["lora"], vocabulary).suspected_rows or 0


def main() -> None:
    texts = [BASIC.words(row.text) for row in read_rows(RESULTS / "splits/train.jsonl")]
    vocabulary, running = frozenset().union(*texts), [word for text in texts for word in text]
    print(
        "| manifest | rows | replaced in | suspected, training words | suspected, other words |\n|---|---|---|---|---|"
    )
    for manifest in ("domain", "heldout"):
        limit = WerFacts.read(RESULTS / f"wer/base/{manifest}.json").max_seconds or float("inf")
        rows = [row for row in read_rows(RESULTS / f"manifests/{manifest}.jsonl") if row.duration <= limit]
        for share in (0.0, 0.1, 0.2, 0.3):
            cells = [f"{100 * share:g} %"]
            for words in (running, OTHERS):
                counts = [suspected_rows(manifest, replaced(rows, share, words, seed), vocabulary) for seed in SEEDS]
                cells.append(f"{min(counts)} to {max(counts)}" if share else f"{counts[0]}")
            print(f"| {manifest} | {len(rows)} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
