"""The model's own greedy texts, and whether labels made of them are what the model would say. Imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lora.asr.families import SpeechModel
from lora.asr.label_structure import forced_prefix
from lora.asr.labels import IGNORED, Collator, label_ids
from lora.asr.training_data import SpeechRows, batches_in_order
from lora.records import OwnHypotheses, Transcript

# Greedy and nothing else: whatever edits scores would make the model disagree with its own text.
PLAIN: dict[str, Any] = {
    "do_sample": False, "num_beams": 1, "repetition_penalty": 1.0, "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0, "encoder_repetition_penalty": 1.0, "suppress_tokens": None,
    "begin_suppress_tokens": None, "bad_words_ids": None, "forced_bos_token_id": None, "forced_eos_token_id": None,
    "min_length": 0, "min_new_tokens": None,
}  # fmt: skip
PROMPT_KEYS = ("language", "task", "return_timestamps")
PROMPTED = ("whisper",)  # families whose generation forces tokens behind the start token


@dataclass(frozen=True)
class OwnText:
    """What the model says to one row: text, tokens behind start token and prompt, and whether the cap cut it."""

    text: str
    tokens: list[int]
    truncated: bool


def own_texts(
    speech: SpeechModel, rows: SpeechRows, batches: list[list[int]], decode: dict[str, Any]
) -> dict[int, OwnText]:
    """Greedy text of every row by its number. Of `decode` only what sets the prompt counts."""
    plain = PLAIN | {key: decode[key] for key in PROMPT_KEYS if decode.get(key) is not None}
    heard: dict[int, OwnText] = {}
    for indices in batches:
        made = speech.generate(speech.inputs([rows[index]["audio"] for index in indices]), plain)
        own = zip(made.texts, made.token_ids, made.truncated, strict=True)
        heard |= {index: OwnText(*values) for index, values in zip(indices, own, strict=True)}
    return heard


def own_transcripts(rows: SpeechRows, heard: dict[int, OwnText]) -> list[Transcript]:
    """The texts as transcripts, in the order of rows."""
    return [
        Transcript(
            id=row.id,
            reference=row.text,
            hypothesis=heard[index].text,
            duration=row.duration,
            truncated=heard[index].truncated,
        )
        for index, row in enumerate(rows.rows)
    ]


def own_agreement(
    speech: SpeechModel, rows: SpeechRows, heard: dict[int, OwnText], batch_size: int, decode: dict[str, Any]
) -> OwnHypotheses | None:
    """Share of label positions at which the model, given its own text as label, predicts that very label.

    Left out: texts that were cut, and texts that the model spelt in other pieces than the tokenizer does, where a
    disagreement would say nothing about labels. `log_probability_gap` is the largest difference, in nats a token, of
    a text's log-probability as a label and as generated. A prompt that generation forces is not the model's to
    predict: its positions count in neither (and the gap is null where the prompt is not known beforehand).
    """
    prompt = forced_prefix(speech, decode) if speech.family in PROMPTED else []
    skipped = len(prompt or [])
    usable = [i for i in range(len(rows)) if not heard[i].truncated and not _spelt_otherwise(speech, heard[i])]
    if not usable:
        return None
    kept, own = rows.only(usable), [heard[index] for index in usable]
    steps = kept.steps(speech.sampling_rate, speech.grid_seconds)
    agreeing = positions = 0
    gaps: list[float] = []
    collator = Collator(speech)
    for indices in batches_in_order(steps, batch_size):
        batch = collator([{"audio": kept[i]["audio"], "text": own[i].text} for i in indices])
        labels = batch["labels"].clone()
        with torch.inference_mode():
            logits = speech.model(**batch).logits
        labels[:, :skipped] = IGNORED
        counted = labels.ne(IGNORED)
        agreeing += int((logits.argmax(-1).eq(labels) & counted).sum())
        positions += int(counted.sum())
        if prompt is None:
            continue
        inputs = {name: value for name, value in batch.items() if name in speech.input_names}
        generated = _forced(speech, inputs, prompt, [own[i].tokens for i in indices])
        for value, by_generation, i in zip(_log_probability(logits, labels), generated, indices, strict=True):
            gaps.append(abs(value - by_generation) / max(len(own[i].tokens), 1))
    return OwnHypotheses(
        utterances=len(usable),
        positions=positions,
        argmax_agreement=agreeing / max(positions, 1),
        log_probability_gap=max(gaps) if gaps and max(gaps) < float("inf") else None,
    )


def _forced(speech: SpeechModel, inputs: dict[str, Tensor], prompt: list[int], tokens: list[list[int]]) -> list[float]:
    """Log-probability of generated tokens behind the start token and the prompt, as generation sees them."""
    start = speech.model.generation_config.decoder_start_token_id
    start = speech.model.config.decoder_start_token_id if start is None else start
    width = len(prompt) + max(map(len, tokens))
    shape = (len(tokens), width)
    targets = torch.full(shape, IGNORED, device=speech.device)
    decoder = torch.full(shape, start, device=speech.device)
    for row, ids in enumerate(tokens):
        targets[row, len(prompt) : len(prompt) + len(ids)] = torch.tensor(ids)
        seen = [*prompt, *ids[:-1]]
        decoder[row, 1 : 1 + len(seen)] = torch.tensor(seen)
    with torch.inference_mode():
        logits = speech.model(**inputs, decoder_input_ids=decoder).logits
    return _log_probability(logits, targets)


def _log_probability(logits: Tensor, labels: Tensor) -> list[float]:
    """Summed log-probability of each row's labels."""
    taken = logits.double().log_softmax(-1).gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return (taken * labels.ne(IGNORED)).sum(-1).tolist()


def _spelt_otherwise(speech: SpeechModel, own: OwnText) -> bool:
    """The same text in other pieces: not canonical, and no fault of the labels."""
    label, generated = _content(speech, label_ids(speech, [own.text])[0]), _content(speech, own.tokens)
    if label == generated:
        return False
    texts = [speech.tokenizer.decode(tokens, skip_special_tokens=True).strip() for tokens in (label, generated)]
    return bool(texts[0] == texts[1])


def _content(speech: SpeechModel, tokens: list[int]) -> list[int]:
    """Tokens between the special ones at both ends: start, prompt, end mark."""
    special = set(speech.tokenizer.all_special_ids)
    inner = [position for position, token in enumerate(tokens) if token not in special]
    return tokens[inner[0] : inner[-1] + 1] if inner else []
