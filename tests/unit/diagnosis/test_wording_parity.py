"""Sentences about two runs: settings, rows, normalizers and imported hypotheses."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of

from lora.diagnosis.wording.parity import normalizer_words, rows_words
from lora.records.parity import Rescored, SameNormalizerScore
from lora.records.scores import NormalizerIdentity

NONE: dict[str, Any] = {"count": 0, "first": []}
EQUAL_ROWS: dict[str, Any] = {
    "missing_ids": NONE,
    "extra_ids": NONE,
    "different_references": 0,
    "first_reference": None,
    "style_only": 0,
    "different_audio": False,
}


def test_a_difference_names_the_field_and_both_values(study: HealthyStudy) -> None:
    for manifest in ("heldout", "domain", "test"):
        study.change(f"transcripts/lora/{manifest}.settings.json", {"decode": {"num_beams": 5}})
    verdict = study.verdict()
    because = cause_of(verdict, "parity.decode").because
    assert because == "On domain (also on heldout and test), decode.num_beams is 1 for base and 5 for lora."
    summary = check_of(verdict, "parity").summary
    assert summary == "On domain, 1 setting of lora differs from base (decode.num_beams)."


def test_external_transcripts_are_to_be_generated_again(study: HealthyStudy) -> None:
    study.add_run("theirs", "hypotheses")
    study.change("transcripts/theirs/domain.settings.json", {"decode": {"num_beams": 7}})
    remedy = cause_of(study.verdict(), "parity.decode").remedy
    assert remedy == "Transcribe base or theirs again, with the settings of the other."


def test_differing_rows_are_counted_and_the_first_is_quoted() -> None:
    rows = EQUAL_ROWS | {
        "missing_ids": {"count": 1, "first": ["a"]},
        "extra_ids": {"count": 5, "first": ["d", "e", "f"]},
        "different_references": 1,
        "first_reference": {"id": "b", "baseline": "Good day.", "candidate": "Bad day."},
    }
    assert rows_words(rows, "lora") == [
        "lora lacks 1 utterance (a)",
        "lora has 5 utterances that base lacks (d, e, f and 2 more)",
        'lora was scored against another reference in 1 utterance (b: "Good day." for base, "Bad day." for lora)',
    ]
    assert (
        "so base and lora transcribed different audio" in rows_words(EQUAL_ROWS | {"different_audio": True}, "lora")[0]
    )
    assert rows_words(EQUAL_ROWS | {"style_only": 1}, "lora") == ["1 reference of lora differs in style only"]


@pytest.mark.parametrize(
    ("reported", "remaining", "words"),
    [
        (
            -0.061,
            -0.003,
            "5.80 points of the reported 6.10 points better come from the normalizer: with one normalizer",
        ),
        (
            -0.02,
            0.01,
            "The reported difference is 2.00 points better, and the normalizer alone accounts for 3.00 points",
        ),
        (
            0.02,
            0.02,
            "Nothing of the reported 2.00 points worse comes from the normalizer: with one normalizer it is 2",
        ),
        (0.0, 0.01, "No difference is reported, and the normalizer alone accounts for 1.00 points better"),
        (0.0, 0.0, "No difference is reported, and none comes from the normalizer: with one normalizer it is no diff"),
        (None, None, "The part of the difference that comes from the normalizer is unknown"),
    ],
)
def test_the_part_of_a_difference_that_comes_from_the_normalizer(
    reported: float | None, remaining: float | None, words: str
) -> None:
    score = (
        None if remaining is None else SameNormalizerScore(baseline_wer=0.5, tuned_wer=0.5 + remaining, delta=remaining)
    )
    names = [NormalizerIdentity(name=name, version="1") for name in ("english", "none")]
    again = Rescored(
        manifest="domain",
        baseline=names[0],
        candidate=names[1],
        utterances=9,
        reported_delta=reported,
        under_baseline=score,
        under_candidate=None,
        explained_by_normalizer=None if reported is None or remaining is None else reported - remaining,
    )
    assert normalizer_words(again).startswith(words)


def test_an_import_says_how_hypotheses_were_matched(study: HealthyStudy) -> None:
    study.add_run("theirs", "hypotheses")
    study.files["transcripts/theirs/domain.import.json"] = {
        "run": "theirs",
        "manifest": "domain",
        "source": "x.trn",
        "format": "trn",
        "hypotheses": 200,
        "rows": 200,
        "matched": {"id": 150, "file name without case": 48},
        "unmatched": ["x"],
        "missing": ["m", "n"],
        "notes": ["3 words left out"],
    }
    assert check_of(study.verdict(), "parity.ids").summary == (
        "198 of 200 rows of domain have a hypothesis of theirs (read as trn), 150 by id and 48 by audio file name, "
        "ignoring case; 1 hypothesis of theirs matches no row (first: x); 2 rows have no hypothesis of theirs "
        "(first: m); "
        "3 words left out."
    )
