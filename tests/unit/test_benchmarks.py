"""The benchmarks run with tiny sizes; the page keeps every line and figure that was not measured again."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import run as bench
from measuring import Cost, Figure, Goal, Line, Plan, Result, cost_of, line
from results_page import page, record, section, write_record


def a_line(goal: Goal, ratio: float) -> Line:
    return Line("ours", "theirs", goal, ratio, ratio - 0.5, ratio + 0.5, 1.0, 2.0, 3)


@pytest.mark.parametrize("subject", ["durations", "headers", "scoring"])
def test_subjects_without_a_model_measure_ratios(subject: str, tmp_path: Path) -> None:
    check(bench.subject_module(subject).run(Plan(tmp_path, quick=True)))


@pytest.mark.slow
def test_the_scale_benchmark_measures_each_stage(tmp_path: Path) -> None:
    assert len(bench.subject_module("scale").run(Plan(tmp_path, quick=True)).figures) == 5


@pytest.mark.slow
@pytest.mark.parametrize("subject", ["transcription", "training", "workflow"])
def test_subjects_with_a_model_measure_ratios(subject: str, tmp_path: Path) -> None:
    check(bench.subject_module(subject).run(Plan(tmp_path, quick=True)))


@pytest.mark.slow
def test_a_real_model_is_measured_where_it_exists(tmp_path: Path) -> None:
    module = bench.subject_module("real-model")
    if not module.WILD.is_dir():
        pytest.skip(f"no model and recordings at {module.WILD}")
    check(module.run(Plan(tmp_path, quick=True)))


@pytest.mark.slow
def test_reused_work_is_counted(tmp_path: Path) -> None:
    assert len(bench.subject_module("reuse").run(Plan(tmp_path, quick=True)).figures) == 7


def check(result: Result) -> None:
    assert result.lines
    assert result.config
    for each in result.lines:
        assert 0 < each.least <= each.ratio <= each.largest
        assert each.ours_seconds > 0
        assert each.theirs_seconds > 0


def test_a_ratio_is_the_median_of_interleaved_pairs() -> None:
    order: list[str] = []
    found = line("a", lambda: order.append("ours"), "b", lambda: order.append("theirs"), Goal(1), 3)
    assert order == ["ours", "theirs"] * 3
    assert found.pairs == 3


def test_goals() -> None:
    assert Goal(2).ratio(ours=1.0, theirs=4.0) == 4.0
    assert Goal(2, "at_most").ratio(ours=1.0, theirs=4.0) == 0.25
    assert [Goal(2).reached(ratio) for ratio in (1.9, 2.0)] == [False, True]
    assert [Goal(2, "at_most").reached(ratio) for ratio in (2.0, 2.1)] == [True, False]
    assert Goal(None).reached(0.1)


def test_the_page_shows_everything_and_keeps_what_is_not_measured_again(tmp_path: Path) -> None:
    first = Result({"rows": 1}, [a_line(Goal(3), 2.0)], [Figure("memory", "5 MB", "flat")], ["Why."])
    for subject in ("durations", "headers"):
        write_record(tmp_path, record(subject, first, "cpu", 1.0))
    again = Result({"rows": 1}, [a_line(Goal(1.5, "at_most"), 1.25)])
    write_record(tmp_path, record("headers", again, "cpu", 1.0))
    shown = page(tmp_path, {"durations": "Durations", "headers": "Headers", "scoring": "Scores"})
    assert shown.count("## ") == 2
    assert (
        "| ours | theirs | 2.00x (1.50 to 2.50, 3 pairs) | at least 3x as fast: **not reached** | 1 s | 2 s |" in shown
    )
    assert "1.25x (0.75 to 1.75, 3 pairs) | at most 1.5x the time: reached" in shown
    assert "| memory | 5 MB | flat |" in shown
    assert "Why." in shown
    kept = json.loads((tmp_path / "headers.json").read_text())
    assert {"subject", "date", "seconds", "config", "versions", "hardware", "lines"} <= kept.keys()


def test_shipped_page_and_results_are_one(repository: Path) -> None:
    written = {path.stem for path in bench.RESULTS.glob("*.json")}
    assert written <= bench.SUBJECTS.keys()
    titles = {name: bench.subject_module(name).TITLE for name in bench.SUBJECTS}
    assert (repository / "docs" / "benchmarks.md").read_text() == page(bench.RESULTS, titles)


def test_a_section_names_no_machine(tmp_path: Path) -> None:
    shown = section("A", record("durations", Result({"rows": 1}), "cpu", 1.0))
    assert "cores of" in shown
    assert str(Path.home()) not in shown


def test_the_cost_of_a_command_is_its_own(tmp_path: Path) -> None:
    cost = cost_of([sys.executable, "-c", "held = bytearray(60_000_000)"])
    assert isinstance(cost, Cost)
    assert 60 < cost.peak_mb < 120
    assert cost.processor_seconds > 0
    with pytest.raises(RuntimeError, match="no such thing"):
        cost_of([sys.executable, "-c", "raise SystemExit('no such thing')"])


def test_validation_keeps_little_of_a_row_in_memory(tmp_path: Path) -> None:
    scale = bench.subject_module("scale")
    few, many = (scale.validation(tmp_path / str(rows), rows) for rows in (10_000, 30_000))
    assert many.peak_mb - few.peak_mb < 0.0005 * 20_000  # MB: 200 bytes a row were measured, whole rows take 5,000
