"""Cuts of lhotse (JSON lines, plain or gzip): one row a supervision, a piece of the cut's recording.

Layout of a cut: start and duration (seconds in the recording), channel, recording with its sources, and supervisions
whose start counts from the cut's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lora.data.formats.reading import Entry, Reading, starting_folder
from lora.data.manifest_lines import lines_as
from lora.data.row_fields import Columns
from lora.data.source import Source
from lora.records.base import UserError

SAME_TIME = 0.001  # seconds
OTHER_CUTS = {
    "MixedCut": "a MixedCut is several recordings at once; export it with `save_audios` to files of its own",
    "PaddingCut": "a PaddingCut holds no speech",
}
OTHER_SOURCES = {
    "url": "the recording lies behind a URL, which is not fetched; download it and name the file",
    "command": "the recording is the output of a command, which is never run; write it to a file",
    "memory": "the recording lies inside the manifest; write it to a file (`CutSet.save_audios`)",
    "shar": "the recording lies in a Shar archive; write it to a file (`CutSet.save_audios`)",
}


class _Unusable(Exception):
    """Why a cut cannot be used."""


def is_cut(row: Mapping[str, Any]) -> bool:
    return str(row.get("type")) in {"MonoCut", "MultiCut", *OTHER_CUTS} or {"start", "supervisions"} <= row.keys()


def is_other_lhotse(row: Mapping[str, Any]) -> bool:
    """A recording or a supervision by itself: half of what a manifest needs."""
    return ({"sources", "num_samples"} <= row.keys()) or ({"recording_id", "start"} <= row.keys())


def read_lhotse(source: Source) -> Reading:
    """`columns.text` may name another field of supervisions, or one of their custom fields."""
    for field in source.columns:
        if field not in {"text", "speaker_id"}:
            raise UserError(
                f"{source.path}: columns.{field} means nothing for lhotse cuts; text and speaker_id may differ"
            )
    entries: list[Entry] = []
    found: set[str] = set()
    for line, cut in lines_as("jsonl", source.path):
        if isinstance(cut, str):
            entries.append(Entry(line, cut))
        else:
            entries += _entries(line, cut, source, found)
    for field, name in source.columns.items():
        if name not in found and any(isinstance(entry.row, dict) for entry in entries):
            known = ", ".join(sorted(found)[:12])
            raise UserError(f"{source.path}: columns.{field} names '{name}', which no supervision has; found {known}")
    paths = [entry.row["audio"] for entry in entries if isinstance(entry.row, dict)]
    return Reading("lhotse", starting_folder(source.path.parent, paths), entries, Columns(), table=False)


def _entries(line: int, cut: Mapping[str, Any], source: Source, found: set[str]) -> Iterator[Entry]:
    """One for each supervision of a cut; names of the fields that supervisions have are added to `found`."""
    try:
        recording, supervisions = _parts(cut)
    except _Unusable as why:
        yield Entry(line, str(why), id=_text(cut.get("id")))
        return
    for part in supervisions:
        custom = part.get("custom")
        fields = {**(custom if isinstance(custom, Mapping) else {}), **part}
        found.update(fields)
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


def _parts(cut: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    """The recording of a cut and its supervisions, at least one."""
    kind = str(cut.get("type"))
    if kind in OTHER_CUTS:
        raise _Unusable(f"no audio: {OTHER_CUTS[kind]}")
    recording = cut.get("recording")
    if not isinstance(recording, Mapping):
        why = "features only; " if "features" in cut else ""
        raise _Unusable(f"no audio: {why}the cut has no recording; write cuts with their recordings")
    if recording.get("transforms"):
        raise _Unusable("no audio: the recording is changed on the fly (transforms); write it to a file first")
    given = cut.get("supervisions") or []
    supervisions = _mappings(given)
    if not isinstance(given, list) or len(supervisions) < len(given):
        raise _Unusable("no text: what should be a supervision is no object")
    if not supervisions:
        raise _Unusable("no text: the cut has no supervision")
    return recording, supervisions


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _channel(cut: Mapping[str, Any], part: Mapping[str, Any], source: Source) -> int:
    """The one channel to hear, by its number in the recording: of a cut with several that of the supervision."""
    channel = cut.get("channel", 0) if source.channel is None else source.channel
    if isinstance(channel, list) and len(channel) > 1:
        channel = part.get("channel", channel)
    if isinstance(channel, list) and len(channel) == 1:
        channel = channel[0]
    if isinstance(channel, list):
        raise _Unusable(f"no audio: a cut of channels {channel}; choose one with `channel` in config.yaml")
    if not isinstance(channel, int):
        raise _Unusable(f"no audio: channel is no whole number: {channel!r:.40}")
    return channel


def _audio(recording: Mapping[str, Any], channel: int) -> dict[str, Any]:
    """The file that holds the channel, and its place in it where the file holds several."""
    for part in _mappings(recording.get("sources")):
        channels = part.get("channels") or [0]
        if not isinstance(channels, list) or channel not in channels:
            continue
        if part.get("type") != "file":
            kind = str(part.get("type"))
            raise _Unusable(f"no audio: {OTHER_SOURCES.get(kind, f'a source of type {kind:.20} cannot be read')}")
        if not isinstance(part.get("source"), str):
            raise _Unusable("no audio: the recording's source names no file")
        return {"audio": part["source"], "channel": channels.index(channel) if len(channels) > 1 else None}
    raise _Unusable(f"no audio: no source of the recording holds channel {channel}")


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    """The entries of a list that are objects; none of anything else."""
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def _times(cut: Mapping[str, Any], part: Mapping[str, Any], recording: Mapping[str, Any]) -> dict[str, float]:
    """Offset and duration in the file; no offset where the row is the whole of it."""
    try:
        start, length = float(cut.get("start", 0.0)), float(cut["duration"])
        first, last = float(part.get("start", 0.0)), float(part.get("start", 0.0)) + float(part["duration"])
        whole = float(recording.get("duration", -1.0))
    except (KeyError, TypeError, ValueError):
        raise _Unusable("no audio: start or duration of the cut or of its supervision is no number") from None
    begin, end = max(0.0, first), min(length, last)
    offset, duration = round(start + begin, 9), round(end - begin, 9)
    if offset < SAME_TIME and abs(duration - whole) < SAME_TIME:
        return {"duration": whole}
    return {"offset": offset, "duration": duration}
