"""import_transcripts: texts of another pipeline, whole, in part, or none for a manifest."""

import json

import import_transcripts
import numpy as np
import pytest
import score_run
import soundfile

from lora.data.tables import write_table
from lora.data.transcripts.recorded_settings import adjacent_settings
from lora.records.base import read_lines, write_lines
from lora.records.manifests import Utterance
from lora.records.scores import WerFacts
from lora.records.settings import RunSettings
from lora.records.transcripts import ImportFacts, Transcript

ROWS = ["7", "b"]


@pytest.fixture
def study(tmp_path):
    for name in ROWS:
        soundfile.write(tmp_path / f"{name}.wav", np.full(1600, 0.1), 16000)
    (tmp_path / "rejected.tsv").write_text("line\tid\treason\n9\tbroken\tunreadable audio\n", encoding="utf-8")
    write_lines(tmp_path / "rows.jsonl", (Utterance(id=i, text="one", duration=0.1, audio=f"{i}.wav") for i in ROWS))
    return tmp_path


def import_files(folder, *hypotheses, recorded=()):
    argv = ["--run", "theirs", "--manifest-name", "domain", "--rows", folder / "rows.jsonl"]
    argv += ["--hypotheses", *hypotheses, "--transcripts", folder / "out.jsonl"]
    argv += [
        "--account",
        folder / "out.import.json",
        "--settings",
        folder / "out.settings.json",
        "--rejected",
        folder / "rejected.tsv",
        "--recorded",
        *recorded,
    ]
    return import_transcripts.main([str(a) for a in argv])


def hypotheses_of(folder):
    return {row.id: row.hypothesis for row in read_lines(folder / "out.jsonl", Transcript)}


def test_whole_numbers_as_ids_and_line_separators_in_texts(study):
    lines = [{"id": 7, "hypothesis": "one\u2028two"}, {"id": "b", "hypothesis": ""}, {"id": "other", "hypothesis": "x"}]
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    (study / "theirs.jsonl").write_text(text, encoding="utf-8")
    assert import_files(study, study / "theirs.jsonl") == 0
    assert hypotheses_of(study) == {"7": "one\u2028two", "b": "", "other": "x"}
    settings = RunSettings.read(study / "out.settings.json")
    assert (settings.status, settings.manifest.rows, settings.model, settings.decode) == ("ok", 3, None, None)
    assert settings.manifest.content_hash is None  # nobody recorded which audio was transcribed


def test_hypotheses_of_rejected_rows_with_odd_ids(study):
    """Tables write such ids in another way, and these hypotheses are none of rows that the manifest never had."""
    rejected = [{"line": 9, "id": id, "reason": "missing file"} for id in ("a  b", "c\x1b[31m", '"d"')]
    write_table(study / "rejected.tsv", ("line", "id", "reason"), rejected)
    lines = [{"id": id, "hypothesis": "x"} for id in ("7", "b", *(row["id"] for row in rejected))]
    (study / "theirs.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert import_files(study, study / "theirs.jsonl") == 0
    account = ImportFacts.read(study / "out.import.json")
    assert (account.unmatched, account.rejected) == ([], [row["id"] for row in rejected])


def test_a_table_of_texts(study):
    (study / "theirs.csv").write_text("id,hypothesis\n7,one\n", encoding="utf-8")
    assert import_files(study, study / "theirs.csv") == 0
    assert hypotheses_of(study) == {"7": "one"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            '{"id": "a", "hypothesis": "é"}\n'.encode() + b'{"id": "b", "hypothesis": "\xff"}\n',
            ":2: broken line: not in the encoding of the other lines",
        ),
        (b'{"id": "b"}\n', ":1: no column for hypothesis: expected one of hypothesis, hyp, pred_text"),
        (b'{"id": "b", "hypothesis": "x"}\n{"id": "b", "hypothesis": "y"}\n', ":2: duplicate hypothesis for id 'b'"),
    ],
)
def test_a_broken_line_is_one_message(study, capsys, content, message):
    (study / "theirs.jsonl").write_bytes(content)
    assert import_files(study, study / "theirs.jsonl") == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"error: {study / 'theirs.jsonl'}{message}")


def test_a_manifest_without_texts_is_impossible_and_not_a_failure(study):
    assert import_files(study) == 0
    assert hypotheses_of(study) == {}
    settings = RunSettings.read(study / "out.settings.json")
    why = "no transcripts of domain were provided"
    assert (settings.status, settings.code, settings.message) == ("impossible", None, why)
    numbers = "--max-seconds none --normalizer basic --confidence 0.95 --replicates 100 --assumed-shared-errors 0.8"
    argv = ["--run", "theirs", "--manifest-name", "domain", "--rows", study / "rows.jsonl", *numbers.split()]
    argv += ["--target-gain", "0.01", "--transcripts", study / "out.jsonl", "--wer", study / "wer.json"]
    assert score_run.main([str(a) for a in [*argv, "--settings", study / "out.settings.json"]]) == 0
    assert WerFacts.read(study / "wer.json").message == why


