"""One command makes a canonical manifest of any format, prints what it understood, and overwrites nothing by itself."""

import json

import numpy as np
import pyarrow.parquet
import pytest
import soundfile
import unpack_audio

from lora.data.audio.loading import load_audio
from lora.data.manifest import read_manifest
from lora.runners.convert import main as convert_command


def convert(*arguments):
    return convert_command([str(argument) for argument in arguments])


@pytest.fixture
def kaldi(tmp_path):
    folder = tmp_path / "data/kaldi"
    folder.mkdir(parents=True)
    for name, rate, channels in (("a", 16000, 1), ("b", 8000, 2)):
        samples = np.random.default_rng(0).uniform(-0.5, 0.5, (2 * rate, channels))
        soundfile.write(tmp_path / f"{name}.flac", samples, rate)
    (folder / "wav.scp").write_text("a a.flac\nb b.flac\nc cat c.flac |\n")
    (folder / "text").write_text("u1 one\nu2 two\nu3 three\n")
    (folder / "segments").write_text("u1 a 0.5 1.5\nu2 b 0 2\nu3 c 0 1\n")
    (folder / "utt2spk").write_text("u1 s\nu2 s\nu3 t\n")
    return folder


def test_pieces_stay_pieces_and_what_was_understood_is_printed(kaldi, tmp_path, capsys):
    output, rejected = tmp_path / "out/train.jsonl", tmp_path / "out/rejected.tsv"
    assert convert("--manifest", kaldi, "--output", output, "--rejected", rejected) == 0
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert rows == [
        {"id": "u1", "text": "one", "duration": 1.0, "audio": "../a.flac", "offset": 0.5, "speaker_id": "s"},
        {"id": "u2", "text": "two", "duration": 2.0, "audio": "../b.flac", "offset": 0.0, "speaker_id": "s"},
    ]
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"{kaldi}: read as kaldi",
        "rows: 2 usable, 1 rejected",
        "hours: 0.001; speakers: 1",
        "audio: 16000 Hz with 1 channel (1 rows), 8000 Hz with 2 channels (1 rows)",
        "rejected: 1 x no audio; first: line 3: no audio: a command, which is never run (cat c.flac |); "
        "write its output to a file and name the file (wav.scp:3)",
        f"written: {output}",
    ]
    assert rejected.read_text().splitlines()[1].startswith("3\tu3\tno audio")
    before, after = read_manifest(kaldi), read_manifest(output)
    for old, new in zip(before.rows, after.rows, strict=True):
        np.testing.assert_array_equal(load_audio(old, before.folder), load_audio(new, after.folder))


def test_nothing_is_overwritten_without_force(kaldi, tmp_path, capsys):
    output = tmp_path / "train.jsonl"
    output.write_text("mine")
    assert convert("--manifest", kaldi, "--output", output) == 2
    assert f"error: {output}: exists already" in capsys.readouterr().err
    assert output.read_text() == "mine"
    assert convert("--manifest", kaldi, "--output", output, "--force") == 0
    (tmp_path / "r.tsv").write_text("mine")
    assert convert("--manifest", kaldi, "--output", tmp_path / "new.jsonl", "--rejected", tmp_path / "r.tsv") == 2
    assert not (tmp_path / "new.jsonl").exists()


def test_nothing_is_written_without_a_usable_row(kaldi, tmp_path, capsys):
    (kaldi / "wav.scp").write_text("a gone.flac\n")
    output, rejected = tmp_path / "out.jsonl", tmp_path / "rejected.tsv"
    assert convert("--manifest", kaldi, "--output", output, "--rejected", rejected) == 2
    printed = capsys.readouterr()
    assert "written: " not in printed.out
    assert f"error: {kaldi}: no usable row, so {output} was not written" in printed.err
    assert len(rejected.read_text().splitlines()) == 4
    assert not output.exists()


