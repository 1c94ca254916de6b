"""Markdown and its tables from the texts of a study.

Texts of a study (ids, references, paths, messages that quote them) are untrusted: `text` and `code` make them harmless
in Markdown and HTML, `plain` in a terminal.
"""

from __future__ import annotations

import html
import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import quote

from tabulate import tabulate

from lora.scoring.odd_characters import visible

INVISIBLE = {"Cc", "Cf", "Cs", "Co"}


def plain(value: object) -> str:
    """One line in which nothing is hidden; runs of white space become one space.

    Invisible characters are written out (`[U+200B ZERO WIDTH SPACE]`). Control characters are removed, and so are
    joiners and direction marks where a script or an emoji uses them.
    """
    shown = (c for c in visible(str(value)) if c.isspace() or unicodedata.category(c) not in INVISIBLE)
    return " ".join("".join(shown).split())


def text(value: object) -> str:
    """One line that renders as it reads: it cannot become emphasis, a link, HTML, mathematics or a comment."""
    return _escape(plain(value))


def _escape(line: str) -> str:
    """Escape a part of one plain line; spaces at its ends stay."""
    safe = html.escape(line, quote=False)
    safe = re.sub(r"([\\`*\[\]~#$])", r"\\\1", safe)
    safe = re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", safe)
    return safe.replace("://", "&#58;//").replace("www.", "www&#46;")


def prose(value: object) -> str:
    """As `text`, but names of settings, files and functions in backticks become code spans."""
    parts = re.split(r"(?<!`)`([\w<](?:[\w.<>/: -]*[\w.>])?(?:\(\))?)`(?!`)", plain(value))
    return "".join(code(part) if at % 2 else _escape(part) for at, part in enumerate(parts))


def sentence(value: object) -> str:
    """As `prose`, ended by a full stop where it has no final punctuation."""
    markdown = prose(value).strip()
    return markdown if not markdown or markdown.endswith((".", "!", "?")) else f"{markdown}."


def code(value: object) -> str:
    """A code span fenced by more backticks than any run inside it."""
    inner = plain(value)
    if not inner:
        return "(empty)"
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", inner)), default=0))
    space = " " if inner.startswith("`") or inner.endswith("`") else ""
    return f"{fence}{space}{inner}{space}{fence}"


def link(path: str, folder: str) -> str:
    """A link to `path` from a document in `folder`, both relative to the study's folder."""
    target = os.path.relpath(path, folder or ".")
    label = text(PurePosixPath(target).as_posix())
    return f"[{label}]({quote(target)})"


def subsection(heading: str, body: str) -> str:
    """`body` under a heading; empty without a body. The full report folds it."""
    return f"### {heading}\n\n{body}" if body else ""


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """A table in tabulate's pipe format. Cells are Markdown already and cannot break out of their row.

    Columns whose index is in `numbers` are aligned right.
    """
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    alignment = ["right" if column in numbers else "left" for column in range(len(headers))]
    markdown: str = tabulate(cells, headers=list(headers), tablefmt="pipe", colalign=alignment, disable_numparse=True)
    return markdown
