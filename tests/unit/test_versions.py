"""Versions: pins, tested ranges, extras, conda environments and supported Pythons agree."""

from __future__ import annotations

import re
import tomllib

import pytest
import yaml
from conda_packages import PYPI_NAMES
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from small_study import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
EXTRAS = {"slurm": "requirements-slurm.txt", "generic": "requirements-generic.txt"}
ENVIRONMENTS = sorted((REPOSITORY / "envs").glob("*.yaml"))


def by_name(requirements: list[str]) -> dict[str, Requirement]:
    return {canonicalize_name(one.name): one for one in map(Requirement, requirements)}


def pins(name: str) -> dict[str, Requirement]:
    """Packages that a requirements file pins itself, without those of files that it includes."""
    lines = [line.partition("#")[0].strip() for line in (REPOSITORY / name).read_text().splitlines()]
    return by_name([line for line in lines if line and not line.startswith("-r")])


RANGES = by_name(PROJECT["dependencies"])


@pytest.mark.parametrize(
    ("ranges", "file"),
    [(PROJECT["dependencies"], "requirements.txt")]
    + [(PROJECT["optional-dependencies"][extra], file) for extra, file in EXTRAS.items()],
    ids=["dependencies", *EXTRAS],
)
def test_every_pin_is_within_its_range(ranges: list[str], file: str) -> None:
    ranges_by_name, pinned = by_name(ranges), pins(file)
    assert ranges_by_name.keys() == pinned.keys()
    for name, pin in pinned.items():
        ((operator, version),) = [(one.operator, one.version) for one in pin.specifier]
        assert operator == "=="
        assert ranges_by_name[name].specifier.contains(version), name


def test_every_range_begins_with_a_version_that_can_be_tested() -> None:
    for name, needed in RANGES.items():
        assert [one.operator for one in needed.specifier].count(">=") == 1, name


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_conda_environments_take_the_same_ranges(path: object) -> None:
    dependencies = yaml.safe_load((REPOSITORY / str(path)).read_text())["dependencies"]
    (of_pip,) = [entry["pip"] for entry in dependencies if isinstance(entry, dict)]
    listed = by_name([*(entry for entry in dependencies if isinstance(entry, str)), *of_pip])
    assert {"python", "pip"} <= listed.keys()
    for conda_name in listed.keys() - {"python", "pip"}:
        name = PYPI_NAMES.get(conda_name, conda_name)
        assert listed[conda_name].specifier == RANGES[name].specifier, conda_name


def test_one_range_of_python_everywhere() -> None:
    named = re.findall(r"Python :: (3\.\d+)", " ".join(PROJECT["classifiers"]))
    first, last = named[0], named[-1]
    assert PROJECT["requires-python"] == f">={first}"
    following = f"3.{int(last.removeprefix('3.')) + 1}"
    for path in ENVIRONMENTS:
        assert f"  - python >={first},<{following}\n" in path.read_text()
