"""A results/config.json of an earlier version is recorded again."""

from __future__ import annotations

import json
from pathlib import Path

from small_study import CONFIG, REPOSITORY

from lora.configuration.loading import load_configuration, of_the_study
from lora.configuration.recorded import discard_unreadable


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
