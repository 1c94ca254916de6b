"""The table of result files agrees with the rules, the configuration and the records."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from lora import layout
from lora.configuration.schema import load_schema
from lora.data.durations import COLUMNS as DURATION_COLUMNS
from lora.layout import RESULTS, locate, required_facts, required_plots, required_results
from lora.records.base import UserError
from lora.records.durations import DurationRow, MaxSeconds
from lora.records.labels import LabelFacts
from lora.results import read_result, read_rows

REPOSITORY = Path(__file__).parents[2]
RULE = re.compile(r"^(?:rule|checkpoint|use rule (\w+) as) (\w+)(?: with)?:\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
OUTPUT = re.compile(r"^    output:\n(.*?)(?=^    \w+:|\Z)", re.MULTILINE | re.DOTALL)
CONFIG: dict[str, Any] = {
    "model": {"id": "model"},
    "manifests": {"train": "t.jsonl", "heldout": "h.jsonl", "domain": "d.jsonl"},
    "roles": {"general": ["heldout"], "domain": ["domain"]},
    "headroom": {"harden": True},
    "base": None,
    "candidates": {"lora": {"train": {}}, "theirs": {"adapter": "a"}, "whole": {"checkpoint": "c"},
                   "texts": {"hypotheses": {}}},
    "sweep": {"more": {}},
}  # fmt: skip
NO_MODEL: dict[str, Any] = {
    "model": None,
    "manifests": {"domain": "d.jsonl"},
    "roles": {"general": [], "domain": ["domain"]},
    "headroom": {"harden": True},
    "base": {"hypotheses": {"domain": "b.jsonl"}},
    "candidates": {"texts": {"hypotheses": {"domain": "t.jsonl"}}},
}


def outputs_of_rules() -> dict[str, set[str]]:
    """Patterns of the outputs below results/ in rules/*.smk, each with the rules that write it.

    A rule that is derived from another (`use rule`) and states no output has that of the other.
    """
    outputs: dict[str, set[str]] = {}
    sections: dict[str, list[str]] = {}
    for file in sorted((REPOSITORY / "rules").glob("*.smk")):
        for base, rule, body in RULE.findall(file.read_text(encoding="utf-8")):
            sections[rule] = OUTPUT.findall(body) or sections.get(base, [])
            for section in sections[rule]:
                for pattern in expanded(section):
                    outputs.setdefault(pattern, set()).add(rule)
    return outputs


def expanded(section: str) -> list[str]:
    """Patterns of an output section; `{kind}` in `expand()` stands for the list that it is given."""
    kinds = re.search(r"kind=\[(.*?)\]", section)
    patterns = []
    for pattern in re.findall(r'"results/([^"]+)"', section):
        pattern = pattern.replace("{{", "{").replace("}}", "}")
        if kinds is None:
            patterns.append(pattern)
        else:
            patterns += [pattern.replace("{kind}", kind) for kind in re.findall(r'"([^"]+)"', kinds[1])]
    return patterns


def test_table_equals_the_outputs_of_the_rules() -> None:
    listed: dict[str, set[str]] = {}
    for kind in RESULTS:
        for extension in layout.PLOT_FORMATS if "{format}" in kind.pattern else ("",):
            listed[kind.pattern.replace("{format}", extension)] = set(kind.rules)
    assert listed == outputs_of_rules()


def test_names_and_patterns_are_unique() -> None:
    assert len({kind.name for kind in RESULTS}) == len({kind.pattern for kind in RESULTS}) == len(RESULTS)


@pytest.mark.parametrize("kind", RESULTS, ids=lambda kind: kind.name)
def test_entries_state_runs_and_manifests_of_their_wildcards(kind: layout.ResultFile[Any]) -> None:
    assert ("{run}" in kind.pattern) == bool(kind.runs)
    assert ("{manifest}" in kind.pattern) == (kind.manifests is not None)
    assert kind.record is not None or not kind.fact


def test_required_facts_follow_the_configuration() -> None:
    facts = required_facts(CONFIG)
    assert len(facts) == len(set(facts))
    assert {f for f in facts if f.startswith("results/paired/")} == {
        f"results/paired/{run}/{manifest}.json"
        for run in ("lora", "theirs", "whole", "texts")
        for manifest in ("heldout", "domain")
    }
    assert [f for f in facts if "/adapters/" in f] == [
        f"results/adapters/{r}/train.json" for r in ("lora", "theirs", "whole")
    ]
    assert [f for f in facts if "/effect/" in f] == [f"results/effect/{r}.json" for r in ("lora", "theirs", "whole")]
    assert [f for f in facts if f.startswith("results/mismatches/")] == [
        f"results/mismatches/{name}.json" for name in ("heldout", "domain", "train", "texts/heldout", "texts/domain")
    ]
    assert [f for f in facts if f.endswith(".import.json")] == [
        f"results/transcripts/texts/{m}.import.json" for m in ("heldout", "domain")
    ]
    assert {"results/labels.json", "results/hardened.json", "results/splits/sizes.tsv"} < set(facts)
    assert required_plots(CONFIG)[-1] == "results/plots/weights.whole.svg"


def test_required_results_are_those_of_a_diagnosis_alone() -> None:
    results = required_results(CONFIG)
    assert len(results) == len(set(results))
    assert {*required_facts(CONFIG), *required_plots(CONFIG)} < set(results)
    assert {"results/config.json", "results/adapters/lora/last", "results/report/verdict.txt"} < set(results)
    assert not [
        path for path in results if re.search(r"sweep|more|recipes|/hypotheses\.json|listen|sounds|in_run", path)
    ]


def test_a_study_without_a_model_requires_no_model_facts() -> None:
    facts = required_facts(NO_MODEL, results="there")
    assert not [f for f in facts if re.search("labels|hardened|adapters|effect|leakage|splits|decision", f)]
    assert "there/transcripts/base/domain.import.json" in facts
    assert required_plots(NO_MODEL) == ["results/plots/wer.png", "results/plots/wer.svg"]


@pytest.mark.parametrize(
    ("path", "name", "wildcards"),
    [
        ("durations/summary.tsv", "duration_summary", {}),
        ("durations/domain.tsv", "durations", {"manifest": "domain"}),
        ("mismatches/texts/domain.json", "run_mismatches", {"run": "texts", "manifest": "domain"}),
        ("transcripts/base/transcribe", "transcripts", {"run": "base"}),
        ("adapters/lora/train", "adapter_best", {"run": "lora"}),
        ("plots/loss.lora.svg", "loss_plot", {"run": "lora", "format": "svg"}),
    ],
)
def test_paths_are_located(path: str, name: str, wildcards: dict[str, str]) -> None:
    location = locate(path)
    assert location is not None
    assert (location.kind.name, location.wildcards) == (name, wildcards)


@pytest.mark.parametrize("path", ["notes.json", "mine/domain.json", "run", "wer/base/deep/domain.json"])
def test_other_files_are_not_located(path: str) -> None:
    assert locate(path) is None


def test_the_baseline_comes_before_candidates() -> None:
    paths = ["wer/lora/domain.json", "adapters/lora/train", "wer/base/domain.json", "manifests/train.jsonl"]
    assert sorted(paths, key=lambda path: layout.locate(path).order) == [  # type: ignore[union-attr]
        "manifests/train.jsonl", "wer/base/domain.json", "adapters/lora/train", "wer/lora/domain.json",
    ]  # fmt: skip


def test_a_missing_file_is_unknown(tmp_path: Path) -> None:
    loaded = read_result(tmp_path, layout.PAIRED, run="lora", manifest="domain")
    assert (loaded.value, loaded.problem) == (None, "missing")
    assert loaded.readable() is None
    assert loaded.message == "paired/lora/domain.json does not exist"
    assert read_rows(tmp_path, layout.SPLIT_SIZES).problem == "missing"


def test_an_unreadable_file_is_a_problem_that_can_be_raised(tmp_path: Path) -> None:
    (tmp_path / "max_seconds.json").write_text("{}", encoding="utf-8")
    loaded = read_result(tmp_path, layout.MAX_SECONDS)
    assert (loaded.value, loaded.problem) == (None, "unreadable")
    with pytest.raises(UserError, match=r"max_seconds\.json: not a MaxSeconds record: max_seconds"):
        loaded.readable()
    MaxSeconds(max_seconds=10.0).write(tmp_path / "max_seconds.json")
    assert read_result(tmp_path, layout.MAX_SECONDS).value == MaxSeconds(max_seconds=10.0)


def test_an_impossible_fact_has_its_reason(tmp_path: Path) -> None:
    facts = LabelFacts(status="impossible", code="data.empty_transcripts", message="no rows")
    facts.write(tmp_path / "labels.json")
    loaded = read_result(tmp_path, layout.LABELS)
    assert (loaded.value, loaded.problem, loaded.message, loaded.code) == (
        facts, "impossible", "no rows", "data.empty_transcripts",
    )  # fmt: skip


def test_a_broken_cell_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "manifests/domain.rejected.tsv"
    path.parent.mkdir()
    path.write_text("line\tid\treason\n3\t\tempty text\nx\ta\tempty text\n", encoding="utf-8")
    assert "domain.rejected.tsv:3: not a RejectedRow row: line" in read_rows(
        tmp_path, layout.REJECTED, manifest="domain"
    ).message  # fmt: skip


def test_columns_of_tables_are_the_fields_of_their_rows() -> None:
    assert tuple(DurationRow.model_fields) == DURATION_COLUMNS


def test_no_manifest_has_a_name_that_makes_two_results_one_file() -> None:
    fixed = {kind.pattern for kind in RESULTS if "{" not in kind.pattern}
    patterns = [kind.pattern.split("{manifest}") for kind in RESULTS if "{manifest}" in kind.pattern]
    taken = {
        path.removeprefix(start).removesuffix(end)
        for start, end in (pattern for pattern in patterns if len(pattern) == 2)
        for path in fixed
        if path.startswith(start) and path.endswith(end) and "/" not in path.removeprefix(start)
    }
    refused = load_schema()["properties"]["manifests"]["propertyNames"]["not"]["const"]
    assert taken == {refused}
