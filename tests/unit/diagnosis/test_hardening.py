"""The YAML lines for config.yaml are read back unchanged."""

from __future__ import annotations

import yaml
from healthy import complete_config

from lora.configuration.study import StudyConfig
from lora.diagnosis.headroom.hardening import config_lines


def test_pasted_lines_keep_every_manifest_and_add_one() -> None:
    config = StudyConfig.from_json(complete_config())
    read = yaml.safe_load(
        config_lines(
            config.to_json()["manifests"],
            config.roles.model_dump(),
            "domain-noise-10",
            "data/domain-noise-10/manifest.jsonl",
        )
    )
    assert read["manifests"] == {**config.manifests, "domain-noise-10": "data/domain-noise-10/manifest.jsonl"}
    assert read["roles"] == {"general": ["heldout"], "domain": ["domain-noise-10", "domain", "test"]}


def test_names_and_paths_that_yaml_would_misread_are_quoted() -> None:
    awkward = {"train": "no", "1e3": "my data/#1: é.jsonl", "yes": "0x10", "on": "12", "null": "/abs/it's.tsv"}
    roles = {"general": ["yes"], "domain": ["1e3", "on", "null"]}
    read = yaml.safe_load(config_lines(awkward, roles, "on-noise-5", "a/b.jsonl"))
    assert read["manifests"] == {**awkward, "on-noise-5": "a/b.jsonl"}
    assert read["roles"] == {"general": ["yes"], "domain": ["on-noise-5", "1e3", "on", "null"]}


def test_manifests_that_say_how_they_are_read_keep_saying_it() -> None:
    mapped = {"path": "data/cv: en", "format": "auto", "split": "dev", "columns": {"text": "sentence"}, "channel": None}
    read = yaml.safe_load(
        config_lines({"train": mapped, "domain": "d.jsonl"}, {"domain": ["domain"]}, "new", "n.jsonl")
    )
    assert read["manifests"] == {"train": mapped, "domain": "d.jsonl", "new": "n.jsonl"}
