"""Faults planted into the study of a real Whisper on accented English, as people have reported them, and neighbours.

What is planted in labels and adapters is judged with the trained adapter as an external candidate, so that nothing is
trained again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr
from cases import Cases
from healthy_study import (
    change_audio,
    change_json,
    change_rows,
    change_transcripts,
    evaluated,
    own_model,
    use_external_adapter,
    use_external_transcripts,
)
from plant_adapter import WEIGHTS, change_tensors, lose_words, scaled
from plant_parity import copy_references, use_transcripts_with_settings
from plant_training import FALLING, log, use_external_history
from safetensors.numpy import load_file, save_file
from small_study import Study
from wild_studies import wild_rows

REAL = Cases()
fault, neighbour = REAL.fault, REAL.neighbour

START, QUIET, END = "<|startoftranscript|>", "<|notimestamps|>", "<|endoftext|>"
IDS = {START: 50257, QUIET: 50362, END: 50256, "<|en|>": 50258, "<|transcribe|>": 50358}
TEXT = "the text"
SCALE = 2.0  # alpha 16 over rank 8


# Labels.


def write_labels_as(study: Study, *parts: str) -> None:
    """Let a tokenizer of the study's own write these tokens around the text; Whisper's class would write its own."""
    (use_external_adapter(study) / "lora_provenance.json").unlink()  # another tokenizer is part of another model
    model = own_model(study)
    sequence = [
        {"Sequence": {"id": "A", "type_id": 0}} if part == TEXT else {"SpecialToken": {"id": part, "type_id": 0}}
        for part in parts
    ]
    special = {token: {"id": token, "ids": [number], "tokens": [token]} for token, number in IDS.items()}
    template = {"single": sequence, "pair": sequence, "special_tokens": special}
    change_json(model / "tokenizer.json", {"post_processor": template})
    change_json(model / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"})


@fault(
    "labels.construction", "labels without EOS, as where it is masked with the padding", source="huggingface/blog#641"
)
def without_end(study: Study) -> None:
    write_labels_as(study, START, QUIET, TEXT)


@fault(
    "labels.construction",
    "labels with language and task tokens, for an English-only model",
    source="yeyupiaoling/Whisper-Finetune#110",
)
def language_and_task(study: Study) -> None:
    write_labels_as(study, START, "<|en|>", "<|transcribe|>", QUIET, TEXT, END)


@fault("labels.construction", "labels without the token that forbids timestamps")
def timestamps_allowed(study: Study) -> None:
    write_labels_as(study, START, TEXT, END)


@fault(
    "labels.construction",
    "labels that begin with the decoder start token twice",
    source="huggingface/transformers#29973",
)
def shifted_labels(study: Study) -> None:
    write_labels_as(study, START, START, QUIET, TEXT, END)


@neighbour("labels.construction", "a tokenizer of another class that writes the same labels")
def same_labels(study: Study) -> None:
    write_labels_as(study, START, QUIET, TEXT, END)


@fault("labels.too_long", "two training texts of whole pages")
def pages(study: Study) -> None:
    use_external_adapter(study)
    rows = study.rows("train")
    for row in rows[:2]:
        row["text"] = " ".join(other["text"] for other in rows[:90])
    study.write_rows("train", rows)


@fault("labels.style_mismatch", "upper-case labels, and four steps that change nothing yet")
def upper_case(study: Study) -> None:
    change_rows(study, "train", lambda row: {**row, "text": row["text"].upper()})
    study.configure({"candidates": {"lora": {"train": {"max_steps": 4, "eval_steps": 4, "learning_rate": 1e-6}}}})


# Text that is scored.


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


# Adapters.


@fault("adapter.base_mismatch", "an adapter on a base it was merged into before")
def merged_twice(study: Study) -> None:
    adapter = use_external_adapter(study)
    (adapter / "lora_provenance.json").unlink()
    matrices = load_file(adapter / WEIGHTS)
    path = own_model(study) / "model.safetensors"
    weights = load_file(path)
    for name in [name for name in matrices if name.endswith("lora_A.weight")]:
        module = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
        delta = matrices[name.replace("lora_A", "lora_B")] @ matrices[name] * SCALE
        weight = weights[f"{module}.weight"]
        weights[f"{module}.weight"] = (weight.astype(np.float32) + delta).astype(weight.dtype)
    save_file(weights, path, metadata={"format": "pt"})


@fault(
    "adapter.not_finite",
    "an adapter that overflowed when it was saved in half precision",
    source="huggingface/diffusers#5316",
)
def overflow(study: Study) -> None:
    def halved(tensors: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        largest = max(tensors, key=lambda name: float(np.abs(tensors[name]).max()))
        with np.errstate(over="ignore"):
            return {n: (v * np.float32(1e7 if n == largest else 1)).astype(np.float16) for n, v in tensors.items()}

    change_tensors(use_external_adapter(study), halved)


@neighbour("adapter.not_finite", "an adapter that was saved in half precision")
def half_precision(study: Study) -> None:
    change_tensors(use_external_adapter(study), lambda tensors: {n: v.astype(np.float16) for n, v in tensors.items()})


@fault("adapter.not_loaded", "an adapter saved from a compiled model", source="huggingface/peft#2957")
def compiled(study: Study) -> None:
    change_tensors(
        use_external_adapter(study),
        lambda tensors: {n.replace("base_model.model.", "base_model.model._orig_mod."): v for n, v in tensors.items()},
    )


@fault("adapter.zero_delta", "an adapter of a script that saved it before training", source="huggingface/peft#2115")
def saved_before(study: Study) -> None:
    change_tensors(use_external_adapter(study), lambda tensors: scaled(tensors, 0))


@fault("adapter.negligible_delta", "an adapter of a learning rate a thousand times too small")
def hardly_trained(study: Study) -> None:
    change_tensors(use_external_adapter(study), lambda tensors: scaled(tensors, 0.001))


@fault("adapter.excessive_delta", "an adapter of a learning rate far too large", source="jumon/whisper-finetuning#9")
def far_too_strong(study: Study) -> None:
    change_tensors(use_external_adapter(study), lambda tensors: scaled(tensors, 25))


@fault("adapter.broken_hypotheses", "an adapter whose delta is subtracted, which makes every eighth hypothesis loop")
def subtracted(study: Study) -> None:
    change_tensors(use_external_adapter(study), lambda tensors: scaled(tensors, -1))


def keep_modules(study: Study, pattern: str, chosen: Callable[[str], bool]) -> None:
    """Give an external adapter of only some of the modules, which its configuration names."""
    adapter = use_external_adapter(study)
    (adapter / "lora_provenance.json").unlink()
    change_json(adapter / "adapter_config.json", {"target_modules": pattern})
    change_tensors(adapter, lambda tensors: {n: v for n, v in tensors.items() if chosen(n)})


@fault("adapter.broken_hypotheses", "the encoder's part of an adapter alone, with which one hypothesis loops")
def encoder_only(study: Study) -> None:
    keep_modules(study, r".*encoder\.layers.*(q_proj|k_proj|v_proj|out_proj|fc1|fc2)", lambda n: ".encoder.layers" in n)


@neighbour("adapter.partial_targets", "an adapter on q_proj and v_proj")
def query_and_value(study: Study) -> None:
    keep_modules(study, r".*(q_proj|v_proj)", lambda name: ".q_proj." in name or ".v_proj." in name)


# Hypotheses.


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


# Parity.


@fault("parity.copied_references", "a manifest given as the tuned transcripts")
def manifest_as_transcripts(study: Study) -> None:
    copy_references(study, every=1)


@fault("parity.software", "tuned transcripts of a GPU in half precision")
def half_precision_on_a_gpu(study: Study) -> None:
    use_transcripts_with_settings(study, {"device": {"type": "cuda", "dtype": "float16"}})


@fault("parity.decode", "tuned transcripts of a pipeline with five beams")
def five_beams(study: Study) -> None:
    use_transcripts_with_settings(study, {"decode": {"num_beams": 5}})


@neighbour("parity.decode", "tuned transcripts of this pipeline, run elsewhere")
def same_settings(study: Study) -> None:
    use_transcripts_with_settings(study, {"model": {"id": "openai/whisper-tiny.en"}})


# Training and its data.


@fault(
    "training.diverged",
    "an adapter whose trainer logged losses of 0.0 in half precision",
    source="vasistalodagala/whisper-finetune#11",
)
def zero_losses(study: Study) -> None:
    broken = [{**entry, "loss": 0.0, "grad_norm": float("nan")} for entry in log(FALLING)[2:]]
    use_external_history(study, [*log(FALLING)[:2], *broken])


@fault(
    "training.lr_not_applied",
    "an adapter whose warm-up was longer than its training",
    source="a post-mortem of a Danish LoRA, x2q.net",
)
def endless_warmup(study: Study) -> None:
    rising = [{**entry, "learning_rate": 1e-7 * entry["step"]} for entry in log(FALLING)]
    use_external_history(study, rising)


@fault(
    "data.wrong_sampling_rate",
    "training audio with 8 kHz in headers of 16 kHz",
    also=("data.transcript_mismatch",),
)
def half_speed(study: Study) -> None:
    use_external_adapter(study)
    change_audio(study, "train", lambda samples, rate: samples, rate=8000)
    change_rows(study, "train", lambda row: {**row, "duration": 2 * row["duration"]})


@fault("data.odd_characters", "Cyrillic letters that look like Latin ones in every second domain text")
def look_alikes(study: Study) -> None:
    letters = str.maketrans("aeo", "\N{CYRILLIC SMALL LETTER A}\N{CYRILLIC SMALL LETTER IE}\N{CYRILLIC SMALL LETTER O}")
    change_rows(study, "domain", lambda row: {**row, "text": row["text"].translate(letters)}, every=2)


@fault("data.leakage", "twenty training recordings in the domain manifest, under other names")
def leaked(study: Study) -> None:
    copies = [{**row, "id": f"clip-{n}", "speaker_id": "new"} for n, row in enumerate(study.rows("train")[:20])]
    study.write_rows("domain", [*study.rows("domain"), *copies])


@fault(
    "data.exceeds_model_window",
    "training rows of 40 s, where the encoder takes 30",
    source="huggingface/community-events#57",
)
def beyond_the_window(study: Study) -> None:
    use_external_adapter(study)
    long_rows(study, 40)
    study.configure({"durations": {"max_seconds": 45}})


@neighbour("data.exceeds_model_window", "training rows of 22 to 30 s")
def within_the_window(study: Study) -> None:
    use_external_adapter(study)
    long_rows(study, 22)
    study.configure({"durations": {"max_seconds": 30}})


def long_rows(study: Study, seconds: float) -> None:
    """Join recordings that the study lacks to up to ten more training rows of at least so many seconds."""
    rows = study.rows("train")
    known = {row["id"] for row in rows}
    joined, parts = [], iter(row for row in wild_rows("accented/train.jsonl") if row["id"] not in known)
    for number in range(10):
        own: list[dict[str, Any]] = []
        while sum(row["duration"] for row in own) < seconds:
            row = next(parts, None)
            if row is None:
                break
            own.append(row)
        if not own:
            break
        audio = np.concatenate([soundfile.read(row["audio"], dtype="float32")[0] for row in own])
        path = study.folder / f"data/long-{number}.wav"
        soundfile.write(path, audio, 16000)
        text = " ".join(row["text"] for row in own)
        joined.append({"id": path.stem, "audio": path.name, "text": text, "duration": len(audio) / 16000,
                       "speaker_id": own[0]["speaker_id"]})  # fmt: skip
    study.write_rows("train", [*rows, *joined])


@neighbour("headroom.baseline_broken", "telephone speech of 8 kHz in all manifests")
def telephone(study: Study) -> None:
    use_external_adapter(study)
    for name in study.config()["manifests"]:
        change_audio(study, name, lambda samples, rate: soxr.resample(samples, rate, 8000), rate=8000)
