"""The full report as HTML: complete, self-contained, and safe whatever the texts of a study contain."""

from __future__ import annotations

import re
from pathlib import Path

import example
import pytest

from lora.records.base import write_text
from lora.report.chapters import CHAPTERS
from lora.report.page.html import Renderer
from lora.report.page.render import render_page
from lora.report.study import Study


def render(study: Study) -> str:
    return render_page(Study(study.results, study.config_path))


def test_every_chapter_is_in_the_page_and_in_its_contents(study: Study) -> None:
    page = render(study)
    for chapter in CHAPTERS:
        written = chapter.write(study) != ""  # nobody has reviewed references here
        assert written or chapter.key == "reviews"
        assert page.count(f'<section id="{chapter.key}"') == written
        assert page.count(f'<a href="#{chapter.key}">') == written
    assert "<dt>Model</dt><dd>data/model (no revision)</dd>" in page


def test_every_number_of_the_chapters_is_in_the_page(study: Study) -> None:
    """No second computation: the page shows the Markdown of the chapters, word by word."""

    def words(text: str) -> set[str]:
        return set(re.findall(r"[\w.]+", text))

    page = words(re.sub(r"<style>.*?</style>|<script>.*?</script>", "", render(study), flags=re.DOTALL))
    for chapter in CHAPTERS:
        written = re.sub(r"\]\([^)]*\)|```\w*|&\w+;|^\d+\. ", " ", chapter.write(study), flags=re.MULTILINE)
        assert not {word for word in words(written) if word.strip("_.") not in "_" and word not in page}, chapter.key


def test_the_page_needs_no_other_file(study: Study) -> None:
    write_text(study.results / "plots/wer.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
    page = render(study)
    assert "data:image/svg+xml;base64," in page
    assert not re.findall(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="(?!data:|\.\./plots)', page)


def test_the_listening_page_is_linked_where_there_is_one(study: Study) -> None:
    assert "listen/index.html" not in render(study)
    write_text(study.results / "listen/index.html", "")
    page = render(study)
    assert '<a href="../listen/index.html">' in page
    assert '<a href="../listen/index.html#m=domain&amp;r=lora&amp;f=all">100</a> of 200' in page.replace("\u00a0", " ")


def test_hostile_texts_stay_texts(study: Study) -> None:
    evil = "<script>alert(1)</script> </script> <img src=x onerror=alert(1)> {{ 7 * 7 }} ]]> \u2028"
    verdict = example.verdict()
    causes = [cause.model_copy(update={"because": evil, "code": evil}) for cause in verdict.causes]
    checks = [check.model_copy(update={"summary": evil}) for check in verdict.checks]
    example.verdict(causes=causes, checks=checks).write(study.results / "verdict.json")
    config = study.config_path.read_text().replace("data/model", "<img src=x>")
    write_text(study.config_path, config)
    page = render(study)
    assert page.count("<script>") == 1
    assert page.count("</script>") == 1
    assert "<img src=x" not in page
    assert "{{ 7 * 7 }}" in page


@pytest.mark.parametrize("name", ["verdict.json", "config.json", "labels.json", "durations/decision.json"])
def test_a_missing_file_costs_no_page(study: Study, name: str) -> None:
    (study.results / name).unlink()
    assert '<section id="verdict"' in render(study)


def test_an_empty_folder_has_a_page(tmp_path: Path) -> None:
    assert "verdict unknown" in render_page(Study(tmp_path / "results", tmp_path / "results/config.json"))


def test_what_passes_is_folded_and_counted(study: Study) -> None:
    page = render(study)
    checks = page.partition('<section id="checks"')[2].partition("</section>")[0]
    shown, _, folded = checks.partition("<details")
    assert shown.count("✗\u00a0fail") == 1
    assert "✓" not in shown
    assert "<summary>6 other checks pass</summary>" in folded
    assert folded.count("✓\u00a0pass") == 6


def test_details_are_open_where_the_answer_is_not_a_pass(study: Study) -> None:
    assert "open>" not in render(study).partition('<section id="parity"')[0].rpartition('<section id="labels"')[2]
    checks = [
        check.model_copy(update={"status": "fail"}) if check.id == "labels.loss" else check
        for check in example.verdict().checks
    ]
    example.verdict(False, checks=checks).write(study.results / "verdict.json")
    labels = render(study).partition('<section id="labels"')[2].partition("</section>")[0]
    assert labels.count("<details") == labels.count(" open>") > 0


def test_numbers_keep_their_units_and_cells_their_columns() -> None:
    markdown = "## Title\n\n| name | value |\n|:---|---:|\n| a | 35.6 % (30.2 to 41.4 %), 4 of 20 |\n\n### More\n\ntext"
    body = Renderer(Path("results"), "../").body(markdown, "key")
    assert body.title == "Title"
    assert (
        '<td class="number" data-label="value">35.6\u00a0% (30.2\u00a0to\u00a041.4\u00a0%), 4\u00a0of\u00a020</td>'
        in body.html
    )
    assert [(fold.key, fold.title, fold.html.strip()) for fold in body.folds] == [("key-1", "More", "<p>text</p>")]


def test_links_lead_to_the_results_folder() -> None:
    html = Renderer(Path("results"), "../").body("[a](wer/x.json) [b](https://x.org) [c](#d)", "key").html
    assert re.findall(r'href="([^"]*)"', html) == ["../wer/x.json", "https://x.org", "#d"]
