"""Where the page finds the sound of a row: a link to its file, or a copy in the page's own folder."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import quote

from lora.data.audio.loading import decode
from lora.data.audio.sounds import write_playable
from lora.records.base import UserError
from lora.records.listening import Sound
from lora.report.listen.rows import ManifestRows

CopyAudio = Literal["none", "changed", "flagged", "all"]
COPY_AUDIO: tuple[CopyAudio, ...] = ("none", "changed", "flagged", "all")
NOT_COPIED = "the sound of this row is not part of this copy of the page"
NOT_PREPARED = "the sound of this row was not prepared"


class Link(NamedTuple):
    """Sound of a row as the page knows it.

    Attributes:
        url: Percent-encoded, and relative to the page's folder unless the manifest has an absolute path; None without
            sound.
        start, end: Segment of the file in seconds; both None for the whole file.
        problem: Why there is no sound.
    """

    url: str | None
    start: float | None = None
    end: float | None = None
    problem: str | None = None


@dataclass(frozen=True)
class AudioLinks:
    """Links of one manifest.

    Attributes:
        page: Folder of the page.
        sounds: Folder of `prepare_sounds`.
        copied: Rows whose sound is copied into the page's folder, and the only ones that have one; None links all.
    """

    manifest: ManifestRows
    page: Path
    sounds: Path
    copied: set[int] | None = None

    def link(self, index: int, sound: Sound | None) -> Link:
        if sound is None or sound.problem is not None:
            return Link(None, problem=NOT_PREPARED if sound is None else sound.problem)
        if self.copied is None:
            return self._link(index, sound)
        return self._copy(index, sound) if index in self.copied else Link(None, problem=NOT_COPIED)

    def _link(self, index: int, sound: Sound) -> Link:
        row = self.manifest.rows[index]
        if sound.file is not None:
            return Link(url_of(self.sounds / sound.file, self.page))
        start = row.offset
        end = None if start is None else round(start + row.duration, 3)
        audio = row.audio or ""
        if Path(audio).is_absolute():
            return Link(quote(audio), start, end)
        return Link(url_of(self.manifest.folder / audio, self.page), start, end)

    def _copy(self, index: int, sound: Sound) -> Link:
        """Copy a file as it is; of a longer recording only the row's segment."""
        row = self.manifest.rows[index]
        folder = self.page / "audio" / self.manifest.name
        folder.mkdir(parents=True, exist_ok=True)
        original = self.sounds / sound.file if sound.file is not None else self.manifest.folder / (row.audio or "")
        cut = sound.file is None and row.offset is not None
        target = folder / f"{index + 1:06d}{'.wav' if cut else original.suffix.lower()}"
        try:
            if cut:
                write_playable(target, *decode(row, self.manifest.folder))
            else:
                shutil.copyfile(original, target)
        except (UserError, OSError) as error:
            return Link(None, problem=f"the sound could not be copied: {error}")
        return Link(url_of(target, self.page))


def rows_to_copy(manifest: ManifestRows, choice: CopyAudio) -> set[int] | None:
    """The rows whose sound is copied; None where all are linked instead."""
    if choice == "none":
        return None
    if choice == "all":
        return set(range(len(manifest.rows)))
    return manifest.changed if choice == "changed" else manifest.flagged


def url_of(path: Path, page: Path) -> str:
    """Address of a file, relative to the page's folder."""
    return quote(os.path.relpath(path, page))
