"""The label audit: correct labels and losses pass, and each error is found where it is."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from faulty_models import DeafToCounts, ShiftedTwice
from tiny_models import noise
from transformers import StoppingCriteriaList

import lora.asr.labels.build as labels_module
import lora.asr.labels.structure as label_structure_module
from lora.asr.decoding.generation import TokenScores, until_eos
from lora.asr.families.speech_model import SpeechModel
from lora.asr.labels.audit import audit_labels
from lora.asr.labels.build import Labelled, label_ids
from lora.asr.labels.greedy_agreement import greedy_agreement
from lora.asr.labels.greedy_hypotheses import GreedyHypothesis, greedy_hypotheses
from lora.asr.labels.loss import compare_loss
from lora.asr.labels.structure import label_structure, same_text
from lora.asr.model_files import describe_model
from lora.asr.model_loading import load_model
from lora.asr.training.data import SpeechRows
from lora.configuration.schema import complete, setting
from lora.configuration.study import LabelsConfig
from lora.data.manifest import read_manifest
from lora.diagnosis.findings import Findings
from lora.diagnosis.labels.audit import loss as judge_loss
from lora.records.base import read_lines
from lora.records.labels import LabelFacts, LossComparison
from lora.records.manifests import Utterance
from lora.records.transcripts import Transcript
from lora.runners.experiment import main

STUDY = Path(__file__).parents[3] / "data"
TEXTS = ["Go on.", "Hello there, friend", "What?", "Yes"]


def rows(texts: list[str] | None = None) -> SpeechRows:
    made = [
        Utterance(
            id=f"row-{number}",
            text=text,
            duration=0.5 + number * 0.4,
            sampling_rate=16000,
            samples=noise(number, 0.5 + number * 0.4).tolist(),
        )
        for number, text in enumerate(texts or TEXTS)
    ]
    return SpeechRows(made, Path(), 16000, None)


@pytest.fixture(scope="module")
def moonshine(moonshine_folder: Path) -> SpeechModel:
    return load_model(describe_model(str(moonshine_folder)))


@pytest.fixture(scope="module")
def whisper(whisper_folder: Path) -> SpeechModel:
    return load_model(describe_model(str(whisper_folder)))


@pytest.fixture
def edited(moonshine_folder: Path, tmp_path: Path) -> Callable[[Callable[[dict[str, Any]], None]], SpeechModel]:
    """The model with another tokenizer.json."""

    def load(edit: Callable[[dict[str, Any]], None]) -> SpeechModel:
        folder = tmp_path / "edited"
        shutil.copytree(moonshine_folder, folder)
        path = folder / "tokenizer.json"
        tokenizer = json.loads(path.read_text())
        edit(tokenizer)
        path.write_text(json.dumps(tokenizer))
        return load_model(describe_model(str(folder)))

    return load


def test_correct_labels_pass_every_check(moonshine: SpeechModel) -> None:
    facts = audit_labels(moonshine, rows(), 4, {})
    structure, (loss,) = facts.structure, facts.losses
    assert structure is not None
    assert (structure.ends_with_eos, structure.single_start, structure.padding_ignored) == (1, 1, 1)
    assert (structure.single_eos, structure.same_decoder_start) == (1, True)
    assert structure.prefix_matches_generation is None
    assert loss.trainer is not None and loss.shift_0 is not None and loss.shift_1 is not None  # noqa: PT018
    assert loss.trainer == pytest.approx(loss.shift_0, abs=1e-5)
    assert abs(loss.shift_1 - loss.trainer) > 0.01
    assert (facts.sampled, facts.lost_characters, facts.too_long_ids, facts.label_limit) == (4, {}, [], 384)
    assert facts.reference_nll is not None and facts.reference_nll > 0  # noqa: PT018
    assert facts.transformers is not None


def generated_by(speech: SpeechModel, prompt: int = 0) -> dict[int, GreedyHypothesis]:
    """TEXTS as if they were the model's hypotheses, with log-probabilities; the first `prompt` tokens are forced."""
    made = rows()
    hypotheses = {}
    for number, text in enumerate(TEXTS):
        ids = label_ids(speech, [text])[0]
        labels = torch.tensor([ids])
        with torch.inference_mode():
            logits = speech.model(**speech.inputs([made[number]["audio"]]), labels=labels).logits
        likely = logits.double().log_softmax(-1).gather(-1, labels.unsqueeze(-1))[0, prompt:].sum()
        hypotheses[number] = GreedyHypothesis(text, ids[prompt:], False, float(likely))
    return hypotheses


