"""The chapters on manifests, recordings, durations and labels."""

from __future__ import annotations

import json

import example
import example_facts
from chapter_text import again, configure, row, written
from markdown_it import MarkdownIt

from lora import layout
from lora.data.tables import write_table
from lora.records.base import columns_of, write_text
from lora.records.integrity import AudioMeasure
from lora.records.manifests import ManifestFacts
from lora.report.study import Study
from lora.results import read_rows


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
    measures = read_rows(study.results, layout.INTEGRITY, manifest="test").readable() or []
    changes = [{"rate": 8000}, {"rate": 8000, "channels": 2}, {"channels": 2, "channel": 0}, {}, {}, {}]
    changed = [m.values() | change for m, change in zip(measures, changes, strict=True)]
    write_table(study.results / "integrity/test.tsv", columns_of(AudioMeasure), changed)
    assert format_row() == ["`test`", "`datasets` (`validation`)", "text from `sentence`", "6", "2", "2", "1", "1"]
    notes = "- `test`: read as UTF-16.\n- `test`: the only split was taken: \\*validation\\*.\n"
    assert notes in again(study)
    (study.results / "integrity/test.tsv").unlink()  # as in a comparison of transcripts alone
    assert format_row()[5:] == ["unknown", "unknown", "unknown"]


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
