"""The commands of the data stages as rules run them: files in, files out, one clear line for what a user can fix."""

import json
import subprocess
import sys
from pathlib import Path

import choose_max_seconds
import compare_training
import filter_replay
import inspect_audio
import numpy as np
import profile_durations
import pytest
import soundfile
import split_training
import summarise_durations
import validate_manifest

SCRIPTS = Path(choose_max_seconds.__file__).parent
SPLIT = ["--val-fraction", "0.1", "--by-speaker", "--split-seed", "13"]


@pytest.fixture
def study(tmp_path):
    """Forty rows of 1 to 4 s by ten speakers, in a folder with blanks and umlauts; one broken line."""
    folder = tmp_path / "eine schöne Studie"
    (folder / "audio").mkdir(parents=True)
    soundfile.write(folder / "audio" / "a.wav", np.zeros(16000), 16000)
    lines = [
        json.dumps(
            {"audio": "audio/a.wav", "id": f"r{i:02}", "text": "hello", "duration": 1.0 + i % 4, "spk": f"s{i % 10}"}
        )
        for i in range(40)
    ]
    (folder / "train.jsonl").write_text("\n".join([*lines, "{broken"]), encoding="utf-8")
    return folder


def run(script, **options):
    """Call main with flags; a list becomes several values."""
    argv = []
    for name, value in options.items():
        values = value if isinstance(value, list) else [value]
        argv += [f"--{name.replace('_', '-')}", *map(str, values)]
    return script.main(argv)


def validated(study):
    rows, rejected = study / "results/manifests/train.jsonl", study / "results/manifests/train.rejected.tsv"
    assert run(validate_manifest, manifest=study / "train.jsonl", rows=rows, rejected=rejected) == 0
    return rows


def choose(study, rows, **options):
    value, decision = study / "results/max_seconds.json", study / "results/durations/decision.json"
    argv = ["--rows", rows, "--thresholds", 2, 3, "--value", value, "--decision", decision, *SPLIT]
    for name, given in {"max-seconds": "auto", "min-train-samples": 20, **options}.items():
        argv += [f"--{name}", given]
    assert choose_max_seconds.main([str(a) for a in argv]) == 0
    return json.loads(value.read_text())["max_seconds"], json.loads(decision.read_text())


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e400", "abc"])
@pytest.mark.parametrize("option", ["--val-fraction", "--max-seconds"])
def test_numbers_are_finite(tmp_path, capsys, option, number):
    outputs = ["--train", tmp_path / "t", "--val", tmp_path / "v", "--sizes", tmp_path / "s"]
    argv = ["--rows", tmp_path / "rows.jsonl", "--max-seconds", 3, *SPLIT, *outputs, f"{option}={number}"]
    with pytest.raises(SystemExit) as ended:
        split_training.main(list(map(str, argv)))
    assert ended.value.code == 2
    assert f"{option}: {number!r} is not a finite number" in capsys.readouterr().err.replace("\n", " ")


def test_rows_rejected_lines_and_run_record(study):
    rows = validated(study)
    first = json.loads(rows.read_text(encoding="utf-8").splitlines()[0])
    assert first == {
        "id": "r00",
        "text": "hello",
        "duration": 1.0,
        "audio": "../../audio/a.wav",
        "speaker_id": "s0",
        "line": 1,
    }
    rejected = (rows.parent / "train.rejected.tsv").read_text().splitlines()
    assert rejected[0] == "line\tid\treason"
    assert rejected[1].startswith("41\t\tbroken line: not JSON")
    record = json.loads(Path(f"{rows}.run.json").read_text())
    assert record["outputs"] == [str(rows), str(rows.parent / "train.rejected.tsv")]


