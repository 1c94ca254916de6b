"""Faults of the baseline and of evaluation manifests, each next to a healthy case."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import fault, neighbour
from healthy_study import Samples, change_audio, change_json, change_rows, embedded_rows, own_model
from small_study import Study


@fault("headroom.saturated", "domain and test manifests of speech the model knows")
def known_speech(study: Study) -> None:
    rows = embedded_rows("heldout")
    study.write_rows("domain", rows[28:103])
    study.write_rows("test", rows[103:123])


@neighbour("headroom.saturated", "a domain manifest half of which the model knows")
def half_known(study: Study) -> None:
    study.write_rows("domain", [*study.rows("domain")[:38], *embedded_rows("heldout")[28:66]])


@fault("headroom.underpowered", "evaluation manifests of six rows and of two, and five points asked of them")
def few_utterances(study: Study) -> None:
    study.write_rows("domain", study.rows("domain")[:6])
    study.write_rows("test", study.rows("test")[:2])
    study.configure({"statistics": {"target_gain": 0.05}})


@fault("headroom.underpowered", "a gain of half a point asked of 20 rows and of ten steps")
def small_gain(study: Study) -> None:
    study.write_rows("domain", study.rows("domain")[:20])
    barely_trained = {"train": {"max_steps": 10, "learning_rate": 0.001}}
    study.configure({"statistics": {"target_gain": 0.005}, "candidates": {"lora": barely_trained}})


@neighbour("headroom.underpowered", "a domain manifest of 50 rows")
def fewer_utterances(study: Study) -> None:
    study.write_rows("domain", study.rows("domain")[:50])


@fault("headroom.baseline_broken", "audio of all evaluation manifests replaced by noise")
def noise_only(study: Study) -> None:
    for name in ("domain", "test", "heldout"):
        change_audio(study, name, noise)


def noise(samples: Samples, rate: int) -> Samples:
    made = np.random.default_rng(len(samples)).normal(0, 0.1, len(samples))
    return made.astype(np.float32)


@fault("headroom.baseline_broken", "a generation configuration that cuts every text")
def short_texts(study: Study) -> None:
    change_json(own_model(study) / "generation_config.json", {"max_length": 5})


@neighbour("headroom.baseline_broken", "one recording of noise in the domain manifest")
def one_of_noise(study: Study) -> None:
    change_audio(study, "domain", noise, every=1000)


@fault("headroom.reference_noise", "a word replaced by another in every reference that contains it")
def wrong_references(study: Study) -> None:
    change_rows(study, "domain", mistaken)


# Frequent words of the domain manifest, and the words that replace them.
MISTAKEN = {"the": "every", "a": "some", "and": "but", "this": "that"}


def mistaken(row: dict[str, Any]) -> dict[str, Any]:
    words = [MISTAKEN.get(word, word) for word in row["text"].split()]
    return {**row, "text": " ".join(words)}


@neighbour("headroom.reference_noise", "two references with a wrong word")
def two_wrong_references(study: Study) -> None:
    change_rows(study, "domain", mistaken, every=40)


@fault("headroom.wrong_references", "speech the model knows, with wrong references that a listener corrected")
def wrong_references_of_known_speech(study: Study) -> None:
    study.write_rows("domain", embedded_rows("heldout")[28:103])
    review_wrong_words(study, every=2)


@neighbour("headroom.wrong_references", "five wrong references that a listener corrected")
def few_corrected_references(study: Study) -> None:
    review_wrong_words(study, every=15)


def review_wrong_words(study: Study, every: int) -> None:
    """Two wrong words in every n-th domain reference; a listener judges all rows and corrects these."""
    rows = study.rows("domain")
    wrong = {row["id"]: row["text"] for n, row in enumerate(rows) if n % every == 0}
    lines = ["manifest\tid\tjudgement\tcorrected_text\tnote\tsample"]
    for row in rows:
        judgement = "reference_wrong" if row["id"] in wrong else "reference_right"
        lines.append(f"domain\t{row['id']}\t{judgement}\t{wrong.get(row['id'], '')}\t\tyes")
    (study.folder / "listener.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    study.write_rows("domain", [with_wrong_words(row) if row["id"] in wrong else row for row in rows])
    study.configure({"reviews": ["listener.tsv"]})


def with_wrong_words(row: dict[str, Any]) -> dict[str, Any]:
    words = row["text"].split()
    return {**row, "text": " ".join(["kettle", *words[1:-1], "lanterns."])}


@fault("text.markup", "time tokens around every reference of all evaluation manifests")
def time_tokens(study: Study) -> None:
    for name in ("domain", "test", "heldout"):
        change_rows(study, name, timed)


def timed(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "text": f"<|0.00|> {row['text']}<|{row['duration']:.2f}|>"}


@neighbour("text.markup", "an aside in brackets in every reference")
def asides(study: Study) -> None:
    change_rows(study, "domain", lambda row: {**row, "text": f"{row['text']} (see below)"}, every=40)


@fault("text.notation", "domain and test manifests of speech the model knows, two of three words written as one")
def compounds(study: Study) -> None:
    known_speech(study)
    for name in ("domain", "test"):
        change_rows(study, name, with_compounds)


@neighbour("text.notation", "two domain references with compounds")
def two_compounds(study: Study) -> None:
    change_rows(study, "domain", with_compounds, every=40)


def with_compounds(row: dict[str, Any]) -> dict[str, Any]:
    words = row["text"].split()
    pairs = ["".join(words[at : at + 2]) + " " + " ".join(words[at + 2 : at + 3]) for at in range(0, len(words), 3)]
    return {**row, "text": " ".join(pairs).strip()}
