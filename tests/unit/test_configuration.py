"""config.yaml: defaults, mistakes with file and line, types that agree with the schema, and a generated page."""

from __future__ import annotations

import json
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
import yaml

from lora.configuration.loading import load_configuration
from lora.configuration.schema import load_schema, resolve, setting
from lora.configuration.study import Section, StudyConfig, TrainConfig
from lora.records.base import UserError

REPOSITORY = Path(__file__).parents[2]
EMBEDDED = (REPOSITORY / "config.yaml").read_text()


def load(text: str, folder: Path) -> dict[str, Any]:
    path = folder / "config.yaml"
    path.write_text(text)
    return load_configuration(yaml.safe_load(text), path, REPOSITORY)


def test_the_embedded_study_is_valid_and_complete(tmp_path: Path) -> None:
    config = load(EMBEDDED, tmp_path)
    assert config["statistics"]["confidence"] == 0.95
    assert config["candidates"]["lora"]["train"]["warmup_steps"] == 10
    assert config["gate"] == {"run": None}


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("min_train_samples:", "min_train_sample:", 18, ["unknown key 'min_train_sample'", "'min_train_samples'"]),
        ("max_steps: 100", "max_step: 100", 23, ["candidates.lora.train", "did you mean 'max_steps'"]),
        (
            "rank: 8",
            "rank: eight",
            25,
            ["\"candidates.lora.train.rank\" is 'eight'; expected a whole number", "(default: 8)"],
        ),
        ("  id: data/model", "  idd: data/model", 3, ["unknown key 'idd' in model"]),
        ("rank: 8", "rank: 0", 25, ['"candidates.lora.train.rank" is 0; expected 1 or more']),
        ("rank: 8", "bias: some", 25, ["is 'some'; expected one of 'none', 'all', 'lora_only'"]),
        ("max_seconds: auto", "max_seconds: -3", 17, ["is -3; expected 'auto' or a number more than 0"]),
        ("general: [heldout]", "general: heldout", 12, ["is 'heldout'; expected a list"]),
        ("    train:\n", "    adapter: a\n    train:\n", 21, ["exactly one of", "it has adapter and train"]),
        ("rank: 8", "init_lora_weights: pisa", 25, ["init_lora_weights", "'pisa'"]),
        (
            "min_train_samples: 200",
            "min_train_samples: 200\nintegrity: {max_narrow: 1}",
            19,
            ["unknown key 'max_narrow' in integrity", "'max_narrowband'", "Rename it"],
        ),
        ("rank: 8", "target_parts: [head]", 25, ["target_parts", "'head'"]),
        (
            "rank: 8",
            "target_parts: [cross]\n      target_modules: [q_proj]",
            25,
            ["candidates.lora.train", "target_parts goes with `target_modules: auto`", "['q_proj']"],
        ),
        ("rank: 8", "target_modules: '(q_proj'", 25, ["target_modules", "no regular expression (missing )"]),
        ("rank: 8", "rank: 99999999", 25, ["rank", "expected 65536 or less"]),
        ("rank: 8", "wer_stop_threshold: 8", 25, ['wer_stop_threshold" is 8; expected 1 or less']),  # in percent
        ("rank: 8", "replay_share: 0.2", 25, ["candidates.lora.train", "replay_share is 0.2", "no `replay`"]),
        ("rank: 8", "replay_share: 1", 25, ["replay_share", "less than 1"]),
        ("rank: 8", "data_share: 0", 25, ["data_share", "more than 0"]),
        ("rank: 8", "report_to: [comet]", 25, ["'comet'", "'tensorboard'"]),
        ("data/test_manifest", "data/tst_manifest", 9, ["manifests.test", "no such file", "tst_manifest"]),
        ("durations:", "reviews: [anna.tsv]\ndurations:", 15, ["reviews: no such file", "anna.tsv"]),
        (
            "durations:",
            "text: {strip: [brackets]}\ndurations:",
            15,
            ["\"text.strip.0\" is 'brackets'; expected one of 'prefixes', "],
        ),
        ("general: [heldout]", "general: [helpout]", 12, ["'helpout'", "no evaluation manifest"]),
        ("  lora:", "  base:", 20, ["'base'", "cannot be a name"]),
        ("  test:", "  summary:", 5, ["'summary'", "cannot be a name", "the table of all manifests"]),
    ],
)
def test_mistakes_name_file_line_key_and_remedy(
    tmp_path: Path, old: str, new: str, line: int, words: list[str]
) -> None:
    assert old in EMBEDDED
    with pytest.raises(UserError) as raised:
        load(EMBEDDED.replace(old, new, 1), tmp_path)
    text = str(raised.value)
    assert text.startswith(f"{tmp_path}/config.yaml:{line}:")
    for word in words:
        assert word in text


# A WER may be above 1, and so may the cost of style in likelihood relative to a distance.
UNLIMITED = {"max_wer", "max_style_share"}


