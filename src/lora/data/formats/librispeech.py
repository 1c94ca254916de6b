"""Trees like LibriSpeech: speaker/chapter/*.trans.txt next to the audio of its lines, in one subset or several."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from lora.data.column_names import Columns
from lora.data.existing_files import not_hidden
from lora.data.formats.interface import Entry, ManifestFormat, Reading, reject_settings
from lora.data.manifest_lines import text_lines
from lora.data.source import Source
from lora.data.text_encoding import NOT_TEXT, notes_of_files
from lora.records.base import UserError

TRANSCRIPTS = "*.trans.txt"
AUDIO = (".flac", ".wav", ".ogg", ".opus", ".mp3")
# The folder may be a chapter, a speaker, a subset, or the root above subsets.
PATTERNS = tuple(f"{'*/' * depth}{TRANSCRIPTS}" for depth in range(4))


def librispeech_files(source: Source) -> list[Path]:
    return not_hidden(path for pattern in PATTERNS for path in source.path.glob(pattern))


def is_librispeech(folder: Path) -> bool:
    return any(not_hidden(folder.glob(pattern)) for pattern in PATTERNS)


def read_librispeech(source: Source) -> Reading:
    """Rows numbered through the whole tree; the speaker is the first part of an utterance's id."""
    reject_settings(source, "columns")
    entries: list[Entry] = []
    notes: defaultdict[str, list[str]] = defaultdict(list)
    for path in librispeech_files(source):
        chapter = path.parent.relative_to(source.path)
        files = {file.stem: file.name for file in sorted(path.parent.iterdir()) if file.suffix.lower() in AUDIO}
        name = f"{chapter.as_posix()}/{path.name}"
        try:
            lines = text_lines(path, notes[name])
        except UserError as error:
            entries.append(Entry(len(entries) + 1, f"unreadable transcripts: {error}"))
            continue
        for line, text in lines:
            place = f"{name}:{line}"
            if text is None:
                entries.append(Entry(len(entries) + 1, NOT_TEXT, place))
            elif text.strip():
                key, *words = text.split(maxsplit=1)
                audio = (chapter / files.get(key, f"{key}{AUDIO[0]}")).as_posix()
                row = {"id": key, "audio": audio, "text": "".join(words), "speaker_id": key.partition("-")[0]}
                entries.append(Entry(len(entries) + 1, row, place))
    encodings = notes_of_files(notes)
    return Reading("librispeech", source.path, entries, Columns(), source.channel, table=False, notes=encodings)


LIBRISPEECH = ManifestFormat(
    name="librispeech",
    description="Tree of speakers and chapters with `*.trans.txt` next to the audio, as LibriSpeech has it.",
    read=read_librispeech,
    matches_folder=is_librispeech,
    layout=TRANSCRIPTS,
    folder_only=True,
    searched_last=True,
    row_files=librispeech_files,
)
