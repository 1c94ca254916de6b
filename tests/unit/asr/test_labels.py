"""Labels as the collator builds them: EOS last, decoder start token never twice, padding ignored."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_models import noise

from lora.asr.families.encoder_decoder import shift_right
from lora.asr.families.speech_model import IGNORED, SpeechModel
from lora.asr.labels.build import Collator, build_labels, label_ids
from lora.asr.model_files import describe_model
from lora.asr.model_loading import load_model


@pytest.fixture(scope="module")
def moonshine(moonshine_folder: Path) -> SpeechModel:
    return load_model(describe_model(str(moonshine_folder)))


@pytest.fixture(scope="module")
def whisper(whisper_folder: Path) -> SpeechModel:
    return load_model(describe_model(str(whisper_folder)))


def test_labels_end_with_eos_and_ignored_padding(moonshine: SpeechModel) -> None:
    labels = build_labels(moonshine, ["Go on.", "Hi"]).tolist()
    end = moonshine.tokenizer.eos_token_id
    lengths = [row.index(IGNORED) for row in labels]
    assert [row[length - 1] for row, length in zip(labels, lengths, strict=True)] == [end, end]
    assert all(set(row[length:]) == {IGNORED} for row, length in zip(labels, lengths, strict=True))
    assert len(labels[0]) == 16


def test_whisper_labels_have_the_prefix_without_the_decoder_start(whisper: SpeechModel) -> None:
    ids = label_ids(whisper, ["Go."])[0]
    tokens = whisper.tokenizer.convert_ids_to_tokens(ids)
    assert tokens[0] != "<|startoftranscript|>"
    assert tokens[-1] == "<|endoftext|>"
    assert "<|notimestamps|>" in tokens


def test_label_width_exceeds_the_decoder_only_for_long_labels(whisper: SpeechModel) -> None:
    assert whisper.label_limit() == 64
    assert build_labels(whisper, ["a" * 55]).shape[1] == 64
    assert build_labels(whisper, ["a" * 80]).shape[1] > 64


def test_decoder_inputs_equal_those_of_the_model(moonshine: SpeechModel) -> None:
    from transformers.models.moonshine.modeling_moonshine import shift_tokens_right

    config = moonshine.model.config
    labels = build_labels(moonshine, ["Go on.", "Hi"])
    expected = shift_tokens_right(labels, config.pad_token_id, config.decoder_start_token_id)
    assert shift_right(labels, config).equal(expected)


def test_the_collator_rejects_mixed_padding_steps(moonshine: SpeechModel) -> None:
    rows = [{"audio": noise(seed, 0.6), "text": "Hi"} for seed in (1, 2)]
    batch = Collator(moonshine, smoothed=True)(rows)
    assert batch["labels"].shape == batch["decoder_input_ids"].shape
    assert batch["input_values"].shape == (2, 16000)
    with pytest.raises(ValueError, match="one padding step"):
        Collator(moonshine)([*rows, {"audio": noise(3, 1.5), "text": "Hi"}])
