"""The chapters on headroom, sources of errors and comparisons of runs."""

from __future__ import annotations

import example_facts
import yaml
from chapter_text import again, row, written
from markdown_it import MarkdownIt

from lora.records.hardening import HardenedFacts, HardenedVersion
from lora.records.scores import Interval, WerFacts
from lora.report.study import Study


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
