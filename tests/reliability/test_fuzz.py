"""A small share of `make fuzz`, and proof that it can fail: without damage every file is read whole."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from fuzzing import hostile
from fuzzing.cases import Case, Outcome, Reader, run_case
from fuzzing.readers import READERS as ALL

from lora.provenance import recording

SEED = 20
CASES = 2
SLOW = "model, loaded"  # `make fuzz` reads it
READERS = {name: reader for name, reader in ALL.items() if name != SLOW}


@pytest.fixture(autouse=True)
def without_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "code_commit", lambda: None)
    monkeypatch.setattr(recording, "versions", dict)


@pytest.mark.parametrize("name", READERS)
def test_damaged_files_cost_what_is_damaged(name: str) -> None:
    findings = [found for number in range(CASES) for found in run_case(READERS[name], SEED, number).findings]
    assert findings == []


@pytest.mark.parametrize("name", READERS)
def test_files_without_damage_are_read_whole(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostile, "damaged_object", lambda row, choice: row)
    monkeypatch.setattr(hostile, "damaged_bytes", lambda content, choice, others=(): content)
    monkeypatch.setattr(hostile, "damaged_line", lambda line, choice: line)
    monkeypatch.setattr(hostile, "is_damaged", lambda choice, share: False)
    tried = run_case(READERS[name], SEED, 0)
    assert tried.was_read
    assert tried.findings == []


def broken_reader(folder: Path, choice: random.Random) -> Case:
    """Loses a row, reads one otherwise, leaves one without a reason, and prints an escape sequence."""
    return Case(
        command=lambda: print("\x1b[31m"),
        outcome=lambda: Outcome(kept={"a": 1, "c": 1}, rejected=["", "\x1b"]),
        good={"a": 1, "b": 1, "c": 2},
    )


def test_what_must_not_happen_is_found() -> None:
    found = {finding.kind for finding in run_case(Reader("broken", broken_reader), 1, 1).findings}
    assert found == {
        "good rows lost",
        "good rows read otherwise",
        "rejections without a reason",
        "control characters printed",
    }

    def raises(folder: Path, choice: random.Random) -> Case:
        return Case(command=lambda: 1 / 0)

    assert [finding.kind for finding in run_case(Reader("raises", raises), 1, 1).findings] == ["tracebacks"]
