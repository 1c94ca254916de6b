"""The workflow as Snakemake sees it: graphs, targets, folders and workflows that use it (`make lint` checks style)."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest
from preloaded_python import preloaded_python
from small_study import REPOSITORY, Study, make_study

TARGETS = ["all", "publish", "durations", "baseline", "effect", "gate", "report", "listen", "sweep"]


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [preloaded_python(), "-m", "snakemake", *arguments], cwd=folder, capture_output=True, text=True
    )


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_has_a_plan(tmp_path: Path, target: str) -> None:
    study = make_study(tmp_path / "study")
    done = study.snakemake("-n", target)
    assert done.returncode == 0, done.stderr


def test_rulegraph_and_summary_show_every_stage(study: Study) -> None:
    graph = study.snakemake("--rulegraph", "mermaid-js").stdout
    for rule in (
        "validate_manifest",
        "choose_max_seconds",
        "train_adapter",
        "measure_effect",
        "decide_verdict",
        "publish",
    ):
        assert rule in graph
    summary = study.snakemake("--summary").stdout
    assert "results/verdict.json" in summary
    assert "no update" in summary


@pytest.mark.parametrize(
    ("options", "memory", "minutes"),
    [
        ([], "<TBD>", "<TBD>"),  # by the size of inputs that do not exist yet
        (["--default-resources", "slurm_partition=x"], "<TBD>", "<TBD>"),
        (["--default-resources", "mem_mb=9000", "runtime=7"], "9000", "7"),
    ],
    ids=["no profile", "profile without memory", "profile with memory"],
)
def test_default_resources_give_way_to_a_profile(tmp_path: Path, options: list[str], memory: str, minutes: str) -> None:
    study = make_study(tmp_path / "study")
    done = study.snakemake("-n", "results/max_seconds.json", "--workflow-profile", "none", *options)
    assert done.returncode == 0, done.stderr
    planned = {}
    for rule, job in re.findall(
        r"^(?:rule|checkpoint) (\w+):\n(.*?)\n(?=\[|\n)", done.stdout, re.MULTILINE | re.DOTALL
    ):
        planned[rule] = dict(re.findall(r"\b(mem_mb|runtime)=(\w+|<TBD>)", job))
    assert planned["choose_max_seconds"] == {"mem_mb": memory, "runtime": minutes}
    assert planned["validate_manifest"] == {"mem_mb": "<TBD>", "runtime": "<TBD>"}
    assert planned["inspect_audio"] == {"mem_mb": "4000", "runtime": "240"}


def test_a_configuration_larger_than_a_command_line_argument(tmp_path: Path) -> None:
    sweep = {f"entry-{number}": {"rank": number + 1} for number in range(400)}
    study = make_study(tmp_path / "study", {"sweep": sweep})
    study.run("results/config.json")
    recorded = (study.results / "config.json").read_text()
    assert len(json.dumps(json.loads(recorded))) > 128 * 1024
    assert json.loads(recorded)["sweep"]["entry-399"]["rank"] == 400
    assert "Nothing to be done" in study.snakemake("-n", "results/config.json").stdout
    study.configure({"gate": {"run": "lora"}})
    study.run("results/config.json")
    assert json.loads((study.results / "config.json").read_text())["gate"] == {"run": "lora"}


def test_another_folder_and_an_explicit_configfile(computed: Study, tmp_path: Path) -> None:
    done = snakemake(
        tmp_path,
        *("-s", str(REPOSITORY / "Snakefile"), "--cores", "2", "-n", "all"),
        *("--directory", str(computed.folder), "--configfile", str(computed.folder / "config.yaml")),
    )
    assert done.returncode == 0, done.stderr
    assert "Nothing to be done" in done.stdout + done.stderr


def module_snippet() -> str:
    """The lines of docs/cluster.md that import the workflow."""
    text = (REPOSITORY / "docs/cluster.md").read_text()
    return text.partition("## As a module")[2].partition("```python\n")[2].partition("```")[0]


@pytest.fixture
def using_it(tmp_path: Path) -> Path:
    """A study folder with a workflow of its own, which imports this one as the documents say."""
    study = make_study(tmp_path / "another study")
    (study.folder / "config.yaml").rename(study.folder / "other.yaml")
    rules = """
        rule everything:
            default_target: True
            input: "results/splits/train.jsonl", "results/wer/lora/test.json"
        """
    text = 'configfile: "other.yaml"\n\n' + module_snippet() + textwrap.dedent(rules)
    (study.folder / "Snakefile").write_text(text)
    return study.folder


def test_another_workflow_can_use_it_as_a_module(using_it: Path) -> None:
    done = snakemake(using_it, "--cores", "2", "results/splits/train.jsonl")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (using_it / "results/splits/train.jsonl").exists()
    planned = snakemake(using_it, "-n")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert "    output: results/transcripts/lora/heldout.jsonl, " in planned.stdout
    assert "localrules" not in planned.stdout + planned.stderr  # a warning that these names are unknown
    jobs = set(re.findall(r"^(?:rule|localrule|checkpoint) (\w+):$", planned.stdout, re.MULTILINE)) - {"everything"}
    assert {"diagnosis_train_adapter", "diagnosis_transcribe_run", "diagnosis_score_run"} <= jobs
    assert "diagnosis_split_training" not in jobs
    assert all(name.startswith("diagnosis_") for name in jobs)


def test_a_module_with_a_prefix_is_refused(using_it: Path) -> None:
    path = using_it / "Snakefile"
    path.write_text(path.read_text().replace("    config: config\n", '    config: config\n    prefix: "asr"\n'))
    done = snakemake(using_it, "-n")
    assert done.returncode != 0
    assert "module: prefix and replace_prefix are not supported" in done.stdout + done.stderr


def test_braces_in_the_path_of_the_tool_are_refused(tmp_path: Path) -> None:
    tool = tmp_path / "tool {x}"
    shutil.copytree(REPOSITORY / "rules", tool / "rules")
    shutil.copy(REPOSITORY / "Snakefile", tool)
    study = make_study(tmp_path / "study")
    done = snakemake(study.folder, "-s", str(tool / "Snakefile"), "--cores", "1", "-n")
    assert done.returncode == 1
    printed = done.stdout + done.stderr
    assert f"{tool}: Snakemake reads braces in the tool's path as wildcards; rename the folder" in printed
    assert "NameError" not in printed
