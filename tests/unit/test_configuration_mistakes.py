"""Mistakes in config.yaml, those of YAML and one for every key of the schema: one line, file and line first."""

from __future__ import annotations

import copy
import math
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lora.configuration.loading import load_configuration
from lora.configuration.plain_values import is_usable
from lora.configuration.schema import load_schema, resolve
from lora.configuration.yaml_file import read_yaml
from lora.records.base import UserError

REPOSITORY = Path(__file__).parents[2]
EMBEDDED = (REPOSITORY / "config.yaml").read_bytes()


def refusal(content: bytes, folder: Path) -> str:
    path = folder / "config.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError) as raised:
        load_configuration(read_yaml(path), path, REPOSITORY)
    text = str(raised.value)
    assert text.startswith(f"{path}")
    assert "\n" not in text
    assert len(text) < 1000
    return text.removeprefix(str(path))


def bomb(indent: str = "") -> bytes:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    lines += [f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]" for old, new in zip("abcdefghi", "bcdefghij", strict=True)]
    return "".join(f"{indent}{line}\n" for line in lines).encode()


LINE = EMBEDDED.count(b"\n") + 1  # of what is appended


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (EMBEDDED + b"# caf\xe9\n", LINE, ["UTF-8"]),
        (EMBEDDED.decode().encode("utf-16"), 1, ["UTF-8"]),
        (EMBEDDED + b"\0", LINE, ["no character '\\x00'"]),
        (EMBEDDED + b"decode: {}\n# \x1b[31mred\n", LINE + 1, ["no character '\\x1b'"]),
        (EMBEDDED + b"x: {a: 1\n", LINE + 1, ["not YAML"]),
        (EMBEDDED.replace(b"  id:", b"\tid:"), 3, ["not YAML"]),
        (b"", 1, ["expected keys"]),
        (b"- a\n", 1, ["expected keys"]),
        (EMBEDDED + b"durations: {max_seconds: 3}\n", LINE, ["durations", "already in line 15"]),
        (EMBEDDED + b"decode: {a: {b: 1, b: 2}}\n", LINE, ["decode.a.b", "already"]),
        (EMBEDDED + b"decode: &d {x: *d}\n", LINE, ["decode.x", "itself"]),
        (EMBEDDED + b"decode: {num_beams: 010}\n", LINE, ["decode.num_beams", "010 means 8 in YAML. Write 8"]),
        (EMBEDDED + b"decode: {num_beams: 1:30}\n", LINE, ["decode.num_beams", "1:30 means 90 in YAML"]),
        (EMBEDDED + b"decode:\n" + bomb("  "), None, ["references"]),
        (bomb() + EMBEDDED, None, ["references"]),
        (EMBEDDED + b"decode: " + b"[" * 5000 + b"]" * 5000, LINE, ["levels"]),
        (EMBEDDED + b"decode: {x: !!python/object/apply:os.system [ls]}\n", LINE, ["decode.x", "os.system"]),
        (EMBEDDED + b"decode: {x: 2020-01-01}\n", LINE, ["decode.x", "2020-01-01", "a date"]),
        (EMBEDDED + b"decode: {x: .nan}\n", LINE, ["decode.x", ".nan"]),
        (EMBEDDED + b"decode: {x: -.inf}\n", LINE, ["decode.x", "-.inf"]),
        (EMBEDDED + b"decode: {x: " + b"9" * 5000 + b"}\n", LINE, ["decode.x", "5000 digits"]),
        *(
            (EMBEDDED.replace(b"  lora:", b"  " + key + b":"), 21, ["candidates", key.decode()])
            for key in (b"7", b"1.5", b"2020-01-01", b"yes", b"~")
        ),
        (EMBEDDED.replace(b"  lora:", b'  "lora\\n":'), 21, ["candidates", "lora"]),
        (EMBEDDED.replace(b"  lora:", b"  " + b"x" * 101 + b":"), 20, ["candidates", "100"]),
        (EMBEDDED.replace(b"test_manifest", b"a{x}"), 9, ["manifests.test", "'{'"]),
        (EMBEDDED.replace(b"data/test_manifest", b"data/a<i>"), 9, ["manifests.test", "'<'"]),
        (EMBEDDED.replace(b"data/model", b"data/{x}"), 3, ["model.id", "'{'"]),
    ],
)
def test_mistakes_of_yaml(tmp_path: Path, content: bytes, line: int | None, words: list[str]) -> None:
    text = refusal(content, tmp_path)
    assert line is None or text.startswith(f":{line}:"), text
    for word in words:
        assert word in text


def test_a_pipe_and_a_large_file_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"a: 1\n" * 200_000)
    for name in ("pipe", "large", "none"):
        with pytest.raises(UserError, match=f"{tmp_path}/{name}: "):
            read_yaml(tmp_path / name)


def test_json_is_read_like_yaml(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"model": {"id": "\\ud83d\\ude00"}}')  # no YAML, which has no pairs of surrogates
    assert read_yaml(path) == {"model": {"id": "\N{GRINNING FACE}"}}
    path.write_text('{"labels": {"sample": 8},\n"labels": {"sample": 9}}')
    with pytest.raises(UserError, match=r'config\.json:2: "labels": the key is already in line 1'):
        read_yaml(path)


