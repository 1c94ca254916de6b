"""Faults of scored texts, tuned transcripts and their settings, and neighbours."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from healthy_study import (
    change_rows,
    change_transcripts,
    evaluated,
    use_external_transcripts,
)
from plant_adapter import lose_words
from plant_parity import copy_references, use_transcripts_with_settings
from real_cases import fault, neighbour
from small_study import REPOSITORY, Study

START, QUIET, END = "<|startoftranscript|>", "<|notimestamps|>", "<|endoftext|>"


@fault("text.markup", "tuned transcripts that begin with the prefix of another model")
def model_prefix(study: Study) -> None:
    for name in evaluated(study):
        change_hypotheses(study, name, lambda row: f"language English<asr_text>{row['hypothesis']}")


@neighbour("text.markup", "tuned transcripts with special tokens, which the English normaliser removes")
def special_tokens(study: Study) -> None:
    for name in evaluated(study):
        change_hypotheses(study, name, lambda row: f"{START}{QUIET} {row['hypothesis']}{END}")


@fault("text.markup", "references with the annotators' marks for hesitations")
def hesitation_marks(study: Study) -> None:
    for name in evaluated(study):
        change_rows(study, name, lambda row: {**row, "text": f"%hesitation {row['text']}"})


@neighbour("text.markup", "references in capitals with hyphens and apostrophes")
def capitals(study: Study) -> None:
    change_rows(
        study,
        "domain",
        lambda row: {**row, "text": row["text"].upper().replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")},
    )


def change_hypotheses(study: Study, manifest: str, change: Callable[[dict[str, Any]], str], every: int = 1) -> None:
    """Give the tuned run's transcripts as external ones, every n-th of a manifest changed."""
    folder = study.folder / "theirs"
    external = folder if folder.exists() else use_external_transcripts(study)
    numbers = iter(range(10**6))

    def changed(row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "hypothesis": change(row)} if next(numbers) % every == 0 else row

    change_transcripts(external / f"{manifest}.jsonl", changed)


@fault(
    "adapter.broken_hypotheses",
    "every third tuned transcript repeats its end until the token limit",
    source="yeyupiaoling/Whisper-Finetune#100",
)
def loops(study: Study) -> None:
    change_hypotheses(
        study, "domain", lambda row: row["hypothesis"] + f" {row['hypothesis'].split()[-1]}" * 60, every=3
    )


FRENCH = (
    "Il fait très beau aujourd'hui et nous irons nous promener", "Je ne sais pas ce que tu veux dire par là",
    "La voiture rouge est devant la maison de mes parents", "Nous avons mangé du pain avec du fromage hier soir",
    "Elle travaille dans une grande ville depuis trois ans", "Les enfants jouent au ballon derrière notre école",
)  # fmt: skip


@fault(
    "adapter.broken_hypotheses",
    "tuned transcripts in French: the language token of another run",
    source="huggingface/transformers#21937",
)
def french(study: Study) -> None:
    numbers = iter(range(10**6))
    change_hypotheses(study, "domain", lambda row: FRENCH[next(numbers) % len(FRENCH)])


@fault("parity.manifest", "tuned transcripts that belong to the next row")
def next_row(study: Study) -> None:
    texts = [json.loads(line)["hypothesis"] for line in transcripts(study, "domain").read_text().splitlines()]
    following = iter([*texts[1:], texts[0]])
    change_hypotheses(study, "domain", lambda row: next(following))


def transcripts(study: Study, manifest: str) -> Path:
    return study.results / f"transcripts/lora/{manifest}.jsonl"


@fault("adapter.forgets", "tuned transcripts that lost words of LibriSpeech", source="smallcloudai/refact#311")
def forgets(study: Study) -> None:
    lose_words(use_external_transcripts(study) / "heldout.jsonl")


@fault(
    "adapter.no_text_change", "transcripts of a pipeline that never loaded the adapter", source="huggingface/peft#515"
)
def never_loaded(study: Study) -> None:
    use_external_transcripts(study, run="base")


@fault("parity.copied_references", "a manifest given as the tuned transcripts")
def manifest_as_transcripts(study: Study) -> None:
    copy_references(study, every=1)


@fault("parity.software", "tuned transcripts of a GPU in half precision")
def half_precision_on_a_gpu(study: Study) -> None:
    use_transcripts_with_settings(study, {"device": {"type": "cuda", "dtype": "float16"}})


@fault("parity.software", "tuned transcripts decoded in half precision (bfloat16) here, the baseline's in float32")
def decoded_in_half_precision(study: Study) -> None:
    external = use_external_transcripts(study)
    for path in external.glob("*.json*"):
        path.unlink()
    command = [study.python, "-m", "lora.runners.experiment", "transcribe", "--run", "theirs"]
    command += ["--model-id", study.config()["model"]["id"], "--adapter", "results/adapters/lora/best"]
    for name in evaluated(study):
        command += ["--manifest", f"{name}=results/manifests/{name}.jsonl"]
    command += ["--dtype", "bfloat16", "--output-dir", external.name]
    subprocess.run(command, cwd=study.folder, env=os.environ | {"PYTHONPATH": str(REPOSITORY / "src")}, check=True)


@fault("parity.decode", "tuned transcripts of a pipeline with five beams")
def five_beams(study: Study) -> None:
    use_transcripts_with_settings(study, {"decode": {"num_beams": 5}})


@neighbour("parity.decode", "tuned transcripts of this pipeline, run elsewhere")
def same_settings(study: Study) -> None:
    use_transcripts_with_settings(study, {"model": {"id": "openai/whisper-tiny.en"}})
