"""P: brought hypotheses under the ids of other rows, told apart from texts in the wrong rows."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes
from healthy_data import mismatched, mismatches

CODE, TEXTS = "parity.manifest", "data.transcript_mismatch"
SLIPPED = [mismatched(i, i + 1) for i in range(1, 190)]


def domain(study: HealthyStudy, theirs: list[dict[str, Any]], base: list[dict[str, Any]], suspects: int = 0) -> None:
    for run, rows in (("theirs/", theirs), ("", base)):
        study.files[f"mismatches/{run}domain.json"] = mismatches("domain", 200, 200, *rows)
    study.files["mismatches/domain.json"]["suspects"] += suspects


@pytest.fixture
def brought(study: HealthyStudy) -> HealthyStudy:
    study.config["candidates"] = {}
    study.add_run("theirs", "hypotheses")
    for m in ("heldout", "domain", "test"):
        study.files[f"mismatches/theirs/{m}.json"] = mismatches(m, 100, 100)
    return study


def test_hypotheses_in_their_rows(brought: HealthyStudy) -> None:
    verdict = brought.verdict()
    assert check_of(verdict, "parity.hypotheses", "theirs", "domain").status == "pass"
    assert CODE not in codes(verdict)


def test_hypotheses_that_slipped_block_and_explain_a_worse_wer(brought: HealthyStudy) -> None:
    domain(brought, SLIPPED, [])
    brought.change("paired/theirs/domain.json", {"within": {"outcome": "worse", "delta": 0.8}})
    verdict = brought.verdict()
    cause = cause_of(verdict, CODE)
    assert verdict.causes[0] == cause
    assert (cause.severity, cause.run, cause.manifest) == ("blocks", "theirs", "domain")
    assert "theirs says the text of another row in 189 of 200 rows of domain" in cause.because
    assert "189 of them belong 1 line below" in cause.because
    assert "Join the hypotheses of theirs with their rows by id" in cause.remedy
    assert check_of(verdict, "parity").status == "fail"
    assert "adapter.worsens" not in codes(verdict)


def test_texts_that_both_runs_contradict_are_at_fault_themselves(brought: HealthyStudy) -> None:
    domain(brought, SLIPPED, SLIPPED)
    verdict = brought.verdict()
    assert CODE not in codes(verdict)
    assert cause_of(verdict, TEXTS).severity == "blocks"


def test_a_baseline_that_hears_nothing_accuses_nobody(brought: HealthyStudy) -> None:
    """The candidate may be the first to hear what is said, in texts that stand in the wrong rows."""
    domain(brought, SLIPPED, [], suspects=195)
    assert CODE not in codes(brought.verdict())


def test_a_brought_baseline_that_slipped_is_not_the_fault_of_the_texts(brought: HealthyStudy) -> None:
    brought.config["model"] = None
    brought.config["base"] = {"hypotheses": {"domain": "texts.jsonl"}}
    domain(brought, [], SLIPPED)
    verdict = brought.verdict()
    assert "Join the hypotheses of base" in cause_of(verdict, CODE).remedy
    assert TEXTS not in codes(verdict)
    assert check_of(verdict, "data.texts", manifest="domain").status == "warn"


def test_the_models_own_baseline_cannot_slip(brought: HealthyStudy) -> None:
    domain(brought, [], SLIPPED)
    verdict = brought.verdict()
    assert CODE not in codes(verdict)
    assert cause_of(verdict, TEXTS).severity == "blocks"


def test_unknown_where_no_text_was_compared(brought: HealthyStudy) -> None:
    brought.remove("mismatches/theirs/domain")
    assert check_of(brought.verdict(), "parity.hypotheses", "theirs", "domain").status == "unknown"