def test_missing_channels_and_pieces_are_reported(kaldi, tmp_path, capsys):
    (kaldi / "segments").write_text("u1 a 0.5 99.5\nu2 b 0 2 1\nu3 a 0 1 3\n")
    assert convert("--manifest", kaldi, "--output", tmp_path / "out.jsonl") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("warning: ")] == [
        "warning: 1 rows name a channel (from 0) that their file does not have; a study rejects them; "
        "first: u3, channel 3",
        "warning: 1 rows end after their file, and the hours include the missing audio; "
        "first: u1, which ends at 99.5 s of 2 s",
    ]


def test_duplicates_are_counted_together(kaldi, tmp_path, capsys):
    (kaldi / "text").write_text("u1 one\nu1 two\nu2 three\nu2 four\n")
    assert convert("--manifest", kaldi, "--output", tmp_path / "out.jsonl") == 0
    summary = "rejected: 2 x duplicate id; first: line 2: duplicate id, first used in line 1 (text:2)"
    assert summary in capsys.readouterr().out


def test_what_is_converted_is_not_overwritten_even_with_force(tmp_path, capsys):
    path = tmp_path / "m.jsonl"
    path.write_text('{"audio": "gone.wav", "text": "x"}\n')
    assert convert("--manifest", path, "--output", path, "--force") == 2
    assert "is the manifest to convert" in capsys.readouterr().err
    assert "gone.wav" in path.read_text()


def test_the_list_of_rejected_rows_replaces_no_other_file(kaldi, tmp_path, capsys):
    output, rejected = tmp_path / "out.jsonl", tmp_path / "sub/../out.jsonl"
    assert convert("--manifest", kaldi, "--output", output, "--rejected", rejected) == 2
    assert "it is the --output too" in capsys.readouterr().err
    assert convert("--manifest", kaldi, "--output", output, "--rejected", kaldi / "text", "--force") == 2
    assert "it is the manifest to convert" in capsys.readouterr().err
    assert (kaldi / "text").read_text().startswith("u1 one")


@pytest.mark.parametrize("folder", [".", "/", "kaldi"])
def test_an_output_that_is_a_folder_is_refused(kaldi, capsys, monkeypatch, folder):
    monkeypatch.chdir(kaldi.parent)
    assert convert("--manifest", "kaldi", "--output", folder, "--force") == 2
    assert "it is a folder; name a file" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--manifest", "--output"])
def test_an_empty_path_is_not_the_current_folder(option, kaldi, capsys):
    with pytest.raises(SystemExit) as ended:
        convert("--manifest", kaldi, "--output", "out.jsonl", option, "")
    assert ended.value.code == 2
    assert f"argument {option}: an empty text is not a path" in capsys.readouterr().err


def test_an_empty_manifest_is_named_as_such(tmp_path, capsys):
    (tmp_path / "m.jsonl").write_text("\n")
    assert convert("--manifest", tmp_path / "m.jsonl", "--output", tmp_path / "out.jsonl") == 2
    assert "it has no rows; name another file" in capsys.readouterr().err


def test_files_of_somebody_else_stay(tmp_path, capsys):
    (tmp_path / "m.jsonl").write_text('{"samples": [0.1], "sampling_rate": 8000, "text": "x"}\n')
    (tmp_path / "out.audio").mkdir()
    (tmp_path / "out.audio/mine.wav").write_text("mine")
    (tmp_path / "out.audio/000001.wav").write_text("of an earlier conversion")
    assert convert("--manifest", tmp_path / "m.jsonl", "--output", tmp_path / "out.jsonl", "--force") == 2
    assert "contains files that were not written by a conversion" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.jsonl", "out.audio"]
    assert (tmp_path / "out.audio/mine.wav").read_text() == "mine"
    assert (tmp_path / "out.audio/000001.wav").read_text() == "of an earlier conversion"


