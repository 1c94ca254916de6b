"""The audio index: a file is decoded again only if its size or time of change differs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import soundfile
from tiny_models import noise

from lora.asr.decoding import audio_store as samples
from lora.asr.decoding.audio_store import AudioIndex, AudioStore, Rows, stamp_of
from lora.records.base import UserError
from lora.records.manifests import Utterance


def rows(folder: Path, *names: str, offset: float | None = None) -> Rows:
    return Rows([Utterance(id=name, text="x", duration=1.0, audio=name, offset=offset) for name in names], folder)


def sound(path: Path, seed: int) -> None:
    soundfile.write(path, noise(seed, 1.5), 16000, subtype="FLOAT", format="WAV")


def test_only_new_or_changed_files_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[str] = []
    load = samples.load_audio

    def counted(row, *arguments):
        decoded.append(row.id)
        return load(row, *arguments)

    monkeypatch.setattr(samples, "load_audio", counted)

    def keys(*names: str, offset: float | None = None) -> list[str]:
        decoded.clear()
        store = AudioStore(16000, None, index=AudioIndex(tmp_path / "work", 16000))
        found = store.add(rows(tmp_path, *names, offset=offset))
        assert [len(store.load(key)) for key in found] == [store.lengths[key] for key in found]
        return found

    sound(tmp_path / "a.wav", 1)
    sound(tmp_path / "b.wav", 2)
    first = keys("a.wav")
    assert decoded == ["a.wav"]
    both = keys("a.wav", "b.wav")
    assert both[:1] == first
    assert decoded == ["b.wav", "a.wav"]  # the known one only when its samples are asked for
    assert keys("a.wav", offset=0.5) != first
    sound(tmp_path / "a.wav", 3)
    os.utime(tmp_path / "a.wav", ns=(0, 1))
    changed = keys("a.wav", "b.wav")
    assert changed[0] != both[0]
    assert changed[1] == both[1]


def test_an_incomplete_line_is_ignored(tmp_path: Path) -> None:
    known = AudioIndex(tmp_path, 16000)
    known.add("one", "abc", 3)
    known.save()
    [path] = (tmp_path / "audio").iterdir()
    path.write_bytes(path.read_bytes() + b'["two", "ab')
    again = AudioIndex(tmp_path, 16000)
    assert again.get("one") == ("abc", 3)
    assert again.get("two") is None
    again.add("three", "def", 4)
    again.save()
    assert AudioIndex(tmp_path, 16000).get("three") == ("def", 4)
    assert AudioIndex(tmp_path, 8000).get("one") is None


def test_a_flipped_bit_costs_its_segment(tmp_path: Path) -> None:
    known = AudioIndex(tmp_path, 16000)
    known.add("one", "abc", 3)
    known.add("two", "def", 4)
    known.save()
    [path] = (tmp_path / "audio").iterdir()
    path.write_bytes(path.read_bytes().replace(b'"abc", 3', b'"abd", 3'))
    again = AudioIndex(tmp_path, 16000)
    assert again.get("one") is None
    assert again.get("two") == ("def", 4)


def test_a_missing_file_has_no_stamp(tmp_path: Path) -> None:
    assert stamp_of(tmp_path / "none.wav", None, None) is None


def test_a_pipe_in_place_of_the_index_is_named(tmp_path: Path) -> None:
    index = AudioIndex(tmp_path, 16000)
    index.add("a", "b", 1)
    index.save()
    (path,) = (tmp_path / "audio").iterdir()
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UserError, match=rf"{path.name}: not a file; .*remove it"):
        AudioIndex(tmp_path, 16000)
