"""Manifests of fairseq, FunASR, seamless, SpeechBrain, WeNet and DeepSpeech: right, with a damaged row, and refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lora.data.manifest import Manifest, read_manifest
from lora.records.base import UserError


@pytest.fixture
def audio(wav: Callable[..., Path]) -> None:
    for name in ("a", "b"):
        wav(f"wav/{name}.wav", 1.5)


def read(path: Path, format: str) -> list[tuple[str, str | None, str, float]]:
    """Rows of a manifest that must be recognised as this format."""
    manifest = read_manifest(path)
    assert manifest.format == format
    return [(row.id, row.audio, row.text, row.duration) for row in manifest.rows]


def rejected(manifest: Manifest) -> list[tuple[int, str]]:
    return [(entry.line, entry.reason) for entry in manifest.rejected]


def lines(path: Path, *rows: str | dict[str, Any]) -> Path:
    texts = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join([*texts, ""]), encoding="utf-8")
    return path


TSV = ("wav", "a.wav\t24000", "b.wav\t24000")


def fairseq(folder: Path, *texts: str, suffix: str = ".wrd", tsv: tuple[str, ...] = TSV) -> Path:
    lines(folder / f"train{suffix}", *texts)
    return lines(folder / "train.tsv", *tsv)


@pytest.mark.usefixtures("audio")
@pytest.mark.parametrize(
    ("suffix", "texts"), [(".wrd", ("one two", "three")), (".ltr", ("o n e | t w o |", "t h r e e |"))]
)
def test_fairseq(tmp_path: Path, suffix: str, texts: tuple[str, ...]) -> None:
    path = fairseq(tmp_path, *texts, suffix=suffix)
    assert read(path, "fairseq") == [("a.wav", "wav/a.wav", "one two", 1.5), ("b.wav", "wav/b.wav", "three", 1.5)]


@pytest.mark.usefixtures("audio")
def test_fairseq_with_a_root_that_moved_says_where_the_audio_was_found(tmp_path: Path) -> None:
    manifest = read_manifest(fairseq(tmp_path, "one", "two", tsv=("/data/corpus/wav", *TSV[1:])))
    assert [row.audio for row in manifest.rows] == ["wav/a.wav", "wav/b.wav"]
    assert manifest.notes[0].startswith("line 1: no audio in /data/corpus/wav, which was read from ")


@pytest.mark.usefixtures("audio")
def test_a_damaged_row_of_fairseq_costs_one_row(tmp_path: Path) -> None:
    gone = fairseq(tmp_path, "one", "two", tsv=(*TSV[:2], "gone.wav\t1"))
    assert rejected(read_manifest(gone)) == [(3, "missing file: wav/gone.wav")]
    empty = read_manifest(fairseq(tmp_path, "", "two"))
    assert [row.text for row in empty.rows] == ["two"]
    assert rejected(empty) == [(2, "empty text (train.wrd:1)")]
    (tmp_path / "train.wrd").write_bytes("né\n".encode() + b"tw\xff\n")
    assert rejected(read_manifest(tmp_path / "train.tsv")) == [
        (3, "broken line: not UTF-8, or null bytes in it (train.wrd:2)")
    ]


def test_words_of_fairseq_that_are_a_link_to_nothing_are_not_replaced_by_letters(tmp_path: Path) -> None:
    path = fairseq(tmp_path, "o n e |", "t w o |", suffix=".ltr")
    path.with_suffix(".wrd").symlink_to(tmp_path / "gone")
    with pytest.raises(UserError, match=r"\.wrd: a link to a file that is missing"):
        read_manifest(path)


def test_fairseq_without_its_texts_is_refused(tmp_path: Path) -> None:
    path = fairseq(tmp_path, "one")
    with pytest.raises(UserError, match=r"train\.wrd: 1 texts for 2 files of train\.tsv; .* one per line"):
        read_manifest(path)
    (tmp_path / "train.wrd").unlink()
    with pytest.raises(UserError, match=r"train\.tsv: .*without its texts; put train\.wrd or train\.ltr next to it"):
        read_manifest(path)


def chat(path: str, text: str) -> dict[str, Any]:
    said = f"Transcribe: <|startofspeech|>!{path}<|endofspeech|>"
    return {"messages": [{"role": "user", "content": said}, {"role": "assistant", "content": text}]}


@pytest.mark.usefixtures("audio")
def test_funasr(tmp_path: Path) -> None:
    rows = [{"key": key, "source": f"wav/{key}.wav", "source_len": 90, "target": "one"} for key in "ab"]
    assert read(lines(tmp_path / "m.jsonl", *rows), "funasr") == [(k, f"wav/{k}.wav", "one", 1.5) for k in "ab"]
    path = lines(tmp_path / "chat.jsonl", chat("wav/a.wav", "one"))
    assert read(path, "funasr") == [("wav/a.wav", "wav/a.wav", "one", 1.5)]


@pytest.mark.usefixtures("audio")
def test_a_damaged_row_of_funasr_costs_one_row(tmp_path: Path) -> None:
    rows = [chat("wav/a.wav", "one"), {"messages": "none"}, chat("wav/b.wav", ""), '{"messages": [']
    manifest = read_manifest(lines(tmp_path / "m.jsonl", *rows))
    assert [row.text for row in manifest.rows] == ["one"]
    reasons = rejected(manifest)
    assert reasons[:2] == [(2, "empty text"), (3, "empty text")]
    assert (reasons[2][0], reasons[2][1][:21]) == (4, "broken line: not JSON")


def seamless(audio: str, text: Any, language: str = "eng") -> dict[str, Any]:
    source = {"id": audio, "lang": "eng", "audio_local_path": f"wav/{audio}.wav", "sampling_rate": 16000}
    return {"source": source, "target": {"id": audio, "lang": language, "text": text}}


@pytest.mark.usefixtures("audio")
def test_seamless(tmp_path: Path) -> None:
    path = lines(tmp_path / "m.jsonl", seamless("a", "one"), seamless("b", "zwei", "deu"))
    assert read(path, "seamless") == [("a", "wav/a.wav", "one", 1.5), ("b", "wav/b.wav", "zwei", 1.5)]
    assert read_manifest(path).notes == (
        "1 rows have another language in `target` than in `source`: their texts are translations",
    )


@pytest.mark.usefixtures("audio")
def test_a_damaged_row_of_seamless_costs_one_row(tmp_path: Path) -> None:
    manifest = read_manifest(lines(tmp_path / "m.jsonl", seamless("a", "one"), seamless("b", 3), {"source": "x"}))
    assert [row.id for row in manifest.rows] == ["a"]
    assert rejected(manifest) == [
        (2, "text is not a string: 3"),
        (3, "no audio: expected `source` with audio_local_path, and `target` with text"),
    ]


HEADER = "ID,duration,wav,start,spk_id,wrd"


@pytest.mark.usefixtures("audio")
def test_a_piece_of_speechbrain_that_is_none_costs_its_row(tmp_path: Path) -> None:
    pieces = [("0", "8000"), ("8000", "8000"), ("9000", "8000"), ("0", "9" * 5000)]
    table = [f"u{n},0.5,wav/a.wav,{start},{stop},s1,one" for n, (start, stop) in enumerate(pieces)]
    manifest = read_manifest(lines(tmp_path / "m.csv", "ID,duration,wav,start,stop,spk_id,wrd", *table))
    assert [(row.id, row.offset, row.duration) for row in manifest.rows] == [("u0", 0.0, 0.5)]
    assert [(line, reason[:30]) for line, reason in rejected(manifest)] == [
        (3, "zero length: it stops at sampl"),
        (4, "zero length: it stops at sampl"),
        (5, "start or stop is no sample of "),
    ]


@pytest.mark.usefixtures("audio")
@pytest.mark.parametrize("root", ["$data_root/", "{data_root}/", ""])
def test_speechbrain(tmp_path: Path, root: str) -> None:
    """`start` counts samples and is no offset in seconds."""
    table = (f"u1,1.5,{root}wav/a.wav,0,s1,one", f"u2,1.5,{root}wav/b.wav,8000,s1,two")
    path = lines(tmp_path / "m.csv", HEADER, *table)
    rows = [("u1", "wav/a.wav", "one", 1.5), ("u2", "wav/b.wav", "two", 1.5)]
    assert read(path, "speechbrain") == rows
    assert [row.offset for row in read_manifest(path).rows] == [None, None]
    by_id = {id: {"wav": f"{root}{audio}", "length": 1.5, "words": text} for id, audio, text, _ in rows}
    assert read(lines(tmp_path / "m.json", json.dumps(by_id, indent=1)), "speechbrain") == rows


@pytest.mark.usefixtures("audio")
def test_a_damaged_row_of_speechbrain_costs_one_row(tmp_path: Path) -> None:
    bad = ("u2,soon,wav/b.wav,0,s1,two", "u3,1.5,wav/b.wav,0")
    manifest = read_manifest(lines(tmp_path / "m.csv", HEADER, "u1,1.5,wav/a.wav,0,s1,one", *bad))
    assert [row.id for row in manifest.rows] == ["u1"]
    reasons = rejected(manifest)
    assert reasons[0] == (3, "duration is not a number: 'soon'; expected seconds such as 3.2, '3.2 s' or '0:03.2'")
    assert reasons[1] == (4, "broken line: 4 columns where the header has 6")


def test_speechbrain_with_an_unknown_root_is_refused(tmp_path: Path) -> None:
    path = lines(tmp_path / "m.csv", HEADER, "u1,1.5,$data_root/gone/a.wav,0,s1,one")
    expected = f"{path}: audio paths begin with $data_root ($data_root/gone/a.wav), and no folder"
    with pytest.raises(UserError, match=re.escape(expected)) as error:
        read_manifest(path)
    assert "replace $data_root in the file by the folder of the data" in str(error.value)


@pytest.mark.usefixtures("audio")
def test_wenet(tmp_path: Path) -> None:
    rows = [{"key": key, "wav": f"wav/{key}.wav", "txt": "one"} for key in "ab"]
    path = lines(tmp_path / "data.list", *rows, {"key": "c", "wav": "wav/b.wav", "txt": ""})
    assert read(path, "jsonl") == [(key, f"wav/{key}.wav", "one", 1.5) for key in "ab"]
    assert rejected(read_manifest(path)) == [(3, "empty text")]
    with pytest.raises(UserError, match=r"data\.list: no column for text: expected one of .*; found key, wav\. "):
        read_manifest(lines(path, {"key": "a", "wav": "wav/a.wav"}))


@pytest.mark.usefixtures("audio")
def test_deepspeech(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "m.csv", "wav_filename,wav_filesize,transcript", "wav/a.wav,48044,one", "wav/gone.wav,1,two"
    )
    assert read(path, "csv") == [("wav/a.wav", "wav/a.wav", "one", 1.5)]
    assert rejected(read_manifest(path)) == [(3, "missing file: wav/gone.wav")]
    with pytest.raises(UserError, match=r"m\.csv:2: none of 1 lines can be read; the first: broken line: 2 columns"):
        read_manifest(lines(path, "wav_filename,wav_filesize,transcript", "wav/a.wav,48044"))