def test_shares_and_fractions_are_not_taken_in_percent() -> None:
    def fractions(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
        if isinstance(node, dict):
            description = str(node.get("description"))
            if "number" in str(node.get("type")) and (
                description.startswith("Share of") or "(fraction)" in description
            ):
                yield key, node.get("maximum", node.get("exclusiveMaximum"))
            for name, child in node.items():
                yield from fractions(child, name)

    limits = dict(fractions(load_schema()))
    assert len(limits) > 30
    assert {key for key, limit in limits.items() if limit != 1} == UNLIMITED


ALONE = """model: null
manifests: {dev: data/domain_manifest.jsonl}
roles: {general: [], domain: [dev]}
base: {hypotheses: {dev: data/test_manifest.jsonl}}
candidates:
  theirs:
    hypotheses:
      dev: {path: data/README.md, format: ctm, columns: {id: utt}}
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("model: null", "model: {id: data/model}", 2, ["`manifests` needs `train`"]),
        ("{dev: data/domain", "{replay: data/test_manifest.jsonl, dev: data/domain", 2, ["there is no `train`"]),
        ("{dev: data/domain", "{train: data/domain", 2, ["names no manifest to evaluate on"]),
        ("path:", "pth:", 8, ["unknown key 'pth'", "did you mean 'path'"]),
        ("ctm", "cmt", 8, ["'cmt'", "'ctm'"]),
        ("id: utt", "ids: utt", 8, ["unknown key 'ids'", "'id'"]),
        ("README.md", "no.out", 8, ["candidates.theirs.hypotheses.dev", "no such file", "no.out"]),
    ],
)
def test_mistakes_in_a_study_of_transcripts(tmp_path: Path, old: str, new: str, line: int, words: list[str]) -> None:
    assert load(ALONE, tmp_path)["candidates"]["theirs"]["hypotheses"]["dev"]["format"] == "ctm"
    with pytest.raises(UserError) as raised:
        load(ALONE.replace(old, new, 1), tmp_path)
    text = str(raised.value)
    assert text.startswith(f"{tmp_path}/config.yaml:{line}:"), text
    for word in words:
        assert word in text


def test_no_default_names_a_manifest(tmp_path: Path) -> None:
    assert (setting("roles.general").default, setting("roles.domain").default) == ([], [])
    roles = EMBEDDED[EMBEDDED.index("roles:") : EMBEDDED.index("durations:")]
    assert load(EMBEDDED.replace(roles, ""), tmp_path)["roles"] == {
        "general": [],
        "domain": ["heldout", "domain", "test"],
    }
    general = EMBEDDED.replace(roles, "roles: {general: [test]}\n")
    assert load(general, tmp_path)["roles"] == {"general": ["test"], "domain": ["heldout", "domain"]}
    with pytest.raises(UserError, match="none can show a gain"):
        load(EMBEDDED.replace(roles, "roles: {general: [test, heldout, domain]}\n"), tmp_path)


@pytest.mark.parametrize("kind", ["adapter", "checkpoint"])
def test_an_external_candidate_is_not_trained(tmp_path: Path, kind: str) -> None:
    text = EMBEDDED.split("candidates:")[0] + f"candidates:\n  theirs:\n    {kind}: data/model\n"
    assert load(text, tmp_path)["candidates"]["theirs"] == {kind: "data/model"}


def test_transcripts_of_the_baseline_are_checked_too(tmp_path: Path) -> None:
    text = EMBEDDED.split("candidates:")[0].replace("model:\n  id: data/model", "model: null")
    text += "candidates: {}\nbase:\n  hypotheses:\n    domain: data/nowhere.jsonl\n"
    with pytest.raises(UserError, match=r"base\.hypotheses\.domain: no such file or folder: data/nowhere\.jsonl"):
        load(text, tmp_path)


MAPPED = "{path: data/train_manifest.jsonl, format: jsonl, columns: {text: text}}"


def test_a_manifest_may_be_a_mapping_of_how_to_read_it(tmp_path: Path) -> None:
    config = load(EMBEDDED.replace("train: data/train_manifest.jsonl", f"train: {MAPPED}"), tmp_path)
    assert config["manifests"]["heldout"] == "data/heldout_manifest.jsonl"
    assert config["manifests"]["train"] == {
        "path": "data/train_manifest.jsonl",
        "format": "jsonl",
        "split": None,
        "columns": {"text": "text"},
        "channel": None,
    }


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("format: jsonl", "fromat: jsonl", ["unknown key 'fromat' in manifests.train", "did you mean 'format'"]),
        ("{text: text}", "{txt: text}", ["unknown key 'txt' in manifests.train.columns", "did you mean 'text'"]),
        ("path: data/train_manifest.jsonl", "path: data/nowhere", ["manifests.train.path: no such file or folder"]),
        ("path: data/train_manifest.jsonl, ", "", ["manifests.train", "'path' is missing"]),
        (MAPPED, "[data/train_manifest.jsonl]", ["manifests.train"]),
        ("}}", "}, channel: -1}", ["manifests.train.channel", "-1"]),
    ],
)
def test_mistakes_in_how_a_manifest_is_read(tmp_path: Path, old: str, new: str, words: list[str]) -> None:
    text = EMBEDDED.replace("train: data/train_manifest.jsonl", f"train: {MAPPED.replace(old, new)}")
    with pytest.raises(UserError) as raised:
        load(text, tmp_path)
    assert str(raised.value).startswith(f"{tmp_path}/config.yaml:6:")
    for word in words:
        assert word in str(raised.value)


def test_numbers_with_an_exponent_that_yaml_reads_as_text(tmp_path: Path) -> None:
    config = load(EMBEDDED.replace("learning_rate: 0.001", "learning_rate: 5e-4"), tmp_path)
    assert config["candidates"]["lora"]["train"]["learning_rate"] == 0.0005


def test_a_manifest_without_role_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'test' has no role"):
        load(EMBEDDED.replace("domain: [domain, test]", "domain: [domain]"), tmp_path)


def test_without_a_model_the_baseline_needs_transcripts(tmp_path: Path) -> None:
    text = EMBEDDED.replace("model:\n  id: data/model", "model: null")
    with pytest.raises(UserError, match="needs a model"):
        load(text, tmp_path)


def types_of(annotation: Any) -> set[Any]:
    """The alternatives of a union, with lists and mappings by their outermost type."""
    if isinstance(annotation, types.UnionType):
        return set().union(*(types_of(part) for part in get_args(annotation)))
    return {get_origin(annotation) or annotation}


SCHEMA_TYPES = {
    "integer": {int},
    "number": {int, float},
    "string": {str},
    "boolean": {bool},
    "array": {list},
    "null": {type(None)},
}


def schema_types(schema: dict[str, Any]) -> set[Any]:
    """Python types of the values that a schema admits; a mapping whose keys may all be absent is a dict."""
    root = load_schema()
    schema = resolve(schema, root)
    if "const" in schema:
        return {type(schema["const"])}
    if "enum" in schema:
        return {type(value) for value in schema["enum"]}
    for keyword in ("oneOf", "anyOf"):
        if keyword in schema and "type" not in schema:
            return set().union(*(schema_types(option) for option in schema[keyword]))
    names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    fixed = "required" in schema or any("default" in part for part in schema.get("properties", {}).values())
    mapping = {Section} if fixed else {dict}
    return set().union(*(mapping if name == "object" else SCHEMA_TYPES[name] for name in names))


EXPANDED = {"grid"}  # loading replaces an entry with this key by its runs


def sections(kind: type[Section], schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Path, type and schema of every typed mapping of the configuration."""
    root = load_schema()
    schema = resolve(schema, root)
    yield path, kind, schema
    for key, part in schema["properties"].items():
        part = resolve(part, root)
        values = part.get("additionalProperties")
        named = resolve(values, root) if isinstance(values, dict) else {}
        named = resolve(named.get("then", named), root)
        inner = part if "properties" in part else named
        for record in records_in(kind.model_fields[key].annotation) if key not in EXPANDED else []:
            yield from sections(record, inner, f"{path}{key}.")


def records_in(annotation: Any) -> list[type[Section]]:
    if isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, Section):
        return [annotation]
    return [record for part in get_args(annotation) for record in records_in(part)]


