"""WER and MAPSSWE against NIST SCTK. `pytest -s` shows the table and every utterance that SCTK counts differently."""

from __future__ import annotations

import math
import random
import shutil

import pytest
import sctk

from lora.records.scores import UtteranceErrors
from lora.scoring.alignment import counts_of, word_edits
from lora.scoring.paired import mapsswe, two_sided

pytestmark = pytest.mark.skipif(
    shutil.which("sctk") is None, reason="NIST SCTK is not installed (apt-get install sctk)"
)
VOCABULARY = [f"word{i}" for i in range(30)]
SYSTEMS = {"baseline": 0.24, "tuned": 0.20}


def spoken(seed):
    """150 references of 3 to 20 words by 7 speakers, and two runs with errors anywhere, also after the last word."""
    draw = random.Random(seed)
    references = {f"s{i % 7}-u{i:03}": draw.choices(VOCABULARY, k=draw.randint(3, 20)) for i in range(150)}
    runs = {
        system: {id: list(with_errors(draw, words, rate)) for id, words in references.items()}
        for system, rate in SYSTEMS.items()
    }
    return references, runs


def with_errors(draw, words, rate):
    for word in words:
        chance = draw.random()
        if chance >= rate * 0.75:
            yield word
        elif chance < rate * 0.5:
            yield draw.choice(VOCABULARY)
        if draw.random() < rate * 0.25:
            yield draw.choice(VOCABULARY)


def scored(references, edits):
    return [
        UtteranceErrors(
            id=id,
            duration=1.0,
            speaker_id=None,
            words=len(words),
            edits=edits[id],
            **counts_of(len(words), edits[id])._asdict(),
        )
        for id, words in references.items()
    ]


def truncated_p(z):
    return two_sided(math.floor(abs(z) * 100) / 100)


@pytest.mark.parametrize("seed", range(10))
def test_mapsswe_on_the_alignment_of_sctk_and_on_ours(seed, tmp_path):
    references, runs = spoken(seed)
    theirs = {
        system: scored(references, sctk.align(tmp_path, references, texts, system)) for system, texts in runs.items()
    }
    ours = {
        system: scored(references, {id: word_edits(references[id], words) for id, words in texts.items()})
        for system, texts in runs.items()
    }
    for first, second in (("tuned", "baseline"), ("baseline", "tuned")):
        report = sctk.mapsswe(tmp_path, first, second)
        same, own = mapsswe(theirs[second], theirs[first]), mapsswe(ours[second], ours[first])
        assert same.segments == report.segments
        assert same.z == pytest.approx(report.z, abs=0.0006)
        p = truncated_p(same.z)
        if report.p.startswith("<"):
            assert p < 0.001
        else:
            assert p == pytest.approx(float(report.p), abs=0.0006)  # printed with three decimals
            assert abs(own.p - float(report.p)) <= 0.02
    print(
        f"\nseed {seed}: segments {report.segments}, SCTK p {report.p}, exact {same.p:.4f}, our alignment {own.p:.4f}"
    )
    for system in runs:
        assert listed(ours[system], theirs[system]) == []


def test_utterances_that_are_counted_differently_are_listed(tmp_path):
    """Mostly wrong runs over a vocabulary of eight words, for which most alignments have equal cost."""
    draw = random.Random(5)
    references = {f"s-u{i:03}": draw.choices(VOCABULARY[:8], k=20) for i in range(300)}
    hypotheses = {id: draw.choices(VOCABULARY[:8], k=draw.randint(10, 30)) for id in references}
    ours = scored(references, {id: word_edits(words, hypotheses[id]) for id, words in references.items()})
    theirs = scored(references, sctk.align(tmp_path, references, hypotheses, "random"))
    different = listed(ours, theirs)
    print(
        f"\nrandom: {sum(a.errors for a in ours)} errors here, {sum(b.errors for b in theirs)} SCTK",
        *different,
        sep="\n  ",
    )
    # unit costs find the fewest errors there are; SCTK's costs 4/3/3 may count more, never fewer
    assert all(a.errors <= b.errors for a, b in zip(ours, theirs, strict=True))
    assert 0 < len(different) < 30


def listed(ours, theirs):
    pairs = zip(ours, theirs, strict=True)
    return [f"{a.id} ({a.errors} here, {b.errors} SCTK)" for a, b in pairs if a.errors != b.errors]
