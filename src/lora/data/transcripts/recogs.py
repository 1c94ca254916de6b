"""icefall's `recogs-*.txt`: two lines per utterance, `id: ref=[...]` and `id: hyp=[...]`, with lists of words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from lora.data.json_lines import writable
from lora.data.transcripts.columns import ExternalTranscript
from lora.records.base import UserError

LINE = re.compile(r"(\S+?):\s*((?:timestamp_)?(?:ref|hyp))=(.*)")


def read_pairs(path: Path, lines: Iterable[tuple[int, str]]) -> Iterator[ExternalTranscript]:
    """Utterances of a file. Raises UserError for a broken line and for a reference without a hypothesis."""
    references: dict[str, tuple[int, str]] = {}
    for number, line in lines:
        if not line.strip():
            continue
        parts = LINE.fullmatch(line.strip())
        if parts is None:
            raise UserError(f"{path}:{number}: expected `id: ref=[...]` or `id: hyp=[...]`: {line.strip()!r:.80}")
        name, kind, written = parts.groups()
        if kind.startswith("timestamp_"):  # of its words, where icefall was asked for them
            continue
        text = _text(f"{path}:{number}", written)
        if kind == "ref":
            if name in references:
                raise UserError(f"{path}:{number}: second reference of {name!r}, first in line {references[name][0]}")
            references[name] = (number, text)
        else:
            _, reference = references.pop(name, (0, None))
            yield ExternalTranscript((name,), text, reference, line=number, column="hyp")
    for name, (number, _) in references.items():
        raise UserError(f"{path}:{number}: {name!r} has a reference but no line `{name}: hyp=[...]`")


def _text(where: str, written: str) -> str:
    try:
        words = ast.literal_eval(written)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        words = None
    if isinstance(words, str) and writable(words):
        return words
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words) or not writable(words):
        raise UserError(f"{where}: expected a list of words such as ['the', 'cat']: {written!r:.80}")
    return " ".join(words)