def test_recordings_in_a_linked_folder_stay(tmp_path, capsys):
    (tmp_path / "m.jsonl").write_text('{"samples": [0.1], "sampling_rate": 8000, "text": "x"}\n')
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/000001.wav").write_text("mine")
    (tmp_path / "out.audio").symlink_to("elsewhere")
    assert convert("--manifest", tmp_path / "m.jsonl", "--output", tmp_path / "out.jsonl", "--force") == 2
    assert "contains files that were not written by a conversion" in capsys.readouterr().err
    assert (tmp_path / "elsewhere/000001.wav").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "m.jsonl", "out.audio"]


def test_the_output_has_another_name_than_its_folder_of_recordings(tmp_path, capsys):
    (tmp_path / "m.jsonl").write_text('{"samples": [0.1], "sampling_rate": 8000, "text": "x"}\n')
    assert convert("--manifest", tmp_path / "m.jsonl", "--output", tmp_path / "out.audio") == 2
    assert "name an output such as out.jsonl" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["m.jsonl"]


def test_embedded_audio_and_inline_samples_become_files_next_to_the_manifest(kaldi, tmp_path, capsys):
    content = (tmp_path / "a.flac").read_bytes()
    table = pyarrow.Table.from_pylist([{"audio": {"bytes": content, "path": "x.flac"}, "said": "one"}])
    pyarrow.parquet.write_table(table, tmp_path / "set.parquet")
    output = tmp_path / "from_parquet.jsonl"
    given = ["--manifest", tmp_path / "set.parquet", "--output", output]
    assert convert(*given) == 2
    assert "no column for text: expected one of text, " in capsys.readouterr().err
    given += ["--columns", '{"text": "said"}']
    assert not [path for path in tmp_path.iterdir() if "from_parquet" in path.name]
    assert convert(*given) == 0
    assert convert(*given, "--force") == 0
    assert [path.name for path in (tmp_path / "from_parquet.audio").iterdir()] == ["000001.flac"]
    assert (tmp_path / "from_parquet.audio/000001.flac").read_bytes() == content
    assert json.loads(output.read_text())["audio"] == "from_parquet.audio/000001.flac"

    samples = [0.25, -0.5, 1.0 / 3]
    (tmp_path / "inline.jsonl").write_text(json.dumps({"samples": samples, "sampling_rate": 8000, "text": "x"}))
    output = tmp_path / "deep/inline.jsonl"
    assert convert("--manifest", tmp_path / "inline.jsonl", "--output", output) == 0
    [row] = read_manifest(output).rows
    assert (row.audio, row.samples) == ("inline.audio/000001.wav", None)
    np.testing.assert_array_equal(load_audio(row, output.parent, 8000), np.array(samples, np.float32))
    assert row.id == read_manifest(tmp_path / "inline.jsonl").rows[0].id


def test_a_mapping_that_is_none_is_refused(kaldi, tmp_path, capsys):
    for words in ("text", '["text"]', '{"text": 1}', "[" * 100_000):
        with pytest.raises(SystemExit):
            convert("--manifest", kaldi, "--output", tmp_path / "x.jsonl", "--columns", words)
        assert "is not a mapping such as" in capsys.readouterr().err
    for more in (["--channel", "-1"], ["--columns", '{"txt": "x"}']):
        with pytest.raises(SystemExit):
            convert("--manifest", kaldi, "--output", tmp_path / "x.jsonl", *more)


def test_unpacking_leaves_a_run_record(tmp_path, kaldi):
    content = (tmp_path / "a.flac").read_bytes()
    table = pyarrow.Table.from_pylist([{"audio": {"bytes": content, "path": None}, "text": "one"}])
    pyarrow.parquet.write_table(table, tmp_path / "set.parquet")
    folder = tmp_path / "results/audio/train"
    assert unpack_audio.main(["--manifest", str(tmp_path / "set.parquet"), "--output-dir", str(folder)]) == 0
    assert json.loads((folder.parent / "train.run.json").read_text())["outputs"] == [str(folder)]
