"""Killed at random moments and rerun: every result of a diagnosis and of a sweep is that of an undisturbed run."""

from __future__ import annotations

from pathlib import Path

import pytest
from kills import measure


@pytest.mark.slow  # `make kills` kills more often; test_determinism.py kills at three known moments
def test_killed_at_random_moments_gives_the_same_bytes(tmp_path: Path) -> None:
    for studies, done in measure(kills=8, seed=5, folder=tmp_path).values():
        assert studies > 0
        assert done.kills.total() >= 4
        assert done.refused == []
        assert done.differences == []
