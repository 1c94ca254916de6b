"""Write the folder of the listening page: the page, its data as scripts, and the alignments as text.

- `index.html`, `style.css`, `page.js`: the page
- `data/study.js`: manifests, runs, headlines
- `data/<manifest>/rows.js`, `<run>.run.js`: what the list shows, which is loaded first
- `data/<manifest>/texts.js`, `<run>.texts.js`: what an utterance and the search need: words, sound, hypotheses, errors
- `data/<manifest>/waves.<n>.js`: waveforms, a few hundred rows a file, loaded when a row is shown
- `audio/<manifest>/`: copied sound (`copy_audio`)
- `aligned.txt`: all alignments in the style of sclite's pra files
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lora import layout
from lora.data.manifest import read_rows
from lora.formatting import counted_rows, seconds
from lora.layout import BASE, TRAIN
from lora.provenance.hashes import content_hash
from lora.records.base import UserError, read_lines
from lora.records.listening import Sound
from lora.records.scores import Edit
from lora.report.listen.aligned_text import HEAD, aligned_text
from lora.report.listen.audio_links import AudioLinks, CopyAudio, Link, rows_to_copy
from lora.report.listen.headline import headlines
from lora.report.listen.page.render import write_page
from lora.report.listen.rows import ManifestRows, RunRows, manifest_rows, words_of
from lora.report.listen.script_data import write_data
from lora.report.study import Study

WAVEFORMS = 200  # rows per file
FIRST = 20  # rows of a manifest by which a study is recognised
OURS = "data/study.js"  # the file by which a folder is known as a listening page
NEXT_TO_DATA = ("aligned.txt", "audio", "index.html", "page.js", "style.css")  # what else a page consists of
UNITS = {"words": "words", "characters": "characters", "mixed": "words and characters"}


def write_site(study: Study, page: Path, copy_audio: CopyAudio = "none") -> None:
    """Write the page of a study into a folder, one manifest after the other.

    Raises:
        UserError: If the folder contains something else.
    """
    prepare_folder(page)
    described = []
    identity: list[str] = []
    with (page / "aligned.txt").open("w", encoding="utf-8") as text:
        text.write(HEAD)
        for name in shown_manifests(study):
            manifest = manifest_rows(study, name, _vocabulary(study, name))
            sounds = study.results / layout.SOUNDS.path(manifest=name)
            links = AudioLinks(manifest, page, sounds, rows_to_copy(manifest, copy_audio))
            found = _links(links, _sounds(sounds), page)
            data = {f"{name}/rows": _rows(manifest), f"{name}/texts": _texts(manifest, found)}
            for run in manifest.runs:
                data[f"{name}/{run.name}.run"] = _run(manifest, run)
                data[f"{name}/{run.name}.texts"] = _run_texts(run)
            for key, value in data.items():
                write_data(page, key, value)
            text.writelines(aligned_text(manifest))
            described.append(_describe(study, manifest))
            if name != TRAIN:
                identity += [name, *(f"{row.id} {row.duration}" for row in manifest.rows[:FIRST])]
    write_data(page, "study", _study(study, described, identity))
    write_page(page, str(study.setting("model", "id") or ""))


def prepare_folder(page: Path) -> None:
    """Make a folder for the page, or remove an earlier page from it; what people saved next to that page stays.

    Raises:
        UserError: If the folder contains files, and no page.
    """
    ours = page / OURS
    if page.exists() and any(page.iterdir()) and not ours.is_file():
        raise UserError(f"{page}: contains other files; name a new folder for the page")
    ours.parent.mkdir(parents=True, exist_ok=True)
    ours.touch()  # until the page is complete: it may be killed
    data = [path for path in ours.parent.iterdir() if path != ours]
    for path in [*data, *(page / name for name in NEXT_TO_DATA)]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def shown_manifests(study: Study) -> list[str]:
    """The evaluation manifests, and `train` where the label audit has hypotheses of a sample of it."""
    names = [name for name in study.evaluations if study.exists(layout.ROWS, manifest=name)]
    return [*names, TRAIN] if study.exists(layout.LABEL_HYPOTHESES) and TRAIN in study.manifests else names


def _vocabulary(study: Study, manifest: str) -> frozenset[str] | None:
    """Words of the training split, normalised as the manifest's score; None without one."""
    path = study.results / layout.SPLIT_TRAIN.path()
    if not path.is_file():
        return None
    words = words_of(study, study.wer(BASE, manifest).value)
    return frozenset(word for row in read_rows(path) for word in words.words(row.text))


