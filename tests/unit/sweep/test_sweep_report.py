"""What people read of a sweep: its block of the plan, the notes, the terminal, the plots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from planted_sweeps import decided, steps, study

from lora.configuration.study import StudyConfig
from lora.records.sweep import HypothesisResults, SweepFacts
from lora.report.plots.learning_curve import plot_learning_curve
from lora.report.study import Study
from lora.report.sweep import in_words, is_sweep_planned, publish_sweep, publish_sweep_plan
from lora.stages.plots import plot_sweep
from lora.stages.sweep import planned_sweep


@pytest.fixture
def swept(tmp_path: Path) -> Path:
    """A study whose sweep of steps overfits, decided."""
    effects = {50: -0.02, 100: -0.06, 400: -0.01}

    def effect(settings: dict[str, Any]) -> tuple[float, float]:
        return effects[settings["max_steps"]], 0.0

    decided(study(tmp_path, steps("steps", [50, 100, 400]), effect))
    return tmp_path


def published(folder: Path) -> tuple[str, str]:
    plan, notes = folder / "docs/plan.md", folder / "notes.md"
    plan.parent.mkdir(exist_ok=True)
    publish_sweep(Study(folder / "results", folder / "results/config.json"), plan, notes)
    return plan.read_text(), notes.read_text()


def test_the_plan_gets_one_block_with_every_hypothesis_and_run(swept: Path) -> None:
    plan, _ = published(swept)
    block = plan.partition("<!-- BEGIN generated: sweep -->")[2].partition("<!-- END generated: sweep -->")[0]
    results = HypothesisResults.read(swept / "results/hypotheses.json").hypotheses
    assert [result.id for result in results] == ["H1", "H2", "H3", "H4"]
    assert all(f"**{result.id}. " in block for result in results)
    assert "rises beyond 100" in block
    assert all(f"`steps-{count}-s{seed}`" in block for count in (50, 100, 400) for seed in (1, 2, 3))
    assert "../results/plots/sweep.levels.svg" in block
    assert published(swept)[0] == plan


def test_notes_get_an_entry_only_where_results_changed(swept: Path) -> None:
    _, notes = published(swept)
    assert notes.count("Sweep: H1") == 1
    assert "seeds 1, 2, 3" in notes
    assert published(swept)[1] == notes
    path = swept / "results/hypotheses.json"
    path.write_text(path.read_text().replace("supported", "undecided", 1))
    assert published(swept)[1].count("Sweep: H1") == 2


def test_text_around_the_block_is_kept(swept: Path) -> None:
    plan = swept / "docs/plan.md"
    plan.parent.mkdir()
    plan.write_text("My own words.\n")
    assert published(swept)[0].startswith("My own words.\n")


def test_the_terminal_gets_one_line_per_hypothesis(swept: Path) -> None:
    words = in_words(Study(swept / "results", swept / "results/config.json"), Path("docs/plan.md"))
    headline, *lines, last = words.splitlines()
    assert headline.startswith("SWEEP: H1 not run, H2 supported, ")
    assert [line.split()[:2] for line in lines] == [
        ["H1", "NOT"],
        ["H2", "SUPPORTED"],
        ["H3", "NOT"],
        ["H4", lines[3].split()[1]],
    ]
    assert last.split()[:2] == ["open", "docs/plan.md,"]


def test_before_the_sweep_the_plan_says_what_it_will_cost_and_can_show(tmp_path: Path) -> None:
    folder = study(tmp_path, steps("steps", [50, 100]), lambda settings: (0.0, 0.0))
    for path in (folder / "results/wer").iterdir():
        if path.name != "base":
            path.rename(folder / f"aside-{path.name}")
    config = folder / "results/config.json"
    planned = planned_sweep(folder / "results", StudyConfig.read(config))
    text = "\n".join(planned)
    assert "450 optimiser steps" in text
    assert "domain with 3 seeds shows differences from" in text
    assert is_sweep_planned(Study(folder / "results", config))
    plan = folder / "plan.md"
    assert publish_sweep_plan(planned, plan)
    assert "450 optimiser steps" in plan.read_text()
    assert not publish_sweep_plan(planned, plan)


def test_nothing_is_planned_after_the_sweep_or_without_one(
    swept: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = study(tmp_path_factory.mktemp("none"), {}, lambda settings: (0.0, 0.0))
    for folder in (swept, other):
        assert not is_sweep_planned(Study(folder / "results", folder / "results/config.json"))


@pytest.mark.parametrize("recipes", [True, False])
def test_plots_are_the_same_each_time_and_say_so_without_recipes(tmp_path: Path, recipes: bool) -> None:
    sweep = steps("steps", [50, 100]) if recipes else {}
    decided(study(tmp_path, sweep, lambda settings: (-0.05, 0.0)))

    def drawn(name: str) -> list[bytes]:
        paths = [tmp_path / f"{name}-{n}.{kind}" for n in range(3) for kind in ("png", "svg")]
        plot_sweep(tmp_path / "results/recipes.json", *zip(paths[::2], paths[1::2], strict=True))
        return [path.read_bytes() for path in paths]

    assert drawn("one") == drawn("two")


@pytest.mark.parametrize(("seeds", "outcome"), [([1, 2, 3], "at_least"), ([1], "too_few_seeds")])
def test_the_learning_curve_is_drawn(tmp_path: Path, seeds: list[int], outcome: str) -> None:
    sweep = {"share": {"max_steps": 50, "grid": {"data_share": [0.1, 0.3, 1.0], "seed": seeds}}}
    gains = {0.1: -0.005, 0.3: -0.02, 1.0: -0.05}
    changes = {"statistics": {"target_gain": 0.08}}
    decided(study(tmp_path, sweep, lambda settings: (gains[settings["data_share"]], 0.0), **changes))
    facts = SweepFacts.read(tmp_path / "results/recipes.json")
    (curve,) = [trend.curve for one in facts.hypotheses for trend in one.trends if trend.curve is not None]
    assert curve.outcome == outcome
    drawn, empty = tmp_path / "curve.svg", tmp_path / "empty.svg"
    plot_learning_curve(facts, tmp_path / "curve.png", drawn)
    plot_learning_curve(facts.model_copy(update={"hypotheses": []}), tmp_path / "empty.png", empty)
    assert drawn.read_bytes() != empty.read_bytes()
