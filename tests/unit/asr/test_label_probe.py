"""The label audit: right labels and a right loss are green, wrong ones show where they are wrong."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_models import noise

from lora.asr.families import SpeechModel, load_model
from lora.asr.label_probe import audit_labels
from lora.asr.label_structure import label_structure, lost_characters
from lora.asr.labels import label_ids
from lora.asr.model_files import describe_model
from lora.asr.own_texts import OwnText, own_agreement
from lora.asr.training_data import SpeechRows
from lora.data.manifest import read_manifest
from lora.records import LabelFacts, Transcript, Utterance, read_lines
from lora.runners.experiment import main

STUDY = Path(__file__).parents[3] / "data"
TEXTS = ["Go on.", "Hello there, friend", "What?", "Yes"]


def rows(texts: list[str] | None = None) -> SpeechRows:
    made = [
        Utterance(
            id=f"row-{number}", text=text, duration=0.5 + number * 0.4, sampling_rate=16000,
            samples=noise(number, 0.5 + number * 0.4).tolist(),
        )
        for number, text in enumerate(texts or TEXTS)
    ]  # fmt: skip
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


def test_right_labels_are_right_in_every_respect(moonshine: SpeechModel) -> None:
    facts = audit_labels(moonshine, rows(), 4, {})
    structure, loss = facts.structure, facts.loss
    assert structure is not None and loss is not None  # noqa: PT018
    assert (structure.ends_with_eos, structure.start_is_right, structure.padding_ignored) == (1, 1, 1)
    assert structure.prefix_matches_generation is None
    assert loss.trainer is not None and loss.shift_0 is not None and loss.shift_1 is not None  # noqa: PT018
    assert loss.trainer == pytest.approx(loss.shift_0, abs=1e-5)
    assert abs(loss.shift_1 - loss.trainer) > 0.01
    assert (facts.sampled, facts.unwritable, facts.too_long_ids, facts.label_limit) == (4, {}, [], 384)
    assert facts.reference_nll is not None and facts.reference_nll > 0  # noqa: PT018
    assert facts.transformers is not None


def as_heard(speech: SpeechModel) -> dict[int, OwnText]:
    return {number: OwnText(text, label_ids(speech, [text])[0], False) for number, text in enumerate(TEXTS)}


def test_a_text_is_as_likely_as_a_label_as_when_it_was_said(moonshine: SpeechModel) -> None:
    agreement = own_agreement(moonshine, rows(), as_heard(moonshine), 4, {})
    assert agreement is not None
    assert agreement.utterances == 4
    assert agreement.log_probability_gap == pytest.approx(0, abs=1e-5)


def test_whispers_prompt_is_not_the_models_to_predict(whisper: SpeechModel) -> None:
    whisper.tokenizer.set_prefix_tokens(language="en", task="transcribe")
    heard = {number: OwnText(text, own.tokens[3:], False) for (number, own), text in zip(
        as_heard(whisper).items(), TEXTS, strict=True)}  # fmt: skip
    agreement = own_agreement(whisper, rows(), heard, 4, {})
    assert agreement is not None
    assert agreement.positions == sum(len(own.tokens) for own in heard.values())
    assert agreement.log_probability_gap == pytest.approx(0, abs=1e-5)


def test_cut_texts_and_other_spellings_are_left_out(moonshine: SpeechModel) -> None:
    heard = as_heard(moonshine)
    heard[0] = dataclasses.replace(heard[0], truncated=True)
    unknown = moonshine.tokenizer.unk_token_id
    heard[1] = dataclasses.replace(heard[1], tokens=[*heard[1].tokens[:2], unknown, *heard[1].tokens[2:]])
    agreement = own_agreement(moonshine, rows(), heard, 4, {})
    assert agreement is not None
    assert agreement.utterances == 2


@pytest.mark.skipif(not (STUDY / "model/model.safetensors").is_file(), reason="needs the embedded model")
def test_the_embedded_model_agrees_with_itself_and_minds_another_style() -> None:
    speech = load_model(describe_model(str(STUDY / "model")))
    made = read_manifest(STUDY / "heldout_manifest.jsonl").rows[:8]
    data = SpeechRows(made, STUDY, speech.sampling_rate, None)
    facts = audit_labels(speech, data, 8, {})
    assert facts.own is not None
    assert facts.own.argmax_agreement >= 0.995
    assert facts.own.log_probability_gap == pytest.approx(0, abs=1e-3)
    assert facts.unwritable == {}
    shouted = [row.model_copy(update={"text": row.text.upper().rstrip(".?!")}) for row in made]
    loud = audit_labels(speech, SpeechRows(shouted, STUDY, speech.sampling_rate, None), 8, {})
    assert facts.reference_nll is not None and loud.reference_nll is not None  # noqa: PT018
    assert loud.reference_nll > facts.reference_nll + 0.5
    assert loud.restyled_nll is not None
    assert loud.restyled_nll < loud.reference_nll - 0.5


def test_a_tokenizer_that_writes_no_end_mark(edited: Callable[..., SpeechModel]) -> None:
    structure = label_structure(edited(lambda tokenizer: tokenizer.update(post_processor=None)), TEXTS, {})
    assert (structure.ends_with_eos, structure.padding_ignored) == (0, 1)


def test_a_tokenizer_that_writes_the_start_twice(edited: Callable[..., SpeechModel]) -> None:
    def start(times: int) -> Callable[[dict[str, Any]], None]:
        special = {"SpecialToken": {"id": "<s>", "type_id": 0}}

        def edit(tokenizer: dict[str, Any]) -> None:
            processor = tokenizer["post_processor"]
            processor["single"] = [*[special] * times, *processor["single"]]
            processor["special_tokens"]["<s>"] = {"id": "<s>", "ids": [1], "tokens": ["<s>"]}

        return edit

    structure = label_structure(edited(start(2)), TEXTS, {})
    assert (structure.start_is_right, structure.ends_with_eos) == (0, 1)


def test_a_tokenizer_that_loses_characters(edited: Callable[..., SpeechModel]) -> None:
    speech = edited(lambda tokenizer: tokenizer.update(normalizer={"type": "Lowercase"}))
    assert lost_characters(speech, ["Go On", "go 7"]) == {"7": 1, "G": 1, "O": 1}


def test_the_prefix_of_labels_against_the_one_of_generation(whisper: SpeechModel) -> None:
    whisper.tokenizer.set_prefix_tokens(language="en", task="transcribe")
    right = label_structure(whisper, TEXTS, {"language": "en"})
    assert (right.prefix_matches_generation, right.ends_with_eos, right.start_is_right) == (1, 1, 1)
    assert label_structure(whisper, TEXTS, {"language": "german"}).prefix_matches_generation == 0
    assert label_structure(whisper, TEXTS, {"task": "translate"}).prefix_matches_generation == 0


def test_whisper_loss_and_long_labels(whisper: SpeechModel) -> None:
    facts = audit_labels(whisper, rows([*TEXTS[:3], "word " * 30]), 4, {"max_new_tokens": 8})
    assert facts.loss is not None
    assert facts.loss.trainer == pytest.approx(facts.loss.shift_0, abs=1e-5)
    assert (facts.too_long_ids, facts.label_limit) == (["row-3"], 64)


def test_a_loss_that_is_shifted_twice_shows(moonshine: SpeechModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Moonshine in transformers 4.48 to 5.12 did this."""
    once = moonshine.model.forward

    def twice(*arguments: Any, **keywords: Any) -> Any:
        result = once(*arguments, **keywords)
        labels = keywords.get("labels")
        if labels is not None:  # generation gives none
            result.loss = moonshine.model.loss_function(
                logits=result.logits, labels=labels, vocab_size=moonshine.model.config.vocab_size
            )
        return result

    monkeypatch.setattr(moonshine.model, "forward", twice)
    loss = audit_labels(moonshine, rows(), 4, {}).loss
    assert loss is not None
    assert loss.trainer == pytest.approx(loss.shift_1, abs=1e-5)
    assert loss.trainer != pytest.approx(loss.shift_0, abs=1e-3)


def test_the_command(make_manifest: Callable[..., Path], moonshine_folder: Path, tmp_path: Path) -> None:
    manifest, output = make_manifest("training", [0.5, 0.9, 1.3]), tmp_path / "labels.json"
    arguments = [
        "audit", "--model-id", str(moonshine_folder), "--sample", "2", "--seed", "3", "--device", "cpu",
        "--cpu-threads", "1", "--output", str(output),
    ]  # fmt: skip
    own = tmp_path / "labels.own.jsonl"
    assert main([*arguments, "--dataset-path", str(manifest), "--own-texts", str(own)]) == 0
    assert LabelFacts.read(output).sampled == 2
    heard = list(read_lines(own, Transcript))
    assert len({row.id for row in heard}) == 2
    assert all(row.reference for row in heard)
    (tmp_path / "empty.jsonl").write_text("")
    empty = [*arguments, "--dataset-path", str(tmp_path / "empty.jsonl"), "--own-texts", str(own)]
    assert main(empty) == 0
    assert own.read_text() == ""
    assert LabelFacts.read(output).code == "data.too_few_samples"
