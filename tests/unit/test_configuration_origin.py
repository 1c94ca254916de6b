"""Mistakes name the file whose key counts, or `--config`, and nested options have the types that YAML gives them."""

from __future__ import annotations

from pathlib import Path

from lora.configuration.origin import Origin, location, typed_options


def test_the_last_file_with_the_key_is_named(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("model: null\nstatistics:\n  target_gain: 0.3\ncandidates: [{x: 1}]\n")
    second.write_text("statistics: {replicates: 10}\nmodel: a\n")
    origin = Origin([first, second], {"statistics": {"target_gain": 1}, "sweep_anyway": True})
    assert location(origin, ["statistics", "target_gain"]) == "--config"
    assert location(origin, ["statistics", "replicates"]) == f"{second}:1"
    assert location(origin, ["model"]) == f"{second}:2"
    assert location(origin, ["candidates", 0, "x"]) == f"{first}:4"
    assert location(origin, ["statistics", "unknown"]) == "--config"
    assert location(origin, ["absent"]) == f"{second}:1"
    assert location(first, ["statistics", "target_gain"]) == f"{first}:3"
    assert location(Origin(), ["model"]) == location(None, ["model"]) == "configuration"


def test_nested_options_have_types() -> None:
    text = {"a": {"b": "0.2", "c": ["1", "true", "no", "1e-3"], "d": "null", "e": "[1]"}, "f": 3, "g": "x"}
    typed = {"a": {"b": 0.2, "c": [1, True, "no", 1e-3], "d": None, "e": "[1]"}, "f": 3, "g": "x"}
    assert typed_options(text) == typed
