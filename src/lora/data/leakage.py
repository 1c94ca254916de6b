"""Overlap of an evaluation manifest with the training manifest: recordings, readings, sentences, speakers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cache

from lora.data.durations import speakers
from lora.records.integrity import LeakageFacts, SharedRow
from lora.records.manifests import Utterance

Words = Callable[[str], Sequence[str]]


def leakage(
    name: str,
    train: Sequence[Utterance],
    rows: Sequence[Utterance],
    words: Words,
    train_audio: Mapping[str, str],
    audio: Mapping[str, str],
) -> LeakageFacts:
    """Count what an evaluation manifest shares with the training manifest.

    Args:
        name: the evaluation manifest.
        train: rows of the training manifest.
        rows: rows of the evaluation manifest.
        words: normaliser; texts are the same if their words are, and texts without words are never the same.
        train_audio: hash of the samples by row id, where known.
        audio: the same for `rows`.
    """

    @cache
    def normalized_words(text: str) -> tuple[str, ...] | None:
        return tuple(words(text)) or None

    def sentence(row: Utterance) -> Hashable | None:
        return normalized_words(row.text)

    def reading(row: Utterance) -> Hashable | None:
        normalized = normalized_words(row.text)
        return None if normalized is None or row.speaker_id is None else (row.speaker_id, normalized)

    train_speakers = {row.speaker_id for row in train} - {None}
    return LeakageFacts(
        manifest=name,
        rows=len(rows),
        speakers=speakers(rows),
        same_audio=_shared(train, rows, lambda row: train_audio.get(row.id), lambda row: audio.get(row.id)),
        same_reading=_shared(train, rows, reading, reading),
        same_sentence=_shared(train, rows, sentence, sentence),
        shared_speakers=sorted({row.speaker_id for row in rows if row.speaker_id is not None} & train_speakers),
    )


def _shared(
    train: Sequence[Utterance],
    rows: Sequence[Utterance],
    train_key: Callable[[Utterance], Hashable | None],
    key: Callable[[Utterance], Hashable | None],
) -> list[SharedRow]:
    """Rows that have the key of a training row, with the first such training row; None is not a key."""
    first: dict[Hashable, Utterance] = {}
    for row in train:
        value = train_key(row)
        if value is not None:
            first.setdefault(value, row)
    return [
        SharedRow(line=row.line, id=row.id, train_line=twin.line, train_id=twin.id)
        for row in rows
        if (value := key(row)) is not None and (twin := first.get(value)) is not None
    ]
