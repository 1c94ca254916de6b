"""Studies that several field cases start from: each is computed once, and cases copy it with all its state."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from small_study import Study


@functools.cache
def computed(make: Callable[[Path], Study]) -> Study:
    """The study that `make` writes into an empty folder, with its results.

    Copies recompute what a case changes, so nothing in `make` may depend on the folder.
    """
    folder = Path(tempfile.mkdtemp(prefix="field study "))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    study = make(folder / "study")
    study.run("results/report/index.html")
    return study
