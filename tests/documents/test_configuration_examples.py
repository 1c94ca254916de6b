"""Pieces of `config.yaml` in the documents have keys and values that the configuration takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_pages import PAGES, Block, code_blocks
from small_study import CONFIG, merged

from lora.configuration.loading import load_configuration
from lora.records.base import UserError

PIECES = [block for page in PAGES for block in code_blocks(page) if block.kind == "yaml"]


def alternatives(block: Block) -> list[dict[str, Any]]:
    """The configurations that a block shows: a key that it repeats starts another one."""
    found: list[dict[str, Any]] = [{}]
    node = yaml.compose(block.text.replace("<commit>", "abc1234"))
    assert isinstance(node, yaml.MappingNode)
    for key, value in node.value:
        if key.value in found[-1]:
            found.append({})
        found[-1][key.value] = yaml.safe_load(yaml.serialize(value))
    return found


def provide(value: Any, folder: Path) -> None:
    """Create the files that a configuration names, empty: every text in it may be one."""
    if isinstance(value, str):
        path = folder / value
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            provide(part, folder)


def whole(piece: dict[str, Any]) -> dict[str, Any]:
    """A configuration with a piece of a document in it; manifests that only the piece names are added."""
    config: dict[str, Any] = {**CONFIG, **piece}
    if "manifests" in piece:
        return merged(config, {"roles": piece.get("roles", {"general": [], "domain": []})})
    return config


@pytest.mark.parametrize("block", PIECES, ids=lambda block: block.place)
def test_every_piece_of_configuration_is_valid(block: Block, tmp_path: Path) -> None:
    for piece in alternatives(block):
        config = whole(piece)
        provide([config.get(section) for section in ("manifests", "candidates", "base", "reviews")], tmp_path)
        load_configuration(config, None, tmp_path)


def test_a_misspelt_key_is_found(tmp_path: Path) -> None:
    (piece,) = alternatives(Block("page.md", 1, "yaml", "sweep: {rate: {learning_rte: 1e-4}}"))
    with pytest.raises(UserError, match="learning_rte"):
        load_configuration(whole(piece), None, tmp_path)
