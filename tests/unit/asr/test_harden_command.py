"""When a harder version is needed, which manifest it is made of, and that it costs nothing twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lora.records import (
    HardenedFacts,
    HardenedVersion,
    Interval,
    NormalizerIdentity,
    Power,
    RunRecord,
    WerFacts,
    WerScore,
)
from lora.runners.experiment import main
from lora.runners.harden import propose, saturated


def wer_facts(name: str, wer: float | None, detectable: float = 0.01, max_seconds: float | None = None) -> WerFacts:
    interval = Interval(low=None, high=None, confidence=0.9, method="none", scope="none")
    score = WerScore(
        utterances=3, speakers=None, words=30, errors=0, substitutions=0, deletions=0, insertions=0, wer=wer,
        interval=interval, empty_references=[], truncated=0,
    )  # fmt: skip
    power = Power(
        assumed_shared_errors=0.8, standard_error=0.01, detectable_difference=detectable, target_gain=0.01,
        utterances=3, utterances_needed=9,
    )  # fmt: skip
    return WerFacts(
        run="base", manifest=name, normalizer=NormalizerIdentity(name="basic", version="1"),
        max_seconds=max_seconds, within=score, power=power,
    )  # fmt: skip


def test_one_manifest_with_headroom_is_enough() -> None:
    assert saturated({"a": wer_facts("a", 0.01), "b": wer_facts("b", 0.05)}, 0.05) is None


def test_the_sharpest_saturated_manifest_is_chosen() -> None:
    facts = {"c": wer_facts("c", 0.0, 0.01), "b": wer_facts("b", 0.04, 0.01), "a": wer_facts("a", 0.04, 0.02)}
    assert saturated(facts, 0.05) == "b"


def test_nothing_scored_needs_nothing() -> None:
    broken = wer_facts("a", None)
    assert saturated({"a": broken}, 0.05) is None
    assert saturated({"a": broken.model_copy(update={"within": None, "status": "impossible"})}, 0.05) is None


def test_the_mildest_with_headroom_is_proposed() -> None:
    def version(name: str, level: float, wer: float | None) -> HardenedVersion:
        return HardenedVersion(distortion=name, level=level, utterances=3, wer=wer, ci_low=None, ci_high=None)

    versions = [version("telephone", 3400, 0.2), version("noise", 20, 0.04), version("noise", 10, 0.08)]
    assert propose("domain", versions, 0.05) == "domain-noise-10"
    assert propose("domain", versions[1:2], 0.05) is None


@pytest.fixture
def arguments(make_manifest: Callable[..., Path], tmp_path: Path, moonshine_folder: Path) -> list[str]:
    manifest = make_manifest("domain", [0.8, 1.4, 2.6])
    return [
        "harden", "--model-id", str(moonshine_folder), "--cpu-threads", "1", "--device", "cpu",
        "--work-dir", str(tmp_path / "work"), "--min-wer", "0.05", f"--manifest=domain={manifest}",
        f"--baseline-wer=domain={tmp_path / 'wer.json'}", "--output", str(tmp_path / "hardened.json"),
    ]  # fmt: skip


def test_measures_every_grade_once(arguments: list[str], tmp_path: Path) -> None:
    wer_facts("domain", 0.01, max_seconds=2.0).write(tmp_path / "wer.json")
    assert main(arguments) == 0
    facts = HardenedFacts.read(tmp_path / "hardened.json")
    assert (facts.status, facts.manifest) == ("measured", "domain")
    assert [version.level for version in facts.versions] == [3400, 20, 15, 10, 5, 0]
    assert {version.utterances for version in facts.versions} == {2}  # the third is longer than max_seconds
    assert facts.proposed is not None
    assert RunRecord.read(tmp_path / "hardened.json.run.json").utterances_decoded == 12
    written = (tmp_path / "hardened.json").read_bytes()
    assert main(arguments) == 0
    assert RunRecord.read(tmp_path / "hardened.json.run.json").utterances_decoded == 0
    assert (tmp_path / "hardened.json").read_bytes() == written


def test_not_needed_imports_no_torch(arguments: list[str], tmp_path: Path, repository: Path) -> None:
    wer_facts("domain", 0.3).write(tmp_path / "wer.json")
    code = "import sys; from lora.runners.experiment import main; main(sys.argv[1:]); print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(repository / "src")},
    )  # fmt: skip
    assert done.stdout == "False\n", done.stderr
    assert HardenedFacts.read(tmp_path / "hardened.json").status == "not_needed"
