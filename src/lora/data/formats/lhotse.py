"""lhotse cuts (JSON lines, plain or gzip): one row per supervision, a segment of the cut's recording.

A cut has start and duration (seconds in the recording), channel, recording with its sources, and supervisions whose
start is relative to the cut's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from lora.data.column_names import Columns
from lora.data.formats.interface import Entry, FileSample, ManifestFormat, Reading, audio_root
from lora.data.manifest_lines import lines_as
from lora.data.source import Source
from lora.records.base import UserError

SAME_TIME = 0.001  # seconds
OTHER_CUTS = {
    "MixedCut": "a MixedCut is several recordings at once; export it with `save_audios` to files of its own",
    "PaddingCut": "a PaddingCut contains no speech",
}
OTHER_SOURCES = {
    "url": "the recording is at a URL, which is not downloaded; download it and name the file",
    "command": "the recording is the output of a command, which is never run; write it to a file",
    "memory": "the manifest contains the recording; write it to a file (`CutSet.save_audios`)",
    "shar": "the recording is in a Shar archive; write it to a file (`CutSet.save_audios`)",
}


class _Unusable(Exception):
    """Why a cut cannot be used."""


def is_cut(row: Mapping[str, Any]) -> bool:
    return str(row.get("type")) in {"MonoCut", "MultiCut", *OTHER_CUTS} or {"start", "supervisions"} <= row.keys()


def is_other_lhotse(row: Mapping[str, Any]) -> bool:
    """Whether a row is a recording or a supervision by itself, which is half of a manifest."""
    return ({"sources", "num_samples"} <= row.keys()) or ({"recording_id", "start"} <= row.keys())


def read_lhotse(source: Source) -> Reading:
    """`columns.text` and `columns.speaker_id` may name another field of supervisions, or a custom one."""
    for field in source.columns:
        if field not in {"text", "speaker_id"}:
            raise UserError(
                f"{source.path}: columns.{field} has no meaning for lhotse cuts; only text and speaker_id can be mapped"
            )
    entries: list[Entry] = []
    field_names: set[str] = set()
    for line, cut in lines_as("jsonl", source.path):
        if isinstance(cut, str):
            entries.append(Entry(line, cut))
        else:
            entries += _entries(line, cut, source, field_names)
    for field, name in source.columns.items():
        if name not in field_names and any(isinstance(entry.row, dict) for entry in entries):
            known = ", ".join(sorted(field_names)[:12])
            raise UserError(
                f"{source.path}: columns.{field} is '{name}', which no supervision has; expected one of {known}"
            )
    paths = [entry.row["audio"] for entry in entries if isinstance(entry.row, dict)]
    return Reading("lhotse", audio_root(source.path.parent, paths), entries, Columns(), table=False)


def _entries(line: int, cut: Mapping[str, Any], source: Source, field_names: set[str]) -> Iterator[Entry]:
    """One entry per supervision of a cut; adds the fields that supervisions have to `field_names`."""
    try:
        recording, supervisions = _recording_and_supervisions(cut)
    except _Unusable as why:
        yield Entry(line, str(why), id=_text(cut.get("id")))
        return
    for part in supervisions:
        custom = part.get("custom")
        fields = {**(custom if isinstance(custom, Mapping) else {}), **part}
        field_names.update(fields)
        name = cut.get("id") if len(supervisions) == 1 else part.get("id")
        row = {
            "id": name,
            "text": fields.get(source.columns.get("text", "text")),
            "speaker_id": fields.get(source.columns.get("speaker_id", "speaker")),
        }
        try:
            row |= _audio(recording, _channel(cut, part, source))
            row |= _times(cut, part, recording)
        except _Unusable as why:
            yield Entry(line, str(why), id=_text(name))
        else:
            yield Entry(line, row)


def _recording_and_supervisions(cut: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    """The recording of a cut and its supervisions, at least one."""
    kind = str(cut.get("type"))
    if kind in OTHER_CUTS:
        raise _Unusable(f"no audio: {OTHER_CUTS[kind]}")
    recording = cut.get("recording")
    if not isinstance(recording, Mapping):
        only = "features only; " if "features" in cut else ""
        raise _Unusable(f"no audio: {only}the cut has no recording; write cuts with their recordings")
    if recording.get("transforms"):
        raise _Unusable("no audio: the recording is transformed when loaded (transforms); write it to a file first")
    given = cut.get("supervisions") or []
    supervisions = _mappings(given)
    if not isinstance(given, list) or len(supervisions) < len(given):
        raise _Unusable("no text: a supervision is not an object")
    if not supervisions:
        raise _Unusable("no text: the cut has no supervision")
    return recording, supervisions


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _channel(cut: Mapping[str, Any], part: Mapping[str, Any], source: Source) -> int:
    """The number of the channel in the recording; of a cut with several channels that of the supervision."""
    channel = cut.get("channel", 0) if source.channel is None else source.channel
    if isinstance(channel, list) and len(channel) > 1:
        channel = part.get("channel", channel)
    if isinstance(channel, list) and len(channel) == 1:
        channel = channel[0]
    if isinstance(channel, list):
        raise _Unusable(f"no audio: the cut has channels {channel}; choose one with `channel` in config.yaml")
    if not isinstance(channel, int):
        raise _Unusable(f"no audio: channel is not a whole number: {channel!r:.40}")
    return channel


def _audio(recording: Mapping[str, Any], channel: int) -> dict[str, Any]:
    """The file that contains the channel, and the index of the channel where the file has several."""
    for part in _mappings(recording.get("sources")):
        channels = part.get("channels") or [0]
        if not isinstance(channels, list) or channel not in channels:
            continue
        if part.get("type") != "file":
            kind = str(part.get("type"))
            raise _Unusable(f"no audio: {OTHER_SOURCES.get(kind, f'a source of type {kind:.20} cannot be read')}")
        if not isinstance(part.get("source"), str):
            raise _Unusable("no audio: the recording's source has no file name")
        return {"audio": part["source"], "channel": channels.index(channel) if len(channels) > 1 else None}
    raise _Unusable(f"no audio: no source of the recording contains channel {channel}")


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    """The entries of a list that are objects; empty for any other value."""
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def _times(cut: Mapping[str, Any], part: Mapping[str, Any], recording: Mapping[str, Any]) -> dict[str, float]:
    """Offset and duration in the file (seconds); no offset where the row is the whole file."""
    try:
        cut_start = _seconds(cut.get("start", 0.0))
        cut_seconds = _seconds(cut["duration"])
        start = _seconds(part.get("start", 0.0))
        end = start + _seconds(part["duration"])
        file_seconds = float(recording.get("duration", -1.0))
    except (KeyError, OverflowError, TypeError, ValueError):
        raise _Unusable("no audio: start or duration of the cut or of its supervision is not a number") from None
    start, end = max(0.0, start), min(cut_seconds, end)
    offset = round(cut_start + start, 9)
    duration = round(end - start, 9)
    if offset < SAME_TIME and abs(duration - file_seconds) < SAME_TIME:
        return {"duration": file_seconds}
    return {"offset": offset, "duration": duration}


def _seconds(value: Any) -> float:
    """A finite number. Raises TypeError or ValueError for anything else."""
    number = float("nan" if isinstance(value, bool) else value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def _is_lhotse_file(sample: FileSample) -> bool:
    """Raises UserError for recordings or supervisions that were not joined to cuts."""
    if sample.mostly(is_cut):
        return True
    if sample.mostly(is_other_lhotse):
        raise UserError(
            f"{sample.path}: lhotse recordings or supervisions by themselves; join them to cuts: "
            "`lhotse cut simple -r recordings.jsonl.gz -s supervisions.jsonl.gz cuts.jsonl.gz`"
        )
    return False


LHOTSE = ManifestFormat(
    name="lhotse",
    description="lhotse cuts with recordings and supervisions, `*.jsonl` or `*.jsonl.gz`.",
    read=read_lhotse,
    matches_file=_is_lhotse_file,
)
