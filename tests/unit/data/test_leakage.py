"""Overlap of two manifests by samples, by text and speaker, by text, by speaker."""

from __future__ import annotations

from lora.data.leakage import leakage
from lora.records.integrity import LeakageFacts
from lora.records.manifests import Utterance
from lora.scoring.normalizers import normalizer


def row(id: str, text: str, speaker: str | None = "ann") -> Utterance:
    return Utterance(id=id, text=text, duration=2.0, speaker_id=speaker, line=int(id[1:]))


TRAIN = [
    row("t1", "Hoist the main sail!"),
    row("t2", "Lower it.", "bob"),
    row("t3", "...", None),
    row("t4", "hoist the main sail"),
]


def compared(*rows: Utterance, audio: dict[str, str] | None = None) -> LeakageFacts:
    return leakage("domain", iter(TRAIN), rows, normalizer("basic").words, {"t1": "a", "t2": "b"}, audio or {})


def test_the_same_sentence_by_the_same_speaker_and_by_another() -> None:
    result = compared(row("e1", "hoist the main sail"), row("e2", "Hoist the main sail?", "eve"), row("e3", "Ahoy"))
    assert [(s.id, s.train_id) for s in result.same_reading] == [("e1", "t1")]
    assert [(s.line, s.train_line) for s in result.same_sentence] == [(1, 1), (2, 1)]
    assert (result.rows, result.speakers, result.shared_speakers) == (3, 2, ["ann"])


def test_the_same_samples_whatever_the_text() -> None:
    result = compared(row("e1", "Something else", "eve"), row("e2", "No", "eve"), audio={"e1": "b", "e2": "z"})
    assert [(s.id, s.train_id) for s in result.same_audio] == [("e1", "t2")]
    assert not result.same_sentence


def test_nothing_in_common() -> None:
    result = compared(row("e1", "--", None), row("e2", "Ahoy", None))
    assert (result.same_audio, result.same_reading, result.same_sentence, result.shared_speakers) == ([], [], [], [])
    assert result.speakers is None
