"""Greedy hypotheses of the base model with their log-probabilities during generation. Imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lora.asr.families.speech_model import SpeechModel
from lora.asr.training.data import SpeechRows
from lora.records.transcripts import Transcript

# Plain greedy decoding: anything that modifies scores would make the model disagree with its own hypothesis.
PLAIN: dict[str, Any] = {
    "do_sample": False, "num_beams": 1, "repetition_penalty": 1.0, "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0, "encoder_repetition_penalty": 1.0, "suppress_tokens": None,
    "begin_suppress_tokens": None, "bad_words_ids": None, "forced_bos_token_id": None, "forced_eos_token_id": None,
    "min_length": 0, "min_new_tokens": None,
}  # fmt: skip
PROMPT_KEYS = ("language", "task", "return_timestamps")


@dataclass(frozen=True)
class GreedyHypothesis:
    """Hypothesis of one row.

    Attributes:
        text: Raw text.
        tokens: Token ids after decoder start token and prompt, including EOS.
        truncated: Whether the token limit ended it.
        log_probability: Log-probability of `tokens` in nats, from the logits during generation; None if not available.
    """

    text: str
    tokens: list[int]
    truncated: bool
    log_probability: float | None = None


def greedy_hypotheses(
    speech: SpeechModel, rows: SpeechRows, batches: list[list[int]], decode: dict[str, Any]
) -> dict[int, GreedyHypothesis]:
    """Greedy hypothesis of every row, by row number.

    Of `decode` only the keys that set the prompt count, so that scores stay those of the model.
    """
    plain: dict[str, Any] = {}
    if speech.files.family.generates:
        plain = PLAIN | {key: decode[key] for key in PROMPT_KEYS if decode.get(key) is not None}
    hypotheses: dict[int, GreedyHypothesis] = {}
    for indices in batches:
        inputs = speech.inputs([rows[index]["audio"] for index in indices])
        generated = speech.generate(inputs, plain, log_probabilities=True)
        log_probabilities: list[float | None] = [None] * len(indices)
        if generated.log_probabilities is not None:
            log_probabilities = list(generated.log_probabilities)
        values = zip(generated.texts, generated.token_ids, generated.truncated, log_probabilities, strict=True)
        hypotheses |= {index: GreedyHypothesis(*fields) for index, fields in zip(indices, values, strict=True)}
    return hypotheses


def greedy_transcripts(rows: SpeechRows, hypotheses: dict[int, GreedyHypothesis]) -> list[Transcript]:
    """The hypotheses as transcripts, in the order of rows."""
    return [
        Transcript(
            id=row.id,
            reference=row.text,
            hypothesis=hypotheses[index].text,
            duration=row.duration,
            truncated=hypotheses[index].truncated,
        )
        for index, row in enumerate(rows.rows)
    ]
