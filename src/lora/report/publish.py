"""Publish a diagnosis: one page in the plan document, a dated entry in the notes, and the commands as a script.

The page's headings are one level lower there, and its links are rewritten for the document's folder. The notes get one
entry per diagnosis, identified by a hash of its inputs and verdict; existing entries never change.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import quote, unquote

from lora import layout
from lora.data.existing_files import not_hidden
from lora.formatting import unbroken
from lora.provenance.hashes import content_hash
from lora.records.base import UserError, write_text
from lora.records.verdict import Gate
from lora.report.commands import commands_script, executions
from lora.report.documents import append_block, has_block, last_facts, replace_block, update_document
from lora.report.markdown import text
from lora.report.notes_entry import entry_facts, notes_entry
from lora.report.one_page import one_page
from lora.report.study import Study
from lora.report.templates import NOTES, PLAN

DIAGNOSIS = "generated: diagnosis"
# An escaped character, a code span, or the end of a link; the first two are matched to be skipped.
LINK = re.compile(r"\\.|(?P<fence>`+)(?!`).*?(?<!`)(?P=fence)(?!`)|\]\((?P<target>[^()\s]+)\)")


@dataclass(frozen=True)
class Published:
    """Which documents were written; both False on a second publish of the same results."""

    plan: bool
    notes: bool


def publish(study: Study, plan_path: Path, notes_path: Path) -> Published:
    """Write the page and the entry into both documents, and the commands next to the results.

    Raises:
        UserError: there is no results folder, or a document cannot be changed safely.
    """
    if not study.results.is_dir():
        raise UserError(f"{study.results}: no such folder; run the diagnosis first")
    publish_commands(study)
    key = f"entry {diagnosis_key(study)}"

    def with_entry(document: str) -> str:
        if has_block(document, key):
            return document
        entry = notes_entry(study, last_facts(document), plan_path)
        return append_block(document, key, entry, entry_facts(study))

    plan = publish_page(study, plan_path)
    return Published(plan, update_document(notes_path, NOTES, with_entry))


def publish_page(study: Study, plan_path: Path) -> bool:
    """Write the page into its block of the plan document; returns whether that changed."""
    body = for_document(one_page(study), study.results, plan_path.parent)
    return update_document(plan_path, PLAN, lambda document: replace_block(document, DIAGNOSIS, body, plan_path))


def publish_commands(study: Study) -> None:
    """Write the commands of all steps, those of a sweep included, unless the file has them already."""
    runs = [*(study.config.get("candidates") or {}), *(study.config.get("sweep") or {})]
    done, _ = executions(study.results, study.config, runs)
    path = study.results / layout.COMMANDS
    script = commands_script(study.results.parent, done)
    if not path.is_file() or path.read_text(encoding="utf-8") != script:
        write_text(path, script)


def publish_override(notes_path: Path, gate: Gate, reason: str) -> bool:
    """Record in the notes that a sweep was started although the gate was not ready: once per reason and gate.

    Returns:
        Whether the notes were written.
    """
    key = f"entry {content_hash('sweep', reason, *gate.reasons)[:16]}"
    lines = [f"### {date.today().isoformat()} · Sweep started although the gate was not ready", ""]
    lines.append(f"- Reason: {text(reason)}")
    lines += [f"- Against it: {text(against)}" for against in gate.reasons]
    entry = "\n".join(lines)
    return update_document(
        notes_path, NOTES, lambda document: document if has_block(document, key) else append_block(document, key, entry)
    )


def for_document(markdown: str, results: Path, folder: Path) -> str:
    """A page with links relative to `results` as a part of a document in `folder`.

    Headings are one level lower, and numbers stay on one line with their units.
    """
    return keep_together(lower_headings(rebase_links(markdown, results, folder)))


def lower_headings(markdown: str) -> str:
    """The document with every heading one level lower; lines in fenced code stay."""
    return _change_lines(markdown, lambda line: f"#{line}" if line.startswith("#") else line)


def keep_together(markdown: str) -> str:
    """The document with no-break spaces between numbers and units; code, targets of links and escapes stay."""

    def change(line: str) -> str:
        parts = []
        done = 0
        for kept in LINK.finditer(line):
            parts += [unbroken(line[done : kept.start()]), kept[0]]
            done = kept.end()
        return "".join([*parts, unbroken(line[done:])])

    return _change_lines(markdown, change)


def _change_lines(markdown: str, change: Callable[[str], str]) -> str:
    """The document with its lines changed, except for fenced code."""
    lines = []
    fenced = False
    for line in markdown.split("\n"):
        fenced ^= line.startswith("```")
        lines.append(line if fenced else change(line))
    return "\n".join(lines)


def rebase_links(markdown: str, from_folder: Path, to_folder: Path) -> str:
    """The document with relative links and images of `from_folder` rewritten for `to_folder`."""

    def moved(match: re.Match[str]) -> str:
        target = match.group("target")
        if target is None or re.match(r"[a-z][a-z0-9+.-]*:|[/#]", target, re.IGNORECASE):
            return match.group(0)
        path, mark, fragment = target.partition("#")
        return f"]({quote(os.path.relpath(from_folder / unquote(path), to_folder))}{mark}{fragment})"

    return LINK.sub(moved, markdown)


def diagnosis_key(study: Study) -> str:
    """A hash of the inputs and the result of a diagnosis: configuration, rows, settings of runs, verdict."""
    digest = hashlib.sha256()
    patterns = ("config.json", "verdict.json", "manifests/*.jsonl", "transcripts/*/*.settings.json")
    for path in not_hidden(file for pattern in patterns for file in study.results.glob(pattern)):
        digest.update(f"{path.relative_to(study.results).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]
