"""When a harder test set is needed, which manifest it is derived from, and that nothing is computed twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from lora.asr.decoding.audio_store import AudioStore, Rows
from lora.configuration.schema import complete
from lora.data.audio.distortions import GRADES, Distortion
from lora.data.manifest import read_manifest, read_rows
from lora.records.base import write_lines
from lora.records.hardening import HardenedFacts, HardenedVersion
from lora.records.provenance import RunRecord
from lora.records.scores import Interval, NormalizerIdentity, Power, WerFacts, WerScore
from lora.runners.experiment import main
from lora.runners.harden import propose, saturated


def wer_facts(name: str, wer: float | None, detectable: float = 0.01, max_seconds: float | None = None) -> WerFacts:
    interval = Interval(low=None, high=None, confidence=0.9, method="none", scope="none")
    score = WerScore(
        utterances=3,
        speakers=None,
        words=30,
        errors=0,
        substitutions=0,
        deletions=0,
        insertions=0,
        wer=wer,
        interval=interval,
        empty_references=[],
        truncated=0,
    )
    power = Power(
        assumed_shared_errors=0.8,
        standard_error=0.01,
        detectable_difference=detectable,
        target_gain=0.01,
        utterances=3,
        utterances_needed=9,
    )
    return WerFacts(
        run="base",
        manifest=name,
        normalizer=NormalizerIdentity(name="basic", version="1"),
        max_seconds=max_seconds,
        within=score,
        power=power,
    )


def test_one_manifest_with_headroom_is_enough() -> None:
    assert saturated({"a": wer_facts("a", 0.01), "b": wer_facts("b", 0.051)}, 0.05) is None


def test_the_sharpest_saturated_manifest_is_chosen() -> None:
    facts = {"c": wer_facts("c", 0.0, 0.01), "b": wer_facts("b", 0.04, 0.01), "a": wer_facts("a", 0.04, 0.02)}
    assert saturated(facts, 0.05) == "b"


def test_without_scores_no_hardening_is_needed() -> None:
    broken = wer_facts("a", None)
    assert saturated({"a": broken}, 0.05) is None
    assert saturated({"a": broken.model_copy(update={"within": None, "status": "impossible"})}, 0.05) is None


def test_the_mildest_level_with_headroom_is_proposed() -> None:
    def version(name: str, level: float, wer: float | None) -> HardenedVersion:
        return HardenedVersion(distortion=name, level=level, utterances=3, wer=wer, ci_low=None, ci_high=None)

    versions = [version("telephone", 3400, 0.2), version("noise", 20, 0.04), version("noise", 10, 0.08)]
    assert propose("domain", versions, 0.05, 0.8) == "domain-noise-10"
    assert propose("domain", versions[1:2], 0.05, 0.8) is None
    assert propose("domain", [version("noise", 0, 0.05)], 0.05, 0.8) is None  # the floor itself is saturated
    assert propose("domain", [*versions[1:2], version("noise", 5, 0.9)], 0.05, 0.8) is None  # not understood any more
    sure = [v.model_copy(update={"ci_low": v.wer - 0.05 if v.wer else None}) for v in versions]
    assert propose("domain", sure, 0.05, 0.8) == "domain-telephone-3400"


@pytest.fixture
def arguments(make_manifest: Callable[..., Path], tmp_path: Path, moonshine_folder: Path) -> list[str]:
    manifest = make_manifest("domain", [0.8, 1.4, 2.6])
    return [
        "harden",
        "--model-id",
        str(moonshine_folder),
        "--cpu-threads",
        "1",
        "--device",
        "cpu",
        "--work-dir",
        str(tmp_path / "work"),
        "--min-wer",
        "0.05",
        "--max-wer",
        "2",
        f"--manifest=domain={manifest}",
        f"--baseline-wer=domain={tmp_path / 'wer.json'}",
        "--output",
        str(tmp_path / "hardened.json"),
    ]


def test_every_level_is_measured_once(arguments: list[str], tmp_path: Path) -> None:
    wer_facts("domain", 0.01, max_seconds=2.0).write(tmp_path / "wer.json")
    assert main(arguments) == 0
    facts = HardenedFacts.read(tmp_path / "hardened.json")
    assert (facts.status, facts.manifest) == ("measured", "domain")
    assert [version.label for version in facts.versions] == [grade.label for grade in GRADES]
    assert (facts.max_seconds, facts.sampling_rate, facts.wer) == (2.0, 16000, 0.01)
    assert {version.utterances for version in facts.versions} == {2}  # the third is longer than max_seconds
    assert facts.proposed is not None
    assert RunRecord.read(tmp_path / "hardened.json.run.json").utterances_decoded == 2 * len(GRADES)
    written = (tmp_path / "hardened.json").read_bytes()
    assert main(arguments) == 0
    assert RunRecord.read(tmp_path / "hardened.json.run.json").utterances_decoded == 0
    assert (tmp_path / "hardened.json").read_bytes() == written


def test_not_needed_imports_no_torch(arguments: list[str], tmp_path: Path, repository: Path) -> None:
    wer_facts("domain", 0.3).write(tmp_path / "wer.json")
    code = "import sys; from lora.runners.experiment import main; main(sys.argv[1:]); print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(repository / "src")},
    )
    assert done.stdout == "False\n", done.stderr
    assert HardenedFacts.read(tmp_path / "hardened.json").status == "not_needed"


@pytest.fixture
def measured(make_manifest: Callable[..., Path], tmp_path: Path) -> Path:
    """A results folder that proposes noise-10 of three rows, one of them longer than max_seconds."""
    results = tmp_path / "results"
    manifest = read_manifest(make_manifest("domain", [0.8, 1.4, 2.6]))
    rows = [replace(row, audio=str(tmp_path / str(row.audio))) for row in manifest.rows]
    write_lines(results / "manifests/domain.jsonl", rows)
    versions = [
        HardenedVersion(distortion=grade.name, level=grade.level, utterances=2, wer=0.2, ci_low=0.1, ci_high=0.3)
        for grade in GRADES
    ]
    HardenedFacts(
        status="measured",
        manifest="domain",
        proposed="domain-noise-10",
        wer=0.01,
        max_seconds=2.0,
        sampling_rate=16000,
        versions=versions,
    ).write(results / "hardened.json")
    settings = {"model": None, "manifests": {"train": "t.jsonl", "domain": "d.jsonl"}, "candidates": {}}
    config = complete({**settings, "roles": {"general": [], "domain": ["domain"]}})
    (results / "config.json").write_text(json.dumps(config))
    return results


@pytest.mark.parametrize("grade", GRADES, ids=lambda grade: grade.label)
@pytest.mark.parametrize("target_rms", [None, 0.1])
def test_the_written_manifest_has_the_measured_samples(
    grade: Distortion, target_rms: float | None, measured: Path, tmp_path: Path
) -> None:
    originals = {path: path.read_bytes() for path in tmp_path.rglob("*.wav")}
    arguments = ["write-hardened", "--results", str(measured), "--output", str(tmp_path / "new")]
    assert main([*arguments, "--label", grade.label]) == 0
    rows = [row for row in read_rows(measured / "manifests/domain.jsonl") if row.duration <= 2.0]
    written = read_manifest(tmp_path / "new/manifest.jsonl")
    assert not written.rejected
    expected = [(row.id, row.text, row.speaker_id) for row in rows]
    assert [(row.id, row.text, row.speaker_id) for row in written.rows] == expected
    before, after = AudioStore(16000, target_rms), AudioStore(16000, target_rms)
    old = before.add(Rows(rows, measured / "manifests", grade))
    new = after.add(Rows(written.rows, tmp_path / "new"))
    for a, b, row in zip(old, new, written.rows, strict=True):
        assert before.load(a).tobytes() == after.load(b).tobytes()
        assert before.lengths[a] == after.lengths[b] == len(after.load(b))
        assert row.duration == pytest.approx(after.lengths[b] / 16000)
    assert {path: path.read_bytes() for path in originals} == originals


def test_write_hardened_proposes_config_and_overwrites_nothing(
    measured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["write-hardened", "--results", "results", "--output", "data/domain-noise-10"]
    assert main(arguments) == 0
    lines = capsys.readouterr().out.split("`roles` by:")[1]
    assert yaml.safe_load(lines) == {
        "manifests": {
            "train": "t.jsonl",
            "domain": "d.jsonl",
            "domain-noise-10": "data/domain-noise-10/manifest.jsonl",
        },
        "roles": {"general": [], "domain": ["domain-noise-10", "domain"]},
    }
    origin = json.loads((tmp_path / "data/domain-noise-10/origin.json").read_text())
    assert (origin["source"]["name"], origin["distortion"], origin["level"]) == ("domain", "noise", 10)
    assert (tmp_path / "data/domain-noise-10/manifest.jsonl.run.json").is_file()
    before = sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / "data").rglob("*"))
    assert main(arguments) == 2
    assert "is not overwritten" in capsys.readouterr().err
    assert sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / "data").rglob("*")) == before


@pytest.mark.parametrize("changes", [{"status": "not_needed", "manifest": None}, {"proposed": None}])
def test_write_hardened_needs_a_measurement(
    changes: dict[str, str | None], measured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = HardenedFacts.read(measured / "hardened.json")
    facts.model_copy(update=changes).write(measured / "hardened.json")
    assert main(["write-hardened", "--results", str(measured), "--output", str(tmp_path / "new")]) == 2
    assert "error: " in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
