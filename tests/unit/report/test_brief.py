"""The verdict for a terminal: WER first, then causes, criteria, and what to open."""

from __future__ import annotations

from pathlib import Path

import example
import print_result
import pytest

from lora.records.comparisons import PairedFacts
from lora.records.verdict import Cause, Check
from lora.report.brief import CAUSES, WIDTH, brief, documents
from lora.report.listen_command import VARIABLE
from lora.report.study import Study


def test_ready(study: Study) -> None:
    lines = brief(study, ["docs/experiment_plan.md"]).splitlines()
    assert lines[0] == "READY FOR THE SWEEP: WER -10.60 points with lora on domain (31.2 % -> 20.6 %)"
    labels = [line[2:16].strip() for line in lines[1:] if line[2:16].strip()]
    assert labels[0] == "short run"
    assert labels.index("max_seconds") > labels.index("causes" if "causes" in labels else "cause")
    assert labels[-1] == "open"
    assert any(line.startswith("  max_seconds   10 s is the smallest threshold") for line in lines)
    assert "  evaluate on   domain" in lines
    assert "  headroom      PASS    Baseline WER 31.2 % on domain leaves room." in lines
    assert any(
        line.startswith(
            "  short run     lora on domain (200 rows of at most 10 s): WER 31.2 % -> 20.6 %, -10.60 points"
        )
        for line in lines
    )
    assert lines[-1] == "  open          docs/experiment_plan.md"
    assert len(lines) <= 20
    assert max(map(len, lines)) <= WIDTH


def test_not_ready_with_causes_and_remedies(study: Study) -> None:
    causes = [
        Cause(
            code=f"data.{n}",
            severity="blocks",
            run=None,
            manifest="train",
            because=f"because {n}",
            remedy=f"do {n}",
            evidence=[],
        )
        for n in range(5)
    ]
    example.verdict(False, causes=causes).write(study.results / "verdict.json")
    printed = brief(study, [])
    assert printed.startswith("NOT READY FOR THE SWEEP: WER -10.60 points")
    assert printed.count("remedy:") == CAUSES
    assert "data.0 (blocks, train): because 0" in printed
    assert "and 2 more in the report" in printed


def test_long_sentences_are_cut_and_causes_for_information_are_left_out(study: Study) -> None:
    causes = [
        Cause(
            code="data.x", severity="blocks", run=None, manifest=None, because="long " * 99, remedy="do", evidence=[]
        ),
        Cause(code="data.y", severity="info", run=None, manifest=None, because="by the way", remedy="no", evidence=[]),
    ]
    example.verdict(False, causes=causes).write(study.results / "verdict.json")
    lines = brief(study, []).splitlines()
    assert sum("long long" in line for line in lines) == 3
    assert any(line.endswith(" ...") for line in lines)
    assert "by the way" not in " ".join(lines)


def test_a_cause_that_is_too_long_ends_with_a_whole_sentence(study: Study) -> None:
    because = f"What is wrong comes first. {'And then a second sentence follows with more of it ' * 9}."
    causes = [
        Cause(code="data.x", severity="blocks", run=None, manifest=None, because=because, remedy="do", evidence=[])
    ]
    example.verdict(False, causes=causes).write(study.results / "verdict.json")
    assert "  cause         data.x (blocks): What is wrong comes first. ..." in brief(study, []).splitlines()


def test_an_interval_of_few_speakers_carries_its_caveat(study: Study) -> None:
    path = study.results / "paired/lora/domain.json"
    path.write_text(path.read_text().replace('"scope": "speakers"', '"scope": "these_speakers"'))
    assert "these speakers only" in " ".join(brief(study, []).split())


def test_reasons_are_not_escaped_for_a_terminal(study: Study) -> None:
    why = PairedFacts(
        run="lora",
        manifest="domain",
        max_seconds=None,
        equivalence_margin=0.005,
        status="impossible",
        code="parity.ids",
        message="base lacks a<b>_*x* & more",
    )
    why.write(study.results / "paired/lora/domain.json")
    example.verdict(None).write(study.results / "verdict.json")
    assert "unknown: base lacks a<b>_*x* & more (parity.ids)" in brief(study, [])


def test_no_verdict(study: Study) -> None:
    (study.results / "verdict.json").unlink()
    printed = brief(study, ["x"])
    assert printed.startswith("VERDICT UNKNOWN\n  because       verdict.json does not exist\n")


