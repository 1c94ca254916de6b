"""Links into the listening page, for counts of utterances and for single ones; plain text in a study without it."""

from __future__ import annotations

from urllib.parse import quote

from lora.report.markdown import code
from lora.report.study import Study

PAGE = "listen/index.html"


def listening(study: Study, label: str, manifest: str, run: str | None = None, queue: str = "all") -> str:
    """`label` (Markdown), linked to the rows that it counts.

    Args:
        study: The study; the link is relative to its results folder.
        label: The count.
        manifest: Manifest of the rows.
        run: Candidate whose hypotheses are shown next to the baseline's.
        queue: Which rows, such as `worse`, `loops` or `mismatched`.
    """
    return _link(study, label, m=manifest, r=run, f=queue)


def utterance(study: Study, identifier: str, manifest: str, run: str | None = None) -> str:
    """The id of an utterance as a code span, linked to its recording and texts."""
    return _link(study, code(identifier), m=manifest, r=run, u=identifier)


def _link(study: Study, label: str, **parts: str | None) -> str:
    if not (study.results / PAGE).is_file():
        return label
    address = "&".join(f"{key}={quote(value, safe='')}" for key, value in parts.items() if value is not None)
    return f"[{label}]({PAGE}#{address})"