def test_audio_that_does_not_decode_is_rejected_with_its_reason(study):
    rng = np.random.default_rng(0)
    for name in ("b", "c"):
        soundfile.write(study / "audio" / f"{name}.flac", 0.1 * rng.normal(size=16000), 16000)
    whole = (study / "audio/b.flac").read_bytes()
    (study / "audio/b.flac").write_bytes(whole[: len(whole) // 2])
    lines = [json.dumps({"audio": f"audio/{name}.flac", "text": "hello", "duration": 1.0}) for name in "bc"]
    (study / "train.jsonl").write_text("\n".join(lines))
    measures, rows = study / "results/integrity/train.tsv", study / "results/manifests/train.jsonl"
    rejected = study / "results/manifests/train.rejected.tsv"
    assert run(inspect_audio, manifest=study / "train.jsonl", measures=measures, workers=2) == 0
    given = {"manifest": study / "train.jsonl", "measures": measures, "rows": rows, "rejected": rejected}
    assert run(validate_manifest, **given) == 0
    assert [json.loads(line)["id"] for line in rows.read_text().splitlines()] == ["audio/c.flac"]
    assert rejected.read_text().splitlines()[1].startswith("1\taudio/b.flac\tunreadable audio: ")


def test_markup_is_no_speech_whose_speed_is_measured(study):
    soundfile.write(study / "a.wav", np.zeros(16000, np.float32), 16000)
    texts = ("so to say", "%hesitation so to say [noise]", "<|0.00|>so to say<|1.00|>")
    lines = [json.dumps({"id": text, "audio": "a.wav", "text": text, "duration": 1.0}) for text in texts]
    (study / "train.jsonl").write_text("\n".join(lines))
    assert run(inspect_audio, manifest=study / "train.jsonl", measures=study / "measures.tsv") == 0
    header, *rows = [line.split("\t") for line in (study / "measures.tsv").read_text().splitlines()]
    assert [row[header.index("characters")] for row in rows] == ["7", "7", "7"]


def test_what_an_evaluation_shares_with_training(study):
    rows, measures = validated(study), study / "results/integrity/train.tsv"
    assert run(inspect_audio, manifest=study / "train.jsonl", measures=measures) == 0
    given = {"train_rows": rows, "train_measures": measures, "rows": rows, "measures": measures}
    assert run(compare_training, manifest_name="domain", leakage=study / "domain.json", **given) == 0
    found = json.loads((study / "domain.json").read_text())
    # the fixture's recording is silent: that two rows hold silence is no leak
    assert (found["rows"], len(found["same_reading"]), found["same_audio"]) == (40, 40, [])
    assert len(found["shared_speakers"]) == 10


def test_tables_and_their_summary(study):
    rows = validated(study)
    tables = [study / f"results/durations/{name}.tsv" for name in ("train", "again")]
    for table in tables:
        assert run(profile_durations, rows=rows, manifest_name=table.stem, thresholds=[2, 3], table=table) == 0
    summary = study / "summary.tsv"
    assert run(summarise_durations, tables=tables, summary=summary) == 0
    cells = [line.split("\t") for line in summary.read_text().splitlines()]
    assert [row[:4] for row in cells[1:4]] == [
        ["train", "2", "20", "0.5000"],
        ["train", "3", "30", "0.7500"],
        ["train", "all", "40", "1.0000"],
    ]
    assert cells[4][0] == "again"


def test_the_choice_and_a_configured_number_outside_the_thresholds(study):
    rows = validated(study)
    value, decision = choose(study, rows)
    assert (value, decision["status"]) == (3.0, "chosen")
    value, decision = choose(study, rows, **{"max-seconds": 1.5})
    assert (value, decision["status"], decision["sufficient"]) == (1.5, "judged_starving", 3.0)
    assert [option["threshold"] for option in decision["options"]] == [1.5, 2.0, 3.0]


def test_no_row_survives(study):
    empty = study / "empty.jsonl"
    empty.write_text("")
    assert choose(study, empty)[0] is None
    outputs = {name: study / f"splits/{name}.jsonl" for name in ("train", "val")}
    argv = ["--rows", empty, "--max-seconds", "none", *SPLIT, "--sizes", study / "splits/sizes.tsv"]
    argv += [part for name, path in outputs.items() for part in (f"--{name}", path)]
    assert split_training.main([str(a) for a in argv]) == 0
    assert [path.read_text() for path in outputs.values()] == ["", ""]


def test_the_split_is_two_manifests_and_sizes(study):
    rows = validated(study)
    folder = study / "elsewhere" / "splits"
    argv = ["--rows", rows, "--max-seconds", "3.0", *SPLIT, "--train", folder / "train.jsonl"]
    argv += ["--val", folder / "val.jsonl", "--sizes", folder / "sizes.tsv"]
    assert split_training.main([str(a) for a in argv]) == 0
    parts = {name: (folder / f"{name}.jsonl").read_text().splitlines() for name in ("train", "val")}
    # speakers keep 4 or 2 of their rows: 2 and 4 are as close to 3, and ties take fewer
    assert {name: len(lines) for name, lines in parts.items()} == {"train": 28, "val": 2}
    audio = json.loads(parts["val"][0])["audio"]
    assert (folder / audio).samefile(study / "audio" / "a.wav")
    assert [line.split("\t")[:2] for line in (folder / "sizes.tsv").read_text().splitlines()] == [
        ["part", "rows"],
        ["train", "28"],
        ["val", "2"],
        ["too_long", "10"],
    ]


def test_replay_is_filtered_like_training(study):
    rows = validated(study)
    filtered = study / "elsewhere" / "splits" / "replay.jsonl"
    argv = ["--rows", rows, "--max-seconds", "3.0", "--filtered", filtered]
    assert filter_replay.main([str(a) for a in argv]) == 0
    kept = [json.loads(line) for line in filtered.read_text().splitlines()]
    assert len(kept) == 30  # the training and validation rows of the split
    assert max(row["duration"] for row in kept) <= 3.0
    assert (filtered.parent / kept[0]["audio"]).samefile(study / "audio" / "a.wav")


@pytest.mark.parametrize("name", ["text", "wav.scp", "utt2spk"])
def test_a_file_within_the_manifest_folder_is_not_replaced(tmp_path, capsys, name):
    folder = tmp_path / "kaldi"
    folder.mkdir()
    soundfile.write(folder / "a.wav", np.zeros(16000), 16000)
    contents = {"wav.scp": f"a {folder}/a.wav\n", "text": "a seven gulls\n", "utt2spk": "a kim\n"}
    for file, content in contents.items():
        (folder / file).write_text(content)
    other = tmp_path / "other"
    runs = [
        (inspect_audio, {"measures": folder / name}),
        (validate_manifest, {"rows": folder / name, "rejected": other}),
        (validate_manifest, {"rows": other, "rejected": folder / name}),
        (validate_manifest, {"rows": other, "rejected": tmp_path / "rejected", "facts": folder / name}),
    ]
    for script, options in runs:
        assert run(script, manifest=folder, **options) == 2
        error = f"error: {folder / name}: is a file of the manifest {folder}; name another file to write"
        assert capsys.readouterr().err.splitlines() == [error]
    assert {file: (folder / file).read_text() for file in contents} == contents
    assert not other.exists()


def test_a_user_error_is_one_line(study, capsys):
    status = run(validate_manifest, manifest=study / "gone.jsonl", rows=study / "r", rejected=study / "x")
    errors = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("command: ")]
    assert status == 2
    assert errors == [f"error: {study / 'gone.jsonl'}: no such manifest; correct the path"]
    assert not (study / "r").exists()


@pytest.mark.parametrize(
    "name",
    [
        "compare_training",
        "inspect_audio",
        "unpack_audio",
        "validate_manifest",
        "profile_durations",
        "profile_retention",
        "summarise_durations",
        "choose_max_seconds",
        "split_training",
        "filter_replay",
        "try_split_seeds",
        "score_run",
        "compare_runs",
        "read_reviews",
        "score_reviews",
    ],
)
def test_help_is_quick_and_imports_no_torch(name):
    code = f"import sys, {name}; assert 'torch' not in sys.modules; {name}.main(['--help'])"
    environment = {"PYTHONPATH": f"{SCRIPTS}:{SCRIPTS.parent / 'src'}"}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert "Example:" in found.stdout
