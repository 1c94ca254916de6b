"""NIST stm: segments of recordings, lines of `file channel speaker start end <labels> words`, `;;` comments.

`IGNORE_TIME_SEGMENT_IN_SCORING` as text excludes a segment from scoring, and so does a gap without text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lora.data.transcripts.columns import ExternalTranscript, Segment
from lora.data.transcripts.ctm import CHANNELS
from lora.records.base import UserError

IGNORED = "ignore_time_segment_in_scoring"
GAP = "inter_segment_gap"


def is_segment(fields: Sequence[str]) -> bool:
    """Whether a line's fields are those of a segment."""
    return len(fields) >= 5 and 0 <= _seconds(fields[3]) <= _seconds(fields[4])


def read_segments(path: Path, lines: Iterable[tuple[int, str]]) -> Iterator[ExternalTranscript]:
    """Segments of a file. Raises UserError for a line that has none."""
    for number, line in lines:
        fields = line.split()
        if not fields or fields[0].startswith(";;"):
            continue
        if not is_segment(fields):
            expected = "expected file, channel, speaker, start and end (seconds from 0), then words"
            raise UserError(f"{path}:{number}: {expected}: {line.strip()!r:.80}")
        recording, channel, speaker, start, end, *words = fields
        if words and words[0].startswith("<") and words[0].endswith(">"):
            words = words[1:]
        segment = Segment(recording, float(start), float(end), CHANNELS.get(channel.upper()), speaker)
        piece = f"{segment.start:g}-{segment.end - segment.start:g}"
        name = recording if CHANNELS.get(channel.upper(), 0) == 0 else f"{recording}.{channel}"
        text = " ".join(words)
        yield ExternalTranscript(
            (f"{name}#{piece}",), text, duration=segment.end - segment.start, line=number, segment=segment
        )


def is_ignored(one: ExternalTranscript) -> bool:
    """Whether a segment is excluded from scoring."""
    gap = one.segment is not None and one.segment.speaker == GAP and not one.hypothesis
    return gap or one.hypothesis.casefold() == IGNORED


def _seconds(field: str) -> float:
    try:
        value = float(field)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan
