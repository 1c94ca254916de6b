"""External hypotheses that belong to other rows, as opposed to transcripts in the wrong rows."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes
from healthy_data import mismatched, mismatches

CODE, TEXTS = "parity.manifest", "data.transcript_mismatch"
SHIFTED = [mismatched(i, i + 1) for i in range(1, 190)]


def domain(study: HealthyStudy, theirs: list[dict[str, Any]], base: list[dict[str, Any]], suspects: int = 0) -> None:
    for run, rows in (("theirs/", theirs), ("", base)):
        study.files[f"mismatches/{run}domain.json"] = mismatches("domain", 200, 200, *rows)
    study.files["mismatches/domain.json"]["suspects"] += suspects


@pytest.fixture
def external(study: HealthyStudy) -> HealthyStudy:
    study.config["candidates"] = {}
    study.add_run("theirs", "hypotheses")
    for m in ("heldout", "domain", "test"):
        study.files[f"mismatches/theirs/{m}.json"] = mismatches(m, 100, 100)
    return study


def test_hypotheses_of_their_own_rows_pass(external: HealthyStudy) -> None:
    verdict = external.verdict()
    assert check_of(verdict, "parity.hypotheses", "theirs", "domain").status == "pass"
    assert CODE not in codes(verdict)


def test_shifted_hypotheses_block_and_explain_a_worse_wer(external: HealthyStudy) -> None:
    domain(external, SHIFTED, [])
    external.change("paired/theirs/domain.json", {"within": {"outcome": "worse", "delta": 0.8}})
    verdict = external.verdict()
    cause = cause_of(verdict, CODE)
    assert verdict.causes[0] == cause
    assert (cause.severity, cause.run, cause.manifest) == ("blocks", "theirs", "domain")
    assert (cause.reason, cause.details["mismatched_run"], cause.details["other_run"]) == (
        "other_rows",
        "theirs",
        "base",
    )
    assert (cause.details["mismatched"], cause.details["compared"]) == (189, 200)
    assert (cause.details["offset"], cause.details["shifted"]) == (1, 189)
    assert check_of(verdict, "parity").reason == "mismatched_hypotheses"
    assert check_of(verdict, "parity").status == "fail"
    assert "adapter.worsens" not in codes(verdict)


def test_transcripts_that_both_runs_contradict_are_at_fault(external: HealthyStudy) -> None:
    domain(external, SHIFTED, SHIFTED)
    verdict = external.verdict()
    assert CODE not in codes(verdict)
    assert cause_of(verdict, TEXTS).severity == "blocks"


def test_a_broken_baseline_blames_no_run(external: HealthyStudy) -> None:
    """The candidate may be the first to recognize the speech, and the transcripts may be in the wrong rows."""
    domain(external, SHIFTED, [], suspects=195)
    assert CODE not in codes(external.verdict())


def test_a_shifted_external_baseline_is_not_the_fault_of_the_transcripts(external: HealthyStudy) -> None:
    external.config["model"] = None
    external.config["base"] = {"hypotheses": {"domain": "texts.jsonl"}}
    domain(external, [], SHIFTED)
    verdict = external.verdict()
    assert cause_of(verdict, CODE).details["mismatched_run"] == "base"
    assert TEXTS not in codes(verdict)
    assert check_of(verdict, "data.texts", manifest="domain").status == "warn"


def test_the_runners_own_baseline_cannot_be_shifted(external: HealthyStudy) -> None:
    domain(external, [], SHIFTED)
    verdict = external.verdict()
    assert CODE not in codes(verdict)
    assert cause_of(verdict, TEXTS).severity == "blocks"


def test_unknown_where_no_text_was_compared(external: HealthyStudy) -> None:
    external.remove("mismatches/theirs/domain")
    assert check_of(external.verdict(), "parity.hypotheses", "theirs", "domain").status == "unknown"


IMPORT = {"run": "theirs", "manifest": "domain", "source": "x.trn", "format": "trn", "hypotheses": 200, "rows": 200}


def test_every_imported_hypothesis_is_accounted_for(study: HealthyStudy) -> None:
    study.add_run("theirs", "hypotheses")
    record = "transcripts/theirs/domain.import.json"
    study.files[record] = IMPORT | {"matched": {"id": 150, "file name without case": 50}}
    check = check_of(study.verdict(), "parity.ids")
    assert (check.status, check.reason, check.value, check.threshold) == ("pass", "ok", 200, 200)
    assert check.details["matched"] == {"id": 150, "file name without case": 50}
    study.change(
        record, {"matched": {"id": 198}, "unmatched": ["x"], "ambiguous": ["y"], "notes": ["3 words left out"]}
    )
    check = check_of(study.verdict(), "parity.ids")
    assert (check.status, check.reason) == ("warn", "incomplete")
    assert check.details["unmatched"] == {"count": 1, "first": ["x"]}
    assert check.details["ambiguous"] == {"count": 1, "first": ["y"]}
    assert check.details["notes"] == ["3 words left out"]
