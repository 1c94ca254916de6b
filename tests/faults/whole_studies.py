"""Healthy studies computed from scratch: nothing may block.

Other seeds, splits, orders and dialects of manifests, other kinds of LoRA, adapters that help and one that hurts.
"""

from __future__ import annotations

import csv
import json

import soundfile
from cases import whole_study
from healthy_study import embedded_rows, use_external_adapter
from plant_adapter import change_tensors, scaled
from small_study import DATA, Study


@whole_study("other seeds of split, training and audit")
def other_seeds(study: Study) -> None:
    study.configure({"split": {"seed": 7}, "labels": {"seed": 7}, "candidates": {"lora": {"train": {"seed": 7}}}})


@whole_study("split by rows, a third for validation")
def split_by_rows(study: Study) -> None:
    study.configure({"split": {"by_speaker": False, "val_fraction": 0.3}, "durations": {"min_train_samples": 50}})


@whole_study("manifests in reverse order")
def reversed_order(study: Study) -> None:
    for name in ("train", "heldout", "domain", "test"):
        study.write_rows(name, study.rows(name)[::-1])


@whole_study("other rows of the same speech")
def other_rows(study: Study) -> None:
    study.write_rows("train", embedded_rows("train")[100:220])
    study.write_rows("domain", embedded_rows("domain")[80:170])
    study.write_rows("heldout", embedded_rows("heldout")[40:80])


@whole_study("CSV manifests with other column names, absolute paths and no ids")
def comma_separated(study: Study) -> None:
    names = {}
    for name in ("train", "heldout", "domain", "test"):
        names[name] = f"data/{name}.csv"
        with (study.folder / names[name]).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["path", "sentence", "client_id"])
            writer.writerows([str(DATA / row["audio"]), row["text"], row["speaker_id"]] for row in study.rows(name))
    study.configure({"manifests": names})


@whole_study("evaluation manifests with inline samples and without speakers")
def inline_samples(study: Study) -> None:
    for name in ("domain", "test"):
        rows = []
        for row in study.rows(name):
            samples, rate = soundfile.read(DATA / row["audio"], dtype="float32")
            inline = {"array": [round(float(x), 5) for x in samples], "sampling_rate": rate}
            rows.append({"id": row["id"], "audio": inline, "text": row["text"]})
        study.manifest(name).write_text("".join(json.dumps(row) + "\n" for row in rows))


@whole_study("DoRA of rank 4 on attention")
def dora(study: Study) -> None:
    settings = {"use_dora": True, "rank": 4, "target_modules": ["q_proj", "v_proj", "fc1", "fc2"]}
    study.configure({"candidates": {"lora": {"train": settings}}})


@whole_study("rsLoRA with dropout, label smoothing and accumulation")
def rslora(study: Study) -> None:
    settings = {
        "use_rslora": True,
        "alpha": 8,
        "dropout": 0.05,
        "label_smoothing": 0.1,
        "batch_size": 4,
        "gradient_accumulation": 2,
    }
    study.configure({"candidates": {"lora": {"train": settings}}})


@whole_study("two trained candidates that both help")
def two_candidates(study: Study) -> None:
    second = {"max_steps": 60, "eval_steps": 20, "batch_size": 8, "warmup_steps": 5, "learning_rate": 0.003, "seed": 5}
    study.configure({"candidates": {"second": {"train": second}}})


@whole_study("an adapter that truly hurts, and is sound otherwise", first="adapter.worsens")
def truly_hurts(study: Study) -> None:
    study.run("effect", cores=1)
    change_tensors(use_external_adapter(study), lambda tensors: scaled(tensors, -1))
