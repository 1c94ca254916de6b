"""What makes which work stale: counted in decoded utterances and optimiser steps, not in rule names."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from itertools import count

import pytest
from small_study import CONFIG, ROWS, Study

from lora.layout import required_results
from lora.workflow.display import UP_TO_DATE
from lora.workflow.files import COMMANDS, NOTES, PLAN

EVALUATED = sum(count for name, count in ROWS.items() if name != "train")
AUDITED = CONFIG["labels"]["sample"]
STEPS = CONFIG["candidates"]["lora"]["train"]["max_steps"]
MEASURED = ("labels", "effect/lora")
PUBLISHING = {"publish", "update_documents"}
VALIDATED = 4  # rows of the validation split, fewer than adapter.sample


def test_first_run_did_all_the_work(computed: Study) -> None:
    work = computed.work_since({})
    assert work.decoded == {"base": EVALUATED, "lora": EVALUATED, "labels": AUDITED, "effect/lora": VALIDATED}
    assert work.steps == STEPS


def test_second_run_does_nothing_in_seconds(study: Study) -> None:
    before = study.digests()
    began = time.monotonic()
    done = study.snakemake()
    assert done.returncode == 0
    assert time.monotonic() - began < 60  # 2 s on an idle machine
    assert UP_TO_DATE in done.stdout
    assert study.digests() == before
    assert "Nothing to be done" in study.snakemake("-n").stdout


def test_a_run_with_nothing_to_do_imports_no_library_for_tables(computed: Study) -> None:
    python, *arguments = computed.command("--dry-run", "--quiet")
    done = subprocess.run(
        [python, "-X", "importtime", *arguments], cwd=computed.folder, capture_output=True, text=True, check=True
    )
    imported = set(re.findall(r"\| +(\w+)$", done.stderr, re.MULTILINE))
    assert "snakemake" in imported
    assert imported.isdisjoint({"pandas", "matplotlib", "torch", "transformers", "scipy"})


@pytest.mark.parametrize("document", [PLAN, NOTES])
def test_an_edited_or_deleted_document_is_published_again(study: Study, document: str) -> None:
    path = study.folder / document
    published = path.read_text(encoding="utf-8")
    damaged = published.replace("<!-- END", "Damage.\n<!-- END", 1)
    path.write_text(f"My own words.\n\n{damaged}", encoding="utf-8")
    assert study.stale_rules() == PUBLISHING
    assert study.run().none
    restored = path.read_text(encoding="utf-8")
    assert restored.startswith("My own words.\n")
    assert ("Damage." in restored) == (document == NOTES)  # whose entries never change
    assert study.stale_rules() == set()
    path.unlink()
    assert study.stale_rules() == PUBLISHING
    assert study.run().none
    assert "BEGIN" in path.read_text(encoding="utf-8")
    assert study.stale_rules() == set()
    path.write_text("From a backup.\n", encoding="utf-8")
    os.utime(path, (1, 1))
    assert study.run().none
    assert path.read_text(encoding="utf-8").startswith("From a backup.\n\n<!-- BEGIN")
    assert study.stale_rules() == set()


def test_a_run_asks_for_every_file_that_a_diagnosis_computes(computed: Study) -> None:
    config = json.loads((computed.results / "config.json").read_text(encoding="utf-8"))
    asked = {computed.folder / path for path in (*required_results(config), COMMANDS)}
    records = ("run.json", "experiment.json", ".snakemake_timestamp")
    for path in computed.results.rglob("*"):
        assert path.is_dir() or path.name.endswith(records) or not asked.isdisjoint((path, *path.parents)), path
    assert all(path.exists() for path in asked)


def test_deleted_and_damaged_results_are_computed_again(study: Study) -> None:
    before, records = study.digests(), study.records()
    damaged = ["splits/val.jsonl", "verdict.json", "transcripts/lora/domain.jsonl"]
    for name in damaged:
        (study.results / name).write_bytes((study.results / name).read_bytes()[:-20])
        os.utime(study.results / name, (1, 1))
    weights = study.results / "adapters/lora/best/adapter_model.safetensors"
    weights.write_bytes(bytes(100))
    for name in ("config.json", "wer/base/domain.json", "report/index.html", "plots/wer.svg", "adapters/lora/loss.tsv"):
        (study.results / name).unlink()
    shutil.rmtree(study.results / "adapters/lora/last")
    assert {"record_config", "score_run", "render_report", "plot_wer", "train_adapter"} <= study.stale_rules()
    for options in (["-n"], []):  # a dry run names them and leaves them where they are
        done = study.snakemake(*options)
        assert done.returncode == 0, done.stderr
        assert all(f"results/{name}: changed since it was computed" in done.stderr for name in damaged)
    assert study.work_since(records).none
    assert study.digests() == before
    assert study.stale_rules() == set()


def test_changed_settings_are_refused_where_snakemakes_records_are_lost(study: Study) -> None:
    shutil.rmtree(study.folder / ".snakemake")
    assert study.stale_rules() == set()
    study.configure({"normalizer": "none"})
    for done in (study.snakemake("--dry-run"), study.snakemake()):
        assert done.returncode != 0
        assert 'normalizer: "basic" -> "none"' in done.stdout + done.stderr


def test_moved_repository_and_touched_manifest_make_nothing_stale(study: Study) -> None:
    # The study already lies elsewhere than where it was computed.
    for name in ROWS:
        study.manifest(name).touch()
    done = study.snakemake("-n", "all")
    assert "Nothing to be done" in done.stdout + done.stderr


def test_a_copy_whose_files_have_the_times_of_copying_recomputes_nothing(study: Study) -> None:
    # The worst order in which `cp -r` can write: inputs after what was computed from them.
    paths = [path for path in (study.folder, *study.folder.rglob("*")) if not path.is_symlink()]
    paths.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    now = time.time() - len(paths)
    for path, written in sorted(zip(paths, count(now), strict=False), key=lambda item: -len(item[0].parts)):
        os.utime(path, (written, written))
    before = study.digests()
    done = study.snakemake("-n", "all")
    assert "Nothing to be done" in done.stdout + done.stderr
    assert study.run().none
    assert study.digests() == before


def test_one_new_row_costs_one_utterance_per_run_and_no_training(study: Study) -> None:
    rows = study.rows("domain")
    extra = dict(rows[0], id="one-more", audio=study.rows("train")[0]["audio"])
    extra.pop("duration", None)
    study.write_rows("domain", [*rows, extra])
    work = study.run()
    assert work.decoded == {"base": 1, "lora": 1}
    assert work.steps == 0


def test_a_manifest_in_whose_place_an_older_file_was_moved_is_stale(study: Study) -> None:
    older = study.folder / "older.jsonl"
    older.write_text("".join(study.manifest("domain").read_text().splitlines(keepends=True)[:-1]))
    os.utime(older, (1, 1))
    older.rename(study.manifest("domain"))
    assert {"inspect_audio", "validate_manifest", "transcribe_run"} <= study.stale_rules()


def test_new_thresholds_with_the_same_choice_cost_no_model_work(study: Study) -> None:
    chosen = study.verdict()["max_seconds"]
    study.configure({"durations": {"thresholds": [4, chosen, 15, 30]}})
    assert study.run().none
    assert study.verdict()["max_seconds"] == chosen
    assert "30" in (study.results / "durations" / "summary.tsv").read_text()


def test_model_jobs_that_run_again_unchanged_do_no_model_work(study: Study) -> None:
    """As when Snakemake finds another software environment, such as that of `--use-conda`, with equal versions."""
    before, digests = study.records(), study.digests()
    assert study.run("--forcerun", "audit_labels", "measure_effect", "train_adapter", "transcribe_run").none
    after = study.records()
    assert all(after[f"results/{name}.json.run.json"] != before[f"results/{name}.json.run.json"] for name in MEASURED)
    assert study.digests() == digests


def test_changed_decode_costs_transcripts_of_all_runs_and_no_training(study: Study) -> None:
    study.configure({"decode": {"num_beams": 2}})
    work = study.run()
    # `decode` belongs to transcripts, to the model's own hypotheses in the label audit and to the ladder's texts.
    assert work.decoded == {"base": EVALUATED, "lora": EVALUATED, "labels": AUDITED, "effect/lora": VALIDATED}
    assert work.steps == 0


def test_changed_lora_settings_leave_the_baseline_alone(study: Study) -> None:
    study.configure({"candidates": {"lora": {"train": {"max_steps": 6}}}})
    work = study.run()
    assert work.decoded == {"lora": EVALUATED, "effect/lora": VALIDATED}
    assert work.steps == 6


def test_changed_gate_threshold_costs_the_verdict_only(study: Study) -> None:
    transcripts = {name: digest for name, digest in study.digests().items() if name.startswith(("wer", "effect"))}
    study.configure({"headroom": {"max_wer": 0.000001}})
    assert study.run().none
    assert {name: d for name, d in study.digests().items() if name.startswith(("wer", "effect"))} == transcripts
    assert "headroom.baseline_broken" in study.causes()


def test_a_second_candidate_leaves_the_first_alone(study: Study) -> None:
    study.configure({"candidates": {"hot": {"train": {"max_steps": 2, "learning_rate": 0.002}}}})
    work = study.run()
    assert work.decoded == {"hot": EVALUATED, "effect/hot": VALIDATED}
    assert work.steps == 2
