"""Identifiers and texts for people use the field's own words; the worst words of an earlier dialect stay out.

The list is short on purpose: words that were once everywhere and that no speech engineer uses in these meanings.
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
# Each with what to write instead. Listeners may say that they cannot tell: `cannot_tell` is a judgement of theirs.
DENIED = {
    r"(?<!cannot[_ ])tells?|told": "reports, message, describes, records",
    r"hears?|heard|unheard": "transcribes, hypothesis, takes audio; out-of-vocabulary",
    r"brought|brings?": "external, imported",
    r"beside": "next to, alongside, in addition to",
    r"mends?|mended": "fix",
    r"rungs?|climbs?|climbed": "stage, level",
    r"lottery": "a random sample, chance",
    r"doubtful": "suspected",
    r"misplaced|slipped": "mismatched, shifted by N rows",
    r"holds": "contains, has",
}
PATTERN = re.compile(rf"(?<![A-Za-z])(?:{'|'.join(DENIED)})(?![A-Za-z])", re.IGNORECASE)
FILES = {
    "library": "src/**/*.py",
    "scripts": "scripts/*.py",
    "rules": "rules/*.smk",
    "tests": "tests/**/*.py",
    "documents": "docs/*.md",
    "readme": "README.md",
    "schemas": "**/*.schema.*",
}


def words_of_code(path: Path) -> Iterator[tuple[int, str]]:
    """Line number and text of every identifier, string and comment of a Python file."""
    source = path.read_text(encoding="utf-8")
    kinds = {tokenize.NAME, tokenize.STRING, tokenize.COMMENT}
    if sys.version_info >= (3, 12):
        kinds.add(tokenize.FSTRING_MIDDLE)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in kinds:
            yield token.start[0], token.string


def denied(path: Path) -> list[str]:
    if path.suffix == ".py":
        pieces: Iterator[tuple[int, str]] = words_of_code(path)
    else:
        # A run publishes into documents of the checkout; only what people wrote is judged.
        written = path.read_text(encoding="utf-8").partition("<!-- BEGIN generated: diagnosis")[0]
        pieces = iter(enumerate(written.splitlines(), start=1))
    places = []
    for line, text in pieces:
        for match in PATTERN.finditer(text):
            instead = next(value for key, value in DENIED.items() if re.fullmatch(key, match[0], re.IGNORECASE))
            number = line + text[: match.start()].count("\n")
            places.append(f"{path.relative_to(REPOSITORY)}:{number}: {match[0]!r}; write: {instead}")
    return places


@pytest.mark.parametrize("pattern", FILES.values(), ids=FILES)
def test_no_word_of_the_old_dialect(pattern: str) -> None:
    paths = sorted(path for path in REPOSITORY.glob(pattern) if path != Path(__file__))
    assert paths
    assert not [place for path in paths for place in denied(path)]


def test_the_list_finds_identifiers_strings_and_comments(tmp_path: Path) -> None:
    path = tmp_path / "example.py"
    path.write_text('def text_heard(told):  # what it holds\n    """Brought."""\n    return f"{told} beside it"\n')
    found = {match[0].lower() for _, text in words_of_code(path) for match in PATTERN.finditer(text)}
    assert found == {"heard", "told", "holds", "brought", "beside"}
