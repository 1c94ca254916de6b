"""Transcribing rows, against a loop over single utterances and the transformers pipeline at its best batch size.

Ours is what the `transcribe` command does once a model is loaded: decode the audio, hash it, batch it by padding step,
generate, and save every batch to disk. Models: the embedded study's Moonshine, and Whispers of the real architecture
with random weights, which never end a text by themselves: everybody generates the same number of tokens.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from measuring import REPOSITORY, Figure, Goal, Plan, Result, line, seconds_of

from lora.data.audio.loading import load_audio
from lora.data.manifest import read_manifest
from lora.records.manifests import Utterance

TITLE = "Transcription"
MINUTES = 8
DATA = REPOSITORY / "data"
PAIRS = {False: 3, True: 1}
BATCHES = {False: (4, 8, 16, 32), True: (2,)}
ROWS = {  # utterances, by model and number of beams
    False: {"Moonshine": {1: 160, 4: 48}, "Whisper, 32 wide": {1: 32, 4: 8}, "Whisper, 384 wide": {1: 8}},
    True: {"Moonshine": {1: 4}, "Whisper, 32 wide": {1: 2}},
}
WHISPER_TOKENS = {False: 40, True: 4}
WHISPER = {
    "d_model": 384,
    "encoder_layers": 4,
    "decoder_layers": 4,
    "encoder_attention_heads": 6,
    "decoder_attention_heads": 6,
    "encoder_ffn_dim": 1536,
    "decoder_ffn_dim": 1536,
}


@dataclass
class Contest:
    """One model and its rows: the same utterances for everybody.

    `decode` are arguments of generate, `audio_folder` is where audio paths start.
    """

    folder: Path
    rows: list[Utterance]
    decode: dict[str, Any]
    device: str
    audio_folder: Path = DATA

    def __post_init__(self) -> None:
        import torch

        from lora.asr.decoding.run_settings import conditions
        from lora.asr.devices import Device
        from lora.asr.model_files import describe_model
        from lora.asr.model_loading import load_model

        self.device_settings = Device(self.device, "float32", torch.get_num_threads())
        self.conditions = conditions(describe_model(str(self.folder)), self.device_settings, self.decode)
        self.speech = load_model(self.conditions.files, self.device, "float32")

    def ours(self) -> dict[str, str]:
        from lora.asr.decoding.audio_store import AudioStore, Rows
        from lora.asr.decoding.transcribe import BatchLimits, decode_all
        from lora.asr.decoding.transcript_cache import open_cache
        from lora.asr.devices import make_deterministic
        from lora.provenance.recording import Recording

        make_deterministic(0, self.device_settings.threads, algorithms=self.device != "cpu")
        with tempfile.TemporaryDirectory() as work, open_cache(work, self.conditions.fingerprint) as cache:
            store = AudioStore(self.speech.sampling_rate, None)
            keys = store.add(Rows(self.rows, self.audio_folder))
            decode_all(
                list(dict.fromkeys(keys)), store, self.speech, self.conditions, cache, Recording(None), BatchLimits()
            )
            return {row.id: cache[key].text for row, key in zip(self.rows, keys, strict=True)}

    def one_by_one(self) -> dict[str, str]:
        """What a notebook does: read, extract features, generate, decode, one utterance after the other."""
        import torch

        torch.use_deterministic_algorithms(False)
        speech, texts = self.speech, {}
        for row, audio in zip(self.rows, self.audio(), strict=True):
            inputs = speech.processor(audio["raw"], sampling_rate=audio["sampling_rate"], return_tensors="pt")
            made = speech.model.generate(**inputs.to(self.device), **self.decode)
            texts[row.id] = speech.processor.batch_decode(made, skip_special_tokens=True)[0].strip()
        return texts

    def pipeline(self, batch_size: int) -> dict[str, str]:
        import torch
        from transformers import pipeline

        torch.use_deterministic_algorithms(False)
        speech = self.speech
        if speech.tokenizer.pad_token is None:  # as Whisper's own tokenizers have it
            speech.tokenizer.pad_token = speech.tokenizer.eos_token
        recognise = pipeline(
            "automatic-speech-recognition",
            model=speech.model,
            tokenizer=speech.tokenizer,
            feature_extractor=speech.feature_extractor,
            device=self.device,
        )
        results = recognise(self.audio(), batch_size=batch_size, generate_kwargs=dict(self.decode))
        return {row.id: each["text"].strip() for row, each in zip(self.rows, results, strict=True)}

    def audio(self) -> Iterator[dict[str, Any]]:
        rate = self.speech.sampling_rate
        for row in self.rows:
            yield {"raw": load_audio(row, self.audio_folder, rate), "sampling_rate": rate}


def run(plan: Plan) -> Result:
    import torch

    pairs = PAIRS[plan.quick]
    result = Result(
        config={
            "rows": ROWS[plan.quick],
            "batch_sizes_tried": list(BATCHES[plan.quick]),
            "pairs": pairs,
            "whisper": {**WHISPER, "new_tokens": WHISPER_TOKENS[plan.quick]},
            "device": plan.device,
            "threads": torch.get_num_threads(),
        }
    )
    folders = {
        "Moonshine": DATA / "model",
        "Whisper, 32 wide": random_whisper(plan.folder / "32", {}),
        "Whisper, 384 wide": random_whisper(plan.folder / "384", WHISPER),
    }
    for model, counts in ROWS[plan.quick].items():
        for beams, count in counts.items():
            rows = some_rows(count)
            contest = Contest(folders[model], rows, decode_of(model, beams, rows, plan.quick), plan.device)
            name = f"{model}, {count} utterances, " + ("greedy" if beams == 1 else f"{beams} beams")
            measure(name, contest, BATCHES[plan.quick], pairs, result)
    result.remarks = [
        "A text of the Moonshine depends on how far its audio was padded. Ours pads each utterance to the next whole "
        "second, whatever else is in its batch, so that a text is the same in every batch; the loop does not "
        "pad at all; "
        "the pipeline pads to the longest of a batch, so that its texts change with the order of rows.",
        "A profile of ours over 120 rows of the Moonshine, greedy, one thread: 3.4 s; decoder steps 1.75 s (554 "
        "steps in 11 batches), encoder 0.93 s, reading Ogg files 0.65 s, saving 0.03 s. Only the first part gains from "
        "batches; the loop pays the others too.",
        "384 wide is the size of whisper-tiny. On a CPU its encoder takes most of the time (0.30 of 0.39 s of "
        "processor time an utterance with 16 tokens), always over 30 s of audio: batches cannot change that.",
    ]
    return result


def measure(name: str, contest: Contest, batch_sizes: tuple[int, ...], pairs: int, result: Result) -> None:
    """Both ratios of one contest, and the share of hypotheses in which the sides differ."""
    ours, alone = contest.ours(), contest.one_by_one()  # warm
    tried = {size: seconds_of(partial(contest.pipeline, size)) for size in batch_sizes}
    best = min(tried, key=lambda size: tried[size])
    piped = contest.pipeline(best)
    result.lines += [
        line(name, contest.ours, "a loop, one utterance at a time", contest.one_by_one, Goal(4), pairs),
        line(name, contest.ours, f"pipeline, batch size {best}", partial(contest.pipeline, best), Goal(1.2), pairs),
    ]
    same = "none" if name.startswith("Whisper") else ""
    result.figures += [
        Figure(f"{name}: hypotheses unlike the loop's", share_unlike(ours, alone), same),
        Figure(f"{name}: hypotheses unlike the pipeline's", share_unlike(ours, piped), same),
        Figure(f"{name}: the pipeline's unlike the loop's", share_unlike(piped, alone), ""),
    ]


def share_unlike(first: dict[str, str], second: dict[str, str]) -> str:
    return f"{sum(first[name] != second[name] for name in first)} of {len(first)}"


def some_rows(count: int) -> list[Utterance]:
    """Rows of the embedded study, spread over domain and heldout, in a seeded order."""
    rows = [row for name in ("domain", "heldout") for row in read_manifest(DATA / f"{name}_manifest.jsonl").rows]
    order = np.random.default_rng(4).permutation(len(rows))
    return [rows[index] for index in order[:count]]


def decode_of(model: str, beams: int, rows: list[Utterance], quick: bool) -> dict[str, Any]:
    """The same arguments of generate for everybody; a Moonshine ends its texts by itself, below this limit."""
    longest = max(row.duration for row in rows)
    tokens = WHISPER_TOKENS[quick] if model.startswith("Whisper") else int(20 * longest)
    return {"max_new_tokens": tokens, "num_beams": beams, "do_sample": False}


def random_whisper(folder: Path, sizes: dict[str, int]) -> Path:
    """A Whisper in hub shape: of the size of the tests' two layers a side, or of `sizes` and a small vocabulary."""
    import torch
    from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration

    sys.path.insert(0, str(REPOSITORY / "tests" / "unit" / "asr"))
    from tiny_models import make_whisper

    make_whisper(folder)
    config = WhisperConfig.from_pretrained(folder, **sizes)
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(config)
    model.generation_config = GenerationConfig.from_pretrained(folder)
    model.save_pretrained(folder)
    return folder
