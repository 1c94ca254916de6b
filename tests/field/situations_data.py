"""Manifests and recordings: pieces of recordings, odd characters, rejected rows, speakers, sampling rates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import soundfile
from comparison_files import compared_rows, rows_of, write_lines
from computed_studies import computed
from field_cases import Expected, field_case
from small_study import Study, make_study

WORDS = ("harbour", "lantern", "copper", "meadow", "window", "carpet", "engine", "violin", "basket", "ladder")
SENTENCES = [f"the {first} stands near the {second} today" for first in WORDS for second in WORDS[:4]]
Change = Callable[[int, dict[str, Any]], dict[str, Any]]


def comparison(folder: Path, change: Change, texts: list[str] = SENTENCES) -> list[str]:
    """Quick mode on 40 rows, of which tuning repairs one word in every second; `change` edits the manifest."""
    wrong = [f"{text.rsplit(' ', 1)[0]} mistaken" if n % 2 else text for n, text in enumerate(texts)]
    return compared_rows(folder, [change(n, row) for n, row in enumerate(rows_of(texts))], wrong, texts)


@field_case(
    name="zero width spaces in references",
    area="data",
    situation="every third reference, copied from a web page, has U+200B inside a word",
    source="embedded study",
    command="quick",
    expected=Expected(first="data.odd_characters", wer=(20 / 280, 0.0), says=("U+200B ZERO WIDTH SPACE",)),
)
def zero_width(folder: Path) -> list[str]:
    def change(n: int, row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "text": row["text"].replace("stands", "sta\u200bnds")} if n % 3 == 0 else row

    return comparison(folder, change)


@field_case(
    name="Cyrillic letters in Latin words",
    area="data",
    situation="every third reference was typed with a Cyrillic o and e",
    source="embedded study",
    command="quick",
    expected=Expected(first="data.odd_characters", wer=(20 / 280, 0.0), says=("U+0435 CYRILLIC SMALL LETTER IE",)),
)
def cyrillic_letters(folder: Path) -> list[str]:
    def change(n: int, row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "text": row["text"].replace("e", "\u0435").replace("o", "\u043e")} if n % 3 == 0 else row

    return comparison(folder, change)


@field_case(
    name="soft hyphens and a joiner in references",
    area="data",
    situation="a word processor left U+00AD and U+2060 in every second reference",
    source="relative",
    command="quick",
    expected=Expected(first="data.odd_characters", wer=(20 / 280, 0.0), says=("U+00AD SOFT HYPHEN",)),
)
def soft_hyphens(folder: Path) -> list[str]:
    def change(n: int, row: dict[str, Any]) -> dict[str, Any]:
        text = row["text"].replace("stands", "st\u00adands").replace("today", "to\u2060day")
        return {**row, "text": text} if n % 2 == 0 else row

    return comparison(folder, change)


@field_case(
    name="joiners that a script needs",
    area="data",
    situation="Persian with non-joiners, Hindi with joiners, Thai with U+200B, Russian with an English name",
    source="neighbour",
    command="quick",
    expected=Expected(absent=("data.odd_characters",), silent_on=("U+200C", "U+200D", "U+200B")),
)
def needed_joiners(folder: Path) -> list[str]:
    scripts = ("او می\u200cخواهد برود", "यह क्\u200dष है", "สวัสดี\u200bครับ", "мы купили iPhone в городе")
    texts = [f"{scripts[n % 4]} {word}" for n, word in enumerate(["یک", "दो", "สาม", "четыре"] * 10)]
    return comparison(folder, lambda n, row: row, texts)


@field_case(
    name="a quarter of the rows rejected",
    area="data",
    situation="every fourth duration is a phrase, so these rows cannot be used",
    source="embedded study",
    command="quick",
    expected=Expected(causes=("data.unusable_rows",), says=("duration is not a number: 'about six'",)),
)
def rejected_rows(folder: Path) -> list[str]:
    return comparison(folder, lambda n, row: {**row, "duration": "about six"} if n % 4 == 0 else row)


@field_case(
    name="texts that are numbers",
    area="data",
    situation="every third text is a number in JSON, as a spreadsheet writes codes",
    source="relative",
    command="quick",
    expected=Expected(causes=("data.unusable_rows",), says=("text is not a string: 4711",)),
)
def numbers_as_texts(folder: Path) -> list[str]:
    return comparison(folder, lambda n, row: {**row, "text": 4711} if n % 3 == 0 else row)


@field_case(
    name="every row usable",
    area="data",
    situation="durations are strings, texts have white space around them",
    source="neighbour",
    command="quick",
    expected=Expected(first="", outcome="better", wer=(20 / 280, 0.0)),
)
def usable_rows(folder: Path) -> list[str]:
    return comparison(folder, lambda n, row: {**row, "duration": "3.0", "text": f" {row['text']}\n"})


@field_case(
    name="lost offsets",
    area="data",
    situation="five rows on each recording, all from 0 s",
    source="embedded study",
    command="quick",
    expected=Expected(first="data.wrong_offsets", says=("32 of 40 rows",)),
)
def lost_offsets(folder: Path) -> list[str]:
    def change(n: int, row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "audio": f"{n // 5}.wav", "offset": 0.0, "duration": 3.0 + n / 50, "speaker_id": f"s{n // 5}"}

    return comparison(folder, change)


@field_case(
    name="offsets of the end",
    area="data",
    situation="a converter wrote the end of each segment as its duration",
    source="relative",
    command="quick",
    expected=Expected(first="data.wrong_offsets"),
)
def ends_as_durations(folder: Path) -> list[str]:
    def change(n: int, row: dict[str, Any]) -> dict[str, Any]:
        begin = 3.2 * (n % 5)
        piece = {"audio": f"{n // 5}.wav", "offset": begin, "duration": begin + 3.0, "speaker_id": f"s{n // 5}"}
        return {**row, **piece}

    return comparison(folder, change)


@field_case(
    name="padded segments",
    area="data",
    situation="segments of long recordings overlap by their padding, and two speakers talk at once",
    source="neighbour",
    command="quick",
    expected=Expected(first="", outcome="better"),
)
def padded_segments(folder: Path) -> list[str]:
    def change(n: int, row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "audio": f"{n // 20}.wav", "offset": 2.6 * (n % 20), "duration": 3.0}

    return comparison(folder, change)


def with_training(folder: Path, speaker: Callable[[int], str | None]) -> list[str]:
    rows = [
        {"id": f"t{n}", "audio": f"t{n}.wav", "text": f"{n} {text}", "duration": 3.0, "speaker_id": speaker(n)}
        for n, text in enumerate(SENTENCES * 6)
    ]
    write_lines(folder / "train.jsonl", rows)
    return [*comparison(folder, lambda n, row: row), "--train", "train.jsonl"]


@field_case(
    name="a constant speaker column",
    area="data",
    situation="an export wrote the same speaker into every training row",
    source="embedded study",
    command="quick",
    expected=Expected(causes=("data.constant_speaker",)),
)
def constant_speaker(folder: Path) -> list[str]:
    return with_training(folder, lambda n: "speaker_0")


@field_case(
    name="training without speakers",
    area="data",
    situation="no training row names a speaker",
    source="neighbour",
    command="quick",
    expected=Expected(absent=("data.constant_speaker",)),
)
def no_speaker(folder: Path) -> list[str]:
    return with_training(folder, lambda n: None)


@field_case(
    name="training audio at half speed",
    area="data",
    situation="16 kHz samples were written with 8 kHz in the header; durations come from the headers",
    source="embedded study",
    command="study",
    expected=Expected(first="data.wrong_sampling_rate", says=("16000 Hz would give the usual speed",), ready=False),
)
def half_speed(folder: Path) -> Study:
    study = computed(larger_study).copy(folder / "study")
    (study.folder / "data/changed").mkdir()
    rows = []
    for row in study.rows("train"):
        samples, rate = soundfile.read(study.folder / "data" / row["audio"], dtype="float32")
        audio = f"changed/{row['id']}.wav"
        soundfile.write(study.folder / "data" / audio, samples, rate // 2)
        rows.append({**row, "audio": audio, "duration": None})
    study.write_rows("train", rows)
    return study


def larger_study(folder: Path) -> Study:
    """A study with enough rows for medians of their speed."""
    return make_study(folder, counts={"train": 100, "heldout": 20, "domain": 75, "test": 3})
