"""What tests of every folder share: threads, and the place of the repository."""

import os
from pathlib import Path

import pytest

# Before anything imports torch or numpy: many small processes on few cores are slower with more threads each.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# No test asks a hub for anything; code that would is tested against folders of the same shape.
os.environ["HF_HUB_OFFLINE"] = "1"

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY
