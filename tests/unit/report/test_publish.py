"""Publishing: complete documents, working links, nothing written twice, quick and light."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from urllib.parse import unquote

import example
import publish as command
import pytest

from lora.records.base import UserError, write_text
from lora.report.publish import diagnosis_key, lower_headings, publish, rebase_links
from lora.report.study import Study
from lora.report.summary import summarise
from lora.report.templates import ABOUT, PLAN

REPOSITORY = Path(__file__).parents[3]
ARGUMENTS = ["--results", "results", "--summary", "results/summary.md", "--plan", "docs/experiment_plan.md"]
ARGUMENTS += ["--notes", "notes.md"]
PLAN_PATH, NOTES_PATH = Path("docs/experiment_plan.md"), Path("notes.md")


@pytest.fixture
def summarised(study: Study) -> Study:
    write_text(study.results / "summary.md", summarise(study))
    return study


def published(study: Study) -> tuple[str, str]:
    publish(study, study.results / "summary.md", PLAN_PATH, NOTES_PATH)
    return PLAN_PATH.read_text(), NOTES_PATH.read_text()


def test_missing_documents_are_created(summarised: Study) -> None:
    plan, notes = published(summarised)
    assert plan.startswith("# Experiment plan")
    for hypothesis in ("D1.", "D2.", "D3.", "D4.", "P.", "H1.", "H2.", "H3.", "H4."):
        assert f"**{hypothesis} " in plan
    assert "## Diagnosis: ready for the sweep" in plan
    assert "### Commands, seeds and output paths" in plan
    assert "### 2026-01-05 · Ready for the sweep" in notes
    assert "cuda was asked for, cpu used" in notes
    assert "torch 2.13.0" in notes
    assert "`max_seconds`: 10 s; evaluated on `domain`; gate run `lora`" in notes


def test_a_second_publish_writes_nothing(summarised: Study) -> None:
    published(summarised)
    for path in (PLAN_PATH, NOTES_PATH):
        os.utime(path, ns=(10**9, 10**9))
    result = publish(summarised, Path("results/summary.md"), PLAN_PATH, NOTES_PATH)
    assert (result.plan, result.notes) == (False, False)
    assert PLAN_PATH.stat().st_mtime_ns == NOTES_PATH.stat().st_mtime_ns == 10**9


def test_text_by_people_stays(summarised: Study) -> None:
    published(summarised)
    before, _, rest = PLAN_PATH.read_text().partition("<!-- BEGIN")
    PLAN_PATH.write_text(f"{before}my words\n<!-- BEGIN{rest}\nmine too\n")
    NOTES_PATH.write_text(NOTES_PATH.read_text() + "\nToday I listened to ten rows.\n")
    example.verdict(False, causes=[]).write("results/verdict.json")
    write_text("results/summary.md", summarise(Study(Path("results"), Path("results/config.json"))))
    plan, notes = published(Study(Path("results"), Path("results/config.json")))
    assert "my words" in plan
    assert plan.endswith("mine too\n")
    assert "## Diagnosis: not ready for the sweep" in plan
    assert notes.count("<!-- BEGIN entry") == 2
    assert "Today I listened to ten rows." in notes
    assert notes.index("Ready for the sweep") < notes.index("listened") < notes.index("Not ready for the sweep")


def test_entries_are_never_rewritten(summarised: Study) -> None:
    _, notes = published(summarised)
    mine = notes.replace("- Adjustments: none", "- Adjustments: I restarted the machine")
    NOTES_PATH.write_text(mine)
    example.run_record("again", started="2026-02-01T00:00:00+00:00").write("results/wer/base/domain.json.run.json")
    plan, after = published(summarised)
    assert after == mine
    assert "again" in plan


def test_key_follows_inputs_and_verdict(study: Study) -> None:
    key = diagnosis_key(study)
    example.run_record("again").write("results/wer/base/domain.json.run.json")
    assert diagnosis_key(study) == key
    rows = Path("results/manifests/domain.jsonl")
    rows.write_text(rows.read_text() + rows.read_text().splitlines()[0].replace("t0", "new") + "\n")
    changed = diagnosis_key(study)
    assert changed != key
    example.verdict(False).write("results/verdict.json")
    assert diagnosis_key(study) not in {key, changed}


def test_date_without_run_records_is_today(summarised: Study) -> None:
    for record in Path("results").rglob("*.run.json"):
        record.unlink()
    plan, notes = published(summarised)
    assert f"### {date.today().isoformat()} · Ready" in notes
    assert "No run record was found" in plan


def test_every_link_leads_to_a_file_or_a_plot(summarised: Study) -> None:
    plan, _ = published(summarised)
    targets = re.findall(r"(?<!\\)\]\(([^()\s]+)\)", plan.partition("```")[0])
    assert any(target.endswith(".png") for target in targets)
    for target in targets:
        path = Path("docs", unquote(target))
        if path.suffix == ".png":
            assert path.resolve().parent == Path("results/plots").resolve()
        else:
            assert path.is_file(), target


def test_commands_are_published_exactly(summarised: Study) -> None:
    plan, _ = published(summarised)
    assert "--seed 13 --target-modules '[qv](proj)'\n" in plan
    row = next(line for line in plan.splitlines() if line.startswith("| `results/adapters/lora/`"))
    assert [cell.strip() for cell in row.strip("|").split("|")][1:] == ["13", "cpu, float32", "42", "", "", "100"]


def test_commands_are_in_the_order_in_which_they_can_be_run(summarised: Study) -> None:
    outputs = ["integrity/train.tsv", "manifests/train.jsonl", "leakage/domain.json", "durations/train.tsv"]
    outputs += ["durations/summary.tsv", "max_seconds.json", "transcripts/base/transcribe", "wer/base/x", "labels.json"]
    outputs += ["mismatches/domain.json", "adapters/lora/train", "transcripts/lora/transcribe", "wer/lora/x"]
    outputs += ["reachable/domain.json", "parity/lora.json", "verdict.json"]
    for record in Path("results").rglob("*.run.json"):
        record.unlink()
    for number, output in enumerate(reversed(outputs)):
        example.run_record(f"make {output}", started=f"2026-01-{number + 1:02}").write(f"results/{output}.run.json")
    plan, _ = published(summarised)
    assert "\n".join(f"make {output}" for output in outputs) in plan


def test_scripts_in_the_study_have_relative_paths(summarised: Study, folder: Path) -> None:
    script = f"{folder.resolve()}/scripts/score_run.py"
    example.run_record(f"python {script} --run base").write("results/wer/base/domain.json.run.json")
    plan, _ = published(summarised)
    assert "\npython scripts/score_run.py --run base\n" in plan


def test_commands_cannot_break_out_of_the_block(summarised: Study) -> None:
    evil = "echo '\n```\n<!-- END generated: diagnosis -->\n# Heading'"
    example.run_record(evil).write("results/wer/base/domain.json.run.json")
    plan, _ = published(summarised)
    assert plan.count("<!-- END generated: diagnosis -->") == 1
    assert "\n# Heading" not in plan
    assert not publish(summarised, Path("results/summary.md"), PLAN_PATH, NOTES_PATH).plan


def test_leftovers_of_removed_candidates_are_not_shown(summarised: Study) -> None:
    example.run_record("python old").write("results/adapters/gone/train.run.json")
    example.run_record("python old").write("results/effect/gone.json.run.json")
    plan, _ = published(summarised)
    assert "python old" not in plan


def test_a_broken_run_record_is_named(summarised: Study) -> None:
    write_text("results/verdict.json.run.json", "{")
    plan, _ = published(summarised)
    assert "`verdict.json.run.json` cannot be read" in plan


def test_without_a_summary_nothing_is_written(study: Study) -> None:
    with pytest.raises(UserError, match=r"summary\.md: no such file"):
        published(study)
    assert not PLAN_PATH.exists()
    assert not NOTES_PATH.exists()


def test_headings_are_lowered_except_in_fenced_code() -> None:
    assert lower_headings("# a\n```bash\n# b\n```\n## c") == "## a\n```bash\n# b\n```\n### c"


def test_links_are_rewritten_and_everything_else_stays() -> None:
    kept = "`[a](b)` \\[x\\](y) [z](https://x.org/) [w](#part) ``a`](b)``"
    moved = rebase_links(f"![p](plots/a%20b.png) {kept}", Path("results"), Path("docs/deep"))
    assert moved == f"![p](../../results/plots/a%20b.png) {kept}"


def test_the_shipped_plan_differs_from_the_template_in_its_goals_only() -> None:
    shipped = (REPOSITORY / "docs/experiment_plan.md").read_text(encoding="utf-8")
    human = PLAN.removeprefix(ABOUT).partition("<!-- BEGIN")[0]
    assert human in shipped
    assert "\n## Goals\n" in shipped


def test_command_prints_the_verdict(summarised: Study, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(ARGUMENTS) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("READY FOR THE SWEEP\n")
    assert "docs/experiment_plan.md, results/summary.md, notes.md" in printed
    assert PLAN_PATH.exists()


def test_command_is_quick_and_imports_nothing_heavy(summarised: Study) -> None:
    spy = (
        "import sys, runpy; sys.argv = sys.argv[1:]\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as end: code = end.code\n"
        "heavy = {'torch', 'pandas', 'matplotlib', 'numpy', 'scipy', 'transformers'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else code)"
    )
    script = str(REPOSITORY / "scripts/publish.py")
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", spy, script, *ARGUMENTS], env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - begun < 5  # 0.2 s on an idle machine; tests share theirs


def test_command_says_what_to_fix(summarised: Study) -> None:
    published(summarised)
    text = PLAN_PATH.read_text().replace("<!-- END generated: diagnosis -->\n", "")
    PLAN_PATH.write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "scripts/publish.py"), *ARGUMENTS],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: docs/experiment_plan.md: found BEGIN in line")
    assert done.stderr.count("\n") == 1
    assert PLAN_PATH.read_text() == text
