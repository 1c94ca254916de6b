"""How labels are built: end mark, start, padding, Whisper's prefix, the prompt of a language model. Imports torch."""

from __future__ import annotations

from typing import Any

from lora.asr.families.ctc import CtcModel
from lora.asr.families.speech_llm import SpeechLlm
from lora.asr.families.speech_model import IGNORED, SpeechModel
from lora.asr.labels.build import Collator, build_labels, label_ids, unpadded
from lora.asr.labels.variants import bos_tokens, eos_tokens, start_of_generation
from lora.asr.training.data import SpeechRows
from lora.records.labels import LabelStructure

PROMPTS = 4  # rows whose whole batch is built, prompt included


def label_structure(speech: SpeechModel, part: SpeechRows, decode: dict[str, Any]) -> LabelStructure:
    """Shares of labels that are right in each respect, null in what the family has no part in; see LabelStructure."""
    texts = [row.text for row in part.rows]
    labels = build_labels(speech, texts).tolist()
    lengths = [len(ids) for ids in label_ids(speech, texts)]
    rows = [unpadded(row) for row in labels]
    padding_ignored = _share(
        [
            all(token == IGNORED for token in row[length:]) and IGNORED not in row[:length]
            for row, length in zip(labels, lengths, strict=True)
        ]
    )
    if isinstance(speech, CtcModel):
        marks = {speech.blank, speech.tokenizer.bos_token_id, speech.tokenizer.eos_token_id}
        return LabelStructure(padding_ignored=padding_ignored, only_text=_share([not marks & set(row) for row in rows]))
    ends, starts = eos_tokens(speech), bos_tokens(speech)
    prefix = forced_prefix(speech, decode)
    return LabelStructure(
        ends_with_eos=_share([bool(row) and row[-1] in ends for row in rows]),
        single_start=_share([bool(row) and row[0] not in starts for row in rows]),
        single_eos=_share([not ends & set(row[:-1]) for row in rows]),
        same_decoder_start=start_of_generation(speech) == speech.decoder_start,
        padding_ignored=padding_ignored,
        prompt_ignored=_prompt_ignored(speech, part) if isinstance(speech, SpeechLlm) else None,
        prefix_matches_generation=_prefix_matches(speech, prefix, rows),
    )


def _prompt_ignored(speech: SpeechLlm, part: SpeechRows) -> float:
    """Share of rows whose prompt is generation's own and counts in no loss, while what counts is what is read."""
    collator, holds = Collator(speech), []
    for index in range(min(PROMPTS, len(part))):
        row = part[index]
        batch, prompt = collator([row]), speech.inputs([row["audio"]])["input_ids"]
        length = prompt.shape[1]
        read, labels = batch["input_ids"][0], batch["labels"][0]
        counted = labels.ne(IGNORED)
        same = bool(read[:length].equal(prompt[0])) and bool(read[counted].equal(labels[counted]))
        holds.append(same and not bool(counted[:length].any()))
    return _share(holds)


def forced_prefix(speech: SpeechModel, decode: dict[str, Any]) -> list[int] | None:
    """Tokens generation forces behind the start token (Whisper: language, task, no timestamps), null where none."""
    if speech.family != "whisper":
        return None
    generation = speech.base.generation_config
    wanted = {name: decode.get(name) or getattr(generation, name, None) for name in ("language", "task")}
    timestamps = decode.get("return_timestamps", getattr(generation, "return_timestamps", False))
    languages, tasks = (getattr(generation, name, None) or {} for name in ("lang_to_id", "task_to_id"))
    prefix: list[int] = []
    if languages and getattr(generation, "is_multilingual", False):
        if wanted["language"] is None:
            return None  # it listens for the language first: no prefix is known beforehand
        prefix.append(_language_token(str(wanted["language"]), languages))
        prefix.append(tasks.get(wanted["task"] or "transcribe", -1))
    if not timestamps and getattr(generation, "no_timestamps_token_id", None) is not None:
        prefix.append(generation.no_timestamps_token_id)
    return prefix


def _prefix_matches(speech: SpeechModel, prefix: list[int] | None, rows: list[list[int]]) -> float | None:
    """Share of labels with the prefix that generation forces, or with any language where it listens for one first."""
    if prefix is not None:
        return _share([row[: len(prefix)] == prefix for row in rows])
    languages = set((getattr(speech.base.generation_config, "lang_to_id", None) or {}).values())
    return _share([row[:1] != [] and row[0] in languages for row in rows]) if languages else None


def _language_token(language: str, languages: dict[str, int]) -> int:
    """By code (`de`), token (`<|de|>`) or English name (`german`), as generation takes it; -1 where unknown."""
    from transformers.models.whisper.tokenization_whisper import TO_LANGUAGE_CODE

    name = language.lower()
    code = TO_LANGUAGE_CODE.get(name, name)
    return languages.get(name, languages.get(f"<|{code}|>", -1))


def _share(holds: list[bool]) -> float:
    return sum(holds) / len(holds) if holds else 1.0
