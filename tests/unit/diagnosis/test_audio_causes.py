"""D1: what is wrong with recordings, from their measures; each fault on one row, beside a row that is nearly so."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes
from healthy_data import measures


def test_sound_recordings_pass(study: HealthyStudy) -> None:
    check = check_of(study.verdict(), "data.audio", manifest="domain")
    assert (check.status, check.summary) == ("pass", "200 recordings of domain sound as they should.")


@pytest.mark.parametrize(
    ("code", "changes", "healthy", "told"),
    [
        (
            "data.wrong_durations",
            {"manifest_duration": 6.0},
            {"manifest_duration": 4.15},
            "line 3 claims 6 s and holds 4 s",
        ),
        (
            "data.wrong_durations",
            {"manifest_duration": 4000.0},
            {"manifest_duration": 4.0},
            "as if it counted milliseconds",
        ),
        ("data.silent_audio", {"level": -70.0}, {"level": -45.0}, "nothing louder than -50 dB"),
        ("data.clipped_audio", {"clipped": 0.01}, {"clipped": 0.0004}, "loudest parts cut off"),
        ("data.sample_rate_mismatch", {"bandwidth": 4000.0}, {"bandwidth": 6250.0}, "nothing above 4000 Hz"),
        ("data.transcript_mismatch", {"characters": 200}, {"characters": 120}, "usual"),
        ("data.transcript_mismatch", {"characters": 10}, {"characters": 25}, "usual"),
        ("data.duplicates", {"audio_hash": f"{1:032x}"}, {"audio_hash": "f" * 32}, "line 3 that of line 1"),
    ],
)
def test_a_fault_of_one_recording(
    study: HealthyStudy, code: str, changes: dict[str, Any], healthy: dict[str, Any], told: str
) -> None:
    study.set_audio("test", measures(12, **healthy))
    assert not [found for found in codes(study.verdict()) if found.startswith("data.")]
    study.set_audio("test", measures(12, **changes))
    verdict = study.verdict()
    cause = cause_of(verdict, code)
    assert (cause.severity, cause.manifest) == ("warns", "test")
    assert "1 of 12 rows of test (8.3 %; line 3): " in cause.because
    assert told in cause.because
    assert cause.evidence == ["results/integrity/test.tsv"]
    assert check_of(verdict, "data.audio", manifest="test").status == "fail"
    assert [found for found in codes(verdict) if found.startswith("data.")] == [code]


def test_tolerated_shares_only_warn_in_the_check(study: HealthyStudy) -> None:
    study.set_audio("domain", measures(200, clipped=0.01))
    verdict = study.verdict()
    assert "data.clipped_audio" not in codes(verdict)
    assert check_of(verdict, "data.audio", manifest="domain").status == "warn"


def test_silence_is_neither_narrow_nor_a_repetition(study: HealthyStudy) -> None:
    silent = {"level": -120.0, "bandwidth": None, "audio_hash": f"{1:032x}", "characters": 1000}
    study.set_audio("test", measures(12, **silent))
    assert [code for code in codes(study.verdict()) if code.startswith("data.")] == ["data.silent_audio"]


def test_telephone_speech_throughout_can_be_meant(study: HealthyStudy) -> None:
    study.set_audio("domain", [m | {"bandwidth": 4000.0} for m in measures(200)])
    assert "data.sample_rate_mismatch" in codes(study.verdict())
    study.configure({"integrity": {"max_narrowband": 1}})
    assert "data.sample_rate_mismatch" not in codes(study.verdict())


def test_damaged_recordings_are_judged_as_rejected_lines_only(study: HealthyStudy) -> None:
    gone = dict.fromkeys(("seconds", "rate", "level", "clipped", "bandwidth", "audio_hash"))
    study.set_audio("test", measures(12, problem="unreadable audio: a.ogg", **gone))
    assert not [code for code in codes(study.verdict()) if code.startswith("data.")]


def test_audio_that_nobody_measured_is_unknown(study: HealthyStudy) -> None:
    (study.results / "integrity/test.tsv").unlink()
    assert check_of(study.verdict(), "data.audio", manifest="test").status == "unknown"


def test_formats_unlike_most_are_told_and_no_cause(study: HealthyStudy) -> None:
    mixed = measures(12, channels=2, rate=44100)
    study.set_audio("test", mixed)
    verdict = study.verdict()
    assert not [code for code in codes(verdict) if code.startswith("data.")]
    check = check_of(verdict, "data.audio", manifest="test")
    assert check.status == "warn"
    assert "1 row with 2 channels (most have 1); 1 row with 44100 Hz (most have 16000)" in check.summary
    study.set_audio("test", [m | {"channels": 2, "rate": 8000} for m in measures(12)])
    assert check_of(study.verdict(), "data.audio", manifest="test").status == "pass"
