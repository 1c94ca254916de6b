"""The chapters on candidates: training, adapter, tensors of a checkpoint, and parity of settings."""

from __future__ import annotations

import example_facts
from chapter_text import again, configure, row, written
from markdown_it import MarkdownIt

from lora.records.effect import CheckpointStage, EffectFacts, ModuleDelta
from lora.records.parity import (
    DifferingRows,
    ParityFacts,
    ReferenceDifference,
    Rescored,
    SameNormalizerScore,
    SettingDifference,
)
from lora.records.scores import NormalizerIdentity
from lora.records.training import TrainFacts
from lora.report.study import Study


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
