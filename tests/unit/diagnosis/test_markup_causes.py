"""Markup in transcripts: what it does to the WER decides."""

from __future__ import annotations

from typing import Any

from healthy import HealthyStudy

TOKENS = [{"kind": "special_tokens", "rows": 200, "tokens": 400, "examples": ["<|en|>"]}]
TIMES = {"kind": "time_tokens", "rows": 360, "tokens": 720, "examples": ["<|0.00|>"]}


def mark(study: HealthyStudy, run: str, without: float, manifest: str = "domain") -> None:
    study.files[f"wer/{run}/{manifest}.json"]["markup"] = {
        "references": [],
        "hypotheses": TOKENS,
        "errors": 0,
        "words": 2400,
        "wer": without,
    }


def facts_of_training(study: HealthyStudy, rows: int) -> None:
    study.files["manifests/train.facts.json"] = {
        "format": "jsonl",
        "split": None,
        "columns": {},
        "rows": 360,
        "rejected": 0,
        "hours": 0.9,
        "speakers": 40,
        "markup": [{**TIMES, "rows": rows}],
    }


def causes(study: HealthyStudy) -> list[tuple[str, str, str | None]]:
    return [
        (cause.code, cause.severity, cause.manifest) for cause in study.verdict().causes if cause.severity != "info"
    ]


def test_markup_that_moves_the_wer_blocks(study: HealthyStudy) -> None:
    wer: Any = study.files["wer/lora/domain.json"]["within"]["wer"]
    mark(study, "lora", without=wer - 0.05)
    verdict = study.verdict()
    assert next((c.code, c.severity, c.manifest) for c in verdict.causes) == ("text.markup", "blocks", "domain")
    assert verdict.ready_for_sweep is False
    (check,) = [c for c in verdict.checks if c.id == "text.words_only" and c.manifest == "domain"]
    assert (check.status, check.reason) == ("fail", "moves_wer")
    assert check.details["strip"] == ["special_tokens"]
    assert check.details["only_hypotheses"] is True


def test_markup_of_little_effect_warns(study: HealthyStudy) -> None:
    wer: Any = study.files["wer/lora/domain.json"]["within"]["wer"]
    mark(study, "lora", without=wer - 0.002)
    assert ("text.markup", "warns", "domain") in causes(study)


def test_markup_that_the_normalizer_drops_is_no_cause(study: HealthyStudy) -> None:
    wer: Any = study.files["wer/lora/domain.json"]["within"]["wer"]
    mark(study, "lora", without=wer)
    assert "text.markup" not in {code for code, _, _ in causes(study)}


def test_a_baseline_that_only_markup_breaks_is_not_broken(study: HealthyStudy) -> None:
    study.change("wer/base/domain.json", {"within": {"wer": 0.95, "errors": 2280}})
    assert "headroom.baseline_broken" in {code for code, _, _ in causes(study)}
    mark(study, "base", without=0.2)
    codes = {code for code, _, _ in causes(study)}
    assert "headroom.baseline_broken" not in codes
    assert "text.markup" in codes


def test_markup_explains_a_worse_run(study: HealthyStudy) -> None:
    worse = {"baseline_wer": 0.375, "tuned_wer": 0.6, "delta": 0.225, "outcome": "worse", "interval": {"low": 0.1}}
    study.change("paired/lora/domain.json", {"within": worse})
    study.change("wer/lora/domain.json", {"within": {"wer": 0.6}})
    assert "adapter.worsens" in {code for code, _, _ in causes(study)}
    mark(study, "lora", without=0.3)
    codes = [code for code, _, _ in causes(study)]
    assert codes[0] == "text.markup"
    assert "adapter.worsens" not in codes


def test_markup_of_training_blocks_where_it_is_frequent(study: HealthyStudy) -> None:
    facts_of_training(study, rows=360)
    study.change("labels.json", {"lost_characters": {"<": 64}})
    verdict = study.verdict()
    assert verdict.causes[0].code == "text.markup"
    assert verdict.causes[0].severity == "blocks"
    assert not [c for c in verdict.causes if c.code.startswith("labels.")]
    assert "--strip time_tokens" in verdict.causes[0].remedy


def test_markup_of_few_training_rows_warns(study: HealthyStudy) -> None:
    facts_of_training(study, rows=3)
    assert ("text.markup", "warns", "train") in causes(study)
