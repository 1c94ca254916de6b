"""Create the embedded study from scratch: corpus, model, audio, manifests, model card.

Every stage is seeded. A stopped training goes on from its last checkpoint; a corpus that is
already there is used again. Delete the scratch folder to start over.

Example:
    python data/recipe/make_study.py
    python data/recipe/make_study.py --steps 50 --utterances 400 --data /tmp/try --scratch /tmp/s

Reads: `data/recipe/model_card.md`. Writes: `<scratch>/` (corpus and checkpoints, about 1.5 GB),
`<data>/model/`, `<data>/audio/`, `<data>/*_manifest.jsonl`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path

# The script runs from a clone, without being installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from data.recipe import measure
from data.recipe.corpus import Corpus, make_corpus
from data.recipe.make_manifests import SETS, make_manifests
from data.recipe.train_model import train_model

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Run the stages one after another and print how long each took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT / "data", help="where the study goes")
    parser.add_argument("--scratch", type=Path, default=ROOT / "work" / "study")
    parser.add_argument("--utterances", type=int, default=24_000, help="size of the corpus")
    parser.add_argument("--steps", type=int, default=9_000, help="optimiser steps")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    started = time.monotonic()

    def report(done: str) -> None:
        print(f"{(time.monotonic() - started) / 60:6.1f} min  {done}", flush=True)

    if not (options.scratch / "corpus-1.jsonl").exists():
        make_corpus(options.scratch, options.utterances, options.seed)
    training_sentences = set(Corpus(options.scratch).texts)
    report("general corpus spoken")

    train_model(options.scratch, options.steps, options.seed)
    shutil.copytree(options.scratch / "model", options.data / "model", dirs_exist_ok=True)
    report("model trained")

    make_manifests(options.data, training_sentences, options.seed)
    report("audio and manifests written")

    write_card(options.data, training_sentences, options.seed)
    report("model measured")


def write_card(data: Path, training_sentences: set[str], seed: int) -> None:
    """Fill the measured table into the model card."""
    model, processor = measure.load(data / "model")
    manifests = [data / f"{name}_manifest.jsonl" for name in SETS]
    table = measure.table(model, processor, training_sentences, manifests, seed)
    card = Path(__file__).with_name("model_card.md").read_text(encoding="utf-8")
    (data / "model" / "README.md").write_text(card.replace("{table}", table), encoding="utf-8")


if __name__ == "__main__":
    main()
