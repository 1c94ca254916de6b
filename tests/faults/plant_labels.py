"""Faults of training labels, in transcripts and in tokenizer files, each with a healthy neighbour."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from cases import fault, neighbour
from healthy_study import change_json, change_rows, own_model
from small_study import Study


@fault("labels.style_mismatch", "upper-case transcripts without punctuation")
def upper_case(study: Study) -> None:
    change_rows(study, "train", lambda row: {**row, "text": "".join(c for c in row["text"].upper() if c not in ".,?")})


@fault("labels.style_mismatch", "lower-case transcripts without punctuation")
def lower_case(study: Study) -> None:
    change_rows(study, "train", lambda row: {**row, "text": "".join(c for c in row["text"].lower() if c not in ".,?")})


@neighbour("labels.style_mismatch", "every tenth transcript without its final mark")
def some_without_mark(study: Study) -> None:
    change_rows(study, "train", lambda row: {**row, "text": row["text"].rstrip(".?")}, every=10)


@fault("labels.tokenizer_gaps", "transcripts with characters the tokenizer lacks")
def strange_characters(study: Study) -> None:
    change_rows(study, "train", lambda row: {**row, "text": row["text"].replace("e", "é")}, every=4)


@neighbour("labels.tokenizer_gaps", "transcripts with double spaces")
def double_spaces(study: Study) -> None:
    change_rows(study, "train", lambda row: {**row, "text": row["text"].replace(" ", "  ", 1)}, every=4)


@fault("labels.too_long", "a tokenizer that allows 50 tokens")
def short_labels(study: Study) -> None:
    change_json(own_model(study) / "tokenizer_config.json", {"model_max_length": 50})


@neighbour("labels.too_long", "a tokenizer that allows 200 tokens")
def long_labels(study: Study) -> None:
    change_json(own_model(study) / "tokenizer_config.json", {"model_max_length": 200})


START, END = ({"SpecialToken": {"id": token, "type_id": 0}} for token in ("<s>", "</s>"))
TEXT = {"Sequence": {"id": "A", "type_id": 0}}
SPECIAL = {token: {"id": token, "ids": [number], "tokens": [token]} for token, number in (("<s>", 1), ("</s>", 2))}


def write_template(study: Study, *parts: dict[str, object]) -> None:
    """Let the tokenizer write these parts, such as BOS, the text and EOS."""
    template = {"single": list(parts), "special_tokens": SPECIAL}
    change_json(own_model(study) / "tokenizer.json", {"post_processor": template})


@fault("labels.construction", "a tokenizer that writes no EOS")
def without_end(study: Study) -> None:
    write_template(study, TEXT)


@fault("labels.construction", "a tokenizer that writes BOS twice")
def two_starts(study: Study) -> None:
    write_template(study, START, START, TEXT, END)


@neighbour("labels.construction", "a tokenizer that writes BOS and EOS")
def start_and_end(study: Study) -> None:
    write_template(study, START, TEXT, END)


# The last release that shifts the loss of Moonshine by one token, and the packages it needs.
OLDER = ("transformers==5.12.0", "tokenizers==0.22.2", "huggingface_hub==1.5.0")


@fault("labels.loss_misaligned", "transformers 5.12, which shifts the loss of Moonshine twice")
def older_library(study: Study) -> Study:
    """Run the whole study in an environment in which these packages come before those of the current one."""
    first, last = study.folder / "older", study.folder / "needed by older"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]
    subprocess.run([*install, str(first), "--no-deps", *OLDER], check=True, capture_output=True)
    subprocess.run([*install, str(last), "httpx==0.28.1"], check=True, capture_output=True)
    shutil.rmtree(study.results)
    environment = study.folder / "environment"
    venv.create(environment, symlinks=True)
    packages = sysconfig.get_path("purelib", vars={"base": str(environment)})
    present = sysconfig.get_path("purelib")
    (Path(packages) / "older.pth").write_text(f"{first}\n{present}\n{last}\n")
    return Study(study.folder, str(environment / "bin/python"))


@neighbour("labels.loss_misaligned", "a loss that is smoothed and accumulated")
def smoothed(study: Study) -> None:
    settings = {"label_smoothing": 0.1, "gradient_accumulation": 2, "batch_size": 4}
    study.configure({"candidates": {"lora": {"train": settings}}})
