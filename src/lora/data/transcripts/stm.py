"""NIST stm: segments of recordings, lines of `file channel speaker start end <labels> words`, `;;` comments.

`IGNORE_TIME_SEGMENT_IN_SCORING` as text excludes a segment and the words of a ctm in it from scoring. Other words of a
ctm belong to the segment in which they are, or to the next one, as for sclite. Words are marked as in trn.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from lora.data.time_text import plain_number
from lora.data.transcripts import trn
from lora.data.transcripts.columns import ExternalTranscript, Segment
from lora.data.transcripts.ctm import CHANNELS
from lora.records.base import UserError

IGNORED = "ignore_time_segment_in_scoring"
GAP = "inter_segment_gap"


def is_segment(fields: Sequence[str]) -> bool:
    """Whether a line's fields are those of a segment."""
    return len(fields) >= 5 and 0 <= _seconds(fields[3]) <= _seconds(fields[4])


def read_segments(path: Path, lines: Iterable[tuple[int, str]], notes: list[str]) -> list[ExternalTranscript]:
    """Segments of a file; adds decisions to `notes`. Raises UserError for a line that has none."""
    segments: list[ExternalTranscript] = []
    decisions: Counter[str] = Counter()
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
        segments.append(
            ExternalTranscript(
                (f"{name}#{piece}",),
                trn.spoken(text, decisions),
                duration=round(segment.end - segment.start, 9),
                line=number,
                marked=trn.with_alternatives(text),
                segment=segment,
            )
        )
    notes += trn.sentences(decisions)
    return segments


def word_times(segments: Iterable[ExternalTranscript]) -> dict[str, tuple[float, float | None]]:
    """By id of a segment that is scored, from when to when words of a ctm belong to it (None: to the end)."""
    tracks: dict[tuple[str, int | None], list[ExternalTranscript]] = {}
    for one in segments:
        if one.segment is not None and not _is_gap(one):
            tracks.setdefault((one.segment.recording, one.segment.channel), []).append(one)
    times: dict[str, tuple[float, float | None]] = {}
    for track in tracks.values():
        track.sort(key=lambda one: one.segment.start if one.segment else 0.0)
        before = 0.0  # the end of the segments so far
        for one in track:
            end = max(before, one.segment.end if one.segment else 0.0)
            times[one.id] = (before, None if one is track[-1] else end)
            before = end
    return times


def is_ignored(one: ExternalTranscript) -> bool:
    """Whether a segment is excluded from scoring."""
    return _is_gap(one) or one.hypothesis.casefold() == IGNORED


def _is_gap(one: ExternalTranscript) -> bool:
    return one.segment is not None and one.segment.speaker == GAP and not one.hypothesis


def _seconds(field: str) -> float:
    value = plain_number(field)
    return value if math.isfinite(value) else math.nan
