"""How labels are built: end mark, start, padding, Whisper's prefix. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lora.asr.families import SpeechModel
from lora.asr.label_variants import end_marks, start_marks, start_of_generation
from lora.asr.labels import IGNORED, build_labels, label_ids, unpadded
from lora.records import LabelStructure


def label_structure(speech: SpeechModel, texts: Sequence[str], decode: dict[str, Any]) -> LabelStructure:
    """Shares of labels that are right in each respect; see LabelStructure."""
    labels = build_labels(speech, texts).tolist()
    lengths = [len(ids) for ids in label_ids(speech, texts)]
    rows = [unpadded(row) for row in labels]
    ends, starts = end_marks(speech), start_marks(speech)
    prefix = forced_prefix(speech, decode)
    return LabelStructure(
        ends_with_eos=_share([bool(row) and row[-1] in ends for row in rows]),
        start_is_right=_share([bool(row) and row[0] not in starts for row in rows]),
        one_end_mark=_share([not ends & set(row[:-1]) for row in rows]),
        same_decoder_start=start_of_generation(speech) == speech.model.config.decoder_start_token_id,
        padding_ignored=_share(
            [
                all(token == IGNORED for token in row[length:]) and IGNORED not in row[:length]
                for row, length in zip(labels, lengths, strict=True)
            ]
        ),
        prefix_matches_generation=None if prefix is None else _share([row[: len(prefix)] == prefix for row in rows]),
    )


def forced_prefix(speech: SpeechModel, decode: dict[str, Any]) -> list[int] | None:
    """Tokens generation forces behind the start token (Whisper: language, task, no timestamps), null where none."""
    if speech.family != "whisper":
        return None
    generation = speech.model.generation_config
    wanted = {name: decode.get(name) or getattr(generation, name, None) for name in ("language", "task")}
    timestamps = decode.get("return_timestamps", getattr(generation, "return_timestamps", False))
    languages, tasks = (getattr(generation, name, None) or {} for name in ("lang_to_id", "task_to_id"))
    prefix: list[int] = []
    if languages and getattr(generation, "is_multilingual", False):
        if wanted["language"] is None:
            return None  # it listens for the language first: no prefix is known beforehand
        prefix.append(_language_token(str(wanted["language"]), languages))
        prefix.append(tasks[wanted["task"] or "transcribe"])
    if not timestamps and getattr(generation, "no_timestamps_token_id", None) is not None:
        prefix.append(generation.no_timestamps_token_id)
    return prefix


def _language_token(language: str, languages: dict[str, int]) -> int:
    """By code (`de`), token (`<|de|>`) or English name (`german`), as generation takes it; -1 where unknown."""
    from transformers.models.whisper.tokenization_whisper import TO_LANGUAGE_CODE

    name = language.lower()
    code = TO_LANGUAGE_CODE.get(name, name)
    return languages.get(name, languages.get(f"<|{code}|>", -1))


def _share(holds: list[bool]) -> float:
    return sum(holds) / len(holds) if holds else 1.0
