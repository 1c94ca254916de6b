"""Notation: the part of a WER, or of a difference, that vanishes when words are written alike."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy


def write(study: HealthyStudy, run: str, manifest: str = "domain", **wers: float) -> None:
    """Give a run a WER in other notations."""
    study.files[f"wer/{run}/{manifest}.json"]["notations"] = [
        {"notation": notation, "errors": 0, "words": 2400, "wer": wer} for notation, wer in wers.items()
    ]


def wer_of(study: HealthyStudy, run: str) -> float:
    wer: Any = study.files[f"wer/{run}/domain.json"]["within"]["wer"]
    return float(wer)


def causes(study: HealthyStudy) -> list[tuple[str, str, str]]:
    return [(c.code, c.severity, c.reason) for c in study.verdict().causes if c.severity != "info"]


def test_a_healthy_study_has_no_other_notation(study: HealthyStudy) -> None:
    (check,) = [c for c in study.verdict().checks if c.id == "text.same_notation" and c.manifest == "domain"]
    assert (check.status, check.reason, check.details["notation"]) == ("pass", "ok", None)


def test_half_of_the_baselines_wer_blocks(study: HealthyStudy) -> None:
    before, after = wer_of(study, "base"), wer_of(study, "lora")
    write(study, "base", english=0.4 * before)
    write(study, "lora", english=0.4 * after)
    assert causes(study)[0] == ("text.notation", "blocks", "baseline")
    assert study.verdict().causes[0].details["fairer"] == {"baseline": 0.4 * before, "run": 0.4 * after}


def test_a_quarter_warns_and_a_tenth_passes(study: HealthyStudy) -> None:
    write(study, "base", english=0.75 * wer_of(study, "base"))
    write(study, "lora", english=0.75 * wer_of(study, "lora"))
    assert ("text.notation", "warns", "part_of_baseline") in causes(study)
    write(study, "base", english=0.9 * wer_of(study, "base"))
    write(study, "lora", english=0.9 * wer_of(study, "lora"))
    assert "text.notation" not in {code for code, _, _ in causes(study)}


def test_a_gain_that_is_only_notation_blocks(study: HealthyStudy) -> None:
    study.change("wer/lora/domain.json", {"within": {"wer": 0.3}})
    write(study, "base", english_digits=0.31)
    code, severity, reason = causes(study)[0]
    assert (code, severity, reason) == ("text.notation", "blocks", "difference")


def test_of_equally_fair_notations_the_one_with_a_setting_is_named(study: HealthyStudy) -> None:
    low = 0.3 * wer_of(study, "base")
    write(study, "base", word_division=0.95 * low, english=low)
    write(study, "lora", word_division=0.95 * low, english=low)
    assert study.verdict().causes[0].details["notation"] == "english"
    assert "normalizer: english`" in study.verdict().causes[0].remedy


def test_letters_of_one_side_are_named(study: HealthyStudy) -> None:
    write(study, "base", letters=0.3 * wer_of(study, "base"))
    study.files["wer/base/domain.json"]["notations"][0]["letters"] = {"ё": "е", "\u0301": "", "\u200c": " ", "ä": "ae"}
    cause = study.verdict().causes[0]
    assert (cause.code, cause.reason, cause.details["notation"]) == ("text.notation", "baseline", "letters")
    assert cause.details["letters"]["ä"] == "ae"
    named = '("ё" as "е", U+0301 COMBINING ACUTE ACCENT as nothing, U+200C ZERO WIDTH NON-JOINER as a space and 1 more)'
    assert named in cause.because
    assert "Write these letters alike" in cause.remedy


@pytest.mark.parametrize(
    ("counts", "written"), [({"deletions": 1920, "insertions": 0}, 0.2), ({"deletions": 0, "insertions": 7200}, 4.0)]
)
def test_words_without_spaces_or_letters_apart(study: HealthyStudy, counts: dict[str, int], written: float) -> None:
    study.change("wer/lora/domain.json", {"within": {"wer": 1.0, "words": 2400, **counts}})
    write(study, "lora", word_division=wer_of(study, "base"))
    cause = study.verdict().causes[0]
    assert (cause.code, cause.details["undivided"]) == ("text.notation", {"run": "lora", "written": written})
    assert f"{written} words per word of the references" in cause.remedy


def test_a_baseline_that_only_notation_breaks_is_not_broken(study: HealthyStudy) -> None:
    study.change("wer/base/domain.json", {"within": {"wer": 3.2, "errors": 7680}})
    assert "headroom.baseline_broken" in {code for code, _, _ in causes(study)}
    write(study, "base", english_digits=0.2)
    codes = [code for code, _, _ in causes(study)]
    assert codes[0] == "text.notation"
    assert "headroom.baseline_broken" not in codes


def test_notation_explains_a_worse_run(study: HealthyStudy) -> None:
    worse = {"baseline_wer": 0.375, "tuned_wer": 0.6, "delta": 0.225, "outcome": "worse", "interval": {"low": 0.1}}
    study.change("paired/lora/domain.json", {"within": worse})
    study.change("wer/lora/domain.json", {"within": {"wer": 0.6}})
    assert "adapter.worsens" in {code for code, _, _ in causes(study)}
    write(study, "lora", english=0.38)
    codes = [code for code, _, _ in causes(study)]
    assert codes[0] == "text.notation"
    assert "adapter.worsens" not in codes


def test_style_is_weighed_by_what_notation_leaves_of_a_gain(study: HealthyStudy) -> None:
    study.change("labels.json", {"reference_nll": 1.4})
    after = 0.227
    study.change("wer/lora/domain.json", {"within": {"wer": after}})

    def short_run() -> dict[str, Any]:
        (cause,) = [c for c in study.verdict().causes if c.code == "labels.style_mismatch"]
        found: dict[str, Any] = cause.details["short_run"]
        return found

    assert short_run()["delta"] < -0.04
    write(study, "base", english_digits=after + 0.01)
    assert short_run()["outcome"] == "better"
    assert short_run()["delta"] == pytest.approx(-0.01)
    write(study, "base", english_digits=after)
    assert short_run()["outcome"] == "unchanged"
