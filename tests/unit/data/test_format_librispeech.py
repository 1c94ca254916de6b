"""Trees of speakers and chapters, read from a subset or from the root."""

import pytest

from lora.data.manifest import read_manifest
from lora.data.source import Source
from lora.records.base import UserError


@pytest.fixture
def root(wav, tmp_path):
    for subset, speaker in (("dev-clean", 84), ("test-other", 1089)):
        for number in range(2):
            wav(f"Libri/{subset}/{speaker}/7/{speaker}-7-000{number}.flac", 1.0 + number)
        lines = [f"{speaker}-7-000{number} TEXT {number}" for number in range(3)]
        (tmp_path / f"Libri/{subset}/{speaker}/7/{speaker}-7.trans.txt").write_text("\n".join(lines) + "\n")
    return tmp_path / "Libri"


def test_a_subset(root):
    result = read_manifest(root / "dev-clean")
    assert result.format == "librispeech"
    assert [(r.id, r.text, r.speaker_id, r.duration, r.audio) for r in result.rows] == [
        ("84-7-0000", "TEXT 0", "84", 1.0, "84/7/84-7-0000.flac"),
        ("84-7-0001", "TEXT 1", "84", 2.0, "84/7/84-7-0001.flac"),
    ]
    [rejected] = result.rejected
    assert (rejected.line, rejected.id) == (3, "84-7-0002")
    assert rejected.reason == "missing file: 84/7/84-7-0002.flac (84/7/84-7.trans.txt:3)"


def test_the_root_has_all_subsets_and_split_selects_one(root):
    result = read_manifest(root)
    assert [row.speaker_id for row in result.rows] == ["84", "84", "1089", "1089"]
    assert [row.line for row in result.rows] == [1, 2, 4, 5]
    assert [row.speaker_id for row in read_manifest(Source(root, split="test-other")).rows] == ["1089", "1089"]
    with pytest.raises(UserError, match="no split 'dev' in it; choose with `split`, one of dev-clean, test-other"):
        read_manifest(Source(root, split="dev"))


@pytest.mark.parametrize("split", ["..", "../test-other", "dev-clean/../..", "", ".", "/"])
def test_a_split_is_within_its_folder(root, split):
    with pytest.raises(UserError, match="expected the name of a part of this folder; correct it"):
        read_manifest(Source(root, split=split))


def test_one_speaker_or_chapter(root):
    assert len(read_manifest(root / "dev-clean/84").rows) == 2
    assert len(read_manifest(root / "dev-clean/84/7").rows) == 2


def test_tabs_and_several_spaces_between_id_and_text(root):
    path = root / "dev-clean/84/7/84-7.trans.txt"
    path.write_text("84-7-0000\tTEXT 0\n84-7-0001  TEXT 1\n")
    result = read_manifest(root / "dev-clean")
    assert [(row.id, row.text) for row in result.rows] == [("84-7-0000", "TEXT 0"), ("84-7-0001", "TEXT 1")]
    assert result.rejected == []


@pytest.mark.parametrize("content", [bytes(400), b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"])
def test_unreadable_transcripts_of_a_chapter_cost_that_chapter(root, content):
    path = root / "dev-clean/84/7/84-7.trans.txt"
    path.write_bytes(content)
    result = read_manifest(root)
    assert [row.speaker_id for row in result.rows] == ["1089", "1089"]
    assert f"unreadable transcripts: {path}: " in result.rejected[0].reason
