"""Stages of the listening page: the sound of every row, and the page."""

from __future__ import annotations

from pathlib import Path

from lora.data.audio.sounds import sounds_of
from lora.data.manifest import read_rows
from lora.provenance.recording import recording
from lora.report.listen.audio_links import CopyAudio
from lora.report.listen.site import write_site
from lora.report.study import Study
from lora.scoring.transcripts import read_transcripts


def prepare_sounds(rows: Path, sounds: Path, transcripts: Path | None = None, workers: int = 1) -> None:
    """Write the waveform of every row, and WAV files of rows that a browser cannot play.

    Args:
        rows: Canonical rows; relative audio paths start at their folder.
        sounds: Folder to write.
        transcripts: Where given, only rows with a transcript in this file count.
        workers: Number of decoding processes.
    """
    with recording(outputs=[sounds]):
        sounds.mkdir(parents=True, exist_ok=True)
        found = read_rows(rows)
        if transcripts is not None:
            chosen = read_transcripts(transcripts)
            found = [row for row in found if row.id in chosen]
        silent = converted = 0
        with (sounds / "sounds.jsonl").open("w", encoding="utf-8") as lines:
            for sound in sounds_of(found, rows.parent, sounds, workers):
                silent += sound.problem is not None
                converted += sound.file is not None
                lines.write(f"{sound.model_dump_json(exclude_none=True)}\n")
    print(f"{rows}: {len(found)} rows, {converted} written as WAV, {silent} without sound")


def render_listening_page(results: Path, config: Path, page: Path, copy_audio: CopyAudio = "none") -> None:
    """Write the listening page of a study into a folder.

    Args:
        results: Results folder of the study.
        config: The complete configuration (`results/config.json`).
        page: Folder to write: new, empty, or an earlier page.
        copy_audio: Rows whose sound is copied into the folder, so that it can be sent; `none` links the files.
    """
    with recording(outputs=[page]):
        write_site(Study(results, config), page, copy_audio)
    print(f"open {page / 'index.html'} in a browser")
