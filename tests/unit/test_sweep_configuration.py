"""`sweep` and `hypotheses` of config.yaml: groups and their runs, presets, recipes, and mistakes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lora.configuration.grid import value_name
from lora.configuration.hypotheses import guard_of, runs_of_hypothesis
from lora.configuration.loading import load_configuration, of_the_study
from lora.configuration.presets import PRESETS
from lora.configuration.recipes import contrasts, recipes
from lora.configuration.schema import load_schema
from lora.configuration.study import StudyConfig, TrainConfig
from lora.records.base import UserError
from lora.workflow import flags
from lora.workflow.study import Study

REPOSITORY = Path(__file__).parents[2]
EMBEDDED = (REPOSITORY / "config.yaml").read_text().partition("\n# What `make sweep`")[0]  # each test has its own sweep
SWEEP = """
sweep:
  rate:
    max_steps: 50
    grid: {learning_rate: [1e-4, 0.001], seed: [1, 2]}
  by-hand: {learning_rate: 5e-4}
hypotheses:
  H3: {preset: learning_rate, runs: [rate, lora], manifest: domain}
"""


def load(text: str, folder: Path) -> dict[str, Any]:
    path = folder / "config.yaml"
    path.write_text(EMBEDDED + text)
    return load_configuration(yaml.safe_load(EMBEDDED + text), path, REPOSITORY)


def study(text: str, folder: Path) -> StudyConfig:
    return StudyConfig.from_json(load(text, folder))


def test_a_grid_becomes_one_run_per_combination(tmp_path: Path) -> None:
    sweep = load(SWEEP, tmp_path)["sweep"]
    assert {run: (s["learning_rate"], s["seed"], s["max_steps"], s["group"]) for run, s in sweep.items()} == {
        "rate-1e-4-s1": (0.0001, 1, 50, "rate"),
        "rate-1e-4-s2": (0.0001, 2, 50, "rate"),
        "rate-1e-3-s1": (0.001, 1, 50, "rate"),
        "rate-1e-3-s2": (0.001, 2, 50, "rate"),
        "by-hand": (0.0005, 13, 100, "by-hand"),
    }
    assert not [run for run, settings in sweep.items() if "grid" in settings]


def test_an_expanded_configuration_loads_as_itself(tmp_path: Path) -> None:
    config = load(SWEEP, tmp_path)
    assert load_configuration(config, None, REPOSITORY) == config
    assert json.dumps(StudyConfig.from_json(config).to_json()) == json.dumps(config)


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [
        ("learning_rate", 1e-4, "1e-4"),
        ("learning_rate", 0.00015, "1_5e-4"),
        ("dropout", 0.5, "0_5"),
        ("dropout", 0.05, "0_05"),
        ("dropout", 0, "0"),
        ("max_steps", 100, "100"),
        ("alpha", 16.0, "16"),
        ("seed", 3, "s3"),
        ("target_modules", ["q_proj", "v_proj"], "q_proj_v_proj"),
        ("target_modules", "all-linear", "all_linear"),
        ("target_modules", r".*\.(q|v)_proj", "q_v_proj"),
        ("modules_to_save", [], "none"),
        ("use_dora", True, "use_dora"),
        ("use_dora", False, "no_use_dora"),
        ("eval_decode", {"num_beams": 4}, "num_beams_4"),
    ],
)
def test_values_in_names_of_runs(key: str, value: Any, name: str) -> None:
    assert value_name(key, value) == name


def test_every_training_setting_can_be_in_a_grid() -> None:
    properties = load_schema()["$defs"]["train"]["properties"]
    grid = load_schema()["$defs"]["sweep_entry"]["properties"]["grid"]["properties"]
    assert {key: values["items"] for key, values in grid.items()} == properties


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("grid: {learning_rate:", "grid: {learning_rat:", 5, ["'learning_rat' in sweep.rate.grid", "'learning_rate'"]),
        ("seed: [1, 2]", "seed: []", 5, ['"sweep.rate.grid.seed" is []', "at least 1 item(s)"]),
        ("seed: [1, 2]", "seed: 1", 5, ['"sweep.rate.grid.seed" is 1; expected a list']),
        ("seed: [1, 2]", "seed: [1, -2]", 5, ['"sweep.rate.grid.seed.1" is -2; expected 0 or more']),
        ("[1e-4, 0.001]", "[1e-4, high]", 5, ["sweep.rate.grid.learning_rate.1", "'high'"]),
        ("seed: [1, 2]", "target_modules: [q_proj, [v_proj, 3]]", 5, ["sweep.rate.grid.target_modules.1"]),
        ("grid: {learning_rate: [1e-4, 0.001], seed: [1, 2]}", "grid: {}", 5, ["sweep.rate.grid", "1 key(s)"]),
        ("seed: [1, 2]", "seed: [1, 1]", 5, ["sweep.rate", "two runs have the name 'rate-1e-4-s1'"]),
        ("by-hand:", "rate-1e-4-s1:", 6, ["two runs have the name 'rate-1e-4-s1'"]),
        ("max_steps: 50", "seed: 5", 4, ["'seed' is fixed and in the grid"]),
        ("by-hand: {learning_rate: 5e-4}", "lora: {learning_rate: 5e-4}", 6, ["'lora' is the name of a candidate"]),
        (
            "by-hand: {learning_rate: 5e-4}",
            "by-hand: {learning_rate: 1e-4, seed: 2, max_steps: 50}",
            6,
            ["'rate-1e-4-s2' and 'by-hand' have the same settings"],
        ),
        ("seed: [1, 2]}", "target_modules: [auto, all-linear]}\n    target_parts: [cross]", 6, ["target_parts goes"]),
        ("preset: learning_rate", "preset: learning_rat", 8, ["hypotheses.H3.preset", "'learning_rate'"]),
        ("preset: learning_rate", "min_seeds: 2", 8, ["hypotheses.H3", "'statement' is missing", "domain_shift"]),
        ("preset: learning_rate", "statement: s, test: trend", 8, ["needs `factor`"]),
        ("preset: learning_rate", "preset: mlp, factor: learningrate", 8, ["hypotheses.H3.factor", "'learning_rate'"]),
        ("preset: learning_rate", "preset: mlp, factor: [rank, seed]", 8, ["names 'seed'"]),
        ("[rate, lora]", "[rat, lora]", 8, ["hypotheses.H3.runs names 'rat'", "did you mean 'rate'"]),
        ("manifest: domain", "manifest: domian", 8, ["hypotheses.H3.manifest", "did you mean 'domain'"]),
        ("manifest: domain", "guard: train", 8, ["hypotheses.H3.guard names 'train'"]),
        ("manifest: domain", "manifset: domain", 8, ["unknown key 'manifset' in hypotheses.H3", "'manifest'"]),
        ("sweep:", "sweep_anyway: true\nsweep:", 2, ["sweep_anyway is set without sweep_reason"]),
        ("sweep:", "sweep_reason: in a hurry\nsweep:", 2, ["sweep_reason is set without sweep_anyway"]),
    ],
)
def test_mistakes_name_file_line_key_and_remedy(
    tmp_path: Path, old: str, new: str, line: int, words: list[str]
) -> None:
    load(SWEEP, tmp_path)
    assert old in SWEEP
    with pytest.raises(UserError) as raised:
        load(SWEEP.replace(old, new, 1), tmp_path)
    text = str(raised.value)
    for word in words:
        assert word in text, text
    assert text.startswith(f"{tmp_path}/config.yaml:{len(EMBEDDED.splitlines()) + line}:"), text


def test_a_hypothesis_takes_from_its_preset_what_it_does_not_say(tmp_path: Path) -> None:
    config = study(SWEEP + "  mine: {preset: larger_adapter, factor: rank, statement: Mine., min_seeds: 5}\n", tmp_path)
    mine, preset = config.hypotheses["mine"], PRESETS["larger_adapter"]
    assert (mine.statement, mine.test, mine.predicts) == ("Mine.", preset.test, preset.predicts)
    assert (mine.factor, mine.min_seeds, mine.runs) == ("rank", 5, None)
    assert list(load("", tmp_path)["hypotheses"]) == ["H1", "H2", "H3", "H4"]


def test_presets_vary_training_settings() -> None:
    factors = {factor for preset in PRESETS.values() for factor in preset.factor}
    assert factors <= set(TrainConfig.model_fields)
    tests = load_schema()["$defs"]["hypothesis"]["properties"]["test"]["enum"]
    assert {preset.test for preset in PRESETS.values()} == set(tests) - {None}


def test_runs_of_a_hypothesis_are_named_by_run_or_group(tmp_path: Path) -> None:
    config = study(SWEEP, tmp_path)
    named = runs_of_hypothesis(config, config.hypotheses["H3"])
    assert named == ["lora", "rate-1e-4-s1", "rate-1e-4-s2", "rate-1e-3-s1", "rate-1e-3-s2"]
    every = config.hypotheses["H3"].model_copy(update={"runs": None})
    assert runs_of_hypothesis(config, every) == [*named, "by-hand"]
    assert guard_of(config, every) == "heldout"
    assert guard_of(config, every.model_copy(update={"guard": "test"})) == "test"


def test_a_factor_that_no_run_varies_is_no_mistake(tmp_path: Path) -> None:
    config = study("hypotheses: {ranks: {preset: larger_adapter, factor: rank}}\n", tmp_path)
    assert contrasts(config, "rank") == []


def test_recipes_are_runs_that_differ_in_the_seed_alone(tmp_path: Path) -> None:
    # One of the group repeats the candidate `lora`, which has the same settings and the seed 13.
    text = "sweep: {more: {max_steps: 100, alpha: 16.0, grid: {learning_rate: [0.001, 0.002], seed: [13, 14]}}}\n"
    config = study(text, tmp_path)
    assert [(recipe.settings["learning_rate"], recipe.runs) for recipe in recipes(config)] == [
        (0.001, {13: "lora", 14: "more-1e-3-s14"}),
        (0.002, {13: "more-2e-3-s13", 14: "more-2e-3-s14"}),
    ]
    assert [recipe.runs for recipe in recipes(config, ["more-2e-3-s14"])] == [{14: "more-2e-3-s14"}]


def test_runs_that_differ_in_trackers_alone_are_the_same(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'plain' and 'tracked' have the same settings"):
        load("sweep: {plain: {seed: 1}, tracked: {seed: 1, report_to: [tensorboard]}}\n", tmp_path)


def test_a_candidate_with_its_own_decoding_is_another_recipe(tmp_path: Path) -> None:
    text = EMBEDDED.replace("  lora:\n", "  lora:\n    decode: {num_beams: 4}\n")
    text += "sweep: {again: {seed: 14}}\n"
    config = StudyConfig.from_json(load_configuration(yaml.safe_load(text), None, REPOSITORY))
    assert [recipe.runs for recipe in recipes(config)] == [{13: "lora"}, {14: "again"}]


def test_contrasts_vary_one_setting_with_all_else_equal(tmp_path: Path) -> None:
    text = "sweep: {grid: {grid: {rank: [16, 4], use_dora: [true, false]}}, odd: {rank: 4, learning_rate: 0.1}}\n"
    config = study(text, tmp_path)
    found = [[(value, *recipe.runs.values()) for value, recipe in c.levels] for c in contrasts(config, "rank")]
    assert found == [
        [(4, "grid-4-no_use_dora"), (8, "lora"), (16, "grid-16-no_use_dora")],
        [(4, "grid-4-use_dora"), (16, "grid-16-use_dora")],
    ]
    assert "rank" not in contrasts(config, "rank")[0].settings


def test_the_documented_example_is_valid(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", (REPOSITORY / "docs/sweep.md").read_text(), re.DOTALL)
    config = study(example, tmp_path)
    assert [len(recipe.runs) for recipe in recipes(config)] == [1, 3, 3, 3, 3, 3, 1]
    assert [len(c.levels) for c in contrasts(config, "max_steps")] == [2, 3]


def test_runs_of_the_sweep_are_trained_with_their_settings_alone(tmp_path: Path) -> None:
    given = flags.training_flags(Study(study(SWEEP, tmp_path)), "rate-1e-4-s2")
    assert given[:4] == ["--max-steps", 50, "--learning-rate", 0.0001]
    assert given[given.index("--seed") + 1] == 2
    assert "--group" not in given


def test_the_override_is_no_part_of_the_recorded_configuration(tmp_path: Path) -> None:
    overridden = load(SWEEP + 'sweep_anyway: true\nsweep_reason: "a deadline"\n', tmp_path)
    assert (overridden["sweep_anyway"], overridden["sweep_reason"]) == (True, "a deadline")
    assert of_the_study(overridden) == load(SWEEP, tmp_path)
