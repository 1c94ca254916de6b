"""The model's own greedy texts, and how likely it found them while it wrote them. Imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lora.asr.families.speech_model import SpeechModel
from lora.asr.training.data import SpeechRows
from lora.records.transcripts import Transcript

# Plain greedy search: anything that edits scores would make the model disagree with its own hypothesis.
PLAIN: dict[str, Any] = {
    "do_sample": False, "num_beams": 1, "repetition_penalty": 1.0, "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0, "encoder_repetition_penalty": 1.0, "suppress_tokens": None,
    "begin_suppress_tokens": None, "bad_words_ids": None, "forced_bos_token_id": None, "forced_eos_token_id": None,
    "min_length": 0, "min_new_tokens": None,
}  # fmt: skip
PROMPT_KEYS = ("language", "task", "return_timestamps")


@dataclass(frozen=True)
class GreedyHypothesis:
    """What the model says to one row: text, tokens behind start token and prompt, and whether the cap cut it.

    `log_probability` is that of its tokens in nats, from the logits of the generation; None if it returned none.
    """

    text: str
    tokens: list[int]
    truncated: bool
    log_probability: float | None = None


def greedy_hypotheses(
    speech: SpeechModel, rows: SpeechRows, batches: list[list[int]], decode: dict[str, Any]
) -> dict[int, GreedyHypothesis]:
    """Greedy text of every row by its number. Of `decode` only what sets the prompt counts."""
    plain: dict[str, Any] = {}
    if speech.files.family.generates:
        plain = PLAIN | {key: decode[key] for key in PROMPT_KEYS if decode.get(key) is not None}
    hypotheses: dict[int, GreedyHypothesis] = {}
    for indices in batches:
        inputs = speech.inputs([rows[index]["audio"] for index in indices])
        generated = speech.generate(inputs, plain, log_probabilities=True)
        likely: list[float | None] = [None] * len(indices)
        if generated.log_probabilities is not None:
            likely = list(generated.log_probabilities)
        own = zip(generated.texts, generated.token_ids, generated.truncated, likely, strict=True)
        hypotheses |= {index: GreedyHypothesis(*values) for index, values in zip(indices, own, strict=True)}
    return hypotheses


def greedy_transcripts(rows: SpeechRows, hypotheses: dict[int, GreedyHypothesis]) -> list[Transcript]:
    """The texts as transcripts, in the order of rows."""
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
