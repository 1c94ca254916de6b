"""Faults of recordings, from their measurements: each fault on one row, and a row that only nearly has it."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes
from healthy_data import measures


def test_sound_recordings_pass(study: HealthyStudy) -> None:
    check = check_of(study.verdict(), "data.audio", manifest="domain")
    assert (check.status, check.reason, check.value, check.details["rows"]) == ("pass", "ok", 0, 200)


@pytest.mark.parametrize(
    ("code", "changes", "healthy", "fault", "details"),
    [
        (
            "data.wrong_durations",
            {"manifest_duration": 6.0},
            {"manifest_duration": 4.15},
            "wrong_durations",
            {"first": {"line": "line 3", "manifest": 6.0, "audio": 4.0}, "unit": None},
        ),
        (
            "data.wrong_durations",
            {"manifest_duration": 4000.0},
            {"manifest_duration": 4.0},
            "wrong_durations",
            {"unit": "milliseconds"},
        ),
        (
            "data.wrong_durations",
            {"manifest_duration": 64000.0},
            {"manifest_duration": 4.0},
            "wrong_durations",
            {"unit": "samples"},
        ),
        (
            "data.wrong_durations",
            {"manifest_duration": 398.0},
            {"manifest_duration": 4.0},
            "wrong_durations",
            {"unit": "frames of 10 ms"},
        ),
        (
            "data.wrong_durations",
            {"manifest_duration": 0.067},
            {"manifest_duration": 4.0},
            "wrong_durations",
            {"unit": "minutes"},
        ),
        ("data.silent_audio", {"level": -70.0}, {"level": -45.0}, "silent", {"level": -50.0}),
        ("data.clipped_audio", {"clipped": 0.01}, {"clipped": 0.0004}, "clipped", {}),
        (
            "data.sample_rate_mismatch",
            {"bandwidth": 4000.0},
            {"bandwidth": 6250.0},
            "narrowband",
            {"bandwidth": 4000.0, "sampling_rates": [16000]},
        ),
        ("data.transcript_mismatch", {"characters": 200}, {"characters": 120}, "text_rate", {"median": 15.0}),
        ("data.transcript_mismatch", {"characters": 10}, {"characters": 25}, "text_rate", {"median": 15.0}),
        (
            "data.duplicates",
            {"audio_hash": f"{1:032x}"},
            {"audio_hash": "f" * 32},
            "repeated",
            {"first": {"line": "line 3", "repeats": "line 1"}},
        ),
    ],
)
def test_a_fault_of_one_recording(
    study: HealthyStudy,
    code: str,
    changes: dict[str, Any],
    healthy: dict[str, Any],
    fault: str,
    details: dict[str, Any],
) -> None:
    study.set_audio("test", measures(12, **healthy))
    assert not [c for c in codes(study.verdict()) if c.startswith("data.")]
    study.set_audio("test", measures(12, **changes))
    verdict = study.verdict()
    cause = cause_of(verdict, code)
    assert (cause.severity, cause.manifest, cause.reason) == ("warns", "test", fault)
    common = {"fault": fault, "affected": 1, "rows": 12, "lines": ["line 3"]}
    assert cause.details == cause.details | common | details
    assert cause.evidence == ["results/integrity/test.tsv"]
    assert check_of(verdict, "data.audio", manifest="test").status == "fail"
    assert [c for c in codes(verdict) if c.startswith("data.")] == [code]


def test_tolerated_shares_only_warn_in_the_check(study: HealthyStudy) -> None:
    study.set_audio("domain", measures(200, clipped=0.01))
    verdict = study.verdict()
    assert "data.clipped_audio" not in codes(verdict)
    assert check_of(verdict, "data.audio", manifest="domain").status == "warn"


def test_silence_is_neither_narrow_nor_a_repetition(study: HealthyStudy) -> None:
    silent = {"level": -120.0, "bandwidth": None, "audio_hash": f"{1:032x}", "characters": 1000}
    study.set_audio("test", measures(12, **silent))
    assert [code for code in codes(study.verdict()) if code.startswith("data.")] == ["data.silent_audio"]


@pytest.mark.parametrize("level", [-120.0, -45.0])
def test_an_empty_transcript_claims_silence(study: HealthyStudy, level: float) -> None:
    study.set_audio("test", measures(12, level=level, characters=0))
    assert not [code for code in codes(study.verdict()) if code.startswith("data.")]


def test_telephone_speech_throughout_can_be_meant(study: HealthyStudy) -> None:
    study.set_audio("domain", [m | {"bandwidth": 4000.0} for m in measures(200)])
    assert "data.sample_rate_mismatch" in codes(study.verdict())
    study.configure({"integrity": {"max_narrowband": 1}})
    assert "data.sample_rate_mismatch" not in codes(study.verdict())


def test_damaged_recordings_are_judged_as_rejected_lines_only(study: HealthyStudy) -> None:
    gone = dict.fromkeys(("seconds", "rate", "level", "clipped", "bandwidth", "audio_hash"))
    study.set_audio("test", measures(12, problem="unreadable audio: a.ogg", **gone))
    assert not [code for code in codes(study.verdict()) if code.startswith("data.")]


def test_unmeasured_audio_is_unknown(study: HealthyStudy) -> None:
    (study.results / "integrity/test.tsv").unlink()
    assert check_of(study.verdict(), "data.audio", manifest="test").status == "unknown"


def test_formats_unlike_most_warn_without_a_cause(study: HealthyStudy) -> None:
    mixed = measures(12, channels=2, rate=44100)
    study.set_audio("test", mixed)
    verdict = study.verdict()
    assert not [code for code in codes(verdict) if code.startswith("data.")]
    check = check_of(verdict, "data.audio", manifest="test")
    assert check.status == "warn"
    assert [(f["fault"], f["affected"], f["others"], f["usual"]) for f in check.details["faults"]] == [
        ("other_channels", 1, [2], 1),
        ("other_sampling_rate", 1, [44100], 16000),
    ]
    study.set_audio("test", [m | {"channels": 2, "rate": 8000} for m in measures(12)])
    assert check_of(study.verdict(), "data.audio", manifest="test").status == "pass"
