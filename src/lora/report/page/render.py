"""Put the chapters of a report, its identity and the table of contents into the page's template."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lora.records.verdict import CheckStatus
from lora.report.chapters import CHAPTERS, Chapter
from lora.report.identity import Identity, identity
from lora.report.listening import PAGE as LISTENING_PAGE
from lora.report.markdown import sentence
from lora.report.page.html import Body, Renderer
from lora.report.sections.verdict import STATUS, answers, headline
from lora.report.study import Study

FOLDER = Path(__file__).parent
HERE = "../"  # from the page's folder to the results folder


@dataclass(frozen=True)
class PageChapter:
    """A chapter as the template takes it.

    Attributes:
        key: Fragment of its address.
        body: Heading, what everybody reads, and the folded details.
        status: Status of the question that it answers; None without one.
        answer: The answer to this question as HTML.
    """

    key: str
    body: Body
    status: CheckStatus | None
    answer: str


def render_page(study: Study) -> str:
    """The complete report of a study as HTML."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    verdict = study.verdict.value
    found = {one.name: one for one in answers(verdict)} if verdict else {}
    renderer = Renderer(study.results, HERE)
    chapters = []
    for chapter in CHAPTERS:
        body = _body(renderer, chapter, study)
        if body is not None:
            answer = found.get(chapter.question)
            status = answer.status if answer else None
            chapters.append(
                PageChapter(chapter.key, body, status, renderer.inline(sentence(answer.result)) if answer else "")
            )
    about: Identity = identity(study)
    return environment.get_template("report.html.j2").render(
        title=f"{headline(verdict)} · {about.name}",
        about=about,
        chapters=chapters,
        status_words=STATUS,
        listening=f"{HERE}{LISTENING_PAGE}" if (study.results / LISTENING_PAGE).is_file() else None,
        ready=None if verdict is None else verdict.ready_for_sweep,
        style=(FOLDER / "report.css").read_text(encoding="utf-8"),
        script=(FOLDER / "report.js").read_text(encoding="utf-8"),
    )


def _body(renderer: Renderer, chapter: Chapter, study: Study) -> Body | None:
    markdown = chapter.write(study)
    return renderer.body(markdown, chapter.key) if markdown else None
