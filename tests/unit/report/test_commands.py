"""The listed commands can be run in their order from an empty folder."""

from __future__ import annotations

import example

from lora.report.commands import executions
from lora.report.study import Study


def test_plots_come_before_the_report_that_shows_them(study: Study) -> None:
    for output in ("report/index.html", "plots/wer.png", "verdict.json"):
        path = study.results / f"{output}.run.json"
        path.parent.mkdir(exist_ok=True)
        example.run_record(f"python scripts/make.py {output}").write(path)
    done, _ = executions(study.results, study.config)
    assert [one.output for one in done][-3:] == ["verdict.json", "plots/wer.png", "report/index.html"]


def test_leftovers_and_files_of_others_are_not_listed(study: Study) -> None:
    for output in ("wer/dropped/domain.json", "plots/loss.dropped.svg", "mismatches/lora/domain.json", "mine/x.json"):
        path = study.results / f"{output}.run.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        example.run_record(f"python scripts/compute.py {output}").write(path)
    done, unreadable = executions(study.results, study.config)
    outputs = {execution.output for execution in done}
    assert "mismatches/lora/domain.json" in outputs
    assert not outputs & {"wer/dropped/domain.json", "plots/loss.dropped.svg", "mine/x.json"}
    assert unreadable == []
