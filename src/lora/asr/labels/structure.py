"""Label checks without a forward pass: structure, and what the tokenizer changes in transcripts. Imports torch."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any

from lora.asr.families.ctc import CtcModel
from lora.asr.families.speech_llm import SpeechLlm
from lora.asr.families.speech_model import IGNORED, SpeechModel
from lora.asr.labels.build import Collator, build_labels, label_ids, unpadded
from lora.asr.labels.variants import bos_tokens, eos_tokens, start_of_generation
from lora.asr.training.data import SpeechRows
from lora.records.labels import ChangedText, LabelStructure
from lora.records.manifests import Utterance

AROUND_MARKS = re.compile(r"(?<!\w) | (?!\w)")  # spaces that do not separate two words
PROMPT_ROWS = 4  # rows whose complete batch is built, prompt included


def label_structure(speech: SpeechModel, rows: SpeechRows, decode: dict[str, Any]) -> LabelStructure:
    """Shares of correct labels in each respect, None where it does not apply to the family (see LabelStructure)."""
    texts = [row.text for row in rows.rows]
    padded = build_labels(speech, texts).tolist()
    lengths = [len(ids) for ids in label_ids(speech, texts)]
    labels = [unpadded(row) for row in padded]
    padding_ignored = _share(
        [
            all(token == IGNORED for token in row[length:]) and IGNORED not in row[:length]
            for row, length in zip(padded, lengths, strict=True)
        ]
    )
    if isinstance(speech, CtcModel):
        special = {speech.blank, speech.tokenizer.bos_token_id, speech.tokenizer.eos_token_id}
        only_text = _share([not special & set(label) for label in labels])
        return LabelStructure(padding_ignored=padding_ignored, only_text=only_text)
    eos = eos_tokens(speech)
    bos = bos_tokens(speech)
    return LabelStructure(
        ends_with_eos=_share([bool(label) and label[-1] in eos for label in labels]),
        single_start=_share([bool(label) and label[0] not in bos for label in labels]),
        single_eos=_share([not eos & set(label[:-1]) for label in labels]),
        same_decoder_start=start_of_generation(speech) == speech.decoder_start,
        padding_ignored=padding_ignored,
        prompt_ignored=_prompt_ignored(speech, rows) if isinstance(speech, SpeechLlm) else None,
        prefix_matches_generation=_prefix_matches(speech, decode, labels),
        tokenizer_eos=speech.tokenizer.eos_token_id,
        generation_eos=sorted(eos),
    )


def _prompt_ignored(speech: SpeechLlm, rows: SpeechRows) -> float:
    """Share of rows whose batch starts with generation's prompt, and whose loss counts only what follows it."""
    collator = Collator(speech)
    correct = []
    for index in range(min(PROMPT_ROWS, len(rows))):
        row = rows[index]
        batch = collator([row])
        prompt = speech.inputs([row["audio"]])["input_ids"]
        length = prompt.shape[1]
        inputs = batch["input_ids"][0]
        labels = batch["labels"][0]
        counted = labels.ne(IGNORED)
        same = bool(inputs[:length].equal(prompt[0])) and bool(inputs[counted].equal(labels[counted]))
        correct.append(same and not bool(counted[:length].any()))
    return _share(correct)


def _prefix_matches(speech: SpeechModel, decode: dict[str, Any], labels: list[list[int]]) -> float | None:
    matches = [speech.starts_with_prefix(label, decode) for label in labels]
    known = [match for match in matches if match is not None]
    return _share(known) if len(known) == len(matches) else None


def _share(flags: list[bool]) -> float:
    return sum(flags) / len(flags) if flags else 1.0


def lost_characters(speech: SpeechModel, texts: Sequence[str]) -> dict[str, int]:
    """Characters that do not survive encoding and decoding, with the number of texts that lose them."""
    lost: Counter[str] = Counter()
    for text in texts:
        decoded = speech.text_of(speech.tokenizer(text).input_ids)
        missing = Counter(_folded(text)) - Counter(_folded(decoded))
        lost.update(missing.keys())
    return dict(sorted(lost.items()))


def changed_texts(speech: SpeechModel, rows: Sequence[Utterance]) -> list[ChangedText]:
    """Rows whose text changes when it is encoded and decoded, in their order."""
    decoded = [speech.text_of(speech.tokenizer(row.text).input_ids) for row in rows]
    return [
        ChangedText(id=row.id, line=row.line, text=row.text, decoded=text)
        for row, text in zip(rows, decoded, strict=True)
        if not same_text(row.text, text)
    ]


def unknown_tokens(speech: SpeechModel, texts: Sequence[str]) -> tuple[float, int]:
    """Share of unknown tokens among the tokens of the texts (without BOS and EOS), and number of texts with one."""
    unknown = speech.tokenizer.unk_token_id
    rows = [speech.tokenizer(text, add_special_tokens=False).input_ids for text in texts]
    counts = [0 if unknown is None else ids.count(unknown) for ids in rows]
    return sum(counts) / max(sum(map(len, rows)), 1), sum(count > 0 for count in counts)


def same_text(one: str, other: str) -> bool:
    """Whether two texts have the same words, in Unicode's compatible forms of each character (NFKC).

    White space counts between two words only: a tokenizer that glues words together changes a text, and one that
    writes `word .` as `word.` does not.
    """
    return _words(one) == _words(other)


def _words(text: str) -> str:
    return AROUND_MARKS.sub("", " ".join(unicodedata.normalize("NFKC", text).split()))


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())
