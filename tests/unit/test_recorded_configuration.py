"""The recorded configuration: one of an earlier version is recorded again, another one needs Snakemake's records."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from pathlib import Path

import plan
import pytest
from small_study import CONFIG, REPOSITORY

from lora.configuration.loading import load_configuration, of_the_study
from lora.configuration.recorded import discard_unreadable, require_comparable
from lora.records.base import UserError


def test_only_what_this_version_cannot_read_is_discarded(tmp_path: Path) -> None:
    complete = of_the_study(load_configuration(CONFIG, None, REPOSITORY))
    path = tmp_path / "config.json"
    assert not discard_unreadable(path)
    path.write_text(json.dumps(complete))
    assert not discard_unreadable(path)
    del complete["gate"]
    for text in (json.dumps(complete), json.dumps({**complete, "gone": 1}), "{", "\xff"):
        path.write_text(text)
        assert discard_unreadable(path)
        assert not path.exists()


def test_another_configuration_is_refused_where_snakemake_has_no_record_of_the_results(tmp_path: Path) -> None:
    complete = of_the_study(load_configuration(CONFIG, None, REPOSITORY))
    path, metadata = tmp_path / "config.json", tmp_path / "metadata"
    require_comparable(path, complete, metadata)
    path.write_text(json.dumps(complete))
    require_comparable(path, complete, metadata)
    changed = {**complete, "normalizer": "none"}
    with pytest.raises(UserError, match='normalizer: "basic" -> "none"'):
        require_comparable(path, changed, metadata)
    metadata.mkdir()
    (metadata / urlsafe_b64encode(str(path).encode()).decode()).touch()
    require_comparable(path, changed, metadata)


@pytest.mark.parametrize("damaged", ["{", "[]", ""])
def test_a_plan_needs_no_readable_record(tmp_path: Path, damaged: str) -> None:
    written = {**CONFIG, "statistics": {"target_gain": 0.01}}
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps(written))
    (tmp_path / "data").symlink_to(REPOSITORY / "data")
    recorded = tmp_path / "results" / "config.json"
    recorded.parent.mkdir()
    recorded.write_text(json.dumps(load_configuration(written, config, tmp_path)))
    assert changes(tmp_path) == []
    config.write_text(json.dumps({**written, "statistics": {"target_gain": 0.05}}))
    assert changes(tmp_path) == ["statistics.target_gain: 0.01 -> 0.05"]
    recorded.write_text(damaged)
    assert changes(tmp_path) == []


def changes(folder: Path) -> list[str]:
    config = plan.read_study(folder, [folder / "config.yaml"])
    assert config is not None
    return plan.study_changes(folder, config)
