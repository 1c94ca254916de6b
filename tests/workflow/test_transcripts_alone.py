"""Transcripts without a model, in the formats of other tools: by the workflow, and by the quick command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_study import DATA, Study, make_study

from lora.runners import quick

COUNTS = {"domain": 60, "heldout": 12}


def worse(text: str, every: int) -> list[str]:
    """The words of a text as a recogniser writes them, every so many of them another word."""
    return ["um" if n % every == 0 else word.strip(",.?!").lower() for n, word in enumerate(text.split(), start=1)]


@pytest.fixture(scope="module")
def external(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study of transcripts alone: trn of the baseline, ctm of the tuned run, ids without folder and case."""
    study = make_study(tmp_path_factory.mktemp("studies") / "transcripts alone", counts=COUNTS)
    for name in COUNTS:
        rows = study.rows(name)
        for row in rows:
            del row["id"]  # the audio as written becomes the id
        study.write_rows(name, rows)
        stems = [Path(row["audio"]).stem.upper() for row in rows]
        texts = zip(rows, stems, strict=True)
        trn = [f"{' '.join(worse(row['text'], 3))} ({stem})" for row, stem in texts]
        (study.folder / f"{name}.base.trn").write_text(";; theirs\n" + "\n".join(trn) + "\n", encoding="utf-8")
        ctm = [
            f"{stem} 1 {n / 4:.2f} 0.2 {word}"
            for row, stem in zip(rows, stems, strict=True)
            for n, word in enumerate(worse(row["text"], 5))
        ]
        (study.folder / f"{name}.tuned.ctm").write_text("\n".join(ctm) + "\n", encoding="utf-8")
    config = {
        "model": None,
        "manifests": {name: f"data/{name}_manifest.jsonl" for name in COUNTS},
        "roles": {"general": ["heldout"], "domain": ["domain"]},
        "statistics": {"target_gain": 0.05},
        "base": {"hypotheses": {name: f"{name}.base.trn" for name in COUNTS}},
        "candidates": {"tuned": {"hypotheses": {n: {"path": f"{n}.tuned.ctm", "format": "ctm"} for n in COUNTS}}},
    }
    (study.folder / "config.yaml").write_text(json.dumps(config), encoding="utf-8")
    work = study.run()
    assert work.none
    return study


def comparable_checks(verdict: dict[str, Any], names: dict[str, str]) -> list[tuple[str, str, str, Any]]:
    """Checks that need no audio, by id, manifest and status with their numbers."""
    return sorted(
        (c["id"], names.get(c["manifest"], c["manifest"] or ""), c["status"], str(c["value"]))
        for c in verdict["checks"]
        if c["id"] not in {"data.audio", "data.speed"}
    )


def test_two_files_of_transcripts_get_their_verdict(external: Study) -> None:
    verdict = external.verdict()
    (domain,) = [run for run in verdict["runs"] if run["manifest"] == "domain"]
    assert (verdict["ready_for_sweep"], verdict["max_seconds"], domain["outcome"]) == (None, None, "better")
    ids = [c for c in verdict["checks"] if c["id"] == "parity.ids"]
    assert {c["status"] for c in ids} == {"pass"}
    assert all("by audio file name, ignoring case" in c["summary"] for c in ids)
    report = (external.results / "report/index.html").read_text(encoding="utf-8")
    assert "<h1>Diagnosis: tuned is better than the baseline on domain</h1>" in report
    assert "No training manifest is configured" in report
    assert "(read as ctm)" in report
    record = json.loads((external.results / "transcripts/tuned/domain.jsonl.run.json").read_text())
    assert any("by audio file name" in line for line in record["adjustments"])


def test_the_listening_page_needs_no_model(external: Study) -> None:
    assert external.run("listen").none
    data = external.results / "listen/data"
    assert {path.name for path in data.rglob("*.js")} == {
        "study.js",
        "rows.js",
        "texts.js",
        "waves.0.js",
        *(f"{run}.{kind}.js" for run in ("base", "tuned") for kind in ("run", "texts")),
    }


def test_the_quick_command_says_the_same(
    external: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(external.folder)
    argv = ["--manifest", "data/domain_manifest.jsonl", "--baseline", "domain.base.trn", "--tuned", "domain.tuned.ctm"]
    argv += ["--general", "data/heldout_manifest.jsonl", "heldout.base.trn", "heldout.tuned.ctm"]
    argv += ["--target-gain", "0.05", "--output-dir", str(tmp_path / "quick")]
    assert quick.main(argv) == 0
    assert capsys.readouterr().out.startswith("tuned is better than the baseline on evaluation.\n")
    verdict = json.loads((tmp_path / "quick/verdict.json").read_text(encoding="utf-8"))
    names = {"evaluation": "domain", "general": "heldout"}
    assert comparable_checks(verdict, names) == comparable_checks(external.verdict(), {})
    runs = {names[run["manifest"]]: {**run, "manifest": ""} for run in verdict["runs"]}
    assert runs == {run["manifest"]: {**run, "manifest": ""} for run in external.verdict()["runs"]}
    assert (tmp_path / "quick/report/index.html").is_file()
    with_training = ["--train", str(DATA / "train_manifest.jsonl"), "--output-dir", str(tmp_path / "more")]
    assert quick.main([*argv[:6], *with_training]) == 0
    assert "max_seconds   10 s is the smallest threshold" in capsys.readouterr().out
