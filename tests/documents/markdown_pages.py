"""The pages that people read: their code blocks, inline code, links and headings, as GitHub renders them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from small_study import REPOSITORY

PAGES = (
    REPOSITORY / "README.md",
    REPOSITORY / "data/README.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),
)


@dataclass(frozen=True)
class Block:
    """A piece of text on a page.

    Attributes:
        page: Path relative to the repository.
        line: Its first line, from 1.
        kind: The language of a code block; empty where there is none.
        text: Its text.
    """

    page: str
    line: int
    kind: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


@cache
def tokens(page: Path) -> tuple[Token, ...]:
    return tuple(MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8")))


def code_blocks(page: Path) -> Iterator[Block]:
    """Fenced blocks with their language, and indented ones, which have none."""
    for token in tokens(page):
        if token.type in {"fence", "code_block"} and token.map:
            # The first line of a fence is the one after its mark.
            first = token.map[0] + (2 if token.type == "fence" else 1)
            yield Block(_name(page), first, token.info.strip(), token.content)


def inline_code(page: Path) -> Iterator[Block]:
    for line, child in _inline(page):
        if child.type == "code_inline":
            yield Block(_name(page), line, "", child.content)


def links(page: Path) -> Iterator[Block]:
    """Targets of links and pictures."""
    for line, child in _inline(page):
        target = child.attrGet("href") or child.attrGet("src")
        if target:
            yield Block(_name(page), line, "link", str(target))


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    found: dict[str, int] = {}
    result = set()
    for heading, content in pairwise(tokens(page)):
        if heading.type == "heading_open":
            text = "".join(child.content for child in content.children or [])
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            again = found.get(slug, 0)
            found[slug] = again + 1
            result.add(f"{slug}-{again}" if again else slug)
    return result


def _inline(page: Path) -> Iterator[tuple[int, Token]]:
    """Inline tokens with the first line of their paragraph or table row."""
    for token in tokens(page):
        if token.type == "inline" and token.map:
            for child in token.children or []:
                yield token.map[0] + 1, child


def _name(page: Path) -> str:
    return page.relative_to(REPOSITORY).as_posix()
