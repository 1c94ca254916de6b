from __future__ import annotations

from pathlib import Path

import pytest
from healthy import HealthyStudy


@pytest.fixture
def study(tmp_path: Path) -> HealthyStudy:
    return HealthyStudy(tmp_path)
