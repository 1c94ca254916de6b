"""P: settings compared field by field; what is not known is neither equal nor different."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes, utterance

from lora.diagnosis.settings_diff import compare_settings
from lora.records import ParityFacts, RunSettings, WerFacts

MANIFESTS = ("heldout", "domain", "test")
FAULTS: list[tuple[str, dict[str, Any], str, str]] = [
    ("transcripts", {"manifest": {"content_hash": "other"}}, "parity.manifest", "manifest.content_hash"),
    ("transcripts", {"manifest": {"rows": 199}}, "parity.manifest", "manifest.rows"),
    ("transcripts", {"model": {"hash": "d" * 32}}, "parity.base_model", "model"),
    ("transcripts", {"preprocess": {"target_rms": 0.1}}, "parity.preprocessing", "preprocess.target_rms"),
    ("transcripts", {"preprocess": {"padding_seconds": 30.0}}, "parity.padding", "preprocess.padding_seconds"),
    ("transcripts", {"decode": {"num_beams": 5}}, "parity.decode", "decode.num_beams"),
    ("transcripts", {"decode": {"no_repeat_ngram_size": 3}}, "parity.decode", "decode.no_repeat_ngram_size"),
    ("transcripts", {"device": {"dtype": "bfloat16"}}, "parity.software", "device.dtype"),
    ("transcripts", {"software": {"torch": "2.12.0"}}, "parity.software", "software.torch"),
    ("wer", {"normalizer": {"name": "english"}}, "parity.normalization", "normalizer.name"),
    ("wer", {"normalizer": {"version": "2"}}, "parity.normalization", "normalizer.version"),
    ("wer", {"max_seconds": 8.0}, "parity.manifest", "scored.max_seconds"),
    ("wer", {"utterances": [utterance("another")]}, "parity.manifest", "scored.utterances"),
]


def path_of(kind: str, run: str, manifest: str) -> str:
    return f"{kind}/{run}/{manifest}{'.settings' if kind == 'transcripts' else ''}.json"


def compared(study: HealthyStudy) -> ParityFacts:
    study.write()
    return ParityFacts.read(study.results / "parity/lora.json")


def test_equal_settings_are_the_same_in_every_field(study: HealthyStudy) -> None:
    facts = compared(study)
    assert {s.same for s in facts.settings} == {True}
    assert {s.manifest for s in facts.settings} == set(MANIFESTS)
    assert {c.status for c in study.verdict().checks if c.id.startswith("parity")} == {"pass"}


@pytest.mark.parametrize(("kind", "changes", "code", "field"), FAULTS)
def test_one_different_setting_is_one_difference_and_one_cause(
    study: HealthyStudy, kind: str, changes: dict[str, Any], code: str, field: str
) -> None:
    study.change(path_of(kind, "lora", "domain"), changes)
    different = [s for s in compared(study).settings if s.same is False]
    assert [(s.manifest, s.field, s.code) for s in different] == [("domain", field, code)]
    verdict = study.verdict()
    cause = cause_of(verdict, code)
    assert cause.because.startswith(f"On domain, {field} is ")
    assert (cause.run, cause.manifest) == ("lora", "domain")
    blocks = code != "parity.software"
    assert verdict.causes[0] == cause or code == "parity.base_model"
    assert cause.severity == ("blocks" if blocks else "warns")
    assert check_of(verdict, "parity").status == ("fail" if blocks else "warn")
    assert verdict.ready_for_sweep is not blocks


def test_a_difference_on_another_manifest_only_warns(study: HealthyStudy) -> None:
    study.change(path_of("transcripts", "lora", "heldout"), {"decode": {"num_beams": 5}})
    verdict = study.verdict()
    assert cause_of(verdict, "parity.decode").severity == "warns"
    assert check_of(verdict, "parity").status == "pass"
    assert verdict.ready_for_sweep is True


def test_a_difference_on_every_manifest_is_told_once_on_the_evaluation_manifest(study: HealthyStudy) -> None:
    for manifest in MANIFESTS:
        study.change(path_of("transcripts", "lora", manifest), {"decode": {"num_beams": 5}})
    cause = cause_of(study.verdict(), "parity.decode")
    assert cause.because == "On domain (also on heldout and test), decode.num_beams is 1 for base and 5 for lora."
    assert (cause.severity, cause.manifest) == ("blocks", "domain")


def test_a_difference_of_another_candidate_only_warns(study: HealthyStudy) -> None:
    study.add_run("brought", "adapter")
    study.change(path_of("transcripts", "brought", "domain"), {"decode": {"num_beams": 5}})
    verdict = study.verdict()
    assert cause_of(verdict, "parity.decode").severity == "warns"
    assert verdict.ready_for_sweep is True


@pytest.mark.parametrize("section", ["manifest", "model", "preprocess", "decode"])
def test_what_nobody_recorded_is_unknown(study: HealthyStudy, section: str) -> None:
    study.change(path_of("transcripts", "lora", "domain"), {section: None})
    verdict = study.verdict()
    assert check_of(verdict, "parity").status == "unknown"
    assert not [code for code in codes(verdict) if code.startswith("parity.")]
    assert verdict.ready_for_sweep is False


def test_unknown_software_only_warns(study: HealthyStudy) -> None:
    study.change(path_of("transcripts", "base", "domain"), {"software": {"torch": "2.13.0"}})
    del study.files[path_of("transcripts", "base", "domain")]["software"]["transformers"]
    verdict = study.verdict()
    assert check_of(verdict, "parity").status == "warn"
    assert verdict.ready_for_sweep is True


def test_a_setting_of_null_on_both_sides_is_equal(study: HealthyStudy) -> None:
    assert [s.same for s in compared(study).settings if s.field == "preprocess.target_rms"] == [True] * 3


def test_the_same_model_under_another_name_is_the_same(study: HealthyStudy) -> None:
    study.change(path_of("transcripts", "lora", "domain"), {"model": {"id": "hub/model", "revision": "main"}})
    assert not [s for s in compared(study).settings if s.same is False]


def test_a_tuned_checkpoint_is_not_held_to_the_base_weights(study: HealthyStudy) -> None:
    study.add_run("tuned", "checkpoint")
    for manifest in MANIFESTS:
        study.change(path_of("transcripts", "tuned", manifest), {"adapter": None, "model": {"hash": "e" * 32}})
    assert "parity.base_model" not in codes(study.verdict())


def test_an_impossible_run_cannot_be_compared(study: HealthyStudy) -> None:
    study.write()
    base = [RunSettings.read(study.results / path_of("transcripts", "base", "domain"))]
    wer = [WerFacts.read(study.results / path_of("wer", "base", "domain"))]
    broken = [RunSettings(run="lora", status="impossible", code="adapter.not_loaded", message="no such tensor")]
    facts = compare_settings("lora", base, broken, wer, wer)
    assert (facts.status, facts.code, facts.message) == ("impossible", "adapter.not_loaded", "no such tensor")


def test_one_impossible_manifest_leaves_the_others_comparable(study: HealthyStudy) -> None:
    lost = {"status": "impossible", "code": "parity.manifest", "message": "heldout-3 is missing", "within": None}
    study.change(path_of("wer", "lora", "heldout"), lost)
    verdict = study.verdict()
    assert check_of(verdict, "parity").status == "pass"
    assert check_of(verdict, "parity.settings", manifest="heldout").status == "unknown"
    assert (cause_of(verdict, "parity.manifest").severity, verdict.ready_for_sweep) == ("warns", True)


def test_missing_utterances_are_a_parity_failure(study: HealthyStudy) -> None:
    lost = {"missing_ids": ["domain-3"], "status": "impossible", "code": "parity.manifest", "within": None, "all": None}
    study.change("paired/lora/domain.json", lost)
    verdict = study.verdict()
    cause = cause_of(verdict, "parity.manifest")
    assert "lora lacks 1 utterance of domain (domain-3)" in cause.because
    assert cause.severity == "blocks"
    assert check_of(verdict, "parity").status == "fail"
