"""The chapters of the report are written whatever is missing or broken, with the same bytes in every folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import example_facts
from chapter_text import again, written

from lora.report.one_page import one_page
from lora.report.study import Study

# Files whose absence the summary names; of others (a candidate's own WER, settings) it shows nothing by themselves.
NAMED_IF_MISSING = {
    f"{name}.json" for name in ("verdict", "labels", "hardened", "durations/decision", "adapters/lora/train")
}
NAMED_IF_MISSING |= {f"{name}.json" for name in ("effect/lora", "parity/lora")}
NAMED_IF_MISSING |= {f"{folder}/{m}.json" for folder in ("wer/base", "paired/lora") for m in example_facts.DELTA}
NAMED_IF_MISSING |= {"durations/summary.tsv", "splits/sizes.tsv"}


def test_same_bytes_in_every_folder(study: Study, tmp_path: Path) -> None:
    here = written(study)
    elsewhere = tmp_path / "other place" / "results"
    shutil.copytree(study.results, elsewhere)
    assert written(Study(elsewhere, elsewhere / "config.json")) == here
    (elsewhere / "parity/lora.json").write_text("{")
    (study.results / "parity/lora.json").write_text("{")
    assert written(Study(elsewhere, elsewhere / "config.json")) == again(study)
    assert str(tmp_path) not in here


def all_files(pristine: Path) -> list[str]:
    return sorted(p.relative_to(pristine).as_posix() for p in pristine.rglob("*") if p.is_file())


def test_any_file_may_be_missing_or_broken(pristine: Path, study: Study) -> None:
    complete = written(study)
    for name in all_files(pristine):
        for content in (None, b"", b"{", b"\xff\xfe", b'{"status": "impossible"}', b"[1]"):
            path = study.results / name
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content)
            markdown = again(study)
            assert markdown.startswith("# Diagnosis: "), (name, content)
            if content is None:
                assert one_page(Study(study.results, study.config_path)).startswith("# Diagnosis: "), name
            if content is None and name in NAMED_IF_MISSING:
                assert f"`{name}` does not exist" in markdown, name
                assert "unknown" in markdown
        shutil.copy(pristine / name, study.results / name)
    assert again(study) == complete


def test_an_empty_folder(tmp_path: Path) -> None:
    markdown = written(Study(tmp_path, tmp_path / "config.json"))
    assert markdown.startswith("# Diagnosis: verdict unknown\n\nThe verdict is unknown: `verdict.json` does not exist.")
