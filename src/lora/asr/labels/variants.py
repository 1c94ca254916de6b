"""Alternative ways to build the label of a text: BOS, EOS, prefix, decoder start token. Imports torch.

Each name completes the phrase "labels built ..."; a variant is listed only if its labels differ from the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lora.asr.families.speech_model import SpeechModel
from lora.asr.labels.build import build_labels, label_ids, unpadded
from lora.asr.labels.greedy_hypotheses import GreedyHypothesis

SHIFTED = "shifted by one token"


@dataclass(frozen=True)
class Forced:
    """Decoder inputs and the target of each position; the first `skipped` targets do not count."""

    inputs: list[int]
    targets: list[int]
    skipped: int


def start_of_generation(speech: SpeechModel) -> int | None:
    """First decoder token of generation; if its settings name none, the one that the forward pass prepends."""
    named: int | None = speech.base.generation_config.decoder_start_token_id
    return speech.decoder_start if named is None else named


def eos_tokens(speech: SpeechModel) -> set[int]:
    """EOS tokens of generation; a model trained on labels without one learns not to stop."""
    ends = speech.base.generation_config.eos_token_id
    return set(ends if isinstance(ends, list) else [ends])


def bos_tokens(speech: SpeechModel) -> set[int]:
    """Tokens that the forward pass or generation prepends; a label that starts with one would contain it twice."""
    config = speech.base.config
    named = (speech.decoder_start, getattr(config, "bos_token_id", None), speech.tokenizer.bos_token_id)
    return {int(token) for token in named if token is not None} - eos_tokens(speech)


def replay(speech: SpeechModel, prompt: list[int], tokens: list[int]) -> Forced:
    """Teacher-force generated tokens after the start token and prompt of generation."""
    return _forced(start_of_generation(speech), [*prompt, *tokens], len(prompt))


def label_variants(speech: SpeechModel, prompt: list[int], own: Sequence[GreedyHypothesis]) -> dict[str, list[Forced]]:
    """Labels of greedy hypotheses by the way they are built, most specific way first."""
    texts = [text.text for text in own]
    start, ends, starts = speech.decoder_start, eos_tokens(speech), bos_tokens(speech)
    first = speech.tokenizer.bos_token_id if speech.tokenizer.bos_token_id in starts else start
    as_built, plain = [unpadded(row) for row in build_labels(speech, texts).tolist()], label_ids(speech, texts)
    end = next((ids[-1] for ids in (text.tokens for text in own) if ids and ids[-1] in ends), None)

    def text_only(ids: list[int]) -> list[int]:
        return content_of(speech, ids)

    def ended(ids: list[int]) -> list[int]:
        return ids if end is None else [*_without_end(ids, ends), end]

    ways: dict[str, Callable[[list[int]], list[int]]] = {
        "with padding alone masked": lambda ids: ids,
        "without a BOS in front": lambda ids: _without_start(ids, starts),
        "with one EOS at the end": ended,
        "with the prefix that generation forces": lambda ids: [*prompt, *text_only(ids), *_tail(ids, ends)],
        "of the prefix that generation forces, the text and one EOS": lambda ids: ended([*prompt, *text_only(ids)]),
        "with a BOS in front": lambda ids: ids if first is None else [first, *_without_start(ids, starts)],
    }
    variants: dict[str, list[Forced]] = {}
    known = [as_built]
    for name, way in ways.items():
        rows = [way(ids) for ids in plain]
        if rows not in known:
            known.append(rows)
            variants[name] = [_forced(start, row, len(prompt)) for row in rows]
    begin = start_of_generation(speech)
    if begin != start:
        variants["after the token that generation starts with"] = [_forced(begin, row, len(prompt)) for row in plain]
    return variants


def content_of(speech: SpeechModel, tokens: list[int]) -> list[int]:
    """Tokens without the special ones at both ends (start, prompt, EOS)."""
    special = set(speech.tokenizer.all_special_ids)
    inner = [position for position, token in enumerate(tokens) if token not in special]
    return tokens[inner[0] : inner[-1] + 1] if inner else []


def _forced(start: int | None, targets: list[int], skipped: int) -> Forced:
    """Without a start token the last prompt token predicts the first target, so the first input is never used."""
    return Forced([0 if start is None else start, *targets[:-1]], targets, skipped)


def _without_start(ids: list[int], starts: set[int]) -> list[int]:
    return _without_start(ids[1:], starts) if ids and ids[0] in starts else ids


def _without_end(ids: list[int], ends: set[int]) -> list[int]:
    return _without_end(ids[:-1], ends) if ids and ids[-1] in ends else ids


def _tail(ids: list[int], ends: set[int]) -> list[int]:
    return ids[len(_without_end(ids, ends)) :]
