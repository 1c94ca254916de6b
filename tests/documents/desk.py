"""A folder in which commands of the documents can be run as they are typed: with the files that they name."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from manifest_writers import kaldi
from small_study import DATA, REPOSITORY, Study

from lora.data.review_files import COLUMNS
from lora.stages.reviews import read_reviews

# Names of files that commands of the documents have, and the manifest whose rows they get.
MANIFESTS = {
    "train.jsonl": "train",
    "dev.jsonl": "domain",
    "clean.jsonl": "heldout",
    "my/train.jsonl": "train",
    "my/dev.jsonl": "domain",
    "my/general.jsonl": "heldout",
}
TRANSCRIPTS = {"base.trn": "base", "tuned.ctm": "lora"}
SECONDS_PER_WORD = 0.3


def prepare(folder: Path, finished: Study) -> Path:
    """Make a clone in which the small study was run, and the files of somebody else's study."""
    study = finished.copy(folder)
    for path in ("scripts", "src", "Snakefile"):
        (folder / path).symlink_to(REPOSITORY / path)
    for name, manifest in MANIFESTS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(study.manifest(manifest), folder / name)
    for place in (folder, folder / "my"):
        (place / "audio").symlink_to(DATA / "audio")
    for name, run in TRANSCRIPTS.items():
        _write_transcripts(folder / name, study.results / f"transcripts/{run}/domain.jsonl")
    kaldi(study, "train", study.rows("train"))
    _review(study)
    _write_programs(folder / "bin")
    return folder


def environment(folder: Path) -> dict[str, str]:
    """The environment that `. .venv/bin/activate` makes, of this Python."""
    return dict(
        os.environ,
        PATH=f"{folder / 'bin'}:{os.environ['PATH']}",
        PYTHONPATH=str(REPOSITORY / "src"),
        PYTHONDONTWRITEBYTECODE="1",
    )


def _write_transcripts(path: Path, transcripts: Path) -> None:
    rows = [json.loads(line) for line in transcripts.read_text(encoding="utf-8").splitlines()]
    if path.suffix == ".trn":
        lines = [f"{row['hypothesis']} ({row['id']})" for row in rows]
    else:
        lines = [
            f"{row['id']} 1 {number * SECONDS_PER_WORD:.2f} {SECONDS_PER_WORD} {word}"
            for row in rows
            for number, word in enumerate(row["hypothesis"].split())
        ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _review(study: Study) -> None:
    """The judgements of a listener who found one reference wrong."""
    file = study.folder / "reviews.tsv"
    row = study.rows("domain")[0]
    file.write_text("\t".join(COLUMNS) + f"\ndomain\t{row['id']}\treference_wrong\tthe brass kettle\t\tyes\n")
    read_reviews(
        reviews=[file],
        rows=[("domain", study.results / "manifests/domain.jsonl")],
        judgements=study.results / "reviews/judgements.jsonl",
        rejected=study.results / "reviews/rejected.tsv",
    )


def _write_programs(folder: Path) -> None:
    """`python` and `lora-diagnose`, as the virtual environment of `make run` has them."""
    folder.mkdir()
    for name, module in (("python", ""), ("lora-diagnose", "-m lora.runners.diagnose ")):
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {module}"$@"\n')
        (folder / name).chmod(0o755)
