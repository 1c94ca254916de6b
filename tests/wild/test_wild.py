"""A real Whisper on real recordings: a small part of `make wild`, skipped where model and recordings are missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_study import Study
from wild_studies import WILD, accented_study, digits_study

from lora.records.labels import LabelFacts
from lora.records.scores import WerFacts

pytestmark = pytest.mark.skipif(not WILD.is_dir(), reason=f"no model and recordings at {WILD}")


def compute(study: Study, result: str) -> Path:
    done = study.snakemake(result)
    assert done.returncode == 0, done.stderr[-4000:]
    return study.folder / result


def test_digit_strings_have_a_fair_wer_next_to_that_of_the_normaliser(tmp_path: Path) -> None:
    study = digits_study(tmp_path / "digit strings", rows=(8, 10, 2))
    facts = WerFacts.read(compute(study, "results/wer/base/digits.json"))
    fair = {score.notation: score.wer for score in facts.notations}
    assert facts.all.wer is not None
    assert fair["english_digits"] is not None
    assert facts.all.wer > 2  # `316` in the reference is one word, `3, 1, 6` in the hypothesis are three
    assert fair["english_digits"] < 0.15


def test_labels_of_a_real_whisper_are_what_it_generates(tmp_path: Path) -> None:
    study = accented_study(tmp_path / "accented", rows=(12, 2, 2))
    facts = LabelFacts.read(compute(study, "results/labels.json"))
    structure = facts.structure
    assert structure is not None
    shares = (structure.padding_ignored, structure.ends_with_eos, structure.single_start, structure.single_eos)
    assert (*shares, structure.prefix_matches_generation, structure.same_decoder_start) == (1, 1, 1, 1, 1, True)
    assert facts.greedy is not None
    assert facts.greedy.argmax_agreement == 1
    assert facts.reference_nll is not None
    assert facts.hypothesis_nll is not None
    assert facts.reference_nll > facts.hypothesis_nll
    for loss in facts.losses:
        assert loss.trainer == pytest.approx(loss.shift_0, rel=1e-4)
