"""A run that several jobs transcribe side by side: each row once, the same results, and nothing to do afterwards."""

from __future__ import annotations

import json
import re
import shutil

from small_study import Study

TARGET = "results/transcripts/base/domain.jsonl"


def resources_of(rule: str, planned: str) -> list[str]:
    """Resources of each job of a rule, as a dry run prints them."""
    jobs = re.findall(rf"^rule {rule}:\n(.*?)\n\n", planned, re.MULTILINE | re.DOTALL)
    return [next(line for line in job.splitlines() if line.startswith("    resources: ")) for job in jobs]


def test_shards_decode_every_row_once_and_change_no_text(study: Study) -> None:
    before = {path.name: path.read_bytes() for path in (study.results / "transcripts/base").glob("*.jsonl")}
    rows = {line for data in before.values() for line in data.splitlines()}
    shutil.rmtree(study.folder / "work/transcripts")
    study.configure({"model": {"shards": 2}})
    planned = study.snakemake("--dry-run", "--printshellcmds", TARGET).stdout
    assert all("gpu=1" in resources for resources in resources_of("transcribe_shard", planned))
    (merging,) = resources_of("merge_shards", planned)
    assert "gpu" not in merging
    assert "mem_mb=1500, " in merging
    assert study.snakemake("--notemp", TARGET).returncode == 0
    records = sorted((study.folder / "work/shards/base").glob("*.run.json"))
    decoded = [json.loads(path.read_text())["utterances_decoded"] for path in records]
    assert [path.name for path in records] == ["1-of-2.json.run.json", "2-of-2.json.run.json"]
    assert sum(decoded) == len(rows)
    assert abs(decoded[0] - decoded[1]) <= len(before)  # each manifest is divided
    merged = json.loads((study.results / "transcripts/base/transcribe.run.json").read_text())
    assert (merged["utterances_decoded"], merged["utterances_reused"]) == (0, len(rows))
    assert {path.name: path.read_bytes() for path in (study.results / "transcripts/base").glob("*.jsonl")} == before
    shutil.rmtree(study.folder / "work/shards")  # as after a run without --notemp
    shutil.rmtree(study.folder / "work/transcripts")
    assert "Nothing to be done" in study.snakemake("--dry-run", TARGET).stdout
