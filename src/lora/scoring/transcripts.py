"""Transcripts by utterance id, and words for ids that two sides do not share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lora.records.base import UserError, read_lines
from lora.records.transcripts import Transcript


def read_transcripts(path: Path | str) -> dict[str, Transcript]:
    """Raises UserError for a missing file and for an id that occurs twice."""
    found: dict[str, Transcript] = {}
    try:
        for number, transcript in enumerate(read_lines(path, Transcript), start=1):
            if transcript.id in found:
                raise UserError(f"{path}:{number}: a second transcript of {transcript.id}")
            found[transcript.id] = transcript
    except FileNotFoundError:
        raise UserError(f"{path}: no such file of transcripts") from None
    return found


def ids_message(missing: Sequence[str], extra: Sequence[str], here: str, there: str) -> str:
    """One sentence on ids that `there` has and `here` lacks (missing), and the other way round (extra)."""
    parts = []
    if missing:
        parts.append(f"{here} lack{_s(here)} {_utterances(missing)} of {there}, first {missing[0]}")
    if extra:
        parts.append(f"{here} {_has(here)} {_utterances(extra)} that {there} does not have, first {extra[0]}")
    return "; ".join(parts)


def _utterances(ids: Sequence[str]) -> str:
    return f"{len(ids):,} utterance{'' if len(ids) == 1 else 's'}"


def _s(subject: str) -> str:
    return "" if subject.endswith("s") else "s"


def _has(subject: str) -> str:
    return "have" if subject.endswith("s") else "has"
