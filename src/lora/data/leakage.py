"""Overlap of an evaluation manifest with the training manifest: recordings, readings, sentences, speakers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from lora.data.durations import speakers
from lora.records.integrity import LeakageFacts, SharedRow
from lora.records.manifests import Utterance

Words = Callable[[str], Sequence[str]]


def leakage(
    name: str,
    train: Iterable[Utterance],
    rows: Sequence[Utterance],
    words: Words,
    train_audio: Mapping[str, str],
    audio: Mapping[str, str],
) -> LeakageFacts:
    """Count what an evaluation manifest shares with the training manifest.

    Args:
        name: the evaluation manifest.
        train: rows of the training manifest, of which there may be millions: they are read once and not kept.
        rows: rows of the evaluation manifest.
        words: normaliser; texts are the same if their words are, and texts without words are never the same.
        train_audio: hash of the samples by row id, where known.
        audio: the same for `rows`.
    """

    def sentence(row: Utterance) -> tuple[str, ...] | None:
        return tuple(words(row.text)) or None

    recordings = [audio.get(row.id) for row in rows]
    sentences = [sentence(row) for row in rows]
    readings = [_reading(row, sentence) for row, sentence in zip(rows, sentences, strict=True)]
    first_recording, first_sentence, first_reading = _Twins(recordings), _Twins(sentences), _Twins(readings)
    train_speakers = set()
    for row in train:
        spoken = sentence(row)
        first_recording.see(train_audio.get(row.id), row)
        first_sentence.see(spoken, row)
        first_reading.see(_reading(row, spoken), row)
        train_speakers.add(row.speaker_id)
    return LeakageFacts(
        manifest=name,
        rows=len(rows),
        speakers=speakers(rows),
        same_audio=first_recording.shared(rows, recordings),
        same_reading=first_reading.shared(rows, readings),
        same_sentence=first_sentence.shared(rows, sentences),
        shared_speakers=sorted({row.speaker_id for row in rows if row.speaker_id is not None} & train_speakers),
    )


def _reading(row: Utterance, sentence: tuple[str, ...] | None) -> Hashable | None:
    """A sentence by a speaker; None where one of them is not known."""
    return None if sentence is None or row.speaker_id is None else (row.speaker_id, sentence)


class _Twins:
    """The first training row with each key of the evaluation rows; None is not a key."""

    def __init__(self, keys: Iterable[Hashable | None]) -> None:
        self._first: dict[Hashable, Utterance | None] = dict.fromkeys(key for key in keys if key is not None)

    def see(self, key: Hashable | None, row: Utterance) -> None:
        if key in self._first and self._first[key] is None:
            self._first[key] = row

    def shared(self, rows: Sequence[Utterance], keys: Sequence[Hashable | None]) -> list[SharedRow]:
        """Evaluation rows whose key a training row has, with the first such row."""
        twins = zip(rows, map(self._first.get, keys), strict=True)
        return [
            SharedRow(line=row.line, id=row.id, train_line=twin.line, train_id=twin.id)
            for row, twin in twins
            if twin is not None
        ]
