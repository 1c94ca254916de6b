"""quick: two files of transcripts in, the comparison out; whatever is wrong with them is one message."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from small_study import REPOSITORY

from lora.data.source import Source
from lora.data.transcripts.reference_rows import included_references, reference_rows
from lora.records.base import UserError
from lora.records.verdict import Verdict
from lora.runners import quick
from lora.runners.comparison import Comparison
from lora.runners.output_folder import MARKER, WRITTEN, prepared, replacing

TEXTS = [
    f"the {animal} sat on the {place}"
    for animal in ("cat", "dog", "cow", "hen")
    for place in ("mat", "roof", "stone", "car", "chair", "table", "grass", "hill", "bench", "wall")
]


def hypothesis(text: str, number: int, every: int) -> str:
    return text.replace("the", "a", 1 + number % 2) if number % every == 0 else text


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = [{"id": f"u{n}", "audio": f"clips/u{n}.wav", "text": text, "duration": 2.0} for n, text in enumerate(TEXTS)]
    lines("dev.jsonl", [json.dumps(row) for row in rows])
    lines("ref.trn", [f"{text} (u{n})" for n, text in enumerate(TEXTS)])
    lines("base.trn", [f"{hypothesis(text, n, 1)} (u{n})" for n, text in enumerate(TEXTS)])
    lines("tuned.txt", [f"u{n} {hypothesis(text, n, 4)}" for n, text in enumerate(TEXTS)])
    for name, every in (("base", 1), ("tuned", 4)):
        own = [{"id": f"u{n}", "text": t, "pred_text": hypothesis(t, n, every)} for n, t in enumerate(TEXTS)]
        lines(f"{name}.jsonl", [json.dumps(row) for row in own])
    return tmp_path


def lines(name: str, content: list[str]) -> None:
    Path(name).write_text("\n".join(content) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    "argv",
    [
        ["--manifest", "dev.jsonl", "--baseline", "base.trn", "--tuned", "tuned.txt"],
        ["--manifest", "ref.trn", "--baseline", "base.trn", "--tuned", "tuned.jsonl"],
        ["--baseline", "base.jsonl", "--tuned", "tuned.txt"],
        ["--manifest", "dev.jsonl", "--baseline", "base.trn", "--tuned", "tuned.txt", "--tuned-format", "text"],
    ],
)
def test_every_combination_of_input_files(folder: Path, capsys: pytest.CaptureFixture[str], argv: list[str]) -> None:
    assert quick.main([*argv, "--output-dir", "out"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(
        "tuned is better than the baseline on evaluation.\n  difference    tuned on evaluation (all 40 rows): WER "
    )
    verdict = Verdict.read("out/verdict.json")
    assert [(run.outcome, run.baseline_wer) for run in verdict.runs] == [("better", 0.25)]
    assert {path.name for path in Path("out").iterdir()} >= {"report", "plots", "gate.json"}


def test_without_a_folder_nothing_is_left_behind(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(folder.iterdir())
    assert quick.main(["--baseline", "base.jsonl", "--tuned", "tuned.jsonl"]) == 0
    assert sorted(folder.iterdir()) == before
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1].split()[:3] == ["to", "keep", "it"]
    assert "config.yaml" not in captured.out
    assert "summary" not in captured.out
    assert captured.err == ""


def test_a_kept_folder_is_its_own_and_starts_afresh(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["--baseline", "base.jsonl", "--tuned", "tuned.jsonl", "--output-dir"]
    Path("mine").mkdir()
    lines("mine/summary.md", ["my own"])
    for place, message in (("mine", "did not write"), (".", "is inside it"), ("base.trn", "it is a file")):
        assert quick.main([*argv, place]) == 2
        assert message in capsys.readouterr().err
    assert Path("mine/summary.md").read_text() == "my own\n"
    assert quick.main([*argv, "out"]) == 0
    lines("out/max_seconds.json", ['{"max_seconds": 1}'])
    assert quick.main([*argv, "out"]) == 0
    assert not Path("out/max_seconds.json").exists()
    names = {path.name.removesuffix(".run.json") for path in Path("out").iterdir()}
    assert names <= {*WRITTEN, MARKER}


def test_a_folder_that_another_run_writes_to_is_left_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = [*COMPARED, "--output-dir", "out"]
    with prepared(Path("out"), []):
        lines("out/verdict.json", ["that of the other run"])
        assert quick.main(argv) == 2
        assert "--output-dir out: another run is writing there; wait until it ends" in capsys.readouterr().err
        assert Path("out/verdict.json").read_text() == "that of the other run\n"
    assert quick.main(argv) == 0


def test_a_run_that_fails_leaves_the_last_results(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    argv = [*COMPARED, "--output-dir", "out"]
    assert quick.main(argv) == 0
    good, before = Path("tuned.txt").read_text(), contents(Path("out"))
    Path("tuned.txt").write_bytes(b"PK\x03\x04")
    assert quick.main(argv) == 2
    assert contents(Path("out")) == before
    lines("tuned.txt", good.splitlines()[::-1])
    with monkeypatch.context() as patched:
        patched.setattr(Comparison, "draw", interrupted)
        assert quick.main(argv) == 130
    assert contents(Path("out")) == before
    assert quick.main(argv) == 0
    assert contents(Path("out")).keys() == before.keys()
    assert contents(Path("out")) != before


def test_after_a_killed_run_the_last_complete_results_are_restored(folder: Path) -> None:
    argv = [*COMPARED, "--output-dir", "out"]
    assert quick.main(argv) == 0
    before = contents(Path("out"))
    killed = replacing(Path("out"))
    killed.__enter__()
    lines("out/verdict.json", ["half of"])
    Path("tuned.txt").write_bytes(b"PK\x03\x04")
    assert quick.main(argv) == 2
    assert contents(Path("out")) == before


def interrupted(comparison: Comparison) -> None:
    raise KeyboardInterrupt


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_training_rows_without_a_duration_are_rejected_and_counted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"audio": f"t{n}.wav", "text": "a b", **({"duration": 3} if n else {})} for n in range(9)]
    lines("train.jsonl", [json.dumps(row) for row in rows])
    argv = ["--manifest", "ref.trn", "--baseline", "base.trn", "--tuned", "tuned.txt", "--train", "train.jsonl"]
    assert quick.main([*argv, "--output-dir", "out"]) == 0
    captured = capsys.readouterr()
    assert "has no duration, and there is no file" in Path("out/manifests/train.rejected.tsv").read_text()
    assert "data.too_few_samples" in captured.out
    (rejected,) = [
        check
        for check in Verdict.read("out/verdict.json").checks
        if (check.id, check.manifest) == ("data.rejected_rows", "train")
    ]
    assert (rejected.status, rejected.value) == ("fail", 1)
    assert "40 of 40 rows of ref.trn have no duration and count as within max_seconds" in captured.err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--baseline", "base.trn", "--tuned", "tuned.txt"], "base.trn:1: no reference to score against"),
        (["--manifest", "x", "--baseline", "base.trn", "--tuned", "tuned.txt"], "--manifest x: no such file or folder"),
        (["--baseline", "base.trn", "--tuned", "x"], "--tuned x: no such file or folder"),
        (["--manifest", "dev.jsonl", "--baseline", "base.trn", "--tuned", "other.trn"], "it has 'v1' (read as trn)"),
        (
            ["--manifest", "dev.jsonl", "--baseline", "base.trn", "--tuned", "torn.trn"],
            "torn.trn:1: no id in parentheses",
        ),
        (
            ["--manifest", "empty.jsonl", "--baseline", "base.trn", "--tuned", "tuned.txt"],
            "empty.jsonl: contains no row",
        ),
        (["--manifest", "a.ctm", "--baseline", "base.trn", "--tuned", "tuned.txt"], "a ctm contains hypotheses"),
        (
            ["--manifest", "dev.jsonl", "--baseline", "base.trn", "--tuned", "dev.jsonl"],
            "dev.jsonl: this is the manifest",
        ),
        (["--manifest", "said.jsonl", "--baseline", "base.trn", "--tuned", "tuned.txt"], "contains hypotheses, not"),
    ],
)
def test_a_mistake_is_one_message(
    folder: Path, capsys: pytest.CaptureFixture[str], argv: list[str], message: str
) -> None:
    lines("other.trn", ["hello (v1)"])
    lines("torn.trn", ["hello"])
    lines("a.ctm", ["u1 1 0 1 hello"])
    lines("said.jsonl", ['{"id": "u1", "hypothesis": "hello"}'])
    Path("empty.jsonl").write_text("", encoding="utf-8")
    assert quick.main(argv) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("error: ")
    assert message in error


def test_rows_that_hold_no_text_are_rejected_with_their_line(folder: Path) -> None:
    lines("few.trn", ["one (a)", "(b)"])
    found = reference_rows(Source(Path("few.trn")), silence=False)
    assert [row.id for row in found.rows] == ["a"]
    assert [(r.line, r.id, r.reason) for r in found.rejected] == [(2, "b", "empty text")]
    rows = ['{"audio": "x.wav", "text": "a", "duration": 1}', '{"audio": "x.wav", "text": "b", "duration": 1}', "{"]
    lines("twice.jsonl", [*rows, '{"audio": "y.wav", "text": ""}'])
    found = reference_rows(Source(Path("twice.jsonl")), silence=False)
    reasons = [r.reason.partition(":")[0] for r in found.rejected]
    assert reasons == ["duplicate id, first used in line 1", "broken line", "empty text"]
    with pytest.raises(UserError, match=r"few\.trn:1: no reference"):
        included_references(Path("few.trn"), silence=False)


@pytest.mark.parametrize(
    ("name", "content", "kept"),
    [
        ("few.trn", ["one (a)", "(b)"], ["a", "b"]),
        (
            "refs.jsonl",
            ['{"id": "a", "text": "one"}', '{"id": "b", "text": ""}', '{"id": "c", "text": " "}'],
            ["a", "b"],
        ),
        ("refs.csv", ["id,text", "a,one", "b,"], ["a"]),
    ],
)
def test_an_explicitly_empty_reference_is_a_row_of_silence(
    folder: Path, name: str, content: list[str], kept: list[str]
) -> None:
    lines(name, content)
    assert [row.id for row in reference_rows(Source(Path(name)), silence=True).rows] == kept


@pytest.mark.parametrize(
    ("text", "kept"), [('"text": "", ', True), ('"text": null, ', False), ('"text": "\\t", ', False), ("", False)]
)
def test_a_missing_text_is_not_silence(folder: Path, text: str, kept: bool) -> None:
    lines(
        "rows.jsonl", ['{"audio": "a.wav", "text": "one", "duration": 1}', f'{{{text}"audio": "b.wav", "duration": 1}}']
    )
    assert len(reference_rows(Source(Path("rows.jsonl")), silence=True).rows) == 1 + kept


def test_the_unit_of_the_error_rate(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["--manifest", "dev.jsonl", "--baseline", "base.trn", "--tuned", "tuned.txt", "--output-dir", "out"]
    assert quick.main([*argv, "--unit", "characters"]) == 0
    assert "(all 40 rows): CER " in capsys.readouterr().out
    assert Verdict.read("out/verdict.json").runs[0].unit == "characters"


def test_it_never_imports_a_model_library(folder: Path) -> None:
    code = (
        "import sys; from lora.runners import quick; "
        "code = quick.main(['--baseline', 'base.jsonl', '--tuned', 'tuned.jsonl']); "
        "sys.exit(code or any(name in sys.modules for name in ('torch', 'transformers', 'peft', 'soundfile')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


COMPARED = ["--manifest", "dev.jsonl", "--baseline", "base.trn", "--tuned", "tuned.txt"]
WORSE = ["--manifest", "dev.jsonl", "--before", "tuned.txt", "--after", "base.trn"]


def test_one_json_object_for_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert quick.main([*COMPARED, "--json", "--output-dir", "out"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert captured.err == ""
    assert list(found) == ["software", "headline", "comparisons", "notes", "files", "exit_code", "verdict"]
    (comparison,) = found["comparisons"]
    assert (comparison["outcome"], comparison["rows"], comparison["baseline_wer"]) == ("better", 40, 0.25)
    assert found["verdict"] == json.loads(Path("out/verdict.json").read_text())
    assert found["files"]
    assert all(Path(path).is_file() for path in found["files"])
    assert found["exit_code"] == 0
    assert quick.main([*COMPARED, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == []


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (COMPARED, 0),
        ([*COMPARED, "--fail-on", "warn"], 0),
        (WORSE, 0),
        ([*WORSE, "--fail-on", "block"], 1),  # the better of the two is at the floor
        ([*COMPARED, "--fail-on", "block"], 0),
        ([*WORSE, "--fail-on", "warn", "--json"], 1),
        ([*WORSE, "--manifest", "x", "--fail-on", "warn"], 2),
    ],
)
def test_exit_codes_for_ci(folder: Path, capsys: pytest.CaptureFixture[str], argv: list[str], code: int) -> None:
    assert quick.main([*argv, "--target-gain", "0.5"]) == code
    printed = capsys.readouterr().out
    if "--json" in argv:
        assert json.loads(printed)["exit_code"] == code
    assert bool(printed) == (code != 2)


def test_a_flag_that_changes_which_rows_count_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [json.loads(line) for line in Path("dev.jsonl").read_text().splitlines()]
    lines("dev.jsonl", [json.dumps(row | {"duration": 30.0 if n < 4 else 2.0}) for n, row in enumerate(rows)])
    lines("train.jsonl", [json.dumps({"audio": f"t{n}.wav", "text": "a b", "duration": 3}) for n in range(300)])
    for more, words in (
        ([], ""),
        (["--train", "train.jsonl"], "36 of 40 rows of evaluation count"),
        (["--train", "train.jsonl", "--max-seconds", "25"], "--max-seconds is 25 s, so 36 of 40 rows"),
        (["--train", "train.jsonl", "--max-seconds", "60"], ""),
        (["--max-seconds", "3"], "--max-seconds has no effect without --train"),
    ):
        assert quick.main([*COMPARED, *more]) == 0
        printed = capsys.readouterr().err
        assert words in printed
        assert printed.count("note: ") == bool(words)


def test_options_are_named_and_suggested(capsys: pytest.CaptureFixture[str]) -> None:
    for argv, words in ((["--tunned", "x"], "did you mean '--tuned'?"), (["--fail-on", "x"], "invalid choice")):
        with pytest.raises(SystemExit) as ended:
            quick.main(argv)
        assert ended.value.code == 2
        assert words in capsys.readouterr().err


@pytest.mark.parametrize(("manifest", "code"), [("dev.jsonl", 0), ("missing.jsonl", 2)])
def test_the_step_for_pull_requests_shows_the_verdict_and_keeps_the_exit_code(
    folder: Path, manifest: str, code: int
) -> None:
    """The shell of examples/github-actions, as GitHub runs it."""
    workflow = yaml.safe_load((REPOSITORY / "examples/github-actions/compare.yml").read_text())
    step = workflow["jobs"]["compare"]["steps"][-1]["run"].replace("dev.jsonl", manifest)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY / "src"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
    }
    done = subprocess.run(["bash", "-e", "-c", step], env=environment, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert ("tuned is better" in (folder / "summary.md").read_text()) == (code == 0)


@pytest.mark.parametrize("damage", [b"\0\0", b"\xff\x81\0"])
@pytest.mark.parametrize("place", [0, 3])
def test_a_damaged_line_of_a_json_manifest_costs_one_row(tmp_path: Path, damage: bytes, place: int) -> None:
    """As in the validation of the workflow. Before, manifests named `.json`, as those of NeMo, were refused."""
    rows = [json.dumps({"audio_filepath": f"a{n}.wav", "duration": 1.0, "text": "so"}).encode() for n in range(8)]
    rows[place] = rows[place][:20] + damage + rows[place][20:]
    (tmp_path / "dev.json").write_bytes(b"\n".join(rows))
    found = reference_rows(Source(tmp_path / "dev.json"), silence=True)
    assert (len(found.rows), [row.line for row in found.rejected]) == (7, [place + 1])
