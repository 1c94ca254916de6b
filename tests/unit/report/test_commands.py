"""Commands are listed in an order in which an empty folder can be filled with them."""

from __future__ import annotations

import example

from lora.report.commands import executions
from lora.report.study import Study


def test_plots_come_before_the_page_that_shows_them(study: Study) -> None:
    for output in ("summary.html", "summary.md", "plots/wer.png", "verdict.json"):
        path = study.results / f"{output}.run.json"
        path.parent.mkdir(exist_ok=True)
        example.run_record(f"python scripts/make.py {output}").write(path)
    done, _ = executions(study.results, study.config)
    assert [one.output for one in done][-4:] == ["verdict.json", "plots/wer.png", "summary.md", "summary.html"]