def test_without_model_or_outcome(study: Study) -> None:
    example.verdict(None, eval_manifest=None, max_seconds=None, runs=[], checks=[], causes=[]).write(
        study.results / "verdict.json"
    )
    printed = brief(study, [])
    assert printed.startswith("No comparison was possible.\n")
    assert "next step     Set model.id in config.yaml" in printed


OUTCOMES = {
    "better": "lora is better than the baseline on domain.",
    "worse": "lora is worse than the baseline on domain.",
    "unchanged": "lora has the same hypotheses as the baseline on domain.",
    "equivalent": "lora has the same error rate as the baseline on domain, within the margin.",
    "underpowered": "Inconclusive: domain is too small to show whether lora differs from the baseline.",
}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_without_a_model_the_comparison_leads(study: Study, outcome: str) -> None:
    verdict = example.verdict(None)
    runs = [run.model_copy(update={"outcome": outcome}) for run in verdict.runs]
    verdict.model_copy(update={"runs": runs}).write(study.results / "verdict.json")
    lines = brief(study, []).splitlines()
    assert lines[0] == OUTCOMES[outcome]
    assert lines[1].startswith("  difference    lora on domain (200 rows of at most 10 s): WER ")
    assert "MAPSSWE" in lines[3] + lines[2]
    assert sum(line.startswith("  next step") for line in lines) == 1


def test_without_a_model_an_unfair_comparison_is_not_valid(study: Study) -> None:
    unfair = Cause(
        code="parity.decode",
        severity="blocks",
        run="lora",
        manifest="domain",
        because="Beams differ.",
        remedy="Decode both alike.",
        evidence=[],
    )
    example.verdict(None, causes=[unfair]).write(study.results / "verdict.json")
    printed = brief(study, [])
    assert printed.startswith("The comparison of lora with the baseline is not valid.\n")
    assert "next step     Decode both alike. Then compare again." in printed


def test_terminal_escapes_are_removed(study: Study) -> None:
    evil = Cause(
        code="data.x",
        severity="blocks",
        run=None,
        manifest=None,
        because="\x1b]0;t\x07\x1b[2J",
        remedy="",
        evidence=[],
    )
    example.verdict(False, causes=[evil]).write(study.results / "verdict.json")
    assert all(c == "\n" or c.isprintable() for c in brief(study, []))


def test_that_forgetting_is_not_watched_is_said(study: Study) -> None:
    check = Check(
        id="adapter.general_set",
        run="lora",
        manifest=None,
        status="unknown",
        reason="no_general_manifest",
        value=None,
        threshold=None,
        summary="Forgetting is not watched.",
        evidence=[],
    )
    verdict = example.verdict(True)
    verdict.model_copy(update={"checks": [*verdict.checks, check]}).write(study.results / "verdict.json")
    assert "  forgetting    Forgetting is not watched." in brief(study, []).splitlines()


def test_only_documents_that_exist_are_named(study: Study, tmp_path: Path) -> None:
    plan = tmp_path / "plan.md"
    pages = [study.results / name / "index.html" for name in ("report", "listen")]
    for page in pages:
        page.unlink(missing_ok=True)
    assert documents(study.results, plan) == []
    plan.touch()
    assert documents(study.results, plan) == [plan]
    for page in pages:
        page.parent.mkdir(exist_ok=True)
        page.touch()
    assert documents(study.results) == pages
    assert documents(study.results, plan) == [plan, *pages]


def test_the_command_that_writes_the_listening_page(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    page = study.results / "listen/index.html"
    page.unlink(missing_ok=True)
    monkeypatch.delenv(VARIABLE, raising=False)
    *_, listen, last = brief(study, ["a.md"], can_listen=True).splitlines()
    assert listen.startswith(f"  listen        lora-diagnose listen, then open {page}")
    assert last == "  open          a.md"
    monkeypatch.setenv(VARIABLE, "make listen")
    assert "  listen        make listen, then" in brief(study, [], can_listen=True)
    assert "  listen  " not in brief(study, [])
    page.parent.mkdir(exist_ok=True)
    page.touch()
    assert "  listen  " not in brief(study, [], can_listen=True)


def test_command(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    assert print_result.main(["--results", str(study.results)]) == 0
    assert capsys.readouterr().out.startswith("READY FOR THE SWEEP: ")