def test_types_and_schema_have_the_same_keys_and_types() -> None:
    compared = list(sections(StudyConfig, load_schema()))
    kinds = {*Section.__subclasses__(), *TrainConfig.__subclasses__()}
    assert {kind for _, kind, _ in compared} == kinds
    for path, kind, schema in compared:
        assert list(kind.model_fields) == [key for key in schema["properties"] if key not in EXPANDED], path
        for key, field in kind.model_fields.items():
            part = resolve(schema["properties"][key], load_schema())
            may_be_absent = key not in schema.get("required", []) and "default" not in part
            assert field.is_required() == (not may_be_absent), f"{path}{key}: types have no defaults of their own"
            expected = schema_types(part) | ({type(None)} if may_be_absent else set())
            actual = {Section if records_in(kind) else kind for kind in types_of(field.annotation)}
            assert actual == expected, f"{path}{key}"


def test_the_typed_configuration_is_the_same_configuration(tmp_path: Path) -> None:
    for text in (EMBEDDED, ALONE, EMBEDDED.replace("train: data/train_manifest.jsonl", f"train: {MAPPED}")):
        config = load(text, tmp_path)
        assert json.dumps(StudyConfig.from_json(config).to_json()) == json.dumps(config)


def test_the_documentation_page_is_generated_from_the_schema() -> None:
    page = subprocess.run(
        [sys.executable, str(REPOSITORY / "scripts/make_configuration_page.py")],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(REPOSITORY / "src"), "PATH": ""},
    )
    assert (REPOSITORY / "docs/configuration.md").read_text() == page.stdout
