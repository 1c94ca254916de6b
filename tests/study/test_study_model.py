"""What the embedded study promises of its model, asked of the shipped files."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from small_study import DATA

from lora.asr.decoding.effective_decode import effective_decode
from lora.asr.decoding.padding import padded_samples
from lora.asr.devices import make_deterministic
from lora.asr.families.speech_model import SpeechModel
from lora.asr.labels.build import build_labels
from lora.asr.model_files import describe_model
from lora.asr.model_loading import load_model
from lora.data.audio.loading import load_audio
from lora.data.manifest import read_manifest
from lora.records.manifests import Utterance
from lora.scoring.alignment import count_errors
from lora.scoring.normalizers import normalizer


@pytest.fixture(scope="module")
def speech() -> SpeechModel:
    make_deterministic(0, 1)
    return load_model(describe_model(str(DATA / "model")))


def utterances(name: str) -> list[Utterance]:
    return read_manifest(DATA / f"{name}_manifest.jsonl").rows


def transcribe(speech: SpeechModel, row: Utterance) -> tuple[str, bool]:
    audio = load_audio(row, DATA)
    output = speech.generate(speech.inputs([audio]), effective_decode(speech.files, {}))
    return output.texts[0], output.truncated[0]


def test_plain_transformers_load_it() -> None:
    from transformers import AutoModelForSpeechSeq2Seq, AutoProcessor

    model = AutoModelForSpeechSeq2Seq.from_pretrained(DATA / "model", dtype=torch.float32)
    processor = AutoProcessor.from_pretrained(DATA / "model")
    assert type(model).__name__ == "MoonshineForConditionalGeneration"
    assert 1.5e6 <= sum(p.numel() for p in model.parameters()) <= 3e6
    text = "Don't they write Case, commas? Yes."
    ids = processor.tokenizer(text).input_ids
    assert processor.tokenizer.decode(ids, skip_special_tokens=True) == text
    assert ids[-1] == processor.tokenizer.eos_token_id
    assert ids[0] != processor.tokenizer.bos_token_id


def test_it_is_nearly_saturated_on_the_general_set_and_writes_case_and_punctuation(speech: SpeechModel) -> None:
    errors = words = styled = 0
    sample = utterances("heldout")[:40]
    split = normalizer("basic").words
    for row in sample:
        hypothesis, truncated = transcribe(speech, row)
        assert not truncated
        counts = count_errors(split(row.text), split(hypothesis))
        errors += counts.substitutions + counts.deletions + counts.insertions
        words += len(split(row.text))
        styled += hypothesis == row.text
    assert errors / words <= 0.05
    assert styled >= 0.8 * len(sample)


def loss_of(speech: SpeechModel, rows: list[Utterance], rewrite: Any) -> float:
    """Mean negative log-likelihood (nats a token) of rewritten references."""
    total = tokens = 0.0
    for row in rows:
        labels = build_labels(speech, [rewrite(row.text)])
        with torch.inference_mode():
            loss = speech.model(**speech.inputs([load_audio(row, DATA)]), labels=labels).loss
        total += float(loss) * labels.shape[1]
        tokens += labels.shape[1]
    return total / tokens


def test_label_style_shows_in_the_likelihood(speech: SpeechModel) -> None:
    rows = utterances("heldout")[:24]
    as_written = loss_of(speech, rows, str)
    assert loss_of(speech, rows, str.upper) > as_written + 1.0
    assert loss_of(speech, rows, lambda text: text.translate(str.maketrans("", "", ".,?"))) > as_written + 0.2
    assert loss_of(speech, rows, str.lower) > as_written + 0.2


def test_long_rows_are_transcribed_to_their_end(speech: SpeechModel) -> None:
    rows = [row for row in utterances("train") if row.duration > 22]
    assert len(rows) >= 5
    split = normalizer("basic").words
    for row in rows:
        hypothesis, truncated = transcribe(speech, row)
        assert not truncated, row.id
        words, written = split(row.text), split(hypothesis)
        # In the target domain many words are wrong: neither cut nor looping, and some of the last words are there.
        assert 0.8 <= len(written) / len(words) <= 1.25, f"{row.id}: {hypothesis}"
        assert set(words[-8:]) & set(written[-8:]), f"{row.id}: {words[-8:]} ends as {written[-8:]}"


def test_batches_do_not_change_a_text(speech: SpeechModel) -> None:
    by_step: dict[int, list[Utterance]] = {}
    for row in utterances("domain")[:40]:
        by_step.setdefault(padded_samples(round(row.duration * 16000), 16000), []).append(row)
    decode = effective_decode(speech.files, {})
    for rows in by_step.values():
        together = speech.generate(speech.inputs([load_audio(row, DATA) for row in rows]), decode).texts
        assert together == [transcribe(speech, row)[0] for row in rows]
