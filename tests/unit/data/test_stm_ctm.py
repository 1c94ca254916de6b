"""References as stm and hypotheses as ctm count as in sclite, which is asked itself where it is installed."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lora.data.source import Source
from lora.data.transcripts.files import read_transcript_file
from lora.data.transcripts.reference_rows import reference_rows
from lora.data.transcripts.row_matching import Matched, match_rows
from lora.records.base import UserError
from lora.scoring.alignment import count_errors
from lora.scoring.normalizers import normalizer

REFERENCE, HYPOTHESIS = "ref.stm", "hyp.ctm"
IGNORED = "IGNORE_TIME_SEGMENT_IN_SCORING"
needs_sctk = pytest.mark.skipif(
    shutil.which("sctk") is None, reason="NIST SCTK is not installed (apt-get install sctk)"
)
Errors = dict[tuple[str, str], int]  # by recording and start of a segment; kinds depend on how words are paired


def matched(folder: Path, stm: list[str], ctm: list[str]) -> tuple[Matched, Errors]:
    """How we match the files, and our errors."""
    (folder / REFERENCE).write_text("\n".join([*stm, ""]), encoding="utf-8")
    (folder / HYPOTHESIS).write_text("\n".join([*ctm, ""]), encoding="utf-8")
    rows = reference_rows(Source(folder / REFERENCE), silence=True).rows
    result = match_rows(folder / HYPOTHESIS, read_transcript_file(folder / HYPOTHESIS), rows, [])
    words = normalizer("none")
    errors: Errors = {}
    for row in rows:
        said = words.words(result.hypotheses[row.id].hypothesis)
        counts = count_errors(words.words(words.reference(row.text, said)), said)
        channel = "" if row.channel is None else "ab"[row.channel]
        errors[f"{row.audio} {channel}", f"{row.offset:.3f}"] = sum(counts[1:])
    return result, errors


def sclite(folder: Path) -> Errors:
    command = f"sctk sclite -D -r {REFERENCE} stm -h {HYPOTHESIS} ctm -o sgml -O . -n out"
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    found = re.findall(r'file="([^"]*)" channel="([^"]*)".*R_T1="([^"]*)".*>\n(.*)', (folder / "out.sgml").read_text())
    return {
        (f"{file} {channel.replace('1', 'a')}", start): len(re.findall(r"(?:^|:)[SDI],", words))
        for file, channel, start, words in found
    }


def texts(result: Matched) -> dict[str, str]:
    return {name: one.hypothesis for name, one in result.hypotheses.items()}


SEGMENTS = ["r 1 s 1 2 a b", "r 1 s 4 6 c d", f"r 1 s 6 8 {IGNORED}", "r 1 s 8 9 e"]


@needs_sctk
@pytest.mark.parametrize(
    ("words", "in_gaps", "outside"),
    [
        ([], 0, 0),
        (["0.1 0.2 early"], 1, 0),
        (["2.1 0.2 gap"], 1, 0),
        (["1.9 0.3 over"], 1, 0),
        (["1.9 0.1 inside"], 0, 0),
        (["5.9 0.2 middle"], 0, 1),
        (["6.5 0.2 ignored"], 0, 1),
        (["9.5 0.2 late"], 1, 0),
        (["3 0.2 gap", "7 0.2 ignored", "9 0.5 late"], 2, 1),
    ],
)
def test_words_in_gaps_and_in_ignored_segments(tmp_path, words, in_gaps, outside):
    said = ["1.1 0.1 a", "1.5 0.1 b", "4.2 0.2 c", "5 0.2 d", "8.1 0.2 e", *words]
    ctm = [f"r 1 {word}" for word in sorted(said, key=lambda word: float(word.split()[0]))]
    result, errors = matched(tmp_path, SEGMENTS, ctm)
    assert errors == sclite(tmp_path)
    notes = " ".join(result.notes)
    assert (f"{in_gaps} words are between segments of the stm" in notes) == (in_gaps > 0)
    assert (f"{outside} words are outside of all segments that are scored" in notes) == (outside > 0)


@needs_sctk
def test_optional_words_and_alternatives(tmp_path):
    texts = {
        "a (uh) b": ["a b", "a uh b", "a um b"],
        "a { x / y z / @ } b": ["a y z b", "a b", "a q b"],
        "a (%um) b": ["a b"],
    }
    stm, ctm = [], []
    for number, (text, said) in enumerate((text, said) for text, several in texts.items() for said in several):
        stm.append(f"r 1 s {2 * number} {2 * number + 2} <o,f0> {text}")
        ctm += [f"r 1 {2 * number + place / 5:.1f} 0.1 {word}" for place, word in enumerate(said.split())]
    _, errors = matched(tmp_path, stm, ctm)
    assert errors == sclite(tmp_path)


@needs_sctk
def test_channels(tmp_path):
    stm = ["r A s 0 2 a b", "r A s 3 5 c", "r B t 0 2 d e", "q 1 u 0 1 f"]
    ctm = ["q 1 0.1 0.1 f", "r A 0.1 0.1 a", "r A 1 0.1 b", "r A 2.5 0.1 x", "r B 0.2 0.1 d", "r B 2.6 0.1 y"]
    result, errors = matched(tmp_path, sorted(stm), ctm)
    assert errors == sclite(tmp_path)
    assert texts(result) == {"r#0-2": "a b", "r#3-2": "x", "r.B#0-2": "d y", "q#0-1": "f"}


@needs_sctk
@pytest.mark.parametrize("seed", range(20))
def test_random_files(seed, tmp_path):
    """Words are changed, moved into gaps and inserted; some segments overlap, some are ignored."""
    chance = random.Random(seed)
    stm, ctm = [], []
    for file in ("q", "r"):
        for channel in "AB":
            time = 0.0
            said: list[tuple[float, str]] = []
            for number in range(8):
                start = round(time + chance.choice([0.0, 0.7, 1.5, -0.5 if number else 0.0]), 2)
                time = round(start + chance.uniform(1.5, 4), 2)
                words = [f"{file}{channel}{number}w{place}" for place in range(chance.randrange(5))]
                text = (
                    IGNORED
                    if chance.random() < 0.2
                    else " ".join(f"({w})" if chance.random() < 0.2 else w for w in words)
                )
                stm.append(f"{file} {channel} s {start} {time} {text}")
                for place, word in enumerate(words):
                    kind = chance.random()
                    at = start + (time - start) * place / len(words)
                    said += [(at, f"new{len(said)}" if kind < 0.2 else word)] * (kind > 0.1)
                if chance.random() < 0.5:
                    said.append((time + chance.uniform(-0.3, 1.2), f"extra{len(said)}"))
            ctm += [f"{file} {channel} {max(at, 0):.2f} 0.31 {word}" for at, word in sorted(said)]
    _, errors = matched(tmp_path, stm, ctm)
    assert errors == sclite(tmp_path)


def test_lines_of_an_stm_and_a_ctm_that_are_none(tmp_path):
    """Here no row can be left out, because words go to the segment before or after it."""
    for name, line, expected in (
        (
            REFERENCE,
            "r 1 s 4 2 words",
            "2: expected file, channel, speaker, start and end (seconds from 0), then words: 'r 1",
        ),
        (REFERENCE, "r 1 s 4", "2: expected file, channel, speaker, start and end"),
        (HYPOTHESIS, "r 1 x 0.5 word", "2: expected file, channel, start, duration and word (seconds from 0): 'r 1 x"),
    ):
        (tmp_path / name).write_text(f";; a comment\n{line}\n")
        with pytest.raises(UserError, match=re.escape(f"{tmp_path / name}:{expected}")):
            read_transcript_file(tmp_path / name)


def test_gaps_that_an_stm_names_are_gaps(tmp_path):
    stm = ["r 1 s 0 2 <o> a", "r 1 inter_segment_gap 2 4", "r 1 s 4 6 <o> b"]
    result, errors = matched(tmp_path, stm, ["r 1 1 0.1 a", "r 1 3 0.1 x", "r 1 5 0.1 b"])
    assert texts(result) == {"r#0-2": "a", "r#4-2": "x b"}
    assert sum(errors.values()) == 1
