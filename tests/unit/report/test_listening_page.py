"""The listening page without a browser: its data, its alignments, its sound, and that texts stay texts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import soundfile
from listening_study import EVIL, ROWS, small_study, write_study, write_tone

from lora import layout
from lora.data.audio.sounds import ALPHABET, PARTS, sound_of, waveform
from lora.records.base import UserError
from lora.records.manifests import Utterance
from lora.records.scores import Edit, WerFacts
from lora.report.listen.aligned_text import aligned_text
from lora.report.listen.alignment import Column, aligned
from lora.report.listen.rows import ManifestRows, RunRows, manifest_rows
from lora.report.listen.script_data import data_script
from lora.report.listen.site import flat, write_site
from lora.report.study import Study
from lora.scoring.alignment import word_edits

IDS = [row[0] for row in ROWS]


def value_of(script: str) -> Any:
    """The value that a data file hands to the page, read as a browser reads it."""
    found = re.fullmatch(r"Listen\.receive\('[^']*', JSON\.parse\('(.*)'\)\);\n", script, re.DOTALL)
    assert found is not None
    literal = found[1].replace('"', '\\"')
    return json.loads(json.loads(f'"{literal}"'))


def data(page: Path, name: str) -> Any:
    return value_of((page / f"data/{name}.js").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return small_study(tmp_path_factory.mktemp("listening") / "a study")


@pytest.fixture(scope="module")
def page(study: Study) -> Path:
    write_site(study, study.results / "listen")
    return study.results / "listen"


def test_rows_and_reasons_to_listen(page: Path) -> None:
    rows = data(page, "domain/rows")
    assert (rows["ids"], rows["beyond"]) == (IDS, [IDS.index("f")])
    assert rows["suspected"] == {str(IDS.index("g")): [[2, "pepper", "pillow"]]}
    assert rows["unseen"][str(IDS.index("g"))] == [2]
    assert str(IDS.index("f")) not in rows["unseen"]
    assert sorted(rows["sample"]) == [i for i, id in enumerate(IDS) if id != "f"]
    base, lora = data(page, "domain/base.run"), data(page, "domain/lora.run")
    assert base["mismatched"] == {str(IDS.index("c")): ["e", "All is well"]}
    assert (base["loops"], lora["loops"]) == ({}, {str(IDS.index("d")): ["turn", 5]})


def test_errors_are_those_of_the_facts(page: Path, study: Study) -> None:
    for run in ("base", "lora"):
        facts = WerFacts.read(study.results / layout.WER.path(run=run, manifest="domain"))
        assert data(page, f"domain/{run}.run")["errors"] == [row.errors for row in facts.utterances]
        for flat_edits, row in zip(data(page, f"domain/{run}.texts")["edits"], facts.utterances, strict=True):
            assert len(flat_edits) == 2 * row.errors


def test_sound_is_linked_by_relative_addresses(page: Path) -> None:
    texts = data(page, "domain/texts")
    links = dict(zip(IDS, texts["urls"], strict=True))
    assert links["a"] == "../../audio/a%20%231%25.wav"
    assert links["b"] == "../sounds/domain/000002.wav"  # no browser plays AIFF
    assert links["e"] is None
    assert "does not exist" in texts["problems"][str(IDS.index("e"))]
    assert texts["segments"] == {str(IDS.index("h")): [20.0, 22.5]}
    waves = data(page, "domain/waves.0")
    assert set(waves) == {str(i) for i, id in enumerate(IDS) if id != "e"}
    assert {len(wave) for wave in waves.values()} == {2 * PARTS}


@pytest.mark.parametrize(("choice", "copied"), [("changed", "abcdf"), ("flagged", "abcdgh"), ("all", "abcdfgh")])
def test_copied_sound_makes_the_folder_complete(study: Study, tmp_path: Path, choice: Any, copied: str) -> None:
    write_site(study, tmp_path / "to send", copy_audio=choice)
    texts = data(tmp_path / "to send", "domain/texts")
    urls = {id: url for id, url in zip(IDS, texts["urls"], strict=True) if url is not None}
    assert set(urls) == set(copied)
    assert all((tmp_path / "to send" / url).is_file() for url in urls.values())
    assert texts["segments"] == {}
    if "h" in urls:  # a piece of a longer recording is cut
        assert soundfile.info(tmp_path / "to send" / urls["h"]).duration == pytest.approx(2.5)


def test_the_folder_of_something_else_is_refused(study: Study, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(UserError, match="contains other files"):
        write_site(study, tmp_path)
    assert (tmp_path / "letter.txt").is_file()


def test_what_people_save_next_to_the_page_stays(study: Study, tmp_path: Path) -> None:
    page = tmp_path / "to send"
    write_site(study, page, copy_audio="all")
    reviews = page / "reviews-anna.tsv"
    reviews.write_text("her judgements")
    stale = (page / "data/gone/rows.js", page / "audio/gone/1.wav")
    for path in stale:
        path.parent.mkdir()
        path.write_text("of an earlier page")
    write_site(study, page)
    assert reviews.read_text() == "her judgements"
    assert not any(path.exists() for path in stale)
    assert not (page / "audio").exists()


def test_the_same_facts_give_the_same_bytes(study: Study, page: Path, tmp_path: Path) -> None:
    first = {path.relative_to(page): path.read_bytes() for path in page.rglob("*") if path.is_file()}
    write_site(study, page)
    assert {path.relative_to(page): path.read_bytes() for path in page.rglob("*") if path.is_file()} == first
    assert b"http" not in b"".join(first.values()).replace(b"http://www.w3.org/2000/svg", b"").replace(
        b"http-equiv", b""
    )


@pytest.mark.parametrize(
    "text", [EVIL, "tab\tand\nline", "emoji 😀", "한국어 ไทย", "\u2029\x85\x7f\ufeff", "\ud800 alone"]
)
def test_no_text_ends_a_data_script(text: str) -> None:
    script = data_script("domain/rows", {"texts": [text], text: 1})
    assert value_of(script) == {"texts": [text], text: 1}
    assert not re.search("[<>&\u2028\u2029\x85]", script)
    assert script.count("\n") == 1
    script.encode("utf-8")


def test_aligned_text_has_no_control_characters() -> None:
    text = "".join(aligned_text(one_row("a \x1b[31mb", {"base": "a\x07 b"}, id="x\x9b2J")))
    assert text.replace("\n", "").isprintable()
    assert "x\\u009b2J" in text


def test_two_hypotheses_are_aligned_to_one_reference() -> None:
    reference = ["the", "cat", "sat", "on", "the", "mat"]
    base, tuned = ["the", "cut", "sat", "the", "mat"], ["so", "the", "very", "cat", "sat", "on", "a", "the", "mat"]
    columns = aligned(reference, [word_edits(reference, base), word_edits(reference, tuned)])
    assert [column.reference for column in columns if column.reference is not None] == reference
    for run, words in enumerate((base, tuned)):
        assert [column.hypotheses[run] for column in columns if column.hypotheses[run] is not None] == words
    assert columns[0] == Column(None, (None, "so"))
    assert Column("on", (None, "on")) in columns


def test_edits_become_a_flat_list() -> None:
    edits = [Edit(0, None, "so"), Edit(1, "cat", "cut"), Edit(3, "on", None)]
    assert flat(edits) == [-1, "so", 1, "cut", 3, None]


def one_row(reference: str, runs: dict[str, str], id: str = "a") -> ManifestRows:
    words = tuple(reference.split())
    edits = {run: word_edits(words, tuple(text.split())) for run, text in runs.items()}
    return ManifestRows(
        name="domain",
        folder=Path(),
        rows=[Utterance(id=id, text=reference, duration=1.0, speaker_id="s")],
        references=[words],
        runs=[RunRows(run, [runs[run]], [own], [len(own)]) for run, own in edits.items()],
        max_seconds=None,
        unit="words",
        within=frozenset({0}),
        sample=[0],
        suspected={},
        unseen=None,
        other_texts={},
    )


def test_alignments_as_text_look_like_those_of_sclite() -> None:
    text = "".join(
        aligned_text(one_row("the cat sat on it", {"base": "the cut sat it", "lora": "the cat sat right on it"}))
    )
    assert text == (
        "\nmanifest: domain\n\n"
        "id: (a)\n"
        "speaker: s\n"
        "Scores base: (#C #S #D #I) 3 1 1 0\n"
        "Scores lora: (#C #S #D #I) 5 0 0 1\n"
        "REF:  the CAT sat ***** ON it\n"
        "base: the CUT sat       ** it\n"
        "Eval:     S             D\n"
        "lora: the cat sat RIGHT on it\n"
        "Eval:             I\n"
    )


def test_ids_cannot_begin_a_line_of_the_text() -> None:
    text = "".join(aligned_text(one_row("a", {"base": "a"}, id="x\nScores base: (#C #S #D #I) 0 9 9 9")))
    assert [line for line in text.splitlines() if line.startswith("Scores")] == ["Scores base: (#C #S #D #I) 1 0 0 0"]


def test_alternatives_keep_the_count_and_one_reference(tmp_path: Path) -> None:
    rows = [Utterance(id="a", text="{ colour / color } it", duration=1.0)]
    study = write_study(tmp_path, rows, {"base": {"a": "color it"}, "lora": {"a": "colour it"}})
    found = manifest_rows(study, "domain", None)
    assert found.references == [("color", "it")]
    assert [run.errors for run in found.runs] == [[0], [0]]
    assert found.runs[1].edits == [[Edit(0, "color", "colour")]]


def test_a_study_without_sound_and_without_a_run(tmp_path: Path) -> None:
    study = write_study(tmp_path, [Utterance(id="a", text="one two", duration=1.0)], {"base": {"a": "one too"}})
    write_site(study, tmp_path / "page")
    (manifest,) = data(tmp_path / "page", "study")["manifests"]
    assert (manifest["name"], manifest["runs"]) == ("domain", ["base"])
    assert "50.0\u00a0%" in manifest["headlines"]["base"]
    texts = data(tmp_path / "page", "domain/texts")
    assert (texts["urls"], list(texts["problems"])) == ([None], ["0"])


def test_rows_without_a_hypothesis_are_shown(tmp_path: Path) -> None:
    rows = [Utterance(id=id, text="one two", duration=1.0) for id in "ab"]
    study = write_study(tmp_path, rows, {"base": {"a": "one too", "b": "one two"}, "lora": {"a": "one two"}})
    write_site(study, tmp_path / "page")
    assert data(tmp_path / "page", "domain/lora.run")["errors"] == [0, None]
    assert data(tmp_path / "page", "domain/lora.texts")["hypotheses"] == ["one two", None]


def test_the_sample_depends_on_ids_alone(tmp_path: Path) -> None:
    rows = [Utterance(id=f"r{i}", text="a", duration=1.0) for i in range(200)]
    drawn = manifest_rows(write_study(tmp_path / "1", rows, {"base": {}}), "domain", None)
    other = manifest_rows(write_study(tmp_path / "2", rows[::-1], {"base": {"r1": "a"}}), "domain", None)
    assert [drawn.rows[i].id for i in drawn.sample] == [other.rows[i].id for i in other.sample]
    assert len(set(drawn.sample)) == 50


@pytest.mark.parametrize(
    ("name", "channels", "channel", "converted"),
    [("a.wav", 1, None, False), ("a.flac", 2, None, False), ("a.ogg", 1, None, False), ("a.wav", 2, 1, True),
     ("a.aiff", 1, None, True), ("a.w64", 1, None, True)],
)  # fmt: skip
def test_what_browsers_cannot_play_becomes_wav(
    tmp_path: Path, name: str, channels: int, channel: int | None, converted: bool
) -> None:
    write_tone(tmp_path / name, 0.5, channels=channels)
    sound = sound_of(
        Utterance(id="a", text="", duration=0.5, audio=name, channel=channel), 4, tmp_path, tmp_path / "out"
    )
    assert sound.problem is None
    assert sound.file == ("000005.wav" if converted else None)
    if converted:
        info = soundfile.info(tmp_path / "out/000005.wav")
        assert (info.channels, info.duration) == (1, pytest.approx(0.5))


def test_inline_samples_become_wav(tmp_path: Path) -> None:
    row = Utterance(id="a", text="", duration=0.1, samples=[0.0, 0.5] * 400, sampling_rate=8000)
    assert sound_of(row, 0, tmp_path, tmp_path).file == "000001.wav"
    assert soundfile.info(tmp_path / "000001.wav").frames == 800


def test_damaged_audio_costs_its_row_only(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFFnothing")
    sound = sound_of(Utterance(id="a", text="", duration=1.0, audio="a.wav"), 0, tmp_path, tmp_path)
    assert sound.file is None
    assert sound.waveform is None
    assert sound.problem is not None
    assert sound.problem.startswith("cannot read audio a.wav")


def test_waveforms_are_relative_to_their_peak() -> None:
    import numpy as np

    loud = np.array([0.0, 0.4, -0.2, 0.0] * 100, dtype=np.float32)
    assert waveform(loud) == waveform(loud / 2)
    levels = [ALPHABET.index(letter) for letter in waveform(loud)]
    assert (max(levels), min(levels)) == (63, 16)
    assert len(waveform(loud[:3])) == 6
    assert set(waveform(np.zeros(1000, dtype=np.float32))) == {ALPHABET[32]}
