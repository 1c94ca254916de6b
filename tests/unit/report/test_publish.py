"""Publishing: complete documents, working links, nothing written twice, quick and light."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from urllib.parse import unquote

import example
import publish as command
import pytest

from lora.records.base import UserError, write_text
from lora.report.commands import commands_section
from lora.report.publish import diagnosis_key, keep_together, lower_headings, publish, rebase_links
from lora.report.study import Study
from lora.report.templates import PLAN

REPOSITORY = Path(__file__).parents[3]
ARGUMENTS = ["--results", "results", "--plan", "docs/experiment_plan.md", "--notes", "notes.md"]
PLAN_PATH, NOTES_PATH = Path("docs/experiment_plan.md"), Path("notes.md")


def published(study: Study) -> tuple[str, str]:
    publish(study, PLAN_PATH, NOTES_PATH)
    return PLAN_PATH.read_text(), NOTES_PATH.read_text()


def test_missing_documents_are_created(study: Study) -> None:
    plan, notes = published(study)
    assert plan.startswith("# Experiment plan")
    for hypothesis in ("D1.", "D2.", "D3.", "D4.", "P.", "H1.", "H2.", "H3.", "H4."):
        assert f"**{hypothesis} " in plan
    assert "## Diagnosis: ready for the sweep" in plan
    assert "### Commands, seeds and output paths" in plan
    assert "### 2026-01-05 · Ready for the sweep" in notes
    assert "cuda was asked for, cpu used" in notes
    assert "torch 2.13.0" in notes
    assert "`max_seconds`: 10 s; evaluated on `domain`" in notes


def test_a_second_publish_writes_nothing(study: Study) -> None:
    published(study)
    for path in (PLAN_PATH, NOTES_PATH):
        os.utime(path, ns=(10**9, 10**9))
    result = publish(study, PLAN_PATH, NOTES_PATH)
    assert (result.plan, result.notes) == (False, False)
    assert PLAN_PATH.stat().st_mtime_ns == NOTES_PATH.stat().st_mtime_ns == 10**9


def test_text_by_people_stays(study: Study) -> None:
    published(study)
    before, _, rest = PLAN_PATH.read_text().partition("<!-- BEGIN")
    PLAN_PATH.write_text(f"{before}my words\n<!-- BEGIN{rest}\nmine too\n")
    NOTES_PATH.write_text(NOTES_PATH.read_text() + "\nToday I listened to ten rows.\n")
    example.verdict(False, causes=[]).write("results/verdict.json")
    plan, notes = published(Study(Path("results"), Path("results/config.json")))
    assert "my words" in plan
    assert plan.endswith("mine too\n")
    assert "## Diagnosis: not ready for the sweep" in plan
    assert notes.count("<!-- BEGIN entry") == 2
    assert "Today I listened to ten rows." in notes
    assert notes.index("Ready for the sweep") < notes.index("listened") < notes.index("Not ready for the sweep")


def test_entries_are_never_rewritten(study: Study) -> None:
    _, notes = published(study)
    mine = notes.replace("- Adjustments: none", "- Adjustments: I restarted the machine")
    NOTES_PATH.write_text(mine)
    example.run_record("again", started="2026-02-01T00:00:00+00:00").write("results/wer/base/domain.json.run.json")
    plan, after = published(study)
    assert after == mine
    assert "Last execution: 2026-02-01" in plan
    assert "again" in commands()


def commands() -> str:
    return Path("results/commands.sh").read_text()


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


def test_date_without_run_records_is_today(study: Study) -> None:
    for record in Path("results").rglob("*.run.json"):
        record.unlink()
    plan, notes = published(study)
    assert f"### {date.today().isoformat()} · Ready" in notes
    assert "Last execution: unknown" in plan


def test_every_link_leads_to_a_file_or_a_plot(study: Study) -> None:
    write_text("results/report/index.html", "")
    plan, _ = published(study)
    targets = re.findall(r"(?<!\\)\]\(([^()\s]+)\)", plan)
    assert any(target.endswith(".png") for target in targets)
    for target in targets:
        path = Path("docs", unquote(target))
        if path.suffix == ".png":
            assert path.resolve().parent == Path("results/plots").resolve()
        else:
            assert path.is_file(), target


def test_commands_are_published_exactly(study: Study) -> None:
    published(study)
    assert "--seed 13 --target-modules '[qv](proj)'\n" in commands()
    assert "# adapters/lora/train; seed 13; cpu, float32\n" in commands()
    table = commands_section(study.results, study.config)
    row = next(line for line in table.splitlines() if line.startswith("| `results/adapters/lora/`"))
    assert [cell.strip() for cell in row.strip("|").split("|")][1:] == ["13", "cpu, float32", "42", "", "", "100"]


def test_every_line_of_the_commands_can_be_run(study: Study) -> None:
    example.run_record("touch made").write("results/wer/base/domain.json.run.json")
    published(study)
    line = next(line for line in commands().splitlines() if line.startswith("touch"))
    subprocess.run(["sh", "-c", line], check=True)
    assert Path("made").is_file()
    subprocess.run(["sh", "-n", "results/commands.sh"], check=True)


def test_commands_are_in_the_order_in_which_they_can_be_run(study: Study) -> None:
    outputs = ["integrity/train.tsv", "manifests/train.jsonl", "leakage/domain.json", "durations/train.tsv"]
    outputs += ["durations/summary.tsv", "max_seconds.json", "transcripts/base/transcribe", "wer/base/x", "labels.json"]
    outputs += ["mismatches/domain.json", "adapters/lora/train", "transcripts/lora/transcribe", "wer/lora/x"]
    outputs += ["reachable/domain.json", "parity/lora.json", "verdict.json"]
    for record in Path("results").rglob("*.run.json"):
        record.unlink()
    for number, output in enumerate(reversed(outputs)):
        example.run_record(f"make {output}", started=f"2026-01-{number + 1:02}").write(f"results/{output}.run.json")
    published(study)
    assert [line for line in commands().splitlines() if line.startswith("make ")] == [f"make {one}" for one in outputs]


def test_scripts_in_the_study_have_relative_paths(study: Study, folder: Path) -> None:
    script = f"{folder.resolve()}/scripts/score_run.py"
    example.run_record(f"python {script} --run base").write("results/wer/base/domain.json.run.json")
    published(study)
    assert "\npython scripts/score_run.py --run base\n" in commands()


def test_commands_cannot_break_out_of_their_block(study: Study) -> None:
    evil = "echo '\n```\n<!-- END generated: diagnosis -->\n# Heading'"
    example.run_record(evil).write("results/wer/base/domain.json.run.json")
    plan, _ = published(study)
    assert plan.count("<!-- END generated: diagnosis -->") == 1
    assert "\n# Heading" not in commands_section(study.results, study.config)
    assert not publish(study, PLAN_PATH, NOTES_PATH).plan


def test_leftovers_of_removed_candidates_are_not_shown(study: Study) -> None:
    example.run_record("python old").write("results/adapters/gone/train.run.json")
    example.run_record("python old").write("results/effect/gone.json.run.json")
    published(study)
    assert "python old" not in commands()


def test_a_broken_run_record_is_named(study: Study) -> None:
    write_text("results/verdict.json.run.json", "{")
    plan, _ = published(study)
    assert "`verdict.json.run.json` cannot be read" in plan


def test_without_results_nothing_is_written(tmp_path: Path) -> None:
    study = Study(tmp_path / "results", tmp_path / "results/config.json")
    with pytest.raises(UserError, match="no such folder"):
        publish(study, tmp_path / "plan.md", tmp_path / "notes.md")
    assert not list(tmp_path.iterdir())


def test_headings_are_lowered_except_in_fenced_code() -> None:
    assert lower_headings("# a\n```bash\n# b\n```\n## c") == "## a\n```bash\n# b\n```\n### c"


def test_numbers_stay_on_one_line_with_their_units() -> None:
    markdown = "| 35.6 % (30.2 to 41.4 %) | `at 5 %` | [8 rows](a/5%20s.html) |\n```text\n5 %\n```\n247 training rows"
    assert keep_together(markdown).replace("\u00a0", "~") == (
        "| 35.6~% (30.2~to~41.4~%) | `at 5 %` | [8~rows](a/5%20s.html) |\n```text\n5 %\n```\n247 training rows"
    )


def test_links_are_rewritten_and_everything_else_stays() -> None:
    assert rebase_links("[3](listen/index.html#m=a%2Fb)", Path("r"), Path("d")) == "[3](../r/listen/index.html#m=a%2Fb)"
    kept = "`[a](b)` \\[x\\](y) [z](https://x.org/) [w](#part) ``a`](b)``"
    moved = rebase_links(f"![p](plots/a%20b.png) {kept}", Path("results"), Path("docs/deep"))
    assert moved == f"![p](../../results/plots/a%20b.png) {kept}"


def test_the_shipped_plan_is_the_template() -> None:
    git = ["git", "-C", str(REPOSITORY), "show", "HEAD:docs/experiment_plan.md"]  # a run writes into the working copy
    assert subprocess.run(git, check=True, capture_output=True, text=True).stdout == PLAN
    assert PLAN.index("## Goals") < PLAN.index("<!-- BEGIN generated: diagnosis -->") < PLAN.index("## Protocol")


def test_command_prints_the_verdict(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(ARGUMENTS) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("READY FOR THE SWEEP: ")
    assert printed.splitlines()[-1].startswith(f"  open          {PLAN_PATH}")
    assert PLAN_PATH.exists()


def test_command_imports_nothing_heavy(study: Study) -> None:
    spy = (
        "import sys, runpy; sys.argv = sys.argv[1:]\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as end: code = end.code\n"
        "heavy = {'torch', 'pandas', 'matplotlib', 'numpy', 'scipy', 'transformers'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else code)"
    )
    script = str(REPOSITORY / "scripts/publish.py")
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    done = subprocess.run(
        [sys.executable, "-c", spy, script, *ARGUMENTS], env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_command_says_what_to_fix(study: Study) -> None:
    published(study)
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