def _sounds(folder: Path) -> Iterator[Sound]:
    path = folder / "sounds.jsonl"
    return read_lines(path, Sound) if path.is_file() else iter(())


def _links(links: AudioLinks, sounds: Iterable[Sound], page: Path) -> list[Link]:
    """The link of every row; writes their waveforms in passing, so that they are never in memory together."""
    index = {row.id: number for number, row in enumerate(links.manifest.rows)}
    found: list[Link] = [links.link(number, None) for number in range(len(index))]
    waveforms: dict[int, dict[int, str]] = {}
    current = 0
    for sound in sounds:
        number = index.get(sound.id)
        if number is None:
            continue
        found[number] = links.link(number, sound)
        part = number // WAVEFORMS
        if part != current:
            _write_waveforms(page, links.manifest.name, current, waveforms.pop(current, {}))
            current = part
        if found[number].url is not None and sound.waveform is not None:
            waveforms.setdefault(part, {})[number] = sound.waveform
    for part, remaining in waveforms.items():
        _write_waveforms(page, links.manifest.name, part, remaining)
    return found


def _write_waveforms(page: Path, manifest: str, part: int, waveforms: dict[int, str]) -> None:
    if waveforms:
        write_data(page, f"{manifest}/waves.{part}", waveforms)


def _study(study: Study, manifests: list[dict[str, Any]], identity: list[str]) -> dict[str, Any]:
    verdict = study.verdict.value
    return {
        # Reviews are kept in the browser per study. More rows, corrected texts and other runs are still the same study.
        "key": content_hash(*identity)[:12],
        "manifests": manifests,
        "manifest": verdict.eval_manifest if verdict is not None else None,
        "run": verdict.gate_run if verdict is not None else None,
        "waveforms": WAVEFORMS,
    }


def _describe(study: Study, manifest: ManifestRows) -> dict[str, Any]:
    runs = [run.name for run in manifest.runs]
    label_sample = f"{BASE} on {TRAIN}: the sample of the label audit"
    return {
        "name": manifest.name,
        "runs": runs,
        "headlines": {BASE: label_sample} if manifest.name == TRAIN else headlines(study, manifest.name, runs),
        "unit": UNITS[manifest.unit],
        "limit": None if manifest.max_seconds is None else seconds(manifest.max_seconds),
        "counted": counted_rows(manifest.max_seconds, len(manifest.within)),
    }


def _rows(manifest: ManifestRows) -> dict[str, Any]:
    rows = manifest.rows
    speakers = sorted({row.speaker_id for row in rows if row.speaker_id is not None})
    number = {speaker: place for place, speaker in enumerate(speakers)}
    return {
        "ids": [row.id for row in rows],
        "texts": [row.text for row in rows],
        "seconds": [round(row.duration, 3) for row in rows],
        "speakers": speakers,
        "speaker": [number.get(row.speaker_id or "", -1) for row in rows],
        "beyond": [i for i in range(len(rows)) if i not in manifest.within],
        "sample": manifest.sample,
        "suspected": {i: [[p.at, p.reference, p.hypothesis] for p in found] for i, found in manifest.suspected.items()},
        "unseen": manifest.unseen,
    }


def _texts(manifest: ManifestRows, links: Sequence[Link]) -> dict[str, Any]:
    return {
        "words": [" ".join(reference) for reference in manifest.references],
        "alternatives": [i for i, row in enumerate(manifest.rows) if "{" in row.text],
        "urls": [link.url for link in links],
        "segments": {i: [link.start, link.end] for i, link in enumerate(links) if link.start is not None},
        "problems": {i: link.problem for i, link in enumerate(links) if link.problem is not None},
    }


def _run(manifest: ManifestRows, run: RunRows) -> dict[str, Any]:
    return {
        "errors": run.errors,
        "truncated": run.truncated,
        "loops": {i: [loop.words, loop.times] for i, loop in run.loops.items()},
        "mismatched": {i: [one.other_id, manifest.other_texts[one.other_id]] for i, one in run.mismatched.items()},
    }


def _run_texts(run: RunRows) -> dict[str, Any]:
    edits = [None if edits is None else flat(edits) for edits in run.edits]
    return {"hypotheses": run.hypotheses, "edits": edits}


def flat(edits: Sequence[Edit]) -> list[int | str | None]:
    """Edits as a flat list of places and words: `at, word` substitutes, `at, null` deletes, `-1 - at, word` inserts."""
    return [part for e in edits for part in (e.at if e.reference is not None else -1 - e.at, e.hypothesis)]
