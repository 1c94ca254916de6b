"""D1: rows that training holds too block the evaluation they stand in; shared speakers alone warn."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes
from healthy_data import leakage, shared

ROWS = 200


def share(study: HealthyStudy, manifest: str = "domain", **changes: Any) -> None:
    study.files[f"leakage/{manifest}.json"] = leakage(manifest, ROWS, **changes)


def test_separate_manifests_pass(study: HealthyStudy) -> None:
    check = check_of(study.verdict(), "data.overlap", manifest="domain")
    assert check.status == "pass"
    assert "0 sentences of 200 occur there" in check.summary


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"same_audio": shared(1)}, "training holds 1 recording (line 1 is line 7 of training)"),
        ({"same_reading": shared(2)}, "training holds 2 texts by the same speaker (line 1 is line 7 of training and"),
        ({"same_sentence": shared(11)}, "training holds the sentences of 11 rows (5.5 %; 5 % may)"),
    ],
)
def test_shared_rows_block_the_evaluation(study: HealthyStudy, changes: dict[str, Any], told: str) -> None:
    share(study, **changes)
    verdict = study.verdict()
    assert verdict.causes[0] == cause_of(verdict, "data.leakage")
    assert (verdict.causes[0].severity, verdict.causes[0].manifest) == ("blocks", "domain")
    assert told in verdict.causes[0].because
    assert verdict.ready_for_sweep is False


def test_on_another_manifest_they_only_warn(study: HealthyStudy) -> None:
    share(study, "heldout", same_audio=shared(1))
    verdict = study.verdict()
    assert cause_of(verdict, "data.leakage").severity == "warns"
    assert verdict.ready_for_sweep is True


def test_a_few_common_sentences_are_no_leak(study: HealthyStudy) -> None:
    share(study, same_sentence=shared(10))
    verdict = study.verdict()
    assert "data.leakage" not in codes(verdict)
    assert (
        "10 sentences of 200 occur there, and 5 % may" in check_of(verdict, "data.overlap", manifest="domain").summary
    )


def test_tolerated_rows_are_told(study: HealthyStudy) -> None:
    study.configure({"integrity": {"max_leaked": 0.01}})
    share(study, same_audio=shared(2), same_reading=shared(2))
    check = check_of(study.verdict(), "data.overlap", manifest="domain")
    assert (check.status, check.value) == ("pass", 2)


def test_shared_speakers_alone_warn(study: HealthyStudy) -> None:
    share(study, shared_speakers=["ann", "bob"])
    verdict = study.verdict()
    cause = cause_of(verdict, "data.leakage")
    assert cause.severity == "warns"
    assert "2 of 20 speakers of domain (ann and bob) are heard in training too" in cause.because
    assert check_of(verdict, "data.overlap", manifest="domain").status == "warn"
    assert verdict.ready_for_sweep is True


def test_what_nobody_compared_is_unknown(study: HealthyStudy) -> None:
    study.remove("leakage/domain")
    assert check_of(study.verdict(), "data.overlap", manifest="domain").status == "unknown"
