"""Conda packages made of what is installed here, for tests without network, and the names that conda-forge uses."""

from __future__ import annotations

import asyncio
import importlib.metadata
import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from rattler.index import index_fs

# Packages whose name on conda-forge differs from the one on PyPI.
CONDA_NAMES = {"torch": "pytorch", "soundfile": "pysoundfile", "soxr": "soxr-python", "matplotlib": "matplotlib-base"}
PYPI_NAMES = {conda: pypi for pypi, conda in CONDA_NAMES.items()}
SITE_PACKAGES = "lib/site-packages"


def with_dependencies(names: Iterable[str]) -> dict[str, set[str]]:
    """Installed distributions and all that they need, by canonical name, each with what it needs directly."""
    needed: dict[str, set[str]] = {}
    waiting = [Requirement(name) for name in names]
    seen: set[str] = set()
    while waiting:
        asked = waiting.pop()
        if str(asked) in seen:
            continue
        seen.add(str(asked))
        used = [one for one in _requirements(asked) if _is_installed(one.name)]
        needed.setdefault(canonicalize_name(asked.name), set()).update(canonicalize_name(one.name) for one in used)
        waiting += used
    return needed


def _requirements(asked: Requirement) -> list[Requirement]:
    """What an installed distribution needs here, with the extras that are asked for."""
    listed = [Requirement(text) for text in importlib.metadata.requires(asked.name) or []]
    extras = ["", *asked.extras]
    return [one for one in listed if one.marker is None or any(one.marker.evaluate({"extra": e}) for e in extras)]


def make_channel(folder: Path, names: Iterable[str], python: str) -> None:
    """Write a channel with packages that link to installed distributions, those that they need, and a Python.

    Args:
        folder: Folder of the channel.
        names: Distributions by their names on PyPI.
        python: Text of the program `python`, a shell script.
    """
    (folder / "noarch").mkdir(parents=True)
    taken: set[str] = set()
    for name, needed in sorted(with_dependencies(names).items()):
        links = {f"{SITE_PACKAGES}/{top}": target for top, target in _top_level(name) if top not in taken}
        taken |= {top for top, _ in _top_level(name)}
        version = importlib.metadata.version(name)
        depends = sorted(CONDA_NAMES.get(one, one) for one in needed)
        _write_package(folder, CONDA_NAMES.get(name, name), version, depends, links=links)
    version = importlib.metadata.version("pip")
    _write_package(folder, "pip", version, [])
    _write_package(folder, "python", "3.11", [], programs={"bin/python": python})
    # In a thread of its own: the browser of other tests keeps an event loop running in this one.
    with ThreadPoolExecutor() as threads:
        threads.submit(asyncio.run, index_fs(folder)).result()


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _top_level(name: str) -> Iterator[tuple[str, Path]]:
    """Files and folders that a distribution has in site-packages, and where they are."""
    distribution = importlib.metadata.distribution(name)
    tops = {path.parts[0] for path in distribution.files or []} - {"..", "__pycache__"}
    for top in sorted(tops):
        yield top, Path(str(distribution.locate_file(top)))


def _write_package(
    channel: Path,
    name: str,
    version: str,
    depends: list[str],
    links: dict[str, Path] | None = None,
    programs: dict[str, str] | None = None,
) -> None:
    """Write a minimal conda package: its index, the list of its files, links and programs."""
    links, programs = links or {}, programs or {}
    index = {"name": name, "version": version, "build": "0", "build_number": 0, "subdir": "noarch", "noarch": "generic"}
    kinds = {**dict.fromkeys(links, "softlink"), **dict.fromkeys(programs, "hardlink")}
    paths = {"paths_version": 1, "paths": [{"_path": path, "path_type": kind} for path, kind in kinds.items()]}
    texts = {
        "info/index.json": json.dumps({**index, "depends": depends}),
        "info/paths.json": json.dumps(paths),
        **programs,
    }
    with tarfile.open(channel / "noarch" / f"{name}-{version}-0.tar.bz2", "w:bz2") as package:
        for path, text in texts.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(text.encode()), 0o755
            package.addfile(member, io.BytesIO(text.encode()))
        for path, target in links.items():
            member = tarfile.TarInfo(path)
            member.type, member.linkname = tarfile.SYMTYPE, str(target)
            package.addfile(member)
