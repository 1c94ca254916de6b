"""Records: numbers in files, and contents that stay in memory while one process runs several stages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lora.records import scores
from lora.records.base import Record, UserError, read_lines, write_lines
from lora.records.kept import keeping_contents
from lora.records.scores import Edit, NormalizerIdentity, UtteranceErrors, WerFacts


class Numbers(Record):
    values: list[float]


@pytest.mark.parametrize("value", [1e-7, -1.5e-9, 2e-05, -3.25e-05, 1e16, 1.5e22, 0.5, 10.00001, 100000.0, 0.0])
def test_numbers_are_written_as_json_writes_them(tmp_path: Path, value: float) -> None:
    Numbers(values=[1.0, value, 2.0, value]).write(tmp_path / "n.json")
    written = (tmp_path / "n.json").read_text()
    assert written == json.dumps({"values": [1.0, value, 2.0, value]}, indent=2) + "\n"


def test_contents_are_read_once_until_the_file_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "n.json"
    Numbers(values=[1.0]).write(path)
    with keeping_contents():
        first = Numbers.read(path)
        assert Numbers.read(path) is first
        Numbers(values=[2.0]).write(path)
        assert Numbers.read(path).values == [2.0]
    assert Numbers.read(path) is not Numbers.read(path)


def test_a_file_that_cannot_be_read_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "n.json"
    with keeping_contents():
        with pytest.raises(UserError, match="no such file"):
            Numbers.read(path)
        Numbers(values=[1.0]).write(path)
        assert Numbers.read(path).values == [1.0]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b'{"values": [1.0, "x"]}', "values.1: Input should be a valid number"),
        (b'{"values": [\xff]}', "the line: Invalid JSON"),
        (b'{"valu\xe9s": [1.0]}', "the line: Invalid JSON"),
        (b"{}", "values: Field required"),
    ],
)
def test_a_damaged_line_is_named_with_its_key(tmp_path: Path, line: bytes, fault: str) -> None:
    path = tmp_path / "n.jsonl"
    write_lines(path, [Numbers(values=[1.0]), Numbers(values=[2.0])])
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(UserError) as raised:
        list(read_lines(path, Numbers))
    assert str(raised.value).startswith(f"{path}:3: not a Numbers record: {fault}")


@pytest.mark.parametrize("utterances", [0, 1, 4, 5])
def test_utterances_written_in_blocks_are_those_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, utterances: int
) -> None:
    monkeypatch.setattr(scores, "BLOCK", 2)
    errors = [
        UtteranceErrors(
            id=f"u{number}[]",
            duration=10.0**-number,
            speaker_id=None,
            words=3,
            hits=3 - number,
            substitutions=0,
            deletions=number,
            insertions=0,
            edits=[Edit(at, '"a', None) for at in range(number)],
        )
        for number in range(utterances)
    ]
    identity = NormalizerIdentity(name="basic", version="[]")
    facts = WerFacts(run="base", manifest="m", normalizer=identity, max_seconds=None, utterances=errors)
    facts.write(tmp_path / "wer.json")
    assert (tmp_path / "wer.json").read_text() == json.dumps(facts.to_json(), indent=2) + "\n"
    assert WerFacts.read(tmp_path / "wer.json") == facts
