"""From the Markdown of a chapter to HTML: folded details, tables for sorting and narrow screens, embedded plots.

Raw HTML in Markdown is escaped, so that the template may insert the result as it is, whatever a study's texts contain.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from lora.formatting import unbroken

PICTURES = {".svg": "image/svg+xml", ".png": "image/png"}
LONG = 40  # characters of a cell that must not become a narrow column
ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:|[/#]", re.IGNORECASE)


@dataclass(frozen=True)
class Fold:
    """Details under a `###` heading, closed at first."""

    key: str
    title: str
    html: str


@dataclass(frozen=True)
class Body:
    """A chapter: its title, what everybody reads, the details."""

    title: str
    html: str
    folds: tuple[Fold, ...]


class Renderer:
    """Renders Markdown whose links are relative to `results` for a page in a folder below it.

    Args:
        results: Results folder, whose plots are embedded.
        prefix: Path from the page's folder to the results folder, such as `../`.
    """

    def __init__(self, results: Path, prefix: str) -> None:
        self.results = results
        self.prefix = prefix
        self.markdown = MarkdownIt("commonmark", {"html": False}).enable("table")

    def body(self, markdown: str, key: str) -> Body:
        """Split a chapter at its headings of level 3. `key` begins the fragments of its details."""
        tokens = self.markdown.parse(markdown)
        _label_cells(tokens)
        for token in tokens:
            for child in token.children or []:
                self._finish(child)
        starts = [at for at, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h3"]
        ends = [*starts, len(tokens)][1:]
        heading = tokens[1].content if tokens and tokens[0].type == "heading_open" else ""
        first = tokens[3 if heading else 0 : starts[0] if starts else len(tokens)]
        folds = [
            Fold(f"{key}-{number}", self.text(tokens[at + 1]), self._render(tokens[at + 3 : end]))
            for number, (at, end) in enumerate(zip(starts, ends, strict=True), start=1)
        ]
        title = self.text(tokens[1]) if heading else ""
        return Body(title, self._render(first), tuple(folds))

    def inline(self, markdown: str) -> str:
        """HTML of one line of Markdown."""
        return str(self.markdown.renderInline(markdown))

    def _render(self, tokens: Sequence[Token]) -> str:
        """HTML of tokens. Not validated again: the data: links are made here, from the study's own plots."""
        html = self.markdown.renderer.render(tokens, self.markdown.options, {})
        return str(html).replace("<table>", '<div class="table"><table>').replace("</table>", "</table></div>")

    @staticmethod
    def text(inline: Token) -> str:
        """Text of a heading, paragraph or cell without its markup."""
        return "".join(child.content for child in inline.children or [])

    def _finish(self, token: Token) -> None:
        """Keep numbers with their units, embed a plot, or point a link at the results folder."""
        if token.type == "text":
            token.content = unbroken(token.content)
        elif token.type == "image":
            token.attrs["src"] = self._picture(str(token.attrs["src"]))
        elif token.type == "link_open" and not ABSOLUTE.match(str(token.attrs["href"])):
            token.attrs["href"] = f"{self.prefix}{token.attrs['href']}"

    def _picture(self, source: str) -> str:
        """A plot as a data: link, as SVG where there is one; the path of one that does not exist."""
        for suffix, kind in PICTURES.items():
            path = (self.results / source).with_suffix(suffix)
            if path.is_file():
                return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
        return f"{self.prefix}{source}"


def _label_cells(tokens: Sequence[Token]) -> None:
    """Give every cell the name of its column, which narrow screens show, and mark numbers and short cells."""
    headers: list[str] = []
    column = 0
    for at, token in enumerate(tokens):
        if token.type == "thead_open":
            headers = []
        elif token.type == "tr_open":
            column = 0
        elif token.type in {"th_open", "td_open"}:
            is_number = "right" in str(token.attrs.pop("style", ""))
            if is_number:
                token.attrJoin("class", "number")
            if token.type == "th_open":
                headers.append(Renderer.text(tokens[at + 1]))
                token.attrSet("scope", "col")
            else:
                token.attrSet("data-label", headers[column])
                if len(Renderer.text(tokens[at + 1])) > LONG:
                    token.attrJoin("class", "long")
            column += 1