def test_what_yaml_may_contain(tmp_path: Path) -> None:
    for content in (EMBEDDED, b"\xef\xbb\xbf" + EMBEDDED, EMBEDDED.replace(b"\n", b"\r\n")):
        (tmp_path / "config.yaml").write_bytes(content + b"decode: &d {num_beams: 2}\n")
        assert read_yaml(tmp_path / "config.yaml") == yaml.safe_load(content) | {"decode": {"num_beams": 2}}


Key = tuple[tuple[str, ...], dict[str, Any]]


def keys_of_schema(
    schema: dict[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Path and schema of every key that has a name of its own."""
    for key, value in resolve(schema, load_schema()).get("properties", {}).items():
        own = resolve(value, load_schema())
        yield (*path, key), own
        yield from keys_of_schema(own, (*path, key))


def every_key() -> list[Key]:
    definitions = load_schema()["$defs"]
    trained = keys_of_schema(definitions["train"], ("candidates", "lora", "train"))
    return [*keys_of_schema(load_schema()), *trained]


WRONG = [math.nan, math.inf, -math.inf, {"x": math.nan}, [math.inf]]


@pytest.mark.parametrize(
    ("path", "schema"), every_key(), ids=lambda value: ".".join(value) if isinstance(value, tuple) else ""
)
def test_no_key_takes_what_is_no_value(path: tuple[str, ...], schema: dict[str, Any], tmp_path: Path) -> None:
    """NaN and infinity for every key; true for every number; a seeded choice of types that the schema does not list."""
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    wrong: list[Any] = [random.Random(".".join(path)).choice(WRONG)]
    if types and set(types) <= {"integer", "number", "null"}:
        wrong += [True, "nan", "1e999", "text", [1], 10**30, *([] if "number" in types else [1e30])]
    elif types and set(types) <= {"boolean"}:
        wrong += [1, "text", 0.5]
    elif "oneOf" in schema:
        wrong += [True, [{}]]
    for value in wrong:
        given = copy.deepcopy(yaml.safe_load(EMBEDDED))
        section = given
        for key in path[:-1]:
            if not isinstance(section.get(key), dict):
                section[key] = {}
            section = section[key]
        section[path[-1]] = value
        file = tmp_path / "config.yaml"
        file.write_text(yaml.safe_dump(given, sort_keys=False))
        with pytest.raises(UserError) as raised:
            load_configuration(read_yaml(file), file, REPOSITORY)
        assert str(raised.value).startswith(f"{file}:"), raised.value
        with pytest.raises(UserError):
            load_configuration(given, None, REPOSITORY)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("model.cpu_threads", 2**40, "1024 or less"),
        ("model.processes", 2**40, "1024 or less"),
        ("model.shards", 10**9, "1000 or less"),
        ("statistics.replicates", 10**12, "1000000 or less"),
        ("statistics.confidence", 1 - 1e-16, "0.9999 or less"),
        ("statistics.target_gain", 1e-300, "0.0001 or more"),
        ("candidates.lora.train.seed", 2**32, "4294967295 or less"),
        ("gate.run", "a\nb\x1b[31m", r"names 'a\nb\x1b[31m', which is no candidate"),
        ("hypotheses.H1", {"preset": "gain", "runs": ["x" * 5000]}, "names 'xxx"),
        ("hypotheses.H1", {"preset": "gain", "guard": "x\ny"}, r"names 'x\ny'"),
        ("roles.domain", ["x\ny" * 2000], r"names 'x\ny"),
        ("durations." + "x" * 5000, 1, "unknown key 'xxx"),
        ("sweep.a.grid.target_modules", ["q", "x" * 201], "a run would have the name 'a-xxx"),
        ("sweep.a.grid", {key: [*range(1, 21)] for key in ("rank", "seed", "alpha", "max_steps")}, "160000 comb"),
    ],
)
def test_values_that_would_fail_or_never_end_later(path: str, value: Any, expected: str, tmp_path: Path) -> None:
    given = yaml.safe_load(EMBEDDED)
    *sections, key = path.split(".")
    section = given
    for name in sections:
        section = section.setdefault(name, {})
    section[key] = value
    text = refusal(yaml.safe_dump(given, sort_keys=False).encode(), tmp_path)
    assert expected in text


def test_a_path_that_is_too_long_is_named_with_its_key(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    given = yaml.safe_load(EMBEDDED)
    given["manifests"]["train"] = "x" * 300
    file.write_text(yaml.safe_dump(given, sort_keys=False))
    with pytest.raises(UserError, match=rf"{file}:\d+: manifests.train: no such file or folder: x"):
        load_configuration(read_yaml(file), file, REPOSITORY)


def test_a_large_learning_rate_is_a_number() -> None:
    assert is_usable(1e30)
    assert not is_usable(10**30)
    assert not is_usable(float("inf"))
