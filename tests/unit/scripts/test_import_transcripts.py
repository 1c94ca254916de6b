"""import_transcripts: texts of another pipeline, whole, in part, or none for a manifest."""

import json

import import_transcripts
import numpy as np
import pytest
import score_run
import soundfile

from lora.records import RunSettings, Transcript, Utterance, WerFacts, read_lines, write_lines

ROWS = ["7", "b"]


@pytest.fixture
def study(tmp_path):
    for name in ROWS:
        soundfile.write(tmp_path / f"{name}.wav", np.full(1600, 0.1), 16000)
    write_lines(tmp_path / "rows.jsonl", (Utterance(id=i, text="one", duration=0.1, audio=f"{i}.wav") for i in ROWS))
    return tmp_path


def bring(folder, *hypotheses):
    argv = ["--run", "theirs", "--manifest-name", "domain", "--rows", folder / "rows.jsonl"]
    argv += ["--hypotheses", *hypotheses, "--transcripts", folder / "out.jsonl"]
    argv += ["--settings", folder / "out.settings.json"]
    return import_transcripts.main([str(a) for a in argv])


def heard(folder):
    return {row.id: row.hypothesis for row in read_lines(folder / "out.jsonl", Transcript)}


def test_whole_numbers_as_ids_and_line_separators_in_texts(study):
    lines = [{"id": 7, "hypothesis": "one\u2028two"}, {"id": "b", "hypothesis": ""}, {"id": "other", "hypothesis": "x"}]
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    (study / "theirs.jsonl").write_text(text, encoding="utf-8")
    assert bring(study, study / "theirs.jsonl") == 0
    assert heard(study) == {"7": "one\u2028two", "b": "", "other": "x"}
    settings = RunSettings.read(study / "out.settings.json")
    assert (settings.status, settings.manifest.rows, settings.model, settings.decode) == ("ok", 3, None, None)
    assert settings.manifest.content_hash is None  # nobody recorded which audio was heard


def test_a_table_of_texts(study):
    (study / "theirs.csv").write_text("id,hypothesis\n7,one\n", encoding="utf-8")
    assert bring(study, study / "theirs.csv") == 0
    assert heard(study) == {"7": "one"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"id": "b", "hypothesis": "\xff"}\n', ":1: broken line: not UTF-8"),
        (b'{"id": "b"}\n', ":1: expected id and hypothesis as strings"),
        (b'{"id": "b", "hypothesis": "x"}\n{"id": "b", "hypothesis": "y"}\n', ":2: a second hypothesis for id 'b'"),
    ],
)
def test_a_broken_line_is_one_message(study, capsys, content, told):
    (study / "theirs.jsonl").write_bytes(content)
    assert bring(study, study / "theirs.jsonl") == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"error: {study / 'theirs.jsonl'}{told}")


def test_a_manifest_without_texts_is_impossible_and_not_a_failure(study):
    assert bring(study) == 0
    assert heard(study) == {}
    settings = RunSettings.read(study / "out.settings.json")
    why = "no transcripts of domain were brought"
    assert (settings.status, settings.code, settings.message) == ("impossible", None, why)
    numbers = "--max-seconds none --normalizer basic --confidence 0.95 --replicates 100 --assumed-shared-errors 0.8"
    argv = ["--run", "theirs", "--manifest-name", "domain", "--rows", study / "rows.jsonl", *numbers.split()]
    argv += ["--target-gain", "0.01", "--transcripts", study / "out.jsonl", "--wer", study / "wer.json"]
    assert score_run.main([str(a) for a in [*argv, "--settings", study / "out.settings.json"]]) == 0
    assert WerFacts.read(study / "wer.json").message == why
