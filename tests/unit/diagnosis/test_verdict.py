"""The verdict as a whole: readiness, caps, order, and studies with missing files."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from healthy import HealthyStudy, check_of, codes
from jsonschema import Draft202012Validator
from test_adapter_causes import FAULTS as ADAPTER_FAULTS
from test_label_causes import FAULTS as LABEL_FAULTS
from test_training_causes import FAULTS as TRAINING_FAULTS

from lora.diagnosis.causes import CAUSES, RANK
from lora.diagnosis.checks import CRITERIA
from lora.diagnosis.facts import load_facts
from lora.diagnosis.verdict import decide, gate
from lora.records.base import UserError
from lora.records.verdict import Verdict

SEVERITIES = ["blocks", "warns", "info"]


def validate(verdict: Verdict, repository: Path) -> None:
    schema = json.loads((repository / "src/lora/schemas" / "verdict.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(verdict.to_json())


def test_a_healthy_study_is_ready(study: HealthyStudy, repository: Path) -> None:
    verdict = study.verdict()
    assert verdict.ready_for_sweep is True
    assert (verdict.max_seconds, verdict.eval_manifest, verdict.gate_run) == (10.0, "domain", "lora")
    assert [(c.code, c.severity) for c in verdict.causes] == [
        ("headroom.underpowered", "warns"),
        ("headroom.saturated", "info"),
    ]
    assert gate(verdict).reasons == []
    validate(verdict, repository)


def test_the_four_criteria_come_first_and_once(study: HealthyStudy) -> None:
    ids = [check.id for check in study.verdict().checks]
    assert ids[:4] == list(CRITERIA)
    assert not set(ids[4:]) & set(CRITERIA)


def test_the_verdict_is_the_same_twice(study: HealthyStudy) -> None:
    assert study.verdict() == study.verdict()


def test_no_model_gives_no_verdict_on_the_sweep(study: HealthyStudy, repository: Path) -> None:
    study.configure({"model": None})
    study.config["candidates"] = {}
    study.remove("adapters/", "effect/", "labels.json", "paired/lora", "wer/lora", "transcripts/lora")
    study.add_run("earlier", "hypotheses")
    verdict = study.verdict()
    assert verdict.ready_for_sweep is None
    assert verdict.gate_run == "earlier"
    assert "No model is configured" in gate(verdict).reasons[0]
    validate(verdict, repository)


def test_without_candidates_the_adapter_is_unknown(study: HealthyStudy, repository: Path) -> None:
    study.config["candidates"] = {}
    verdict = study.verdict()
    assert verdict.ready_for_sweep is False
    assert verdict.gate_run is None
    assert verdict.runs == []
    assert check_of(verdict, "adapter_change").status == "unknown"
    assert check_of(verdict, "parity").status == "unknown"
    assert len(gate(verdict).reasons) == 2
    validate(verdict, repository)


def test_the_first_trained_candidate_is_the_gate_run(study: HealthyStudy) -> None:
    study.config["candidates"] = {"earlier": {"hypotheses": {"domain": "x.jsonl"}}, **study.config["candidates"]}
    assert study.verdict().gate_run == "lora"


def test_an_empty_results_folder_is_unknown_throughout(study: HealthyStudy, repository: Path) -> None:
    study.write()
    empty = study.results / "empty"
    verdict = decide(load_facts(empty, study.results / "config.json"))
    assert verdict.ready_for_sweep is False
    assert {c.status for c in verdict.checks if c.id in CRITERIA} == {"unknown"}
    assert verdict.causes == []
    validate(verdict, repository)


def test_a_missing_key_of_the_configuration_is_named(study: HealthyStudy) -> None:
    del study.config["adapter"]["max_overfit"]
    study.write()
    with pytest.raises(UserError, match=r"config.json.*adapter\.max_overfit"):
        load_facts(study.results, study.results / "config.json")


def test_a_fact_file_of_another_kind_is_named(study: HealthyStudy) -> None:
    study.write()
    (study.results / "labels.json").write_text('{"sampled": "many"}', encoding="utf-8")
    with pytest.raises(UserError, match=r"labels.json: not a LabelFacts record: sampled"):
        load_facts(study.results, study.results / "config.json")


def test_reasons_name_each_blocking_cause_once_with_its_remedy(study: HealthyStudy) -> None:
    study.change("effect/lora.json", {"file": {"lora_b_zero": 24}})
    result = gate(study.verdict())
    assert result.ready_for_sweep is False
    assert len(result.reasons) == 1
    assert result.reasons[0].startswith("All 24 lora_B matrices of lora are exactly zero.")
    assert result.reasons[0].endswith("[adapter.zero_delta]")


def test_causes_are_ranked_by_what_invalidates_the_comparison_first(study: HealthyStudy) -> None:
    study.change("labels.json", {"losses": [{"trainer": 9.4, "shift_0": 0.812, "shift_1": 9.41}]})
    study.change("transcripts/lora/domain.settings.json", {"decode": {"num_beams": 5}})
    study.change("effect/lora.json", {"load": {"active": False}})
    study.set_sizes(train=100, val=10, too_long=0)
    assert codes(study.verdict())[:4] == [
        "parity.decode",
        "labels.loss_misaligned",
        "adapter.bypassed",
        "data.too_few_samples",
    ]


def every_fault() -> list[tuple[str, dict[str, Any]]]:
    faults = [("effect/lora.json", changes) for changes, *_ in ADAPTER_FAULTS]
    faults += [("labels.json", changes) for changes, *_ in LABEL_FAULTS]
    faults += [("adapters/lora/train.json", changes) for changes, *_ in TRAINING_FAULTS]
    for manifest in ("heldout", "domain", "test"):
        faults += [
            (f"transcripts/lora/{manifest}.settings.json", {"decode": None}),
            (f"transcripts/lora/{manifest}.settings.json", {"software": {"torch": "1"}}),
            (f"wer/base/{manifest}.json", {"within": None}),
            (f"wer/base/{manifest}.json", {"power": None}),
            (f"wer/base/{manifest}.json", {"within": {"wer": None}}),
            (f"wer/base/{manifest}.json", {"within": {"wer": 1.2, "interval": {"low": None, "high": None}}}),
            (f"paired/lora/{manifest}.json", {"within": {"outcome": "worse"}}),
            (f"paired/lora/{manifest}.json", {"within": {"delta": None, "tuned_wer": None, "baseline_wer": None}}),
        ]
    return faults


@pytest.mark.parametrize("seed", range(40))
def test_any_mix_of_faults_and_holes_has_a_valid_verdict(study: HealthyStudy, repository: Path, seed: int) -> None:
    """Schema, caps and order are right whatever the fact files contain."""
    chance = random.Random(seed)
    study.add_run("external", "adapter")
    for path, changes in chance.sample(every_fault(), chance.randint(1, 8)):
        run = "lora" if path.startswith("adapters/") else chance.choice(["lora", "lora", "external"])
        study.change(path.replace("lora", run), changes)
    holes = chance.sample(sorted(study.files), chance.randint(0, 4))
    study.write()
    for path in holes:
        (study.results / path).unlink()
    verdict = decide(load_facts(study.results, study.results / "config.json"))
    validate(verdict, repository)
    severities = [SEVERITIES.index(cause.severity) for cause in verdict.causes]
    assert severities == sorted(severities)
    for cause in verdict.causes:
        allowed = SEVERITIES[SEVERITIES.index(CAUSES[cause.code].severity) :]
        assert cause.severity in allowed
        gating = cause.run in {None, "base", "lora"}
        assert gating or cause.severity != "blocks"
    assert len({(c.code, c.run, c.manifest) for c in verdict.causes}) == len(verdict.causes)
    blocks = [c for c in verdict.causes if c.severity == "blocks"]
    assert [RANK[c.code] for c in blocks] == sorted(RANK[c.code] for c in blocks)
    assert verdict.ready_for_sweep is False or not blocks
    assert bool(gate(verdict).reasons) is not verdict.ready_for_sweep
