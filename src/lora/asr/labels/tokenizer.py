"""What the tokenizer makes of transcripts: characters it loses, texts that come back changed, unknown tokens."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

from lora.asr.families.speech_model import SpeechModel
from lora.records.labels import ChangedText
from lora.records.manifests import Utterance


def lost_characters(speech: SpeechModel, texts: Sequence[str]) -> dict[str, int]:
    """Characters that do not survive tokenizing and decoding, with the number of texts that lose them."""
    lost: Counter[str] = Counter()
    for text in texts:
        back = speech.text_of(speech.tokenizer(text).input_ids)
        missing = Counter(_folded(text)) - Counter(_folded(back))
        lost.update(missing.keys())
    return dict(sorted(lost.items()))


def lost_texts(speech: SpeechModel, rows: Sequence[Utterance]) -> list[ChangedText]:
    """Rows whose text is another one after tokenizing and decoding, in their order."""
    backs = [(row, speech.text_of(speech.tokenizer(row.text).input_ids)) for row in rows]
    return [
        ChangedText(id=row.id, line=row.line, text=row.text, decoded=back)
        for row, back in backs
        if not same_text(row.text, back)
    ]


def unknown_tokens(speech: SpeechModel, texts: Sequence[str]) -> tuple[float, int]:
    """Share of unknown tokens among those of the texts (special ones at both ends aside), and rows that hold one."""
    unknown = speech.tokenizer.unk_token_id
    rows = [speech.tokenizer(text, add_special_tokens=False).input_ids for text in texts]
    counts = [0 if unknown is None else ids.count(unknown) for ids in rows]
    return sum(counts) / max(sum(map(len, rows)), 1), sum(count > 0 for count in counts)


def same_text(one: str, other: str) -> bool:
    """Equal but for white space and for Unicode's several ways of writing one character (NFKC)."""
    return _folded(one) == _folded(other)


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())