def test_log_probabilities_come_from_generation(moonshine: SpeechModel) -> None:
    data = rows()
    hypotheses = greedy_hypotheses(moonshine, data, [[0, 1], [2, 3]], {})
    for number, own in hypotheses.items():
        ids = torch.tensor([[1, *own.tokens[:-1]]])
        with torch.inference_mode():
            logits = moonshine.model(**moonshine.inputs([data[number]["audio"]]), decoder_input_ids=ids).logits
        taken = logits.double().log_softmax(-1).gather(-1, torch.tensor([own.tokens]).unsqueeze(-1))
        assert own.log_probability == pytest.approx(float(taken.sum()), abs=1e-3)


def test_whisper_generation_returns_log_probabilities_too(whisper: SpeechModel) -> None:
    hypotheses = greedy_hypotheses(whisper, rows(), [[0, 1, 2, 3]], {})
    assert all(own.log_probability is not None and own.log_probability < 0 for own in hypotheses.values())
    assert greedy_hypotheses(whisper, rows(), [[0]], {"return_timestamps": True})[0].log_probability is None


def test_log_probabilities_equal_those_of_all_logits_and_end_at_eos(whisper: SpeechModel) -> None:
    batch = whisper.inputs([rows()[number]["audio"] for number in range(4)])
    asked = {"return_dict_in_generate": True, "output_logits": True, "max_new_tokens": 12}
    plain = whisper.model.generate(**batch, **asked, force_unique_generate_call=True)
    steps = len(plain.logits)
    eos = int(plain.sequences[0, -steps + 3])  # a token in the middle of the first hypothesis
    scores = TokenScores({eos})
    watched = scores.watch(whisper.model)
    whisper.model.generate(
        **batch, max_new_tokens=12, force_unique_generate_call=True, stopping_criteria=StoppingCriteriaList([scores])
    )
    watched.remove()
    for number, row in enumerate(plain.sequences[:, -steps:].tolist()):
        counted = until_eos(row, {eos})
        wanted = sum(
            float(step[number].double().log_softmax(-1)[token])
            for step, token in zip(plain.logits, counted, strict=False)
        )
        assert scores.totals is not None
        assert float(scores.totals[number]) == pytest.approx(wanted, rel=1e-12)
    assert len(until_eos(plain.sequences[0, -steps:].tolist(), {eos})) < steps


def test_a_hypothesis_is_as_likely_as_a_label_as_in_generation(moonshine: SpeechModel) -> None:
    agreement = greedy_agreement(moonshine, rows(), generated_by(moonshine), 4, {})
    assert agreement is not None
    assert agreement.utterances == 4
    assert agreement.log_probability_gap == pytest.approx(0, abs=1e-5)
    assert agreement.replay is not None
    assert agreement.replay.log_probability_gap == pytest.approx(0, abs=1e-5)


def test_whispers_forced_prefix_is_not_compared(whisper: SpeechModel) -> None:
    whisper.tokenizer.set_prefix_tokens(language="en", task="transcribe")
    hypotheses = generated_by(whisper, prompt=3)
    agreement = greedy_agreement(whisper, rows(), hypotheses, 4, {})
    assert agreement is not None
    assert agreement.positions == sum(len(own.tokens) for own in hypotheses.values())
    assert agreement.log_probability_gap == pytest.approx(0, abs=1e-5)


def test_truncated_and_retokenized_hypotheses_are_left_out(moonshine: SpeechModel) -> None:
    hypotheses = generated_by(moonshine)
    hypotheses[0] = dataclasses.replace(hypotheses[0], truncated=True)
    unknown = moonshine.tokenizer.unk_token_id
    hypotheses[1] = dataclasses.replace(
        hypotheses[1], tokens=[*hypotheses[1].tokens[:2], unknown, *hypotheses[1].tokens[2:]]
    )
    agreement = greedy_agreement(moonshine, rows(), hypotheses, 4, {})
    assert agreement is not None
    assert (agreement.utterances, agreement.truncated, agreement.retokenized, agreement.changed_by_tokenizer) == (
        2,
        1,
        1,
        0,
    )


