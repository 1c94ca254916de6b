"""Texts that are scored: markup, units, notation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from comparison_files import compared, write_lines
from field_cases import Expected, field_case

SENTENCES = [
    f"the {animal} sat on the {place}"
    for animal in ("cat", "dog", "cow", "hen")
    for place in ("mat", "roof", "stone", "car", "chair", "table", "grass", "hill", "bench", "wall")
]

WRONG = [text.replace("sat", "sang") if n % 2 else text for n, text in enumerate(SENTENCES)]


@field_case(
    name="plain English",
    area="text",
    situation="a healthy comparison: tuning repairs the one wrong word of every second row",
    source="neighbour",
    command="quick",
    expected=Expected(first="", outcome="better", wer=(20 / 240, 0.0)),
)
def plain_english(folder: Path) -> list[str]:
    return compared(folder, SENTENCES, WRONG, SENTENCES)


@field_case(
    name="model prefix in references",
    area="text",
    situation="references and tuned texts begin with the model's own language prefix",
    source="Qwen3-ASR fine-tuning format",
    command="quick",
    expected=Expected(first="text.markup", says=("<asr_text>", "8.3 % (base)", "4.2 % (tuned)", "--strip prefixes")),
)
def prefixed(folder: Path) -> list[str]:
    def with_prefix(texts: list[str]) -> list[str]:
        return [f"language English<asr_text>{text}" for text in texts]

    tuned = [text.replace("sat", "sang") if n % 4 == 0 else text for n, text in enumerate(SENTENCES)]
    return compared(folder, with_prefix(SENTENCES), WRONG, with_prefix(tuned))


@field_case(
    name="special tokens in hypotheses",
    area="text",
    situation="tuned texts were decoded with special tokens",
    source="huggingface/blog#641",
    command="quick",
    expected=Expected(first="text.markup", absent=("adapter.worsens",), says=("skip_special_tokens=True",)),
)
def special_tokens(folder: Path) -> list[str]:
    tuned = [f"<|startoftranscript|><|en|><|notimestamps|> {text}<|endoftext|>" for text in SENTENCES]
    return compared(folder, SENTENCES, WRONG, tuned)


@field_case(
    name="special tokens removed",
    area="text",
    situation="the same with `--strip special_tokens`",
    source="neighbour",
    command="quick",
    expected=Expected(first="", outcome="better", wer=(20 / 240, 0.0)),
)
def stripped_tokens(folder: Path) -> list[str]:
    return [*special_tokens(folder), "--strip", "special_tokens"]


@field_case(
    name="noise tags in references",
    area="text",
    situation="[noise] and <unk> are words of the references",
    source="kaldi and NeMo style tags",
    command="quick",
    expected=Expected(first="text.markup", says=("[noise]", "<unk>")),
)
def noise_tags(folder: Path) -> list[str]:
    rows = [f"[noise] {text} <unk>" if n % 3 == 0 else text for n, text in enumerate(SENTENCES)]
    return compared(folder, rows, WRONG, SENTENCES)


@field_case(
    name="alternations in a trn",
    area="text",
    situation="`{ a / b }` in references accepts either, optional words may be missing",
    source="sclite manual (SCTK)",
    command="quick",
    expected=Expected(absent=("text.markup", "adapter.worsens"), wer=(20 / 240, 0.0)),
)
def alternations(folder: Path) -> list[str]:
    marked = [text.replace("the ", "{ the / a } ", 1).replace("on", "(uh) on", 1) for text in SENTENCES]
    tuned = [text.replace("the ", "a ", 1) for text in SENTENCES]
    for name, texts in (("ref", marked), ("base", WRONG), ("tuned", tuned)):
        lines = [f"{text} (s-u{n})\n" for n, text in enumerate(texts)]
        (folder / f"{name}.trn").write_text("".join(lines), encoding="utf-8")
    return ["--manifest", "ref.trn", "--baseline", "base.trn", "--tuned", "tuned.trn"]


@field_case(
    name="brackets in prose",
    area="text",
    situation="brackets, percent signs and hyphens of ordinary text",
    source="neighbour",
    command="quick",
    expected=Expected(absent=("text.markup",), outcome="better"),
)
def prose(folder: Path) -> list[str]:
    def written(text: str) -> str:
        return f"{text} (see below), 5% off pre- and post-war [sic]"

    return compared(folder, *([written(text) for text in texts] for texts in (SENTENCES, WRONG, SENTENCES)))


@field_case(
    name="time tokens in training texts",
    area="text",
    situation="transcripts of the training manifest have time tokens",
    source="Whisper fine-tuning with timestamps",
    command="convert",
    expected=Expected(says=("time_tokens such as <|0.00|>", "--strip time_tokens")),
)
def time_tokens(folder: Path) -> list[str]:
    rows = [
        {"audio": "a.wav", "id": f"u{n}", "duration": 2.0, "text": f"<|0.00|> {text}<|2.00|>"}
        for n, text in enumerate(SENTENCES)
    ]
    return _converted(folder, rows)


@field_case(
    name="time tokens removed",
    area="text",
    situation="the same with `--strip time_tokens`",
    source="neighbour",
    command="convert",
    expected=Expected(rows=({"text": SENTENCES[0]},), silent_on=("warning: 40 transcripts",)),
)
def removed_time_tokens(folder: Path) -> list[str]:
    return [*time_tokens(folder), "--strip", "time_tokens"]


def _converted(folder: Path, rows: list[dict[str, Any]]) -> list[str]:
    import numpy as np
    import soundfile

    soundfile.write(folder / "a.wav", np.zeros(32000, dtype=np.float32), 16000)
    write_lines(folder / "train.jsonl", rows)
    return ["--manifest", "train.jsonl"]
