"""Another file in an input's place is noticed by its content, whatever its time is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lora.configuration.schema import complete
from lora.configuration.study import StudyConfig
from lora.workflow import contents
from lora.workflow.study import Study

FILES = ("model/config.json", "model/model.safetensors", "theirs/adapter_config.json", "r.tsv", "d.jsonl", "base.trn")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.chdir(tmp_path)
    for name in FILES:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(os.urandom(3_000_000) if name.endswith("safetensors") else b"{}")
    config = {
        "model": {"id": "model"},
        "manifests": {"train": "t.jsonl", "domain": "d.jsonl"},
        "candidates": {"old": {"adapter": "theirs"}, "texts": {"hypotheses": {"domain": "base.trn"}}},
        "reviews": ["r.tsv"],
    }
    return Study(StudyConfig.from_json(complete(config)), {"domain": ["d.jsonl"]})


def values(study: Study) -> dict[str, str]:
    contents._sampled.cache_clear()
    return {
        "base": contents.of_model(study, "base"),
        "old": contents.of_model(study, "old"),
        "domain": contents.of_manifest(study, "domain"),
        "texts": contents.of_hypotheses(study, "texts", "domain"),
        "reviews": contents.of_reviews(study),
    }


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("model/config.json", {"base", "old"}),
        ("model/model.safetensors", {"base", "old"}),
        ("theirs/adapter_config.json", {"old"}),
        ("r.tsv", {"reviews"}),
        ("d.jsonl", {"domain"}),
        ("base.trn", {"texts"}),
    ],
)
def test_other_content_of_the_same_size_and_time_changes_the_value(study: Study, name: str, changed: set[str]) -> None:
    path = Path(name)
    before, state = values(study), path.stat()
    os.utime(path, (1, 1))
    assert values(study) == before
    path.write_bytes(os.urandom(state.st_size))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    after = values(study)
    assert {key for key in after if after[key] != before[key]} == changed


@pytest.mark.parametrize("size", [1, 65_536, 65_537, 600_000, 5_000_000])
def test_a_changed_length_or_end_is_seen(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    seen = set()
    for content in (b"a" * size, b"a" * (size - 1) + b"b", b"a" * (size + 1)):
        path.write_bytes(content)
        contents._sampled.cache_clear()
        seen.add(contents._sampled(str(path)))
    assert len(seen) == 3


def test_a_missing_file_is_left_to_snakemake(study: Study) -> None:
    before = values(study)
    Path("r.tsv").unlink()
    assert values(study)["reviews"] != before["reviews"]
