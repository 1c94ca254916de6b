"""What an evaluation manifest shares with the training manifest: recordings, readings, sentences, speakers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

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
    """Facts of manifest `name`; the mappings give the hash of a row's samples by its id, where one is known.

    Texts are compared as words of the caller's normaliser; those without any word are never the same.
    """

    def sentence(row: Utterance) -> Hashable | None:
        return tuple(words(row.text)) or None

    def reading(row: Utterance) -> Hashable | None:
        said = sentence(row)
        return None if said is None or row.speaker_id is None else (row.speaker_id, said)

    known = {row.speaker_id for row in train} - {None}
    return LeakageFacts(
        manifest=name,
        rows=len(rows),
        speakers=speakers(rows),
        same_audio=_shared(train, rows, lambda row: train_audio.get(row.id), lambda row: audio.get(row.id)),
        same_reading=_shared(train, rows, reading, reading),
        same_sentence=_shared(train, rows, sentence, sentence),
        shared_speakers=sorted({row.speaker_id for row in rows if row.speaker_id is not None} & known),
    )


def _shared(
    train: Sequence[Utterance],
    rows: Sequence[Utterance],
    train_key: Callable[[Utterance], Hashable | None],
    key: Callable[[Utterance], Hashable | None],
) -> list[SharedRow]:
    """Rows whose key some training row has, with the first of them; a key that is null is no key."""
    first: dict[Hashable, Utterance] = {}
    for row in train:
        found = train_key(row)
        if found is not None:
            first.setdefault(found, row)
    return [
        SharedRow(line=row.line, id=row.id, train_line=twin.line, train_id=twin.id)
        for row in rows
        if (found := key(row)) is not None and (twin := first.get(found)) is not None
    ]
