"""Publish a summary: the generated block of the plan document, and a dated entry in the notes.

The block is `results/summary.md`, with headings one level down and links rewritten for the document's folder, followed
by the executed commands. The notes get one entry per diagnosis, identified by a hash of its inputs and verdict;
existing entries never change.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import quote, unquote

from lora.formatting import UNKNOWN, seconds_limit
from lora.provenance.hashes import content_hash
from lora.records.base import UserError
from lora.records.verdict import Gate
from lora.report.commands import commands_section, devices, executions, remarks
from lora.report.documents import append_block, has_block, replace_block, update_document
from lora.report.markdown import code, text
from lora.report.sections.verdict import headline
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


def publish(study: Study, summary_path: Path, plan_path: Path, notes_path: Path) -> Published:
    """Write the summary into both documents.

    Raises:
        UserError: the summary does not exist, or a document cannot be changed safely.
    """
    try:
        summary = summary_path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{summary_path}: no such file; run the diagnosis first") from None
    linked = rebase_links(summary.rstrip(), summary_path.parent, plan_path.parent)
    body = lower_headings(f"{linked}\n\n{commands_section(study.results, study.config)}")
    key = diagnosis_key(study)
    entry = notes_entry(study)

    def with_entry(document: str) -> str:
        return document if has_block(document, f"entry {key}") else append_block(document, f"entry {key}", entry)

    plan = update_document(plan_path, PLAN, lambda document: replace_block(document, DIAGNOSIS, body, plan_path))
    return Published(plan, update_document(notes_path, NOTES, with_entry))


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


def lower_headings(markdown: str) -> str:
    """The document with every heading one level lower; lines in fenced code stay."""
    lines = []
    fenced = False
    for line in markdown.split("\n"):
        fenced ^= line.startswith("```")
        lines.append(f"#{line}" if line.startswith("#") and not fenced else line)
    return "\n".join(lines)


def rebase_links(markdown: str, from_folder: Path, to_folder: Path) -> str:
    """The document with relative links and images of `from_folder` rewritten for `to_folder`."""

    def moved(match: re.Match[str]) -> str:
        target = match.group("target")
        if target is None or re.match(r"[a-z][a-z0-9+.-]*:|[/#]", target, re.IGNORECASE):
            return match.group(0)
        return f"]({quote(os.path.relpath(from_folder / unquote(target), to_folder))})"

    return LINK.sub(moved, markdown)


def diagnosis_key(study: Study) -> str:
    """A hash of the inputs and the result of a diagnosis: configuration, rows, settings of runs, verdict."""
    digest = hashlib.sha256()
    patterns = ("config.json", "verdict.json", "manifests/*.jsonl", "transcripts/*/*.settings.json")
    for path in sorted(file for pattern in patterns for file in study.results.glob(pattern)):
        digest.update(f"{path.relative_to(study.results).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def notes_entry(study: Study) -> str:
    """Date of the last execution, verdict, chosen limit, device, fallbacks, adjustments, versions."""
    verdict = study.verdict.value
    done, _ = executions(study.results, study.config)
    day = max((one.record.started[:10] for one in done), default=date.today().isoformat())
    pairs = sorted({pair for one in done for pair in one.record.versions.items()})
    pythons = list(dict.fromkeys(one.record.python for one in done))
    messages = remarks(done)
    lines = [f"### {text(day)} · {headline(verdict)}", ""]
    if verdict is not None:
        is_decided = verdict.max_seconds is not None or study.decision.known
        chosen = seconds_limit(verdict.max_seconds) if is_decided else UNKNOWN
        lines.append(f"- `max_seconds`: {chosen}; evaluated on {code(verdict.eval_manifest or 'none')}; "
                     f"gate run {code(verdict.gate_run or 'none')}")  # fmt: skip
        first = next((cause for cause in verdict.causes if cause.severity == "blocks"), None)
        if first is not None:
            lines.append(f"- Most likely cause: {code(first.code)}: {text(first.because)}")
    lines.append(f"- Device: {text('; '.join(devices(done)) or 'no model work')}")
    for kind in ("fallback", "adjustment"):
        of_kind = [message for message_kind, message in messages if message_kind == kind]
        lines.append(f"- {kind.capitalize()}s: {'; '.join(of_kind) or 'none'}")
    packages = [f"{text(name)} {text(version)}" for name, version in pairs]
    lines.append(f"- Software: {', '.join([*(f'Python {text(p)}' for p in pythons), *packages]) or UNKNOWN}")
    return "\n".join(lines)