@pytest.mark.skipif(not (STUDY / "model/model.safetensors").is_file(), reason="needs the embedded model")
def test_the_embedded_model_agrees_with_itself_and_dislikes_another_style() -> None:
    speech = load_model(describe_model(str(STUDY / "model")))
    made = read_manifest(STUDY / "heldout_manifest.jsonl").rows[:8]
    data = SpeechRows(made, STUDY, speech.sampling_rate, None)
    facts = audit_labels(speech, data, 8, {})
    assert facts.greedy is not None
    assert facts.greedy.argmax_agreement >= 0.995
    assert facts.greedy.log_probability_gap == pytest.approx(0, abs=1e-3)
    assert facts.lost_characters == {}
    shouted = [replace(row, text=row.text.upper().rstrip(".?!")) for row in made]
    loud = audit_labels(speech, SpeechRows(shouted, STUDY, speech.sampling_rate, None), 8, {})
    assert facts.reference_nll is not None and loud.reference_nll is not None  # noqa: PT018
    assert loud.reference_nll > facts.reference_nll + 0.5
    assert loud.restyled_nll is not None
    assert loud.restyled_nll < loud.reference_nll - 0.5


def written_as(*pieces: str) -> Callable[[dict[str, Any]], None]:
    """The model with a tokenizer that puts these special tokens around a text (`$A`)."""
    ids = {"<s>": 1, "</s>": 2}
    text: dict[str, Any] = {"Sequence": {"id": "A", "type_id": 0}}

    def edit(tokenizer: dict[str, Any]) -> None:
        processor = tokenizer["post_processor"]
        processor["single"] = [text if p == "$A" else {"SpecialToken": {"id": p, "type_id": 0}} for p in pieces]
        processor["special_tokens"] = {p: {"id": p, "ids": [number], "tokens": [p]} for p, number in ids.items()}

    return edit


@pytest.mark.parametrize(
    ("pieces", "wrong", "named"),
    [
        (("$A",), {"ends_with_eos"}, "with one EOS at the end"),
        (("$A", "</s>", "</s>"), {"single_eos"}, "with one EOS at the end"),
        (("<s>", "$A", "</s>"), set(), None),
        (("<s>", "<s>", "$A", "</s>"), {"single_start"}, "without a BOS in front"),
        (("<s>", "<s>", "$A"), {"single_start", "ends_with_eos"},
         "of the prefix that generation forces, the text and one EOS"),
    ],
)  # fmt: skip
def test_wrong_bos_and_eos_are_found(
    edited: Callable[..., SpeechModel],
    moonshine: SpeechModel,
    pieces: tuple[str, ...],
    wrong: set[str],
    named: str | None,
) -> None:
    """The structure shows the error, and correct labels are as likely as the generated tokens."""
    speech = edited(written_as(*pieces))
    structure = label_structure(speech, rows(), {})
    assert {name for name, share in structure.model_dump().items() if share == 0} == wrong
    agreement = greedy_agreement(speech, rows(), generated_by(moonshine), 4, {})
    assert agreement is not None
    as_likely = {v.name for v in agreement.variants if (v.log_probability_gap or 0) < 1e-5 and "shifted" not in v.name}
    assert as_likely == ({named} if named else set())
    assert agreement.log_probability_gap is not None
    assert (agreement.log_probability_gap > 1e-3) is bool(wrong)


def test_another_decoder_start_in_generation_is_found(moonshine: SpeechModel) -> None:
    hypotheses = generated_by(moonshine)
    moonshine.model.config.decoder_start_token_id = 3
    try:
        assert label_structure(moonshine, rows(), {}).same_decoder_start is False
        agreement = greedy_agreement(moonshine, rows(), hypotheses, 4, {})
    finally:
        moonshine.model.config.decoder_start_token_id = 1
    assert agreement is not None
    right = [v for v in agreement.variants if v.name == "after the token that generation starts with"]
    assert right[0].log_probability_gap == pytest.approx(0, abs=1e-5)


