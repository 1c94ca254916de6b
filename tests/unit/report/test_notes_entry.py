"""Entries of the notes: what a diagnosis found, and what changed since the last one."""

from __future__ import annotations

from pathlib import Path

import example

from lora.records.verdict import Cause
from lora.report.documents import append_block, last_facts
from lora.report.notes_entry import entry_facts
from lora.report.publish import publish
from lora.report.study import Study

PLAN_PATH, NOTES_PATH = Path("docs/experiment_plan.md"), Path("notes.md")


def entries() -> list[str]:
    """The published entries, after one more publish."""
    publish(Study(Path("results"), Path("results/config.json")), PLAN_PATH, NOTES_PATH)
    return NOTES_PATH.read_text(encoding="utf-8").split("<!-- BEGIN entry ")[1:]


def line(entry: str, start: str) -> str:
    return next(one for one in entry.splitlines() if one.startswith(f"- {start}"))


def test_an_entry_has_result_seeds_commit_and_paths(study: Study) -> None:
    example.run_record("x", commit="ab" * 20).write("results/wer/base/domain.json.run.json")
    (entry,) = entries()
    assert "31.2 % to 20.6 % (-10.60 points, interval -12.70 to -8.50): better" in line(
        entry, "WER of `lora` on `domain`"
    )
    assert "smallest change that would show: 1.82 points" in entry
    assert line(entry, "Forgetting on `heldout`: unknown: ")
    assert line(entry, "Cause: `headroom.underpowered` (warning)")
    assert line(entry, "Seeds: 13 (`adapters/lora/train`)")
    assert line(entry, "Commit") == "- Commit: `abababababab`"
    assert "`results/commands.sh`" in line(entry, "Commands")
    assert "`results/report/index.html`, `docs/experiment_plan.md`" in line(entry, "Commands")
    assert "torch 2.13.0" in line(entry, "Software: ")
    assert "no earlier diagnosis" in line(entry, "Changed since")


def test_the_next_entry_says_what_changed(study: Study) -> None:
    entries()
    blocks = Cause(
        code="data.leakage",
        severity="blocks",
        run=None,
        manifest="domain",
        because="3 rows leak.",
        remedy="Remove.",
        evidence=[],
    )
    example.verdict(False, causes=[blocks], max_seconds=15.0).write("results/verdict.json")
    example.run_record("x", versions={"numpy": "2.5.0", "torch": "2.13.0"}).write("results/labels.json.run.json")
    changed = line(entries()[1], "Changed since the entry of 2026-01-05")
    for change in (
        "verdict Ready for the sweep → Not ready for the sweep",
        "`max_seconds` 10 s → 15 s",
        "cause data.leakage (domain) is new (blocks the sweep)",
        "cause headroom.underpowered (test) is gone",
    ):
        assert change in changed, change
    assert "manifest" not in changed
    assert line(entries()[1], "Software changed") == "- Software changed: numpy 2.4.0 → 2.4.0 and 2.5.0"


def test_versions_that_did_not_change_are_not_repeated(study: Study) -> None:
    entries()
    example.verdict(False).write("results/verdict.json")
    assert "Software" not in entries()[1].partition("### ")[2]


def test_an_entry_of_an_older_release_has_nothing_to_compare_with(study: Study) -> None:
    NOTES_PATH.write_text("# Notes\n\n<!-- BEGIN entry abc -->\n### 2025-12-01 · Ready\n<!-- END entry abc -->\n")
    assert "no earlier diagnosis" in line(entries()[1], "Changed since")


def test_facts_cannot_end_their_comment_and_are_read_back() -> None:
    facts = {"cause": "--> <b>x</b> <!-- END entry --", "nested": {"a": [1, None]}}
    document = append_block("# Notes\n", "entry x", "body", facts)
    assert document.count("-->") == 3
    assert "<b>" not in document
    assert last_facts(document) == facts
    assert last_facts(f"{document}<!-- facts {{broken -->\n") == facts
    assert last_facts("# Notes\n") is None


def test_facts_of_the_same_results_are_the_same(study: Study) -> None:
    assert entry_facts(study) == entry_facts(Study(study.results, study.config_path))
