"""Read transcripts by utterance id, and describe ids that two sides do not share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lora.records.base import UserError, read_lines
from lora.records.kept import content
from lora.records.transcripts import Transcript


def read_transcripts(path: Path | str) -> Mapping[str, Transcript]:
    """Transcripts by id. Raises UserError for a missing file and for an id that occurs twice."""
    return content(path, _parsed)


def _parsed(path: Path) -> dict[str, Transcript]:
    transcripts: dict[str, Transcript] = {}
    try:
        for number, transcript in enumerate(read_lines(path, Transcript), start=1):
            if transcript.id in transcripts:
                raise UserError(f"{path}:{number}: duplicate transcript of {transcript.id}; keep one")
            transcripts[transcript.id] = transcript
    except FileNotFoundError:
        raise UserError(f"{path}: no such transcript file; correct the path") from None
    return transcripts


def ids_message(missing: Sequence[str], extra: Sequence[str], here: str, there: str) -> str:
    """A sentence about ids that `there` has and `here` lacks (missing), and the reverse (extra)."""
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
