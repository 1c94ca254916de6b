"""The first chapter of the report: verdict, next step, one line per question, and the numbers that decide."""

from __future__ import annotations

import json

import example
from chapter_text import again, configure, row, written

from lora.records.verdict import Cause
from lora.report.sections.verdict import answers, criteria, gate_outcome
from lora.report.study import Study


def test_verdict_next_step_and_the_numbers_that_decide_come_first(study: Study) -> None:
    markdown = written(study)
    lines = markdown.splitlines()
    assert lines[0] == "# Diagnosis: ready for the sweep"
    assert lines[2].startswith("**Reason.** No cause blocks it. Evaluate on `domain`.")
    assert "at most 10 s, which leaves 218 rows in the training split" in lines[2]
    assert "8 s would leave only 145 of the 200 needed" in lines[2]
    assert lines[4].startswith(
        "**Next step.** Rerun H1 to H4 (`snakemake --cores 2 sweep`) with `max_seconds` = 10, evaluated on `domain`."
    )
    change = row(markdown, "WER change of `lora` on `domain`")[1]
    assert change.startswith("**better**: WER 31.2 % to 20.6 %, **-10.60 points** (95 % interval -12.70 to -8.50; ")
    assert row(markdown, "Smallest change that would show on `domain`")[1] == "1.82 points; the target gain is 1 point"


def test_every_question_has_one_line_with_its_number_in_words(study: Study) -> None:
    markdown = written(study)
    questions = [row(markdown, start) for start in ("D1 ·", "D2 ·", "D3 ·", "D4 ·", "P ·")]
    assert [cells[1] for cells in questions] == ["✓ pass", "✓ pass", "✓ pass", "✓ pass", "✓ pass"]
    assert questions[1][2] == "Baseline WER 31.2 % on domain leaves room."
    assert "0.312" not in markdown


def test_the_worst_label_check_answers_d4() -> None:
    verdict = example.verdict()
    labels = next(check for check in verdict.checks if check.id == "labels.loss")
    bad = labels.model_copy(update={"id": "labels.length", "status": "fail", "summary": "3 labels are too long."})
    found = {one.name: one for one in answers(verdict.model_copy(update={"checks": [*verdict.checks, bad]}))}
    assert (found["labels"].status, found["labels"].result) == ("fail", "3 labels are too long.")
    without = [check for check in verdict.checks if not check.id.startswith("labels.")]
    unknown = {one.name: one for one in answers(verdict.model_copy(update={"checks": without}))}
    assert unknown["labels"].status == "unknown"


def test_the_smallest_change_of_a_manifest_has_one_value(study: Study) -> None:
    verdict = example.verdict()
    runs = [run.model_copy(update={"smallest_change": 0.0478}) for run in verdict.runs]
    example.verdict(runs=runs).write(study.results / "verdict.json")
    markdown = again(study)
    assert row(markdown, "Smallest change that would show on `domain`")[1].startswith("4.78 points")
    assert row(markdown, "`domain`   | domain")[9].startswith("4.78 points")
    assert "only changes above 4.78 points are detectable here" in row(markdown, "secondary")[8]
    assert "1.82" not in markdown
    example.verdict(runs=[]).write(study.results / "verdict.json")
    assert row(again(study), "Smallest change that would show on `domain`")[1].startswith("1.82 points")


def test_imported_hypotheses_are_not_called_an_adapter_that_works(study: Study) -> None:
    assert "D3 · the adapter works" in written(study)
    config = json.loads(study.config_path.read_text())
    config["candidates"]["lora"] = {"hypotheses": {"domain": "tuned.trn"}}
    study.config_path.write_text(json.dumps(config))
    markdown = again(study)
    assert "D3 · the hypotheses differ" in markdown
    assert "the adapter works" not in markdown


def test_not_ready_names_cause_and_next_step(study: Study) -> None:
    starved = Cause(
        code="data.filter_starves_training",
        severity="blocks",
        run=None,
        manifest="train",
        because="8 s leaves 131 rows",
        remedy="Train on rows of at most 10 s.",
        evidence=["results/durations/decision.json"],
    )
    example.verdict(False, causes=[starved, starved]).write(study.results / "verdict.json")
    markdown = again(study)
    assert markdown.startswith("# Diagnosis: not ready for the sweep")
    assert "Most likely cause: 8 s leaves 131 rows. 1 other cause blocks too." in markdown
    assert "**Next step.** Train on rows of at most 10 s." in markdown
    assert "(blocks the sweep; `data.filter_starves_training`, `train`)" in markdown
    assert "*See:* [durations/decision.json](durations/decision.json)" in markdown


def test_a_short_run_without_interval(study: Study) -> None:
    runs = [
        outcome.model_copy(update={"delta": 0.0, "ci_low": None, "ci_high": None, "outcome": "unchanged"})
        for outcome in example.verdict().runs
    ]
    example.verdict(runs=runs).write(study.results / "verdict.json")
    change = row(again(study), "WER change of `lora` on `domain`")[1]
    assert change.startswith("**same words**: ")
    assert "**0 points** (no interval; " in change


def test_not_ready_without_cause_names_the_failed_criteria(study: Study) -> None:
    checks = [c.model_copy(update={"status": "unknown"}) if c.id == "parity" else c for c in example.verdict().checks]
    example.verdict(False, causes=[], checks=checks).write(study.results / "verdict.json")
    markdown = again(study)
    assert "15 settings compared, all equal." in markdown.splitlines()[2]
    assert "? unknown" in markdown
    assert "No cause was found." in markdown


def test_without_a_model(study: Study) -> None:
    example.verdict(None, gate_run=None, runs=[], checks=[]).write(study.results / "verdict.json")
    configure(study, model=None, candidates={})
    markdown = again(study)
    assert markdown.startswith("# Diagnosis: No comparison was possible\n")
    assert "No model is configured, so labels were not audited." in markdown
    assert "No candidate is configured" in markdown


def test_gate_outcome_and_criteria() -> None:
    verdict = example.verdict()
    outcome = gate_outcome(verdict)
    assert outcome is not None
    assert (outcome.run, outcome.manifest) == ("lora", "domain")
    assert gate_outcome(verdict.model_copy(update={"eval_manifest": None})) is None
    found = dict(criteria(verdict))
    headroom = found["headroom"]
    assert headroom is not None
    assert headroom.manifest == "domain"
