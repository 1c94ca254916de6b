"""The chapters of the report state the verdict, show every fact, and are written whatever is missing or broken."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import example
import example_facts
import yaml
from markdown_it import MarkdownIt

from lora.data.tables import read_records, write_table
from lora.records.base import write_text
from lora.records.effect import CheckpointStage, EffectFacts, ModuleDelta
from lora.records.hardening import HardenedFacts, HardenedVersion
from lora.records.integrity import AudioMeasure
from lora.records.manifests import ManifestFacts
from lora.records.parity import (
    DifferingRows,
    ParityFacts,
    ReferenceDifference,
    Rescored,
    SameNormalizerScore,
    SettingDifference,
)
from lora.records.scores import Interval, NormalizerIdentity, WerFacts
from lora.records.training import TrainFacts
from lora.records.verdict import Cause
from lora.report.chapters import CHAPTERS
from lora.report.one_page import one_page
from lora.report.sections.verdict import answers, criteria, gate_outcome
from lora.report.study import Study


def written(study: Study) -> str:
    """All chapters but the commands, which have a time."""
    return "\n\n".join(chapter.write(study) for chapter in CHAPTERS if chapter.key != "commands") + "\n"


def again(study: Study) -> str:
    """The chapters of the files as they are now."""
    return written(Study(study.results, study.config_path))


def configure(study: Study, **changes: Any) -> None:
    write_text(study.config_path, json.dumps({**example.CONFIG, **changes}))


def row(markdown: str, start: str) -> list[str]:
    line = next(line for line in markdown.splitlines() if line.startswith(f"| {start}"))
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def test_verdict_next_step_and_the_numbers_that_decide_come_first(study: Study) -> None:
    markdown = written(study)
    lines = markdown.splitlines()
    assert lines[0] == "# Diagnosis: ready for the sweep"
    assert lines[2].startswith("**Reason.** No cause blocks it. Evaluate on `domain`.")
    assert "at most 10 s, which leaves 218 rows in the training split" in lines[2]
    assert "8 s would leave only 145 of the 200 needed" in lines[2]
    assert lines[4].startswith(
        "**Next step.** Rerun H1 to H4 (`snakemake --cores 2 sweep`) with `max_seconds` = 10, evaluated on `domain`."
    )
    change = row(markdown, "WER change of `lora` on `domain`")[1]
    assert change.startswith("**better**: WER 31.2 % to 20.6 %, **-10.60 points** (95 % interval -12.70 to -8.50; ")
    assert row(markdown, "Smallest change that would show on `domain`")[1] == "1.82 points; the target gain is 1 point"


def test_every_question_has_one_line_with_its_number_in_words(study: Study) -> None:
    markdown = written(study)
    questions = [row(markdown, start) for start in ("D1 ·", "D2 ·", "D3 ·", "D4 ·", "P ·")]
    assert [cells[1] for cells in questions] == ["✓ pass", "✓ pass", "✓ pass", "✓ pass", "✓ pass"]
    assert questions[1][2] == "Baseline WER 31.2 % on domain leaves room."
    assert "0.312" not in markdown


def test_the_worst_label_check_answers_d4() -> None:
    verdict = example.verdict()
    labels = next(check for check in verdict.checks if check.id == "labels.loss")
    bad = labels.model_copy(update={"id": "labels.length", "status": "fail", "summary": "3 labels are too long."})
    found = {one.name: one for one in answers(verdict.model_copy(update={"checks": [*verdict.checks, bad]}))}
    assert (found["labels"].status, found["labels"].result) == ("fail", "3 labels are too long.")
    without = [check for check in verdict.checks if not check.id.startswith("labels.")]
    unknown = {one.name: one for one in answers(verdict.model_copy(update={"checks": without}))}
    assert unknown["labels"].status == "unknown"


def test_the_smallest_change_of_a_manifest_has_one_value(study: Study) -> None:
    verdict = example.verdict()
    runs = [run.model_copy(update={"smallest_change": 0.0478}) for run in verdict.runs]
    example.verdict(runs=runs).write(study.results / "verdict.json")
    markdown = again(study)
    assert row(markdown, "Smallest change that would show on `domain`")[1].startswith("4.78 points")
    assert row(markdown, "`domain`   | domain")[9].startswith("4.78 points")
    assert "only changes above 4.78 points are detectable here" in row(markdown, "secondary")[8]
    assert "1.82" not in markdown
    example.verdict(runs=[]).write(study.results / "verdict.json")
    assert row(again(study), "Smallest change that would show on `domain`")[1].startswith("1.82 points")


def test_imported_hypotheses_are_not_called_an_adapter_that_works(study: Study) -> None:
    assert "D3 · the adapter works" in written(study)
    config = json.loads(study.config_path.read_text())
    config["candidates"]["lora"] = {"hypotheses": {"domain": "tuned.trn"}}
    study.config_path.write_text(json.dumps(config))
    markdown = again(study)
    assert "D3 · the hypotheses differ" in markdown
    assert "the adapter works" not in markdown


def test_not_ready_names_cause_and_next_step(study: Study) -> None:
    starved = Cause(
        code="data.filter_starves_training",
        severity="blocks",
        run=None,
        manifest="train",
        because="8 s leaves 131 rows",
        remedy="Train on rows of at most 10 s.",
        evidence=["results/durations/decision.json"],
    )
    example.verdict(False, causes=[starved, starved]).write(study.results / "verdict.json")
    markdown = again(study)
    assert markdown.startswith("# Diagnosis: not ready for the sweep")
    assert "Most likely cause: 8 s leaves 131 rows. 1 other cause blocks too." in markdown
    assert "**Next step.** Train on rows of at most 10 s." in markdown
    assert "(blocks the sweep; `data.filter_starves_training`, `train`)" in markdown
    assert "*See:* [durations/decision.json](durations/decision.json)" in markdown


def test_a_short_run_without_interval(study: Study) -> None:
    runs = [
        outcome.model_copy(update={"delta": 0.0, "ci_low": None, "ci_high": None, "outcome": "unchanged"})
        for outcome in example.verdict().runs
    ]
    example.verdict(runs=runs).write(study.results / "verdict.json")
    change = row(again(study), "WER change of `lora` on `domain`")[1]
    assert change.startswith("**same words**: ")
    assert "**0 points** (no interval; " in change


def test_not_ready_without_cause_names_the_failed_criteria(study: Study) -> None:
    checks = [c.model_copy(update={"status": "unknown"}) if c.id == "parity" else c for c in example.verdict().checks]
    example.verdict(False, causes=[], checks=checks).write(study.results / "verdict.json")
    markdown = again(study)
    assert "15 settings compared, all equal." in markdown.splitlines()[2]
    assert "? unknown" in markdown
    assert "No cause was found." in markdown


def test_without_a_model(study: Study) -> None:
    example.verdict(None, gate_run=None, runs=[], checks=[]).write(study.results / "verdict.json")
    configure(study, model=None, candidates={})
    markdown = again(study)
    assert markdown.startswith("# Diagnosis: No comparison was possible\n")
    assert "No model is configured, so labels were not audited." in markdown
    assert "No candidate is configured" in markdown


def test_tables_of_the_data(study: Study) -> None:
    markdown = written(study)
    assert row(markdown, "`train`")[:4] == ["`train`", "90 (25.0 %)", "165 (45.8 %)", "248 (68.9 %)"]
    assert row(markdown, "≤ 10 s (chosen)") == [
        "≤ 10 s (chosen)",
        "248",
        "26 min",
        "218",
        "30",
        "24",
        "yes",
        "20 of 20",
        "unknown",
        "unknown",
    ]
    assert row(markdown, "≤ 8 s")[3:] == ["145", "20", "24", "no", "unknown", "unknown", "unknown"]
    assert row(markdown, "left out, too long") == ["left out, too long", "112", "30 min", "24"]
    assert "Every row of every manifest can be used." in markdown
    assert "![Training rows by duration, with the thresholds](plots/durations.png)" in markdown


def test_mismatched_transcripts(study: Study) -> None:
    markdown = written(study)
    texts = markdown[markdown.index("Mismatched transcripts: ") :]
    assert row(texts, "`domain`") == ["`domain`", "200", "198", "2", "7", "1", "373"]
    lines = texts[texts.index("Rows whose hypothesis fits another row's reference better") :]
    assert row(lines, "`domain`") == ["`domain`", "3", "`r3`", "81.0 %", "9", "4.0 %"]
    assert "![Rows, hours, speakers and words that each duration limit leaves](plots/retention.png)" in markdown
    assert row(texts, "`train`")[1] == "360"
    configure(study, model=None)
    texts = again(study)
    assert not row(texts[texts.index("Mismatched transcripts: ") :], "`")[0].startswith("`train`")


def test_formats_of_manifests_and_converted_recordings(study: Study) -> None:
    def format_row() -> list[str]:
        section = again(study).partition("How the manifests were read")[2]
        return row(section, "`test`")

    assert format_row() == ["`test`", "`jsonl`", "", "6", "unknown", "0", "0", "0"]
    facts = ManifestFacts(
        format="datasets",
        split="validation",
        columns={"audio": "audio", "text": "sentence"},
        rows=6,
        rejected=0,
        hours=0.1,
        speakers=2,
        notes=["read as UTF-16", "the only split was taken: *validation*"],
    )
    facts.write(study.results / "manifests/test.facts.json")
    measures = read_records(study.results / "integrity/test.tsv", AudioMeasure)
    changes = [{"rate": 8000}, {"rate": 8000, "channels": 2}, {"channels": 2, "channel": 0}, {}, {}, {}]
    changed = [m.model_copy(update=change).to_json() for m, change in zip(measures, changes, strict=True)]
    write_table(study.results / "integrity/test.tsv", tuple(AudioMeasure.model_fields), changed)
    assert format_row() == ["`test`", "`datasets` (`validation`)", "text from `sentence`", "6", "2", "2", "1", "1"]
    notes = "- `test`: read as UTF-16.\n- `test`: the only split was taken: \\*validation\\*.\n"
    assert notes in again(study)


def test_recordings_leakage_and_losses_of_the_filter(study: Study) -> None:
    markdown = written(study)
    line = next(line for line in markdown.splitlines() if "`test`" in line and "7750 Hz" in line)
    cells = [cell.strip() for cell in line.strip("|").split(" | ")]
    assert cells[:3] == ["`test`", "6", "0"]
    assert cells[4:] == ["16000 Hz", "1", "-19 dB", "-20 dB", "7750 Hz", "0 %"]
    shared = next(line for line in markdown.splitlines() if "`test`" in line and "0 of 6" in line)
    assert [cell.strip() for cell in shared.strip("|").split(" | ")][1:] == ["0 of 6", "1 of 6", "1 of 6", "1 of 20"]
    assert "With 20 split seeds, the training split has 218 to 220 rows of 20 of the 24 speakers." in markdown
    lost = row(markdown, "> 10 s")
    assert lost[1:6] == ["112", "30 min", "1 (0.2)", "14 (13)", "0.2 %"]
    assert lost[6:] == ["2.7 / unknown", "ann and capstan"]


def test_baseline_wer_beyond_the_filter(study: Study) -> None:
    facts = example_facts.wer_facts("base", "domain", (0.2, 0.1, 0.3))
    assert facts.within is not None
    longer = facts.within.model_copy(update={"utterances": 210, "words": 3000, "errors": facts.within.errors + 100})
    facts.model_copy(update={"all": longer}).write(study.results / "wer/base/domain.json")
    assert "within `max_seconds` and on longer ones: 20.0 % and 50.0 % on `domain` (10 longer rows)." in again(study)


def test_rejected_rows_are_listed_with_their_reasons(study: Study) -> None:
    lines = ["line\tid\treason", "3\ta\tmissing file", "4\tb\tmissing file", "9\tc\tempty text | <b>"]
    write_text(study.results / "manifests/domain.rejected.tsv", "\n".join(lines) + "\n")
    markdown = again(study)
    assert "3 rows of `domain` cannot be used: missing file (2) and empty text | &lt;b&gt; (1)" in markdown
    assert "[manifests/domain.rejected.tsv](manifests/domain.rejected.tsv)" in markdown


def test_headroom_of_every_manifest(study: Study) -> None:
    markdown = written(study)
    assert row(markdown, "`heldout`  | general") == [
        "`heldout`",
        "general",
        "120",
        "1,680",
        "WER 3.1 %",
        "2.1 to 4.2 %",
        "4.1 %",
        "8.1 %",
        "1.2 % (3.2 %)",
        "0.64 points",
        "saturated",
    ]
    assert row(markdown, "`domain`   | domain")[-1] == "usable"
    assert row(markdown, "`test`     | domain")[-2:] == [
        "11.70 points (more than 20 times its rows for 1 point)",
        "too small to show a gain",
    ]
    assert "A manifest has headroom if its baseline WER is above 5 %." in markdown


def test_hardened_versions(study: Study) -> None:
    version = HardenedVersion(distortion="noise", level=10, utterances=200, wer=0.12, ci_low=0.1, ci_high=0.14)
    facts = HardenedFacts(
        status="measured", manifest="domain", proposed="domain-noise-10", hours=2.5, versions=[version]
    )
    facts.write(study.results / "hardened.json")
    markdown = again(study)
    assert "### Harder versions of `domain`" in markdown
    assert "The proposed version is `domain-noise-10`" in markdown
    assert "This took 2.5 h of speech to decode." in markdown
    assert "write-hardened --results results --output data/domain-noise-10" in markdown
    lines = markdown.split("```yaml\n")[1].split("```")[0]
    assert yaml.safe_load(lines)["roles"] == {"general": ["heldout"], "domain": ["domain-noise-10", "domain", "test"]}
    assert row(markdown, "noise") == [
        "noise",
        "10 dB SNR",
        "200",
        "12.0 %",
        "10.0 to 14.0 %",
        "██",
        "**proposed**",
    ]


def test_sources_of_errors(study: Study) -> None:
    markdown = written(study).split("### Sources of the baseline's errors")[1]
    numbers = ["874", "0.18 points", "0.25 points", "6.61 points", "24.18 points", "0.29 points", "30.75 points"]
    assert row(markdown, "`domain`") == ["`domain`", *numbers, "99.96 %", "0", "1"]
    assert row(markdown, "`test`")[3:7] == ["unknown", "unknown", "25.00 points", "unknown"]
    assert "- Out-of-vocabulary words of `domain`, with their errors: `<b>walrus</b>` (7) and 3 more." in markdown
    assert "Suspected reference errors in 8 rows of `domain`: `d<1>` `pepper` as `pillow`." in markdown
    assert "On `test`, `lora` differs too little" in markdown
    assert "On `domain`, 1 hypothesis loops (0.5 %): `domain-3` (`so on`, 40 times)." in markdown


def test_the_primary_comparison_is_marked(study: Study) -> None:
    markdown = written(study)
    primary = row(markdown, "**primary**")
    assert primary[1:7] == ["`lora`", "`domain`", "WER 31.2 %", "20.6 %", "-10.60 points", "-12.70 to -8.50"]
    assert primary[7] == "12.5 % to 8.2 %"
    assert primary[8:10] == ["better", "100 of 200"]
    assert row(markdown, "secondary")[2] == "`heldout`"
    assert "An interval is for this adapter; training with another seed gives another adapter." in markdown
    assert "negative is better" in markdown


def test_an_undecided_comparison_is_never_called_the_same(study: Study) -> None:
    words = "inconclusive: only changes above 0.64 points are detectable here"
    assert row(written(study), "secondary")[8] == words


def test_mapsswe_and_its_disagreement_with_the_interval(study: Study) -> None:
    markdown = written(study)
    assert row(markdown, "**primary**")[10] == "p < 0.001 (200 segments)"
    (note,) = [line for line in markdown.splitlines() if "the two tests disagree" in line]
    assert note.startswith(
        "- `lora` on `test`: the two tests disagree. MAPSSWE shows a difference, p = 0.036 (6 segments)"
    )
    facts = example_facts.paired_facts("domain")
    assert facts.within is not None
    assert facts.within.mapsswe is not None
    unsure = facts.within.mapsswe.model_copy(update={"p": 0.2})
    within = facts.within.model_copy(update={"mapsswe": unsure})
    facts.model_copy(update={"within": within}).write(study.results / "paired/lora/domain.json")
    assert "The interval excludes 0, but MAPSSWE shows no difference, p = 0.200 (200 segments)." in again(study)


def test_the_budget_of_every_difference(study: Study) -> None:
    markdown = written(study)
    assert "**`lora` on `domain`**: -3 substitutions, +0 deletions, -1 insertions." in markdown
    assert "The speakers with the largest changes are listed; 12 others changed less or not at all." in markdown
    assert row(markdown, "5 to 8 s") == ["5 to 8 s", "10", "140", "49", "21", "-28", "-28", "0", "0"]
    assert row(markdown, "no speaker")[3:6] == ["9", "8", "-1"]
    assert "| `s0`" not in markdown
    assert row(markdown, "`seven`") == ["`seven`", "(nothing)", "-3 (4 to 1)", "", "", ""]


def test_words_and_speakers_cannot_break_out_of_the_budget(study: Study) -> None:
    markdown = written(study)
    budget = markdown[markdown.index("### Where the differences") : markdown.index("## D3")]
    html = MarkdownIt("commonmark").enable("table").render(budget)
    assert "<img" not in html
    assert "<a " not in html
    assert "<b>" not in html
    assert "<code>s|&lt;b&gt;1&lt;/b&gt;</code>" in html
    assert "<code>`a|b`</code>" in html


def test_training_and_stages_of_the_adapter(study: Study) -> None:
    markdown = written(study)
    assert row(markdown, "settings")[1] == "max_steps 100, learning_rate 0.001, rank 8, alpha 16, seed 13"
    assert row(markdown, "adapted modules")[1] == "encoder 16 (k_proj, q_proj), cross-attention 20 (q_proj)"
    assert row(markdown, "fully trained")[1] == "`proj_out.weight`"
    assert row(markdown, "best step")[1] == "80 (validation loss 0.405), kept"
    assert "88 tensors, all finite; 44 lora_B matrices, none of them all zero" in row(markdown, "1 · its file")[1]
    assert "88 of 88 tensors loaded; active; trained on this base model" in row(markdown, "2 · in")[1]
    assert "equal to the base model when switched off" in row(markdown, "4 · logits")[1]
    assert row(markdown, "5 · hypotheses")[1].startswith(
        "21 of 30 validation hypotheses change; adapter layers ran 9,120 times"
    )
    assert row(markdown, "6 · WER on `domain`")[1] == "-10.60 points: better"
    assert "](plots/loss.lora.png)" in markdown
    assert "](plots/weights.lora.png)" in markdown


def test_texts_of_an_adapter_configuration_cannot_break_out_of_their_cell(study: Study) -> None:
    facts = EffectFacts.read(study.results / "effect/lora.json")
    assert facts.logits is not None
    reasons = ["biases were trained (<b>all</b> | [x](y))"]
    logits = facts.logits.model_copy(update={"off_equals_base": False, "off_differs_by": reasons})
    facts.model_copy(update={"logits": logits}).write(study.results / "effect/lora.json")
    html = MarkdownIt("gfm-like", {"linkify": False}).render(again(study))
    reasons_html = html.partition("switching the adapter off is not enough: ")[2]
    assert reasons_html.startswith("biases were trained (&lt;b&gt;all&lt;/b&gt; | [x](y))")


def test_impossible_training_gives_its_reason_and_code(study: Study) -> None:
    broken = {
        "run": "lora",
        "status": "impossible",
        "code": "training.diverged",
        "message": "loss not finite at step 3",
    }
    TrainFacts.model_validate({**broken, "non_finite_step": 3, "planned_steps": 100}).write(
        study.results / "adapters/lora/train.json"
    )
    EffectFacts.model_validate(broken).write(study.results / "effect/lora.json")
    markdown = again(study)
    assert "**Training produced no adapter**: loss not finite at step 3 (`training.diverged`)." in markdown
    assert row(markdown, "loss not finite")[1] == "at step 3"
    assert row(markdown, "3 · weights")[1] == "unknown: loss not finite at step 3 (`training.diverged`)"


def test_imported_candidates(study: Study) -> None:
    configure(study, candidates={"mine": {"decode": {}, "adapter": "a"}, "other": {"hypotheses": {"domain": "h"}}})
    markdown = again(study)
    assert "### Run `mine`\n\nThe effect of the adapter is unknown: `effect/mine.json` does not exist." in markdown
    assert "Only the transcripts of this candidate were imported, so there is no adapter to check." in markdown


def test_labels(study: Study) -> None:
    markdown = written(study)
    assert row(markdown, "the model predicts labels")[1] == "100 % of 2,210 tokens"
    assert row(markdown, "the trainer's loss")[1] == "0.61234; cross entropy 0.61234 (shift 0), 9.8121 (shift 1)"
    assert row(markdown, "the trainer's loss (label smoothing 0.1, 31 + 825 tokens accumulated)")[1].startswith(
        "1.8074;"
    )
    assert row(markdown, "log-probability as a label")[1] == "0.0004; 0.0003 for the generated tokens themselves"
    assert row(markdown, "hypotheses left out")[1] == "2 truncated and 19 tokenized differently"
    assert row(markdown, "… labels without a BOS in front")[1] == "100 %, 0.0001 nats per token apart"
    assert row(markdown, "references that the tokenizer changes")[1] == "1: line 7 (`r7`); `a*b` becomes `ab`"
    assert row(markdown, "ends with: no mark")[1:3] == ["3", "0"]
    assert "Digits, in 64 rows: 5 have them only in the reference" in markdown
    assert "the prefix is that of generation" not in markdown  # the family forces none


def test_hostile_characters_of_labels_stay_in_their_cell(study: Study) -> None:
    facts = example_facts.label_facts().model_copy(
        update={"lost_characters": {"|": 3, "`": 1, "<": 2}, "too_long_ids": ["<img src=x>", "[a](b)"]}
    )
    facts.write(study.results / "labels.json")
    html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(again(study))
    assert "<img src=x>" not in html
    assert "<code>|</code> (3 rows), <code>`</code> (1 row) and <code>&lt;</code> (2 rows)" in html
    assert "2: <code>&lt;img src=x&gt;</code> and <code>[a](b)</code>" in html


def test_parity_counts_and_lists_settings(study: Study) -> None:
    assert "`lora`: 5 settings on each of 3 manifests compared, all equal." in written(study)
    example_facts.parity_facts(differing=True).write(study.results / "parity/lora.json")
    markdown = again(study)
    assert "`lora`: 6 settings on each of 3 manifests compared, 3 different, 0 unknown." in markdown
    assert row(markdown, "decode.repetition_penalty") == [
        "decode.repetition_penalty",
        "`heldout`, `domain`, `test`",
        "`1.0`",
        "`1.2`",
        "`parity.decode`",
    ]


def test_same_bytes_in_every_folder(study: Study, tmp_path: Path) -> None:
    here = written(study)
    elsewhere = tmp_path / "other place" / "results"
    shutil.copytree(study.results, elsewhere)
    assert written(Study(elsewhere, elsewhere / "config.json")) == here
    (elsewhere / "parity/lora.json").write_text("{")
    (study.results / "parity/lora.json").write_text("{")
    assert written(Study(elsewhere, elsewhere / "config.json")) == again(study)
    assert str(tmp_path) not in here


# Files whose absence the summary names; of others (a candidate's own WER, settings) it shows nothing by themselves.
NAMED_IF_MISSING = {
    f"{name}.json" for name in ("verdict", "labels", "hardened", "durations/decision", "adapters/lora/train")
}
NAMED_IF_MISSING |= {f"{name}.json" for name in ("effect/lora", "parity/lora")}
NAMED_IF_MISSING |= {f"{folder}/{m}.json" for folder in ("wer/base", "paired/lora") for m in example_facts.DELTA}
NAMED_IF_MISSING |= {"durations/summary.tsv", "splits/sizes.tsv"}


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


def test_an_impossible_wer_gives_its_reason(study: Study) -> None:
    facts = example_facts.wer_facts("base", "test", (0.2, 0.1, 0.3))
    gone = {"within": None, "all": None, "raw": None, "power": None, "status": "impossible"}
    facts = facts.model_copy(update={**gone, "code": "data.empty_transcripts", "message": "no transcript"})
    WerFacts.model_validate(facts.to_json()).write(study.results / "wer/base/test.json")
    markdown = again(study)
    assert "- The baseline WER of `test` is unknown: no transcript (`data.empty_transcripts`)." in markdown


def test_a_missing_interval_gives_its_reason(study: Study) -> None:
    facts = example_facts.wer_facts("base", "test", (0.2, 0.1, 0.3))
    assert facts.within is not None
    none = Interval(low=None, high=None, confidence=0.95, method="one utterance: no interval", scope="none")
    within = facts.within.model_copy(update={"interval": none, "wer": None})
    facts.model_copy(update={"within": within}).write(study.results / "wer/base/test.json")
    assert row(again(study), "`test`     | domain")[4:6] == ["WER unknown", "no interval (one utterance)"]


def test_intervals_carry_caveats_for_few_speakers_and_no_errors(study: Study) -> None:
    these = Interval(low=0.1, high=0.3, confidence=0.95, method="linearised ratio", scope="these_speakers")
    none = these.model_copy(update={"low": 0.0, "method": "zero errors in 9 utterances: exact upper bound"})
    for manifest, found in (("domain", these), ("test", none)):
        facts = example_facts.wer_facts("base", manifest, (0.2, 0.1, 0.3))
        assert facts.within is not None
        within = facts.within.model_copy(update={"interval": found})
        facts.model_copy(update={"within": within}).write(study.results / f"wer/base/{manifest}.json")
    paired = example_facts.paired_facts("domain")
    assert paired.within is not None
    within_pair = paired.within.model_copy(update={"interval": these})
    paired.model_copy(update={"within": within_pair}).write(study.results / "paired/lora/domain.json")
    markdown = again(study)
    change = row(markdown, "WER change of `lora`")[1]
    assert "(95 % interval -12.70 to -8.50, these speakers only; for this adapter" in change
    assert row(markdown, "`domain`   | domain")[5] == "10.0 to 30.0 % (these speakers only)"
    assert row(markdown, "`test`     | domain")[5] == "0 to 30.0 % (upper bound: no errors)"
    assert row(markdown, "**primary**")[6] == "-12.70 to -8.50 (these speakers only)"
    assert "with fewer than five speakers, nothing follows for other speakers" in markdown


def test_different_rows_and_normalisers(study: Study) -> None:
    names = [NormalizerIdentity(name=name, version="1") for name in ("basic", "none")]
    again_scored = Rescored(
        manifest="domain",
        baseline=names[0],
        candidate=names[1],
        utterances=200,
        reported_delta=-0.061,
        under_baseline=SameNormalizerScore(baseline_wer=0.2, tuned_wer=0.197, delta=-0.003),
        under_candidate=SameNormalizerScore(baseline_wer=0.3, tuned_wer=0.299, delta=-0.001),
        explained_by_normalizer=-0.058,
    )
    other = ReferenceDifference(id="d1", baseline="good day", candidate="<b>bad</b> | day")
    rows = DifferingRows(
        manifest="domain",
        missing_ids=[],
        extra_ids=["x"],
        different_references=[other],
        style_only=0,
        different_audio=False,
    )
    settings = [
        SettingDifference(
            manifest="domain",
            field="normalizer.name",
            baseline="basic",
            candidate="none",
            same=False,
            code="parity.normalization",
        ),
        SettingDifference(
            manifest="domain", field="decode.num_beams", baseline=1, candidate=None, same=None, code="parity.decode"
        ),
    ]
    facts = ParityFacts(run="lora", settings=settings, rows=[rows], rescored=[again_scored])
    facts.write(study.results / "parity/lora.json")
    example_facts.paired_facts("domain").model_copy(update={"normalizer": names[0]}).write(
        study.results / "paired/lora/domain.json"
    )
    own = example_facts.wer_facts("lora", "domain", (0.2, 0.1, 0.3)).model_copy(update={"normalizer": names[1]})
    own.write(study.results / "wer/lora/domain.json")
    markdown = again(study)
    assert "- Not recorded by the candidate (on `domain`): `decode.num_beams`." in markdown
    assert (
        "Rows of `domain`: lora has 1 utterance that base lacks (x); lora was scored against another reference"
        in markdown
    )
    assert "<b>bad" not in markdown
    assert (
        "5.80 points of the reported 6.10 points better come from the normalizer: with one normalizer it is 0.30 points"
        in markdown
    )
    assert "20.0 % to 19.7 % (-0.30 points)" in markdown
    assert (
        "- `lora` on `domain` was scored with `none`; this table scores the raw hypotheses of both runs with `basic`"
        in markdown
    )


def test_gate_outcome_and_criteria() -> None:
    verdict = example.verdict()
    outcome = gate_outcome(verdict)
    assert outcome is not None
    assert (outcome.run, outcome.manifest) == ("lora", "domain")
    assert gate_outcome(verdict.model_copy(update={"eval_manifest": None})) is None
    found = dict(criteria(verdict))
    headroom = found["headroom"]
    assert headroom is not None
    assert headroom.manifest == "domain"


def test_a_limit_that_starves_training_is_not_recommended(study: Study) -> None:
    decision = json.loads((study.results / "durations/decision.json").read_text())
    write_text(study.results / "durations/decision.json", json.dumps({**decision, "max_seconds": 8.0}))
    starved = example.verdict(False).model_copy(update={"max_seconds": 8.0})
    starved.write(study.results / "verdict.json")
    story = again(study).splitlines()[2]
    assert "`max_seconds` is 8 s, which leaves 145 rows in the training split; 200 are needed." in story
    assert "Train on" not in story
    assert "Evaluate on" not in story


def test_a_missing_limit_gives_its_reason(study: Study) -> None:
    decision = json.loads((study.results / "durations/decision.json").read_text())
    reason = "No row survives any threshold (tried 5 s), so no limit is set."
    changed = {**decision, "max_seconds": None, "options": [], "reason": reason, "status": "none_sufficient"}
    write_text(study.results / "durations/decision.json", json.dumps(changed))
    example.verdict().model_copy(update={"max_seconds": None}).write(study.results / "verdict.json")
    markdown = again(study)
    assert reason in markdown.splitlines()[2]
    assert "**`max_seconds`: no limit**" in markdown


def test_a_quote_at_the_start_of_an_id_hides_no_row(study: Study) -> None:
    lines = ["line\tid\treason", '3\t"a\tmissing file', "4\tb\tmissing file"]
    write_text(study.results / "manifests/domain.rejected.tsv", "\n".join(lines) + "\n")
    assert "2 rows of `domain` cannot be used: missing file (2)" in again(study)


def test_tensors_of_a_checkpoint(study: Study) -> None:
    stage = CheckpointStage(
        base_type="whisper",
        tuned_type="whisper",
        tensors=9,
        shared=8,
        changed=["a.weight"],
        rounded=2,
        reshaped=["e"],
        only_base=[],
        only_tuned=["_x_"],
        unmerged=[],
        non_finite=[],
        other_files=["vocab.json"],
    )
    modules = [
        ModuleDelta(name=name, module_group="mlp", delta_norm=norm, base_norm=1.0, relative_norm=norm, stable_rank=None)
        for name, norm in (("a", 0.02), ("b", 0.0))
    ]
    facts = EffectFacts(run="full", checkpoint=stage, weights=modules, median_relative_norm=0.02)
    facts.write(study.results / "effect/full.json")
    configure(study, candidates={"full": {"checkpoint": "full"}})
    markdown = again(study)
    moved = "1 of 2 weight matrices changed (decoder MLP 1), by a median of 2.0 % of their norm (2.0 to 2.0 %)"
    assert row(markdown, "weights")[1] == moved
    tensors = row(markdown, "tensors")[1]
    for words in (
        "8 of 9 tensors",
        "1 of them differ",
        "2 differ only by rounding",
        "1 tensor of another shape**: `e`",
        "`_x_`",
    ):
        assert words in tensors
    (study.results / "effect/full.json").unlink()
    assert "How its weights differ from the base model's is unknown" in again(study)
