"""Reading the lengths of 10,000 audio files, against a loop over soundfile.info."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from measuring import Goal, Plan, Result, line

TITLE = "Audio headers"
MINUTES = 1
FILES = {False: 10_000, True: 40}
PAIRS = {False: 5, True: 2}
KINDS = {"WAV": "PCM_16", "FLAC": "PCM_16", "OGG": "VORBIS"}
GOALS = {"WAV": Goal(1.5), "FLAC": Goal(1.5), "OGG": Goal(5)}


def run(plan: Plan) -> Result:
    import soundfile

    from lora.data.audio.headers import read_headers

    files, pairs = FILES[plan.quick], PAIRS[plan.quick]
    result = Result(config={"files": files, "seconds_each": 4, "kinds": KINDS, "pairs": pairs})
    result.remarks.append(
        "Plain WAV, FLAC and Ogg Vorbis files are read directly, the last from their first and last page; every other "
        "file goes through libsndfile, in parallel processes from 4,000 files on."
    )
    for kind, subtype in KINDS.items():
        paths = write_files(plan.folder / kind, kind, subtype, files)

        def ours(paths: list[str] = paths) -> object:
            return read_headers(paths)

        def theirs(paths: list[str] = paths) -> object:
            return [soundfile.info(path).duration for path in paths]

        assert ours() == theirs(), f"{kind}: lengths differ"
        result.lines.append(
            line(f"{files:,} {kind} headers", ours, "soundfile.info a file", theirs, GOALS[kind], pairs)
        )
    return result


def write_files(folder: Path, kind: str, subtype: str, count: int) -> list[str]:
    """Copies of four seconds of noise: headers do not depend on the content."""
    import soundfile

    folder.mkdir(parents=True)
    noise = 0.1 * np.random.default_rng(2).standard_normal(4 * 16000)
    paths = [folder / f"{i:05}.{kind.lower()}" for i in range(count)]
    soundfile.write(paths[0], noise, 16000, format=kind, subtype=subtype)
    content = paths[0].read_bytes()
    for path in paths[1:]:
        path.write_bytes(content)
    return [str(path) for path in paths]
