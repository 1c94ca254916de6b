"""The page in the plan document: short, and complete in every kind of study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import example
import example_facts
import pytest

from lora import layout
from lora.records.base import write_text
from lora.records.sweep import HypothesisResult, HypothesisResults
from lora.records.verdict import Verdict
from lora.report.forgetting import forgetting
from lora.report.identity import identity
from lora.report.one_page import one_page
from lora.report.sections.overview import overview
from lora.report.study import Study

MOST_LINES = 130


def again(study: Study) -> Study:
    return Study(study.results, study.config_path)


def configure(study: Study, **changes: Any) -> None:
    write_text(study.config_path, json.dumps({**example.CONFIG, **changes}))


def ready() -> Verdict:
    return example.verdict()


def not_ready() -> Verdict:
    return example.verdict(False)


def unknown() -> Verdict:
    return example.verdict(False, checks=[], causes=[], runs=[], gate_run=None, eval_manifest=None)


def without_model() -> Verdict:
    return example.verdict(None, checks=[c for c in example.verdict().checks if c.id == "parity"], causes=[])


STUDIES = {"ready": ready, "not_ready": not_ready, "unknown": unknown, "without_model": without_model}


@pytest.mark.parametrize("kind", STUDIES)
def test_nothing_that_a_lead_asks_is_missing(study: Study, kind: str) -> None:
    STUDIES[kind]().write(study.results / "verdict.json")
    if kind == "without_model":
        configure(study, model=None)
    for markdown in (one_page(again(study)), overview(again(study))):
        assert markdown.startswith("# Diagnosis: ")
        for needed in (
            "**Next step.**",
            "| WER change",
            "| Smallest change that would show",
            "| Forgetting on `heldout`",
        ):
            assert needed in markdown, needed
        for question in ("D1 ·", "D2 ·", "D3 ·", "D4 ·", "P ·"):
            assert f"| {question}" in markdown, question
        assert "| H1 " in markdown
        assert "| H4 " in markdown
    page = one_page(again(study))
    assert len(page.splitlines()) <= MOST_LINES
    for name in ("Study", "Model", "Gate run", "Last execution", "Commit"):
        assert f"{name}: " in page
    for manifest in example_facts.MANIFESTS:
        assert manifest in page.partition("## Manifests")[2]
    assert "results/commands.sh" in page.replace("[commands.sh](commands.sh)", "results/commands.sh")


def test_a_study_without_a_verdict_has_a_page(tmp_path: Path) -> None:
    page = one_page(Study(tmp_path / "results", tmp_path / "results/config.json"))
    assert page.startswith("# Diagnosis: verdict unknown")
    assert "**unknown**: no general manifest is configured" in page


def test_the_page_has_the_tables_that_the_plan_asks_for(study: Study) -> None:
    page = one_page(study)
    for heading in ("Counts per duration threshold", "Baseline headroom", "Adapter", "Parity", "Hypotheses"):
        assert f"## {heading}\n" in page
    assert "](plots/wer.png)" in page
    assert "| training           |    218 |" in page
    assert "13 (`adapters/lora/train`)" in page


def test_forgetting_is_a_state_with_its_bound_and_the_margin(study: Study) -> None:
    def of(status: str, harm_bound: float | None, outcome: str = "underpowered") -> tuple[str, str]:
        verdict = example.verdict()
        checks = [
            check.model_copy(update={"status": status, "details": {"harm_bound": harm_bound}})
            if check.id == "adapter.general_set"
            else check
            for check in verdict.checks
        ]
        runs = [run.model_copy(update={"outcome": outcome}) for run in verdict.runs]
        example.verdict(checks=checks, runs=runs).write(study.results / "verdict.json")
        (found,) = forgetting(again(study))
        assert found.manifest == "heldout"
        return found.state, found.result

    state, result = of("unknown", 0.0123)
    assert state == "unknown"
    assert result.endswith("the largest rise that is not excluded is 1.23 points; the margin is 0.5 points")
    assert of("warn", 0.02, "worse")[0] == "rose"
    state, result = of("pass", 0.003)
    assert (state, "0.30 points" in result) == ("did not rise", True)
    assert "any rise is excluded" in of("pass", -0.001, "better")[1]
    assert "no word changed" in of("pass", None, "unchanged")[1]


def test_forgetting_is_unknown_without_a_comparison_or_a_general_manifest(study: Study) -> None:
    example.verdict(runs=[]).write(study.results / "verdict.json")
    assert forgetting(again(study))[0].result == "unknown: not compared with the baseline"
    configure(study, roles={"domain": ["domain"]})
    (none,) = forgetting(again(study))
    assert (none.manifest, none.state) == (None, "unknown")


def test_hypotheses_show_what_a_sweep_decided(study: Study) -> None:
    assert overview(study).count("not run") == 2
    decided = HypothesisResult(
        id="H1",
        statement="The saved adapter is the evaluated one.",
        state="supported",
        summary="All 8 texts agree.",
        reason="same",
        next_step="",
        predicts="",
        evidence=[],
    )
    HypothesisResults(hypotheses=[decided]).write(study.results / layout.HYPOTHESES.path())
    row = next(line for line in overview(again(study)).splitlines() if line.startswith("| H1"))
    assert [cell.strip() for cell in row.strip("|").split("|")][2:] == ["supported", "All 8 texts agree."]


def test_all_rows_are_shown_where_all_rows_are_judged(study: Study) -> None:
    configure(study, headroom={**example.CONFIG["headroom"], "rows": "all"})
    row = next(line for line in one_page(again(study)).splitlines() if line.startswith("| `domain`   | domain"))
    assert "WER 32.2 %" in row  # one point above the rows within `max_seconds`


def test_identity_is_that_of_the_records(study: Study) -> None:
    found = identity(study)
    assert (found.model, found.model_hash, found.gate_run) == ("data/model (no revision)", "a" * 12, "lora")
    assert (found.day, found.commit, found.device) == ("2026-01-05", "unknown", "cpu, float32")
    hashes = {one.name: one.sha256 for one in found.manifests}
    assert len(set(hashes.values())) == len(hashes) == len(example_facts.MANIFESTS)
    example.run_record("x", started="2026-02-01T00:00:00+00:00", commit=f"{'ab' * 20}-dirty").write(
        study.results / "wer/base/domain.json.run.json"
    )
    rows = study.results / "manifests/domain.jsonl"
    rows.write_text(rows.read_text() + "{}\n")
    changed = identity(again(study))
    assert (changed.day, changed.commit) == ("2026-02-01", "abababababab-dirty")
    assert {one.name for one in changed.manifests if one.sha256 != hashes[one.name]} == {"domain"}


def test_counts_link_to_the_listening_page_where_there_is_one(study: Study) -> None:
    assert "listen/index.html" not in overview(study)
    write_text(study.results / "listen/index.html", "")
    assert "listen/index.html" in one_page(study)
