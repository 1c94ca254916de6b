"""Links between the documents lead somewhere: to a file that exists, and to a heading that it has."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from markdown_pages import PAGES, anchors, links
from small_study import REPOSITORY


def problem(page: Path, target: str) -> str | None:
    """What is wrong with a link to a file of the repository; None for one that works."""
    path, _, anchor = unquote(target).partition("#")
    linked = (page.parent / path).resolve() if path else page
    if not linked.is_relative_to(REPOSITORY):
        return "it leaves the repository"
    if not linked.exists():
        return f"no such file: {linked.relative_to(REPOSITORY)}"
    if anchor and linked.suffix == ".md" and anchor not in anchors(linked):
        return f"{linked.relative_to(REPOSITORY)} has no heading #{anchor}"
    return None


def test_every_link_leads_somewhere() -> None:
    broken = [
        f"{link.place}: {link.text}: {reason}"
        for page in PAGES
        for link in links(page)
        if "://" not in link.text and (reason := problem(page, link.text)) is not None
    ]
    assert not broken, "\n".join(broken)


def test_a_broken_link_is_found() -> None:
    index = REPOSITORY / "docs/README.md"
    assert problem(index, "none.md") == "no such file: docs/none.md"
    assert problem(index, "methods.md#no-such-heading") == "docs/methods.md has no heading #no-such-heading"
    assert problem(index, "../../elsewhere.md") == "it leaves the repository"
    assert problem(index, "methods.md#statistics") is None


def test_the_index_names_every_page() -> None:
    index = REPOSITORY / "docs/README.md"
    named = {(index.parent / link.text.partition("#")[0]).resolve() for link in links(index)}
    assert not [page.name for page in PAGES if page.parent == index.parent and page not in {index, *named}]
