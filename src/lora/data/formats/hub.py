"""A data set of the Hugging Face hub, by its id, through the optional package `datasets`.

The data set is downloaded (to the cache of `datasets`), saved in a temporary folder and unpacked like any saved data
set. No code of the data set is run: it has to consist of data files.
"""

from __future__ import annotations

import importlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from lora.data.formats.arrow_tables import arrow_files, unpack
from lora.data.formats.interface import ManifestFormat
from lora.data.source import Source
from lora.records.base import UserError

CONFIGURATION = ":"  # between the id of a data set and the name of its configuration


def unpack_from_hub(source: Source, files: list[Path], folder: Path) -> int:
    """Write every recording of a split to `folder`; return the number of rows."""
    data_set = _split(source, _load(source))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        data_set.save_to_disk(temporary)
        saved = replace(source, path=Path(temporary), format="datasets", split=None)
        return unpack(saved, arrow_files(saved), folder)


def _load(source: Source) -> Any:
    """The splits of a data set by name."""
    try:
        datasets = importlib.import_module("datasets")  # optional: nothing else needs it
    except ImportError:
        raise UserError(
            f"{source.path}: a data set of the hub needs the package `datasets`; install it (`pip install datasets`)"
        ) from None
    name, _, configuration = source.path.as_posix().partition(CONFIGURATION)
    try:
        return datasets.load_dataset(name, configuration or None)
    except Exception as error:  # of any kind: network, access, files of the data set
        root = error.__cause__ or error  # `datasets` wraps the reason
        reason = " ".join(str(root).split()) or type(root).__name__
        raise UserError(
            f"{source.path}: cannot be loaded from the hub: {reason:.300}; check the id (`org/name`, or "
            "`org/name:configuration`), the connection and your access (`hf auth login`)"
        ) from None


def _split(source: Source, splits: Any) -> Any:
    names = sorted(splits)
    if source.split is None and len(names) == 1:
        return splits[names[0]]
    if source.split not in names:
        problem = f"no split '{source.split}' in it" if source.split else "contains several splits"
        raise UserError(f"{source.path}: {problem}; choose with `split`, one of {', '.join(names)}")
    return splits[source.split]


HUB = ManifestFormat(
    name="hub",
    description="Data set of the Hugging Face hub by id (`format: hub`), through `datasets`, audio included.",
    read=None,
    row_files=lambda source: [],
    unpack=unpack_from_hub,
    remote=True,
)
