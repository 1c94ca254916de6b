"""Judgements of listeners in the workflow: cheap to change, and a corrected manifest without decoding."""

from __future__ import annotations

import json

from small_study import Study

from lora.data.review_files import COLUMNS
from lora.records.comparisons import PairedFacts
from lora.records.reviews import ReviewFacts
from lora.runners import experiment

RULES = {"read_reviews", "score_reviews", "decide_verdict", "render_report"}


def write_reviews(study: Study, *lines: str) -> None:
    text = "\n".join(["\t".join(COLUMNS), *lines, ""])
    (study.folder / "anna.tsv").write_text(text, encoding="utf-8")


def facts(study: Study) -> ReviewFacts:
    return ReviewFacts.read(study.results / "reviews/domain.json")


def test_reviews_cost_no_model_work(study: Study) -> None:
    rows = study.rows("domain")
    wrong, right, noisy = (row["id"] for row in rows[:3])
    write_reviews(
        study,
        f"domain\t{wrong}\treference_wrong\tthe corrected text\t\tyes",
        f"domain\t{right}\treference_right\t\t\tyes",
        "domain\tnobody\treference_right\t\t\tyes",
    )
    before = study.digests()
    study.configure({"reviews": ["anna.tsv"]})
    assert study.run("results/report/index.html").none
    review, paired = facts(study), PairedFacts.read(study.results / "paired/lora/domain.json")
    assert (review.counts.reference_wrong, review.counts.reference_right) == (1, 1)
    given = review.score("given")
    assert given is not None
    assert paired.within is not None
    # The same estimator on the same rows gives the same numbers.
    assert given.runs["lora"].model_copy(update={"bootstrap": paired.within.bootstrap}) == paired.within
    (rejected,) = (study.results / "reviews/rejected.tsv").read_text().splitlines()[1:]
    assert rejected.startswith("anna.tsv\t4\tdomain\tnobody\tid is 'nobody'")
    kept = {name: digest for name, digest in study.digests().items() if name in before}
    assert {name for name in kept if kept[name] != before[name]} == {"config.json", "verdict.json"}

    write_reviews(
        study,
        f"domain\t{wrong}\treference_wrong\tthe corrected text\t\tyes",
        f"domain\t{noisy}\taudio_unusable\t\t\tno",
    )
    assert study.stale_rules("all") == RULES | {"all"}
    assert study.run("results/reviews/domain.json").none
    assert facts(study).counts.audio_unusable == 1

    folder = study.folder / "data/domain-corrected"
    command = ["write-corrected", "--results", str(study.results), "--manifest", "domain", "--output", str(folder)]
    assert experiment.main(command) == 0
    written = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    assert [row["id"] for row in written] == [row["id"] for row in rows if row["id"] != noisy]
    assert written[0]["text"] == "the corrected text"
    assert study.rows("domain") == rows
    study.configure({"manifests": {"domain": "data/domain-corrected/manifest.jsonl"}, "reviews": []})
    assert study.run("results/paired/lora/domain.json").none
    assert len((study.results / "transcripts/base/domain.jsonl").read_text().splitlines()) == len(rows) - 1


def test_a_file_that_is_missing_or_no_review_file_is_one_message(study: Study) -> None:
    study.configure({"reviews": ["anna.tsv"]})
    done = study.snakemake("-n")
    assert done.returncode != 0
    message = done.stdout + done.stderr
    assert "config.yaml:" in message
    assert "reviews: no such file or folder: anna.tsv" in message
    (study.folder / "anna.tsv").write_text("id\tjudgement\n")
    done = study.snakemake("results/reviews/judgements.jsonl")
    assert done.returncode != 0
    assert "anna.tsv:1: the header is" in done.stdout + done.stderr
