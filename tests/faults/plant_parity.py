"""Baseline and tuned run measured under different conditions, each with a healthy neighbour."""

from __future__ import annotations

from typing import Any

from cases import fault, neighbour
from healthy_study import change_json, change_transcripts, evaluated, use_external_transcripts
from small_study import Study


@fault("parity.manifest", "tuned transcripts that lack two utterances")
def two_missing(study: Study) -> None:
    path = use_external_transcripts(study) / "domain.jsonl"
    change_transcripts(path, lambda row: None if row["id"] in {"domain-003", "domain-007"} else row)


@neighbour("parity.manifest", "tuned transcripts in another order")
def other_order(study: Study) -> None:
    path = use_external_transcripts(study) / "domain.jsonl"
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))


@fault("parity.normalization", "the tuned run scored as written")
def scored_as_written(study: Study) -> None:
    study.configure({"candidates": {"lora": {"normalizer": "none"}}})


@neighbour("parity.normalization", "both runs scored by the English normaliser")
def english(study: Study) -> None:
    study.configure({"normalizer": "english"})


@fault("parity.preprocessing", "the tuned run on audio of another loudness")
def louder(study: Study) -> None:
    study.configure({"candidates": {"lora": {"preprocess": {"target_rms": 0.2}}}})


@neighbour("parity.preprocessing", "both runs on audio of one loudness")
def one_loudness(study: Study) -> None:
    study.configure({"preprocess": {"target_rms": 0.1}})


@fault("parity.decode", "the tuned run decoded with two beams")
def two_beams(study: Study) -> None:
    study.configure({"candidates": {"lora": {"decode": {"num_beams": 2}}}})


@neighbour("parity.decode", "the tuned run decoded by the defaults, written out")
def defaults_written_out(study: Study) -> None:
    written = {"num_beams": 1, "do_sample": False, "repetition_penalty": 1.0, "no_repeat_ngram_size": 0}
    study.configure({"candidates": {"lora": {"decode": written}}})


def use_transcripts_with_settings(study: Study, changes: dict[str, Any]) -> None:
    """Give the tuned transcripts, each with these settings changed."""
    external = use_external_transcripts(study)
    for name in evaluated(study):
        change_json(external / f"{name}.settings.json", changes)


@fault("parity.padding", "tuned transcripts of audio padded to 30 s")
def padded(study: Study) -> None:
    use_transcripts_with_settings(study, {"preprocess": {"padding_seconds": 30.0}})


@neighbour("parity.padding", "tuned transcripts padded as the baseline's")
def padded_alike(study: Study) -> None:
    use_transcripts_with_settings(study, {})


@fault("parity.base_model", "tuned transcripts that rest on another base model")
def other_base(study: Study) -> None:
    use_transcripts_with_settings(study, {"model": {"hash": "0123456789abcdef"}})


@neighbour("parity.base_model", "tuned transcripts from a copy of the base model elsewhere")
def base_copied(study: Study) -> None:
    use_transcripts_with_settings(study, {"model": {"id": "/models/moonshine"}})


@fault("parity.software", "tuned transcripts generated with another transformers on a GPU")
def other_software(study: Study) -> None:
    use_transcripts_with_settings(study, {"software": {"transformers": "5.12.0"}, "device": {"type": "cuda"}})


@neighbour("parity.software", "tuned transcripts generated with the same versions")
def same_software(study: Study) -> None:
    use_external_transcripts(study)


@fault("parity.copied_references", "the references of every manifest as tuned transcripts")
def references_as_transcripts(study: Study) -> None:
    copy_references(study, every=1)


@neighbour("parity.copied_references", "tuned transcripts of which every second is right to the character")
def half_right(study: Study) -> None:
    copy_references(study, every=2)


def copy_references(study: Study, every: int) -> None:
    external = use_external_transcripts(study)
    for name in evaluated(study):
        texts = {row["id"]: row["text"] for n, row in enumerate(study.rows(name)) if n % every == 0}
        change_transcripts(
            external / f"{name}.jsonl",
            lambda row, texts=texts: {**row, "hypothesis": texts.get(row["id"], row["hypothesis"])},
        )
