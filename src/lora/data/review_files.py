"""Read judgements of listeners from review files: tab-separated tables as the listening page exports them.

A file that is no review file is an error. A line that cannot be used is rejected with its reason and costs only
itself. Fields may contain tabs, line ends and backslashes, written as `\\t`, `\\n` and `\\\\`. Spreadsheets save such
tables in UTF-16, with carriage returns as line ends, and with quotes around fields that contain quotes or commas.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from lora.data.existing_files import require_file
from lora.data.manifest_lines import GZIP, header_problem
from lora.data.row_fields import NO_TEXT, is_visible
from lora.data.text_encoding import MARKS, as_utf8, mark_length, other_file, with_line_feeds
from lora.records.base import UserError
from lora.records.reviews import JUDGEMENTS, Judgement, RejectedJudgement

COLUMNS = ("manifest", "id", "judgement", "corrected_text", "note", "sample")
REFERENCE = "reference"  # as it was when the row was judged; files without this column are read, too
EXPORT_AGAIN = "Export the file from the listening page again, or correct it."
SAVE = "Save it as tab-separated text in UTF-8 or UTF-16, or export it from the listening page again."
ESCAPE = re.compile(r"\\([tn\\])")
QUOTED = re.compile(r'"(?=.*(?:""|,))((?:[^"]|"")*)"')  # by a spreadsheet; other quotes belong to the text
ESCAPED = {"t": "\t", "n": "\n", "\\": "\\"}
ALTERNATIVES = f"{', '.join(JUDGEMENTS[:-1])} or {JUDGEMENTS[-1]}"

References = Mapping[str, Mapping[str, str]]  # text of every usable row by manifest and id


@dataclass(frozen=True)
class Judged:
    """One usable line of a review file."""

    file: str
    line: int
    manifest: str
    id: str
    judgement: Judgement
    corrected_text: str | None
    note: str
    sample: bool

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def row(self) -> tuple[str, str]:
        return self.manifest, self.id

    @property
    def result(self) -> tuple[Judgement, str | None]:
        return self.judgement, self.corrected_text


def read_review_file(path: Path, references: References) -> tuple[list[Judged], list[RejectedJudgement]]:
    """Usable judgements and rejected lines of one file, both in its order.

    Args:
        path: the file.
        references: text of every usable row by manifest and id.

    Raises:
        UserError: where the file is missing or has another header.
    """
    lines = _lines(path)
    header = (lines[0] or "").split("\t")
    if not set(COLUMNS) <= set(header):
        raise UserError(
            f"{path}:1: the header is {(lines[0] or '')[:100]!r}; expected the tab-separated columns "
            f"{', '.join(COLUMNS)}. {SAVE}"
        )
    if (problem := header_problem(header)) is not None:
        raise UserError(f"{path}:1: {problem}")
    judged: list[Judged] = []
    rejected: list[RejectedJudgement] = []
    for number, line in enumerate(lines[1:], start=2):
        if line is None:
            reason = f"not UTF-8. {EXPORT_AGAIN}"
            rejected.append(RejectedJudgement(file=str(path), line=number, manifest=None, id=None, reason=reason))
            continue
        if not line.strip():
            continue
        cells = dict(zip(header, map(_text_of_cell, line.split("\t")), strict=False))
        problem = _problem(cells, line.count("\t") + 1 - len(header), references)
        if problem is None:
            judged.append(_judged(str(path), number, cells))
        else:
            rejected.append(_rejected(str(path), number, cells, problem))
    return _without_contradictions(judged, rejected)


def _lines(path: Path) -> list[str | None]:
    """Lines of the file, None for one that is not UTF-8; other separators than line feeds are part of a field."""
    require_file(path, "reviews")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: no such review file. Correct `reviews` in config.yaml.") from None
    except IsADirectoryError:
        raise UserError(f"{path}: a folder. Name the review files in it, one by one.") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}. Correct `reviews` in config.yaml.") from None
    if content.startswith(GZIP):
        raise UserError(f"{path}: compressed with gzip; decompress it")
    if (other := other_file(content)) is not None:
        raise UserError(f"{path}: {other}")
    if content.startswith(tuple(MARKS)):
        content = as_utf8(content)
    return [_text(line) for line in with_line_feeds(content[mark_length(content) :]).split(b"\n")]


def _text(line: bytes) -> str | None:
    try:
        return line.decode("utf-8").removesuffix("\r")
    except UnicodeDecodeError:
        return None


def _text_of_cell(cell: str) -> str:
    if (quoted := QUOTED.fullmatch(cell)) is not None:
        cell = quoted[1].replace('""', '"')
    return ESCAPE.sub(lambda found: ESCAPED[found[1]], cell)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _problem(cells: Mapping[str, str], surplus: int, references: References) -> str | None:
    """What is wrong with a line and what to do; None if it can be used."""
    if surplus:
        count = f"{abs(surplus)} {'more' if surplus > 0 else 'fewer'} cells than the header"
        return f"{count}. Write a tab inside a text as \\t. {EXPORT_AGAIN}"
    manifest, identity, judgement = cells["manifest"], cells["id"], cells["judgement"]
    text = _one_line(cells["corrected_text"])
    if manifest not in references:
        return (
            f"manifest is {manifest!r}, which this study does not have; expected one of {', '.join(references)}. "
            "Correct it."
        )
    if identity not in references[manifest]:
        return f"id is {identity!r}, which is no usable row of {manifest}. Correct it, or remove the line."
    if judgement not in JUDGEMENTS:
        return f"judgement is {judgement!r}; expected {ALTERNATIVES}. Correct it."
    if cells["sample"] not in {"yes", "no"}:
        return f"sample is {cells['sample']!r}; expected yes or no. Correct it."
    reference = _one_line(references[manifest][identity])
    same_text = text == reference
    if judgement == "reference_wrong" and text and (text in NO_TEXT or not is_visible(text)):
        return f"corrected_text is {text!r}, which is no text. Correct it, or leave it empty."
    if judgement == "reference_wrong" and same_text:
        return (
            "corrected_text is the reference as it is. Correct it, or leave it empty; if the manifest was corrected "
            "since, remove the line."
        )
    if (then := _one_line(cells.get(REFERENCE, ""))) and then != reference:
        return f"the reference was {then!r} when it was judged, and is {reference!r} now. Judge the row again."
    if judgement == "reference_right" and text and not same_text:
        return f"corrected_text is {text!r}, and judgement is reference_right. Set reference_wrong, or remove the text."
    return None


def _judged(file: str, line: int, cells: Mapping[str, str]) -> Judged:
    judgement = cast("Judgement", cells["judgement"])
    text = _one_line(cells["corrected_text"]) if judgement == "reference_wrong" else ""
    return Judged(
        file=file,
        line=line,
        manifest=cells["manifest"],
        id=cells["id"],
        judgement=judgement,
        corrected_text=text or None,
        note=_one_line(cells["note"]),
        sample=cells["sample"] == "yes",
    )


def _rejected(file: str, line: int, cells: Mapping[str, str], reason: str) -> RejectedJudgement:
    manifest, identity = cells.get("manifest") or None, cells.get("id") or None
    return RejectedJudgement(file=file, line=line, manifest=manifest, id=identity, reason=reason)


def _without_contradictions(
    judged: Sequence[Judged], rejected: Sequence[RejectedJudgement]
) -> tuple[list[Judged], list[RejectedJudgement]]:
    """Reject all lines of a row that one file judges in different ways; of equal ones the first keeps all notes."""
    by_row: dict[tuple[str, str], list[Judged]] = {}
    for entry in judged:
        by_row.setdefault(entry.row, []).append(entry)
    refused = list(rejected)
    for entries in by_row.values():
        first = entries[0]
        second = next((entry for entry in entries if entry.result != first.result), None)
        if second is None:
            continue
        for entry in entries:
            other = second if entry.result == first.result else first
            reason = f"judged {_shown(entry)} here and {_shown(other)} in line {other.line}. Keep one of the two lines."
            refused.append(
                RejectedJudgement(file=entry.file, line=entry.line, manifest=entry.manifest, id=entry.id, reason=reason)
            )
    kept = [_with_all_notes(entries) for entries in by_row.values() if len({entry.result for entry in entries}) == 1]
    return kept, sorted(refused, key=lambda entry: entry.line)


def _with_all_notes(entries: Sequence[Judged]) -> Judged:
    notes = dict.fromkeys(entry.note for entry in entries if entry.note)
    return replace(entries[0], note="; ".join(notes), sample=any(entry.sample for entry in entries))


def _shown(entry: Judged) -> str:
    return entry.judgement if entry.corrected_text is None else f"{entry.judgement} ({entry.corrected_text!r})"
