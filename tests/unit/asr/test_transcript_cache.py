"""The transcript cache survives kills and ignores incomplete lines."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lora.asr.decoding.shards import Shard
from lora.asr.decoding.transcript_cache import Hypothesis, TranscriptCache, open_cache
from lora.records.base import UserError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with open_cache(tmp_path, "abc") as cache:
        cache.add([("k1", Hypothesis("one", False)), ("k2", Hypothesis("zwei — “2”\u2028", True))])
        return cache.path


def test_the_cache_returns_what_was_added(path: Path) -> None:
    cache = TranscriptCache(path)
    assert (cache["k1"], cache["k2"]) == (Hypothesis("one", False), Hypothesis("zwei — “2”\u2028", True))
    assert len(cache) == 2
    assert "k3" not in cache
    assert path.parent.name == "abc"


@pytest.mark.parametrize(
    "tail", [b'{"key": "k3", "hypo', b'{"key": "k3", "hypothesis": "x", "truncated": false}', b"\xe2\x80"]
)
def test_an_incomplete_last_line_is_overwritten(path: Path, tail: bytes) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole + tail)
    cache = TranscriptCache(path)
    assert "k3" not in cache
    cache.add([("k4", Hypothesis("four", False))])
    assert path.read_bytes().startswith(whole + b'{"key": "k4"')
    assert len(TranscriptCache(path)) == 3


def test_an_unreadable_line_loses_only_itself(path: Path) -> None:
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + b"\x00\x00garbage\n" + b'{"key": "k9"}\n' + second)
    cache = TranscriptCache(path)
    assert sorted(key for key in ("k1", "k2", "k9") if key in cache) == ["k1", "k2"]


@pytest.mark.parametrize("place", range(3, 80, 7))
def test_a_flipped_bit_costs_its_utterance(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(bytes(content))
    cache = TranscriptCache(path)
    assert cache["k2"] == Hypothesis("zwei — “2”\u2028", True)
    assert "k1" not in cache
    assert len(cache) == 1
    cache.add([("k1", Hypothesis("one", False))])
    assert len(TranscriptCache(path)) == 2


def test_lines_of_earlier_versions_have_no_checksum(tmp_path: Path) -> None:
    (tmp_path / "c.jsonl").write_text('{"key": "k1", "hypothesis": "x", "truncated": false}\n')
    assert TranscriptCache(tmp_path / "c.jsonl")["k1"] == Hypothesis("x", False)


def test_a_second_process_waits_for_the_lock(tmp_path: Path, repository: Path) -> None:
    code = (
        "import sys, time; from lora.asr.decoding.transcript_cache import open_cache\n"
        "with open_cache(sys.argv[1], 'abc'): print('in', flush=True); time.sleep(1.0)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(repository / "src")},
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "in\n"
    begun = time.monotonic()
    with open_cache(tmp_path, "abc"):
        assert time.monotonic() - begun > 0.5
    assert holder.wait() == 0


def test_shards_have_files_of_their_own_which_everyone_reads(tmp_path: Path) -> None:
    with open_cache(tmp_path, "abc", Shard(1, 2)) as first, open_cache(tmp_path, "abc", Shard(2, 2)) as second:
        first.add([("k1", Hypothesis("one", False))])
        second.add([("k2", Hypothesis("two", True))])
        assert first.path != second.path
    with open_cache(tmp_path, "abc") as cache:
        assert (cache["k1"], cache["k2"]) == (Hypothesis("one", False), Hypothesis("two", True))
        cache.add([("k3", Hypothesis("three", False))])
    with open_cache(tmp_path, "abc", Shard(1, 3)) as other:
        assert len(other) == 3
        other.add([("k4", Hypothesis("four", False))])
        assert len(other.path.read_bytes().splitlines()) == 1


@pytest.mark.parametrize("name", ["cache.jsonl", "lock", "shards/1-of-2/cache.jsonl"])
@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_file_is_named(tmp_path: Path, name: str, make: Callable[[Path], None]) -> None:
    path = tmp_path / "transcripts/f" / name
    path.parent.mkdir(parents=True)
    make(path)
    with pytest.raises(UserError, match=rf"{name}: not a file; .*remove it"), open_cache(tmp_path, "f"):
        pass