def test_masking_the_padding_token_also_masks_an_equal_eos(
    whisper: SpeechModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A common mistake: the padding token of Whisper is its EOS."""
    right = labels_module.build_labels

    def masked(speech: SpeechModel, texts: Any) -> Any:
        labels = right(speech, texts)
        return labels.masked_fill(labels == speech.model.config.pad_token_id, -100)

    monkeypatch.setattr(label_structure_module, "build_labels", masked)
    structure = label_structure(whisper, rows(), {})
    assert (structure.ends_with_eos, structure.padding_ignored) == (0, 0)


def test_characters_that_the_tokenizer_loses_are_listed(edited: Callable[..., SpeechModel]) -> None:
    speech = edited(lambda tokenizer: tokenizer.update(normalizer={"type": "Lowercase"}))
    facts = audit_labels(speech, rows(["Go On", "go 7", "go on"]), 4, {})
    assert facts.lost_characters == {"7": 1, "G": 1, "O": 1}
    assert [(lost.id, lost.text, lost.decoded) for lost in facts.changed_texts[:1]] == [("row-0", "Go On", "go on")]
    assert [lost.id for lost in facts.changed_texts] == ["row-0", "row-1"]
    assert (facts.unknown_rows, facts.unknown_tokens > 0) == (1, True)


@pytest.mark.parametrize(
    ("decoded", "same"),
    [
        ("a word, here", True),
        (" a  word ,here ", True),
        ("aword, here", False),  # a CTC vocabulary without its word delimiter
        ("a wo rd, here", False),
        ("a word, Here", False),
    ],
)
def test_white_space_counts_between_words(decoded: str, same: bool) -> None:
    assert same_text("a word, here", decoded) is same


def test_byte_tokens_keep_every_character_up_to_normalisation(whisper: SpeechModel) -> None:
    facts = audit_labels(whisper, rows(["Cafe\u0301 \u00e9 7", "你好"]), 4, {"max_new_tokens": 4})
    assert (facts.lost_characters, facts.changed_texts, facts.unknown_tokens) == ({}, [], 0)


def test_the_label_prefix_is_compared_with_generations(whisper: SpeechModel) -> None:
    whisper.tokenizer.set_prefix_tokens(language="en", task="transcribe")
    right = label_structure(whisper, rows(), {"language": "en"})
    assert (right.prefix_matches_generation, right.ends_with_eos, right.single_start) == (1, 1, 1)
    assert label_structure(whisper, rows(), {"language": "german"}).prefix_matches_generation == 0
    assert label_structure(whisper, rows(), {"task": "translate"}).prefix_matches_generation == 0


def test_a_language_that_is_not_set_is_missing_from_labels(whisper_folder: Path) -> None:
    """As in multilingual models of the hub: generation detects the language and forces its token."""
    speech = load_model(describe_model(str(whisper_folder)))
    speech.base.generation_config.language = None
    assert label_structure(speech, rows(), {}).prefix_matches_generation == 0
    named = load_model(describe_model(str(whisper_folder), language="en"))
    assert label_structure(named, rows(), {}).prefix_matches_generation == 1


def test_whispers_loss_is_compared_without_long_labels(whisper: SpeechModel) -> None:
    facts = audit_labels(whisper, rows([*TEXTS[:3], "word " * 30]), 4, {"max_new_tokens": 8})
    (loss,) = facts.losses
    assert loss.trainer == pytest.approx(loss.shift_0, abs=1e-5)
    assert (facts.too_long_ids, facts.label_limit) == (["row-3"], 64)


@pytest.mark.parametrize("family", ["moonshine", "whisper"])
def test_the_step_of_each_training_is_compared(family: str, request: pytest.FixtureRequest) -> None:
    speech: SpeechModel = request.getfixturevalue(family)
    facts = audit_labels(speech, rows(), 4, {"max_new_tokens": 4}, [(0.1, 1), (0.0, 2), (0.1, 2), (0.0, 9)])
    steps = [(loss.label_smoothing, loss.gradient_accumulation) for loss in facts.losses]
    assert steps == [(0.0, 1), (0.0, 2), (0.1, 1), (0.1, 2)]  # four rows make no nine batches
    for loss in facts.losses:
        averaged = family == "whisper" and loss.gradient_accumulation > 1 and not loss.label_smoothing
        assert loss.trainer == pytest.approx(loss.mean_of_batches if averaged else loss.shift_0, abs=1e-5)
        assert len(set(loss.tokens)) == loss.gradient_accumulation
    assert facts.losses[0].shift_0 != facts.losses[2].shift_0


def judge(losses: list[LossComparison]) -> Findings:
    rules = LabelsConfig.from_json(complete({}, setting("labels").schema))
    facts: Any = SimpleNamespace(config=SimpleNamespace(labels=rules), path=lambda kind: kind.pattern)
    return judge_loss(facts, LabelFacts(sampled=4, losses=losses, transformers="5.12.0"))


def test_a_loss_shifted_twice_is_detected(moonshine_folder: Path) -> None:
    speech = load_model(describe_model(str(moonshine_folder)))
    labelled = Labelled(rows(), TEXTS, [[0], [1], [2], [3]])
    right = compare_loss(speech, labelled)
    speech.model.__class__ = ShiftedTwice
    loss = compare_loss(speech, labelled)
    assert right is not None
    assert loss is not None
    assert loss.trainer == pytest.approx(loss.shift_1, abs=1e-5)
    assert judge([right]).checks[0].status == "pass"
    (cause,) = judge([loss]).causes
    assert (cause.code, cause.reason) == ("labels.loss_misaligned", "shifted_by_one")
    assert cause.details["transformers"] == "5.12.0"


def test_summed_accumulated_batches_are_detected(moonshine_folder: Path) -> None:
    speech = load_model(describe_model(str(moonshine_folder)))
    speech.model.__class__ = DeafToCounts
    labelled = Labelled(rows(), TEXTS, [[0], [1], [2], [3]])
    steps = [step for n in (1, 2) if (step := compare_loss(speech, labelled, 0.0, n)) is not None]
    assert judge(steps[:1]).checks[0].status == "pass"
    (cause,) = judge(steps).causes
    assert (cause.code, cause.reason) == ("labels.loss_misaligned", "wrong_token_count")
    assert (cause.details["gradient_accumulation"], cause.details["transformers"]) == (2, "5.12.0")


def test_equally_weighted_batches_are_reported_and_do_not_block() -> None:
    plain = LossComparison(trainer=8.7, shift_0=8.7, shift_1=8.0, tokens=[4], mean_of_batches=8.7)
    step = LossComparison(
        trainer=8.9, shift_0=8.7, shift_1=9.4, gradient_accumulation=2, tokens=[4, 22], mean_of_batches=8.9
    )
    findings = judge([plain, step])
    assert (findings.checks[0].status, findings.causes) == ("warn", [])
    assert findings.checks[0].reason == "batches_weighted_equally"


def test_the_command(make_manifest: Callable[..., Path], moonshine_folder: Path, tmp_path: Path) -> None:
    manifest, output = make_manifest("training", [0.5, 0.9, 1.3]), tmp_path / "labels.json"
    arguments = [
        "audit",
        "--model-id",
        str(moonshine_folder),
        "--sample",
        "2",
        "--seed",
        "3",
        "--device",
        "cpu",
        "--cpu-threads",
        "1",
        "--output",
        str(output),
        "--work-dir",
        str(tmp_path / "work"),
    ]
    own = tmp_path / "labels.hypotheses.jsonl"
    assert main([*arguments, "--dataset-path", str(manifest), "--hypotheses", str(own)]) == 0
    assert LabelFacts.read(output).sampled == 2
    hypotheses = list(read_lines(own, Transcript))
    assert len({row.id for row in hypotheses}) == 2
    assert all(row.reference for row in hypotheses)
    (tmp_path / "empty.jsonl").write_text("")
    empty = [*arguments, "--dataset-path", str(tmp_path / "empty.jsonl"), "--hypotheses", str(own)]
    assert main(empty) == 0
    assert own.read_text() == ""
    assert LabelFacts.read(output).code == "data.too_few_samples"
    assert main([*arguments, "--dataset-path", str(manifest), "--train-settings", '{"label_smoothing": 1}']) == 2
