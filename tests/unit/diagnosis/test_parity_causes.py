"""Settings compared field by field; one that was not recorded is neither equal nor different."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes, utterance
from healthy import settings as settings_record
from healthy import wer as wer_record

from lora.diagnosis.parity.criterion import row_details
from lora.diagnosis.verdict import decide
from lora.records.parity import DifferingRows, ParityFacts
from lora.records.scores import WerFacts
from lora.records.settings import RunSettings
from lora.records.transcripts import Transcript
from lora.scoring.settings_diff import compare_settings, differing_rows

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
    assert cause.reason == "settings_differ"
    assert [(f["field"], f["baseline"], f["candidate"]) for f in cause.details["fields"]] == [
        (field, different[0].baseline, different[0].candidate)
    ]
    assert (cause.run, cause.manifest) == ("lora", "domain")
    blocks = code != "parity.software"
    assert verdict.causes[0] == cause or code == "parity.base_model"
    assert cause.severity == ("blocks" if blocks else "warns")
    check = check_of(verdict, "parity.settings", manifest="domain")
    assert (check.status, check.reason) == (("fail", "different") if blocks else ("warn", "other_software"))
    assert (check.value, check.details["different"]) == (1, [field])
    assert check_of(verdict, "parity").status == check.status
    assert verdict.ready_for_sweep is not blocks


def test_a_difference_on_another_manifest_only_warns(study: HealthyStudy) -> None:
    study.change(path_of("transcripts", "lora", "heldout"), {"decode": {"num_beams": 5}})
    verdict = study.verdict()
    assert cause_of(verdict, "parity.decode").severity == "warns"
    assert check_of(verdict, "parity").status == "pass"
    assert verdict.ready_for_sweep is True


def test_a_difference_on_every_manifest_is_one_cause_on_the_evaluation_manifest(study: HealthyStudy) -> None:
    for manifest in MANIFESTS:
        study.change(path_of("transcripts", "lora", manifest), {"decode": {"num_beams": 5}})
    cause = cause_of(study.verdict(), "parity.decode")
    assert cause.details["fields"] == [{"field": "decode.num_beams", "baseline": 1, "candidate": 5}]
    assert cause.details["also_on"] == ["heldout", "test"]
    assert (cause.severity, cause.manifest) == ("blocks", "domain")


def test_a_difference_of_another_candidate_only_warns(study: HealthyStudy) -> None:
    study.add_run("external", "adapter")
    study.change(path_of("transcripts", "external", "domain"), {"decode": {"num_beams": 5}})
    verdict = study.verdict()
    assert cause_of(verdict, "parity.decode").severity == "warns"
    assert verdict.ready_for_sweep is True


@pytest.mark.parametrize("section", ["manifest", "model", "preprocess", "decode"])
def test_settings_that_were_not_recorded_are_unknown(study: HealthyStudy, section: str) -> None:
    study.change(path_of("transcripts", "lora", "domain"), {section: None})
    verdict = study.verdict()
    assert (check_of(verdict, "parity").status, check_of(verdict, "parity").reason) == (
        "unknown",
        "settings_not_recorded",
    )
    assert not [code for code in codes(verdict) if code.startswith("parity.")]
    assert verdict.ready_for_sweep is False


def test_unknown_software_only_warns(study: HealthyStudy) -> None:
    study.change(path_of("transcripts", "base", "domain"), {"software": {"torch": "2.13.0"}})
    del study.files[path_of("transcripts", "base", "domain")]["software"]["transformers"]
    verdict = study.verdict()
    check = check_of(verdict, "parity.settings", manifest="domain")
    assert (check.status, check.reason) == ("warn", "software_not_recorded")
    assert check.details["not_recorded"] == ["software.transformers"]
    assert check_of(verdict, "parity").status == "warn"
    assert verdict.ready_for_sweep is True


def test_a_setting_of_none_on_both_sides_is_equal(study: HealthyStudy) -> None:
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
    assert cause.reason == "other_utterances"
    assert cause.details["missing_ids"] == {"count": 1, "first": ["domain-3"]}
    assert check_of(verdict, "parity").reason == "other_utterances"
    assert cause.severity == "blocks"
    assert check_of(verdict, "parity").status == "fail"


def alike(settings: dict[str, Any], changes: dict[str, Any], base: dict[str, Any] | None = None) -> ParityFacts:
    """Settings of base and of a candidate that differs from them by `changes`, compared."""
    records = [RunSettings.from_json(settings | (base or {})), RunSettings.from_json(settings | changes)]
    wer = WerFacts.from_json(wer_record("base", "domain"))
    return compare_settings("lora", records[:1], records[1:], [wer], [wer], decode_defaults={"num_beams": 1})


def judged(facts: ParityFacts, field: str) -> list[bool | None]:
    return [s.same for s in facts.settings if s.field == field]


@pytest.mark.parametrize(
    ("key", "value", "same"),
    [
        ("num_beams", 1.0, True),
        ("num_beams", "1", True),
        ("num_beams", None, True),
        ("num_beams", 2, False),
        ("do_sample", None, True),
        ("suppress_tokens", [2, 1, 1], True),
        ("suppress_tokens", [1], False),
        ("eos_token_id", [3], True),
        ("language", "en", False),
        ("bias", {"a": 1}, True),
        ("bias", {"a": 2, "b": None}, False),
    ],
)
def test_values_of_generation_arguments(key: str, value: Any, same: bool) -> None:
    own = {"num_beams": 1, "do_sample": False, "suppress_tokens": [1, 2], "eos_token_id": 3}
    recorded = settings_record("base", "domain") | {"decode": own | {"bias": {"a": 1.0, "b": None}}}
    facts = alike(recorded, {"decode": recorded["decode"] | {key: value}})
    assert judged(facts, f"decode.{key}") == [same]


def test_an_absent_argument_of_the_runner_has_its_default_and_of_a_person_is_unknown() -> None:
    recorded = settings_record("base", "domain")
    decode = {key: value for key, value in recorded["decode"].items() if key != "num_beams"}
    assert judged(alike(recorded, {"decode": decode}), "decode.num_beams") == [True]
    assert judged(alike(recorded, {"decode": decode, "fingerprint": None}), "decode.num_beams") == [None]
    beams = {"decode": recorded["decode"] | {"num_beams": 5}}
    assert judged(alike(recorded, {"decode": decode}, beams), "decode.num_beams") == [False]


def test_a_missing_preprocessing_key_is_unknown_whoever_wrote_it() -> None:
    recorded = settings_record("base", "domain")
    preprocess = {key: value for key, value in recorded["preprocess"].items() if key != "target_rms"}
    assert judged(alike(recorded, {"preprocess": preprocess}), "preprocess.target_rms") == [None]


def test_versions_that_differ_in_their_local_part_are_one(study: HealthyStudy) -> None:
    study.change(path_of("transcripts", "lora", "domain"), {"software": {"torch": "2.13.0+cu130"}})
    assert not [s for s in compared(study).settings if s.same is False]


def test_threads_are_not_compared_on_a_gpu() -> None:
    recorded = settings_record("base", "domain") | {"device": {"type": "cpu", "dtype": "float32", "threads": "1"}}
    facts = alike(recorded, {"device": {"type": "cuda", "dtype": "float32"}})
    assert (judged(facts, "device.type"), judged(facts, "device.threads")) == ([False], [])


def test_a_checkpoint_of_another_kind_of_model_is_another_base(study: HealthyStudy) -> None:
    study.add_run("tuned", "checkpoint")
    for manifest in MANIFESTS:
        other = {"adapter": None, "model": {"hash": "e" * 32, "family": "whisper"}}
        study.change(path_of("transcripts", "tuned", manifest), other)
    assert cause_of(study.verdict(), "parity.base_model").details["fields"] == [
        {"field": "model.family", "baseline": "moonshine", "candidate": "whisper"}
    ]


def test_other_model_files_without_an_adapter_are_a_checkpoint_only_where_that_is_recorded() -> None:
    recorded = settings_record("base", "domain")
    other = {"model": recorded["model"] | {"hash": "e" * 32}}
    assert judged(alike(recorded, other), "model.family") == [True]
    assert judged(alike(recorded, other | {"fingerprint": None}), "model") == [None]
    unsaid = {"model": other["model"] | {"family": ""}, "fingerprint": None}
    assert judged(alike(recorded, unsaid), "model") == [None]


def test_rows_that_could_not_be_scored_hide_no_other_difference(study: HealthyStudy) -> None:
    lost = {"status": "impossible", "code": "parity.manifest", "message": "domain-3 is missing", "within": None}
    study.change(path_of("wer", "lora", "domain"), lost | {"utterances": []})
    study.change(path_of("transcripts", "lora", "domain"), {"decode": {"num_beams": 5}})
    verdict = study.verdict()
    assert {"parity.manifest", "parity.decode"} <= set(codes(verdict))
    assert check_of(verdict, "parity").status == "fail"


def transcripts(**changes: dict[str, Any] | None) -> dict[str, Transcript]:
    """Three transcripts by id; a change of None leaves one out."""
    given = {"reference": "Good day.", "hypothesis": "good day", "duration": 1.0, "truncated": False}
    rows: dict[str, dict[str, Any] | None] = {"a": {}, "b": {}, "c": {}}
    return {id: Transcript(id=id, **given | more) for id, more in (rows | changes).items() if more is not None}


def rows_between(after: dict[str, Transcript], content: str | None = "h") -> DifferingRows | None:
    recorded = settings_record("base", "domain")
    base, tuned = (
        RunSettings.from_json(recorded | {"manifest": {"name": "domain", "rows": 3, "content_hash": content_hash}})
        for content_hash in ("h", content)
    )
    return differing_rows("domain", transcripts(), after, (base, tuned))


def test_which_rows_differ() -> None:
    assert rows_between(transcripts()) is None
    assert rows_between(transcripts(a={"external_reference": "good day."}), None) is None  # differs in style only
    rows = rows_between(transcripts(a=None, d={}, b={"external_reference": "Bad day."}))
    assert rows is not None
    assert (rows.missing_ids, rows.extra_ids, [t.id for t in rows.different_references]) == (["a"], ["d"], ["b"])
    assert row_details(rows) == {
        "missing_ids": {"count": 1, "first": ["a"]},
        "extra_ids": {"count": 1, "first": ["d"]},
        "different_references": 1,
        "first_reference": {"id": "b", "baseline": "Good day.", "candidate": "Bad day."},
        "style_only": 0,
        "different_audio": False,
    }


def test_other_audio_under_the_same_ids_and_texts() -> None:
    rows = rows_between(transcripts(), "other")
    assert rows is not None
    assert rows.different_audio
    restyled = rows_between(transcripts(a={"external_reference": "GOOD DAY."}), "other")
    assert restyled is not None
    assert not restyled.different_audio
    assert restyled.style_only == 1


def test_ids_that_only_one_run_has_are_one_difference(study: HealthyStudy) -> None:
    lost = {"status": "impossible", "code": "parity.manifest", "message": "a is missing", "within": None}
    study.change(path_of("wer", "lora", "domain"), lost)
    study.write()
    rows = rows_between(transcripts(a=None))
    records = [RunSettings.read(study.results / path_of("transcripts", run, "domain")) for run in ("base", "lora")]
    wers = [WerFacts.read(study.results / path_of("wer", run, "domain")) for run in ("base", "lora")]
    facts = compare_settings("lora", records[:1], records[1:], wers[:1], wers[1:], [rows])
    assert [(s.field, s.baseline, s.candidate) for s in facts.settings if not s.same] == [
        ("manifest.unshared_ids", 1, 0)
    ]
    verdict = decide(replace(study.facts(), parity={"lora": facts}))
    details = cause_of(verdict, "parity.manifest").details
    assert (details["fields"], details["rows"]["missing_ids"]) == ([], {"count": 1, "first": ["a"]})
    assert check_of(verdict, "parity.settings", manifest="domain").status == "fail"


def test_other_texts_are_a_parity_failure(study: HealthyStudy) -> None:
    study.write()
    rows = rows_between(transcripts(b={"external_reference": "Bad day."}))
    records = [RunSettings.read(study.results / path_of("transcripts", run, "domain")) for run in ("base", "lora")]
    wers = [WerFacts.read(study.results / path_of("wer", run, "domain")) for run in ("base", "lora")]
    facts = compare_settings("lora", records[:1], records[1:], wers[:1], wers[1:], [rows])
    verdict = decide(replace(study.facts(), parity={"lora": facts}))
    cause = cause_of(verdict, "parity.manifest")
    assert (cause.manifest, cause.details["rows"]["different_references"]) == ("domain", 1)
    assert check_of(verdict, "parity").status == "fail"