WHOLE = {
    "status": "ok", "run": "elsewhere", "manifest": {"name": "dev", "rows": 2, "content_hash": "c" * 32},
    "model": {"id": "m", "revision": None, "hash": "a" * 32, "family": "whisper", "window_seconds": 30.0},
    "adapter": {"source": "x", "hash": "b" * 32},
    "preprocess": {"sampling_rate": 16000, "target_rms": None, "resampler": "soxr HQ", "padding_seconds": 30.0},
    "decode": {"num_beams": 1, "a_models_own": 3}, "device": {"type": "cpu", "dtype": "float32"},
    "software": {"torch": "2.13.0"}, "fingerprint": "f" * 32,
}  # fmt: skip


def import_with_settings(folder, settings, *rows):
    """Both hypotheses (and more rows) next to a settings file; returns the exit code."""
    lines = [{"id": "7", "hypothesis": "one"}, {"id": "b", "hypothesis": "one"}, *rows]
    (folder / "theirs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    recorded = adjacent_settings(folder / "theirs.jsonl")
    recorded.write_text(settings if isinstance(settings, str) else json.dumps(settings), encoding="utf-8")
    return import_files(folder, folder / "theirs.jsonl", recorded=[recorded])


def test_a_record_of_the_runner_is_taken_whole(study, capsys):
    assert import_with_settings(study, WHOLE) == 0
    settings = RunSettings.read(study / "out.settings.json")
    named = WHOLE["manifest"] | {"name": "domain"}
    assert settings == RunSettings.from_json(WHOLE | {"run": "theirs", "manifest": named})
    assert "is about other rows than the study's (content cccccccccccc)" in capsys.readouterr().err


def test_some_keys_by_hand_leave_the_rest_unknown(study):
    by_hand = {"decode": {"num_beams": "5"}, "device": {"type": "cuda", "threads": 4}, "model": {"id": "m"}}
    assert import_with_settings(study, by_hand) == 0
    settings = RunSettings.read(study / "out.settings.json")
    assert (settings.decode, settings.device) == ({"num_beams": "5"}, {"type": "cuda", "threads": "4"})
    assert (settings.model, settings.preprocess, settings.software, settings.fingerprint) == (None, None, None, None)
    assert (settings.manifest.rows, settings.manifest.content_hash) == (2, None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"decodes": {}}, "unknown key decodes; did you mean decode?"),
        ({"decode": {"num_beam": 5}}, "unknown key decode.num_beam; did you mean decode.num_beams?"),
        ({"preprocess": {"targetrms": 5}}, "unknown key preprocess.targetrms; did you mean preprocess.target_rms?"),
        ({"model": {"hash": "a", "size": 1}}, "unknown key model.size; known: family, hash"),
        ({"decode": 5}, "decode is 5; expected an object"),
        ({"status": "broken"}, "status: Input should be"),
        ("[]", "[] is not a JSON object of settings"),
        ("{", "not JSON"),
    ],
)
def test_a_mistake_in_a_settings_file_is_one_message(study, capsys, settings, message):
    assert import_with_settings(study, settings) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"error: {study / 'theirs.settings.json'}: ")
    assert message in error


def test_an_impossible_record_stays_impossible(study):
    why = {"status": "impossible", "code": "adapter.not_loaded", "message": "no such tensor"}
    assert import_with_settings(study, WHOLE | why) == 0
    settings = RunSettings.read(study / "out.settings.json")
    assert (settings.status, settings.code, settings.run) == ("impossible", "adapter.not_loaded", "theirs")
    assert hypotheses_of(study) == {}


def test_rejected_rows_are_set_aside_and_other_texts_are_kept(study, capsys):
    rows = [{"id": "broken", "hypothesis": "x"}, {"id": "new", "hypothesis": "y", "reference": "z", "duration": 2}]
    assert import_with_settings(study, {}, *rows) == 0
    assert sorted(hypotheses_of(study)) == ["7", "b", "new"]
    assert "1 hypothesis of theirs belongs to a rejected row (first: broken)" in capsys.readouterr().err
    (study / "theirs.csv").write_text("id,hypothesis,reference\n7,one,two\nb,one,one\n", encoding="utf-8")
    assert import_files(study, study / "theirs.csv") == 0
    references = {t.id: t.external_reference for t in read_lines(study / "out.jsonl", Transcript)}
    assert references == {"7": "two", "b": None}


def test_a_duration_that_is_no_number_is_not_known(study):
    assert import_with_settings(study, {}, {"id": "new", "hypothesis": "y", "duration": "nan"}) == 0
    durations = {t.id: t.duration for t in read_lines(study / "out.jsonl", Transcript)}
    assert durations["new"] == 0.0
