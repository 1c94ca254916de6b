"""config.yaml and files of listeners' judgements."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import yaml

from fuzzing import hostile, material
from fuzzing.cases import Case, Outcome, Reader
from lora.configuration.loading import load_configuration
from lora.configuration.study import StudyConfig
from lora.configuration.yaml_file import read_yaml
from lora.data.review_files import COLUMNS, Judged, read_review_file

CONFIG: dict[str, Any] = {
    "model": {"id": "data/model", "cpu_threads": 1, "device": "cpu"},
    "manifests": {"train": "a.jsonl", "heldout": "a.jsonl", "domain": {"path": "a.jsonl", "format": "nemo"}},
    "roles": {"general": ["heldout"], "domain": ["domain"]},
    "durations": {"thresholds": [5, 8, 10], "min_train_samples": 20, "max_seconds": "auto"},
    "decode": {"num_beams": 1, "max_new_tokens": 100},
    "statistics": {"target_gain": 0.3, "replicates": 200},
    "candidates": {"lora": {"train": {"max_steps": 4, "learning_rate": "1e-3"}}, "other": {"adapter": "adapter"}},
    "gate": {"run": "lora"},
    "sweep": {"rate": {"max_steps": 4, "grid": {"learning_rate": [1e-3, 2e-3], "seed": [1, 2]}}},
}
SNIPPETS = (
    "a: &a [*a]", "x: !!python/object/apply:os.system ['touch pwned']", "? [a, b]\n: 3", "7: 3", "yes: 3", "~: 1",
    "decode: {x: .nan}", "decode: {x: 2020-01-01}", "model: {id: 'a{x}'}", "- a", "<<: 3", "\tid: x", "---\na: 1",
    "decode: " + "[" * 500, "x: !!binary aGVsbG8=", "x: 0x" + "f" * 5000, "x: '\\x1b[31m'", 'x: "\\e[31m"', "%YAML 9",
)  # fmt: skip


def make_config(folder: Path, choice: random.Random) -> Case:
    path = folder / "config.yaml"
    (folder / "a.jsonl").write_text("{}\n")
    (folder / "adapter").mkdir()
    kind = choice.random()
    content = yaml.safe_dump(CONFIG).encode()
    if kind < 0.5:
        damaged = hostile.damaged_object(CONFIG, choice)
        try:
            content = yaml.safe_dump(damaged, allow_unicode=choice.random() < 0.5).encode()
        except (yaml.YAMLError, ValueError):
            content = hostile.as_json(damaged).encode()
    elif hostile.is_damaged(choice, 0.5):
        lines = content.split(b"\n")
        lines.insert(choice.randrange(len(lines)), choice.choice(SNIPPETS).encode())
        content = b"\n".join(lines)
    else:
        content = hostile.damaged_bytes(content, choice)
    path.write_bytes(content)

    def read() -> None:
        StudyConfig.from_json(load_configuration(read_yaml(path), path, folder))

    return Case(read)


ROWS = 12
IDS = [material.row_id(n) for n in range(ROWS)]
REFERENCES = {"test": {id: f"reference {id}" for id in IDS}}


def make_reviews(folder: Path, choice: random.Random) -> Case:
    lines = ["\t".join(("test", id, "reference_wrong", f"corrected {id}", "a note", "yes")).encode() for id in IDS]
    damaged = choice.sample(range(ROWS), 3)
    good = {f"corrected {id}": id for n, id in enumerate(IDS) if n not in damaged}
    for number in damaged:
        cells = lines[number].split(b"\t")
        cells[choice.randrange(len(cells))] = hostile.text(choice).translate(None, b"\n")
        in_cell = hostile.is_damaged(choice, 0.5)
        lines[number] = b"\t".join(cells) if in_cell else hostile.damaged_line(lines[number], choice)
    content = b"\n".join(["\t".join(COLUMNS).encode(), *lines, b""])
    whole = choice.random() < 0.3
    path = folder / "reviews.tsv"
    path.write_bytes(hostile.damaged_bytes(content, choice) if whole else content)
    found: list[Judged] = []
    reasons: list[str] = []

    def read() -> None:
        judged, rejected = read_review_file(path, REFERENCES)
        found.extend(judged)
        reasons.extend(entry.reason for entry in rejected)
        print("\n".join(reasons))

    def outcome() -> Outcome:
        return Outcome(
            {entry.corrected_text or "": entry.id for entry in found}, [reason and "x" for reason in reasons]
        )

    return Case(read, outcome, {} if whole else good, refusable=whole, rows=ROWS)


READERS = [Reader("config.yaml", make_config), Reader("reviews", make_reviews)]
