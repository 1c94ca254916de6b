"""Other ways to build labels from the same texts: BOS, EOS, prefix, decoder start token. Imports torch.

Each has a name that completes "labels built ...".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lora.asr.families.speech_model import SpeechModel
from lora.asr.labels.build import build_labels, label_ids, unpadded
from lora.asr.labels.greedy_hypotheses import GreedyHypothesis

SHIFTED = "shifted by one token"
WITH_BOS = "with a BOS in front"


@dataclass(frozen=True)
class Forced:
    """Decoder inputs and the target of each position; the first `skipped` targets do not count."""

    inputs: list[int]
    targets: list[int]
    skipped: int


def start_of_generation(speech: SpeechModel) -> int | None:
    """Decoder start token of generation; if its settings have none, the one that the forward pass adds to labels."""
    configured: int | None = speech.base.generation_config.decoder_start_token_id
    return speech.decoder_start if configured is None else configured


def eos_tokens(speech: SpeechModel) -> set[int]:
    """EOS tokens of generation: trained without one, the model learns not to stop."""
    eos = speech.base.generation_config.eos_token_id
    return set(eos if isinstance(eos, list) else [eos])


def bos_tokens(speech: SpeechModel) -> set[int]:
    """Tokens that the forward pass or generation put before labels; in front of a label they would be doubled."""
    config = speech.base.config
    configured = (speech.decoder_start, getattr(config, "bos_token_id", None), speech.tokenizer.bos_token_id)
    return {int(token) for token in configured if token is not None} - eos_tokens(speech)


def replay(speech: SpeechModel, prompt: list[int], tokens: list[int]) -> Forced:
    """Generated tokens after generation's decoder start token and prompt."""
    return _forced(start_of_generation(speech), [*prompt, *tokens], len(prompt))


def label_variants(
    speech: SpeechModel, prompt: list[int], hypotheses: Sequence[GreedyHypothesis]
) -> dict[str, list[Forced]]:
    """Labels of the hypotheses, built in each way that differs from the collator's, by name, most specific first.

    Args:
        speech: The base model.
        prompt: Tokens that generation forces after the decoder start token.
        hypotheses: Greedy hypotheses.
    """
    texts = [hypothesis.text for hypothesis in hypotheses]
    start = speech.decoder_start
    eos_set = eos_tokens(speech)
    bos_set = bos_tokens(speech)
    bos = speech.tokenizer.bos_token_id if speech.tokenizer.bos_token_id in bos_set else start
    as_built = [unpadded(row) for row in build_labels(speech, texts).tolist()]
    plain = label_ids(speech, texts)
    eos = next((ids[-1] for ids in (item.tokens for item in hypotheses) if ids and ids[-1] in eos_set), None)

    def text_only(ids: list[int]) -> list[int]:
        return content_of(speech, ids)

    def with_eos(ids: list[int]) -> list[int]:
        return ids if eos is None else [*_without_eos(ids, eos_set), eos]

    builders: dict[str, Callable[[list[int]], list[int]]] = {
        "with only padding masked": lambda ids: ids,
        "without a BOS in front": lambda ids: _without_bos(ids, bos_set),
        "with one EOS at the end": with_eos,
        "with the prefix that generation forces": lambda ids: [*prompt, *text_only(ids), *_eos_of(ids, eos_set)],
        "of the prefix that generation forces, the text and one EOS": lambda ids: with_eos([*prompt, *text_only(ids)]),
        WITH_BOS: lambda ids: ids if bos is None else [bos, *_without_bos(ids, bos_set)],
    }
    variants: dict[str, list[Forced]] = {}
    known = [as_built]
    for name, build in builders.items():
        rows = [build(ids) for ids in plain]
        if rows not in known:
            known.append(rows)
            variants[name] = [_forced(start, row, len(prompt)) for row in rows]
    generation_start = start_of_generation(speech)
    if generation_start != start:
        variants["after the token that generation starts with"] = [
            _forced(generation_start, row, len(prompt)) for row in plain
        ]
    return variants


def content_of(speech: SpeechModel, tokens: list[int]) -> list[int]:
    """Tokens between the special tokens at both ends (decoder start token, prompt, EOS)."""
    special = set(speech.tokenizer.all_special_ids)
    inner = [position for position, token in enumerate(tokens) if token not in special]
    return tokens[inner[0] : inner[-1] + 1] if inner else []


def _forced(start: int | None, targets: list[int], skipped: int) -> Forced:
    """Without a decoder start token the prompt's last token predicts the first target; any token will do here."""
    return Forced([0 if start is None else start, *targets[:-1]], targets, skipped)


def _without_bos(ids: list[int], bos: set[int]) -> list[int]:
    return _without_bos(ids[1:], bos) if ids and ids[0] in bos else ids


def _without_eos(ids: list[int], eos: set[int]) -> list[int]:
    return _without_eos(ids[:-1], eos) if ids and ids[-1] in eos else ids


def _eos_of(ids: list[int], eos: set[int]) -> list[int]:
    return ids[len(_without_eos(ids, eos)) :]
