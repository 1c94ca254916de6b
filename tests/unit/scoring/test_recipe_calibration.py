"""Comparisons of recipes in simulation: small seeded ones here; docs/methods.md states the large ones."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import calibrate_recipes
from recipe_alternatives import units_cover
from recipe_tables import CONFIDENCE, Table, covers, named, sets
from simulated_recipes import World

from lora.scoring.multiplicity import judge_grid
from lora.scoring.seed_intervals import recipe_difference

METHODS = (Path(__file__).parents[3] / "docs" / "methods.md").read_text(encoding="utf-8")


def published(name: str) -> list[dict[str, str]]:
    """Lines of a table of docs/methods.md by their header."""
    text = METHODS.partition(f"<!-- recipes {name} -->\n")[2].partition("\n<!-- end -->")[0]
    rows = [line.strip("| ").split(" | ") for line in text.splitlines()]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[2:]]


def percent(text: str) -> float:
    return float(text.removesuffix(" %"))


def test_intervals_cover_other_seeds_and_those_without_seeds_do_not():
    """150 sets of 60 speakers; the deviation between seeds is a point, so that ignoring it must show."""
    results = [
        recipe_difference(simulated.recipes[0], simulated.base, CONFIDENCE)
        for simulated, _ in sets(World(60, 3, [0.01], [0.0]), 150)
    ]
    assert sum(covers(result, 0.0) for result in results) >= 0.93 * 150
    assert sum(units_cover(result, 0.0, CONFIDENCE) for result in results) <= 0.90 * 150
    half_point = sum(covers(result, 0.02) for result in results)
    assert half_point < 0.8 * 150  # an interval that covers everything would be no interval


def test_equal_recipes_rarely_win_and_a_better_one_does():
    winners = {
        effect: [
            judge_grid(named(simulated), simulated.base, CONFIDENCE)
            for simulated, _ in sets(World(20, 3, [0.003] * 4, [effect, 0.0, 0.0, 0.0]), 60)
        ]
        for effect in (0.0, -0.05)
    }
    assert sum(result.better_than_base or result.best for result in winners[0.0]) <= 5
    assert sum(result.better_than_base and result.winner == "0" for result in winners[-0.05]) >= 50
    assert sum(result.best and result.winner == "0" for result in winners[-0.05]) >= 50


def test_simulations_are_seeded():
    first, again = (next(sets(World(6, 2, [0.01], [0.0]), 1))[0] for _ in "12")
    assert (first.recipes[0].errors == again.recipes[0].errors).all()


def test_published_figures_are_within_the_promised_errors():
    seeded = [line for line in published("intervals") if line["seeds"] != "1"]
    assert len(seeded) == 27
    assert min(percent(line["coverage, against the base"]) for line in seeded) >= 94.0
    assert min(percent(line["coverage, against a recipe"]) for line in seeded) >= 94.0
    assert max(percent(line["error at 5 %"]) for line in published("parts")) <= 5.0
    for line in published("grids"):
        assert percent(line["false winner"]) <= 5.0, line
        assert percent(line["falsely best"]) <= 5.0, line
    for line in published("trends"):
        if line["truth"] == "nothing changes":
            assert percent(line["improves"]) + percent(line["overfits"]) <= 5.0, line
    for line in published("curves"):
        assert percent(line["interval contains it"]) >= 92.0, line


def test_a_table_is_written_between_its_marks():
    page = "a\n<!-- recipes power -->\n\n<!-- end -->\nb\n<!-- recipes grids -->\nold\n<!-- end -->\n"
    table = Table(["x", "y"], [["1", "2 %"]]).markdown()
    assert table == "| x | y |\n|---|---|\n| 1 | 2 % |"
    written = calibrate_recipes.with_table(page, "power", table)
    assert f"<!-- recipes power -->\n{table}\n<!-- end -->" in written
    assert "old" in written
    assert calibrate_recipes.with_table(written, "power", table) == written
    with pytest.raises(ValueError, match="recipes trends"):
        calibrate_recipes.with_table(page, "trends", table)


@pytest.mark.slow
@pytest.mark.parametrize("name", calibrate_recipes.TABLES)
def test_published_tables_are_those_of_the_code(name):
    assert calibrate_recipes.with_table(METHODS, name, calibrate_recipes.table(name)) == METHODS


@pytest.mark.parametrize("name", calibrate_recipes.TABLES)
def test_every_table_can_be_computed(name):
    compute, _ = calibrate_recipes.TABLES[name]
    assert next(set(line) for line in published(name)) == set(compute(4).header)
