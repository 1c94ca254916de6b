"""Rows that an evaluation manifest shares with training block; shared speakers alone warn."""

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
    assert (check.status, check.reason, check.value) == ("pass", "ok", 0)
    assert (check.details["sentences"], check.details["rows"], check.details["audio_compared"]) == (0, 200, True)


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        (
            {"same_audio": shared(1)},
            {"recordings": 1, "recording_lines": [{"line": 1, "train_line": 7}], "too_many_rows": True},
        ),
        ({"same_reading": shared(2)}, {"texts": 2, "shared_rows": 2, "too_many_rows": True}),
        (
            {"same_sentence": shared(11)},
            {"sentences": 11, "tolerated_sentences": 0.05, "too_many_rows": False, "too_many_sentences": True},
        ),
    ],
)
def test_shared_rows_block_the_evaluation(
    study: HealthyStudy, changes: dict[str, Any], details: dict[str, Any]
) -> None:
    share(study, **changes)
    verdict = study.verdict()
    assert verdict.causes[0] == cause_of(verdict, "data.leakage")
    assert (verdict.causes[0].severity, verdict.causes[0].manifest) == ("blocks", "domain")
    assert verdict.causes[0].reason == "shared_rows"
    assert verdict.causes[0].details == verdict.causes[0].details | details
    assert verdict.ready_for_sweep is False


def test_on_another_manifest_they_only_warn(study: HealthyStudy) -> None:
    share(study, "heldout", same_audio=shared(1))
    verdict = study.verdict()
    assert cause_of(verdict, "data.leakage").severity == "warns"
    assert verdict.ready_for_sweep is True


def test_a_few_shared_sentences_are_tolerated(study: HealthyStudy) -> None:
    share(study, same_sentence=shared(10))
    verdict = study.verdict()
    assert "data.leakage" not in codes(verdict)
    check = check_of(verdict, "data.overlap", manifest="domain")
    assert (check.status, check.details["sentences"]) == ("pass", 10)


def test_tolerated_rows_are_counted(study: HealthyStudy) -> None:
    study.configure({"integrity": {"max_leaked": 0.01}})
    share(study, same_audio=shared(2), same_reading=shared(2))
    check = check_of(study.verdict(), "data.overlap", manifest="domain")
    assert (check.status, check.value) == ("pass", 2)


def test_shared_speakers_alone_warn(study: HealthyStudy) -> None:
    share(study, shared_speakers=["ann", "bob"])
    verdict = study.verdict()
    cause = cause_of(verdict, "data.leakage")
    assert (cause.severity, cause.reason) == ("warns", "shared_speakers")
    assert (cause.details["shared_speakers"], cause.details["speakers"]) == (2, 20)
    assert cause.details["speaker_names"] == ["ann", "bob"]
    assert check_of(verdict, "data.overlap", manifest="domain").status == "warn"
    assert verdict.ready_for_sweep is True


def test_an_uncompared_manifest_is_unknown(study: HealthyStudy) -> None:
    study.remove("leakage/domain")
    assert check_of(study.verdict(), "data.overlap", manifest="domain").status == "unknown"


def with_replay(study: HealthyStudy) -> None:
    study.config["manifests"]["replay"] = "data/replay_manifest.jsonl"
    study.set_rows("replay", ROWS)
    for manifest in ("heldout", "domain", "test"):
        study.files[f"leakage/replay/{manifest}.json"] = leakage(manifest, ROWS)


def test_a_study_without_replay_has_no_check_of_it(study: HealthyStudy) -> None:
    assert not [check for check in study.verdict().checks if check.id == "data.replay_overlap"]


def test_a_guard_set_that_is_replayed_is_found(study: HealthyStudy) -> None:
    with_replay(study)
    healthy = study.verdict()
    assert {c.manifest: c.status for c in healthy.checks if c.id == "data.replay_overlap"} == {
        "heldout": "pass",
        "domain": "pass",
        "test": "pass",
    }
    assert "data.leakage" not in codes(healthy)
    study.files["leakage/replay/heldout.json"] = leakage("heldout", ROWS, same_audio=shared(3))
    verdict = study.verdict()
    assert check_of(verdict, "data.replay_overlap", manifest="heldout").status == "fail"
    assert check_of(verdict, "data.overlap", manifest="heldout").status == "pass"
    cause = cause_of(verdict, "data.leakage")
    assert (cause.manifest, cause.severity, cause.details["source"]) == ("heldout", "warns", "replay")
    assert cause.evidence == ["results/leakage/replay/heldout.json"]
    assert cause.because.startswith("Replay contains 3 recordings (line 1 is line 7 of replay")
    assert cause.remedy == "Remove the shared rows from the manifest replay."


def test_replay_that_was_not_compared_is_unknown(study: HealthyStudy) -> None:
    with_replay(study)
    del study.files["leakage/replay/domain.json"]
    check = check_of(study.verdict(), "data.replay_overlap", manifest="domain")
    assert (check.status, check.reason) == ("unknown", "not_computed")
