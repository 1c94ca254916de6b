"""Every target's result in a few lines: the headline first, and last what to open."""

from __future__ import annotations

from pathlib import Path

import print_result
import pytest

from lora.report.study import Study
from lora.report.target_results import TARGETS

HEADLINES = {
    "durations": "10 s is the smallest threshold",
    "baseline": "Baseline: WER ",
    "effect": "lora changes ",
    "report": "READY FOR THE SWEEP: WER ",
}


@pytest.mark.parametrize("target", TARGETS)
def test_headline_first_and_what_to_open_last(study: Study, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert print_result.main(["--results", str(study.results), "--target", target]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(HEADLINES[target])
    assert lines[-1].startswith("  open  ")
    assert len(lines) <= 12


@pytest.mark.parametrize("target", TARGETS)
def test_what_was_not_computed_is_unknown(tmp_path: Path, target: str) -> None:
    (tmp_path / "config.json").write_text('{"manifests": {"dev": "d"}, "candidates": {"lora": {"train": {}}}}')
    lines = TARGETS[target](Study(tmp_path, tmp_path / "config.json"))
    assert lines
    assert lines[-1].startswith("  open  ")
    assert target in {"durations", "report"} or "unknown" in " ".join(lines)
