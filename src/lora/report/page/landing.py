"""The verdict as plain text, on which the report of Snakemake opens."""

from __future__ import annotations

import textwrap

from markdown_it import MarkdownIt

from lora.report.page.html import Renderer
from lora.report.sections.overview import first_view, title
from lora.report.study import Study

WIDTH = 58  # characters a line; Snakemake shows no more


def landing_text(study: Study) -> str:
    """Verdict, next step and the numbers that decide. Snakemake cuts off what is longer than a screen."""
    paragraphs = _paragraphs("\n\n".join([title(study), *first_view(study)[:-1]]))
    return "\n\n".join(textwrap.fill(paragraph, WIDTH) for paragraph in paragraphs) + "\n"


def _paragraphs(markdown: str) -> list[str]:
    """Headings and paragraphs as they are, rows of tables as `first cell: other cells`, without the header."""
    found: list[str] = []
    cells: list[str] = []
    in_row = False
    for token in MarkdownIt("commonmark", {"html": False}).enable("table").parse(markdown):
        if token.type == "tbody_open":
            in_row = True
        elif token.type == "tbody_close":
            in_row = False
        elif token.type == "tr_close" and in_row:
            found.append(f"{cells[0]}: {' · '.join(cells[1:])}")
            cells = []
        elif token.type == "thead_close":
            cells = []
        elif token.type == "inline":
            (cells if token.level > 1 else found).append(Renderer.text(token))
    return found
