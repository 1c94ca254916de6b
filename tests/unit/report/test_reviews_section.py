"""The section of reviewed references: counts, scores, rejected lines, hostile texts."""

from __future__ import annotations

import json
from typing import Any

import example

from lora import layout
from lora.data.tables import write_table
from lora.records.base import write_text
from lora.records.comparisons import PairedScore
from lora.records.reviews import (
    ErrorsOfReferences,
    ReferenceNoise,
    References,
    RejectedJudgement,
    ReviewCounts,
    ReviewedScore,
    ReviewFacts,
)
from lora.records.scores import Interval
from lora.report.page.render import render_page
from lora.report.sections.reviews import reviews
from lora.report.study import Study


def configured(study: Study, *files: str) -> Study:
    write_text(study.config_path, json.dumps({**example.CONFIG, "reviews": list(files)}))
    return Study(study.results, study.config_path)


def facts(study: Study, **changes: Any) -> ReviewFacts:
    base, paired = study.wer("base", "domain").value, study.paired("lora", "domain").value
    assert base is not None
    assert base.within is not None
    assert paired is not None
    assert paired.within is not None
    other = paired.within.model_copy(update={"outcome": "worse"})
    share = Interval(low=0.01, high=0.25, confidence=0.95, method="exact binomial", scope="these_speakers")
    counts = ReviewCounts(judged=30, reference_right=25, reference_wrong=3, cannot_tell=2, corrected=2)

    def score(references: References, tuned: PairedScore) -> ReviewedScore:
        return ReviewedScore(references=references, usable_audio=False, baseline=base.within, runs={"lora": tuned})

    noise = ReferenceNoise(
        counts=counts.model_copy(update={"judged": 20, "reference_wrong": 2}),
        rows=20,
        share=0.1,
        interval=share,
        words=100,
        errors=30,
        reference_errors=3,
        wer=0.3,
        reference_wer=0.03,
        reference_interval=share,
    )
    given = ReviewFacts(
        manifest="domain",
        rows=200,
        counts=counts,
        noise=noise,
        errors=ErrorsOfReferences(errors=90, in_wrong_rows=9, caused=5, uncorrected=2),
        disagreements=["a|b", "<b>"],
        scores=[score("given", paired.within), score("corrected", other)],
    )
    return given.model_copy(update=changes)


def test_without_review_files_there_is_no_section(study: Study) -> None:
    assert reviews(study) == ""
    assert "Reviewed references" not in render_page(study)


def test_counts_scores_and_the_command_are_shown(study: Study) -> None:
    study = configured(study, "anna.tsv")
    facts(study).write(study.results / layout.REVIEW.path(manifest="domain"))
    markdown = reviews(study)
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in markdown.splitlines()
        if line.startswith("| ")
    ]
    counts = next(row for row in rows if row[1] == "30")
    assert counts == [
        "`domain`",
        "30",
        "25",
        "3 (2 with corrected text)",
        "2",
        "0",
        "at most 7 of 90",
        "2 of 20 (10.0 %; 1.0 to 25.0 %)",
        "",
    ]
    assert [(row[1], row[-1]) for row in rows if row[0] == "`domain`" and row[1] != "30"] == [
        ("as given", "better"),
        ("corrected", "worse"),
    ]
    assert "write-corrected --results results --manifest domain --output data/domain-corrected" in markdown
    assert 'id="reviews"' in render_page(study)


def test_texts_of_listeners_stay_texts(study: Study) -> None:
    study = configured(study, "anna.tsv")
    facts(study).write(study.results / layout.REVIEW.path(manifest="domain"))
    row = {"file": "anna.tsv", "line": 3, "reason": "id is '<script>alert(1)</script> [x](y)'. Correct it."}
    rows = [row, *({**row, "line": n} for n in range(4, 15))]
    write_table(study.results / layout.REJECTED_JUDGEMENTS.path(), tuple(RejectedJudgement.model_fields), rows)
    markdown = reviews(study)
    assert "`a|b` and `<b>`" in markdown
    assert "- Not used: `anna.tsv:3`: id is '&lt;script&gt;alert(1)&lt;/script&gt; \\[x\\](y)'. Correct it." in markdown
    assert markdown.endswith("- 2 other lines could not be used either: `results/reviews/rejected.tsv`.")


def test_missing_facts_are_unknown(study: Study) -> None:
    markdown = reviews(configured(study, "anna.tsv"))
    assert "What listeners found in `domain` is unknown: `reviews/domain.json` does not exist" in markdown


def test_review_files_without_a_judgement(study: Study) -> None:
    study = configured(study, "anna.tsv")
    for manifest in study.evaluations:
        ReviewFacts(manifest=manifest).write(study.results / layout.REVIEW.path(manifest=manifest))
    assert reviews(study) == "## Reviewed references\n\nNobody has judged a row yet."
