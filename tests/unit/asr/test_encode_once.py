"""Each utterance is encoded once per state of the model, and sharing encoder outputs changes no result."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from peft.utils import get_peft_model_state_dict
from tiny_families import ASKED, MAKERS
from tiny_models import make_moonshine, noise

from lora.asr import encode_once as module
from lora.asr.adapter.attach import attach
from lora.asr.adapter.configuration import lora_config
from lora.asr.adapter.files import write_adapter
from lora.asr.adapter.module_groups import MODULE_GROUPS
from lora.asr.encode_once import encode_anew, encode_once
from lora.asr.families.speech_model import SpeechModel
from lora.asr.labels import audit
from lora.asr.labels.build import Collator
from lora.asr.ladder import effect, texts
from lora.asr.ladder.logits import ValidationBatch
from lora.asr.model_files import describe_model
from lora.asr.model_loading import load_model
from lora.asr.training.data import SpeechRows
from lora.records.effect import EffectFacts
from lora.records.labels import LabelFacts
from lora.records.manifests import Utterance

FAMILIES = {"moonshine": make_moonshine} | MAKERS
SECONDS, TEXTS = (1.1, 1.9, 2.4), ("Go on", "Hello there friend", "Yes")
SHORT = {"max_new_tokens": 12}
SETTINGS: dict[str, Any] = {
    "rank": 2,
    "alpha": 4.0,
    "dropout": 0.0,
    "target_modules": "auto",
    "modules_to_save": [],
    "bias": "none",
    "use_dora": False,
    "use_rslora": False,
    "init_lora_weights": "true",
}
TOLERANCE = 1e-5  # nats
Load = Callable[[str], SpeechModel]
Count = Callable[[SpeechModel], list[int]]


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    """Load a model; its folder is created once."""
    folders: dict[str, Path] = {}

    def loaded(name: str) -> SpeechModel:
        if name not in folders:
            folders[name] = FAMILIES[name](tmp_path_factory.mktemp("families") / name)
        return load_model(describe_model(str(folders[name]), **ASKED.get(name, {})))

    return loaded


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> Count:
    """Count utterances in each forward pass of a model's encoder."""

    def count(speech: SpeechModel) -> list[int]:
        counts: list[int] = []
        if speech.encoder is None:
            return counts
        forward = type(speech.encoder).forward

        @functools.wraps(forward)
        def counted(self: Any, *values: Any, **named: Any) -> Any:
            counts.append(len(next(value for value in [*values, *named.values()] if isinstance(value, torch.Tensor))))
            return forward(self, *values, **named)

        monkeypatch.setattr(type(speech.encoder), "forward", counted)
        return counts

    return count


def rows() -> SpeechRows:
    made = [
        Utterance(id=f"row-{n}", text=text, duration=length, sampling_rate=16000, samples=noise(n, length).tolist())
        for n, (text, length) in enumerate(zip(TEXTS, SECONDS, strict=True))
    ]
    return SpeechRows(made, Path(), 16000, None)


def audit_of(speech: SpeechModel) -> LabelFacts:
    return audit.audit_labels(speech, rows(), 3, {}, [(0.1, 1), (0.0, 2)])


def batches(speech: SpeechModel) -> list[ValidationBatch]:
    together = [[0, 1, 2]] if speech.grid_seconds > max(SECONDS) else [[0, 1], [2]]
    return [
        ValidationBatch([noise(n, SECONDS[n]) for n in numbers], [TEXTS[n] for n in numbers]) for numbers in together
    ]


def make_adapter(speech: SpeechModel, folder: Path, parts: tuple[str, ...] = MODULE_GROUPS) -> Path:
    model = attach(speech, lora_config(speech.model, SETTINGS | {"target_parts": parts}, "data/model"))
    torch.manual_seed(1)
    tensors = get_peft_model_state_dict(model)
    changed = {name: value + 0.3 * torch.randn_like(value) for name, value in tensors.items() if "lora_B" in name}
    write_adapter(folder, model.peft_config["default"].to_dict(), tensors | changed, speech.files.identity.hash)
    return folder


def assert_same(one: Any, other: Any) -> None:
    """Compare facts: everything equal, numbers within the tolerance."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key, value in one.items():
            assert_same(value, other[key])
    elif isinstance(one, list):
        assert len(one) == len(other)
        for value, another in zip(one, other, strict=True):
            assert_same(value, another)
    else:
        assert other == (pytest.approx(one, abs=TOLERANCE) if isinstance(one, float) else one)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_label_audit_encodes_each_utterance_once_and_finds_the_same(
    name: str, load: Load, encoded: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    speech = load(name)
    counts = encoded(speech)
    shared = audit_of(speech)
    assert sum(counts) == (len(SECONDS) if speech.encoder is not None else 0)
    counts.clear()
    monkeypatch.setattr(audit, "encode_once", lambda speech: nullcontext())
    assert_same(audit_of(speech).model_dump(), shared.model_dump())
    assert sum(counts) >= (7 * len(SECONDS) if speech.encoder is not None else 0)


@pytest.mark.parametrize(
    ("name", "parts", "states"),
    [
        # Base, adapter disabled, enabled, merged, and the latter two in bfloat16.
        ("moonshine", MODULE_GROUPS, 6),
        ("voxtral", MODULE_GROUPS, 6),
        # Base, and in bfloat16.
        ("moonshine", ("decoder_self", "cross", "mlp"), 2),
        ("whisper", ("decoder_self", "cross", "mlp"), 2),
        ("wav2vec2", MODULE_GROUPS, 0),
    ],
)
def test_the_ladder_encodes_once_per_state_of_the_encoder_and_finds_the_same(
    name: str,
    parts: tuple[str, ...],
    states: int,
    load: Load,
    encoded: Count,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    adapter = make_adapter(load(name), tmp_path / "adapter", parts)

    def measured() -> tuple[EffectFacts, int]:
        speech = load(name)
        counts = encoded(speech)
        decode = SHORT if speech.files.family.generates else {}
        return effect.measure_effect(speech, "tuned", str(adapter), batches(speech), decode), sum(counts)

    shared, count = measured()
    assert shared.text is not None
    assert shared.text.never_called == []
    assert shared.logits is not None
    assert shared.logits.off_equals_base
    # The repeated hypotheses are encoded again: they show whether the model repeats its results.
    assert count == (states * len(SECONDS) + shared.text.repeated if states else 0)
    monkeypatch.setattr(effect, "encode_once", lambda speech: nullcontext())
    monkeypatch.setattr(texts, "encode_anew", lambda speech: nullcontext())
    assert_same(measured()[0].model_dump(), shared.model_dump())


@pytest.mark.parametrize("name", ["moonshine", "whisper", "voxtral", "qwen3_asr"])
def test_every_change_of_the_encoder_is_encoded_again(name: str, load: Load) -> None:
    """A remembered output of another state of the model would be wrong without any error."""
    speech = load(name)
    first = batches(speech)[0]
    batch = Collator(speech)(
        [{"audio": audio, "text": text} for audio, text in zip(first.audio, first.texts, strict=True)]
    )

    def logits() -> torch.Tensor:
        with torch.inference_mode():
            shared = speech.score(batch).logits
            with encode_anew(speech):
                assert speech.score(batch).logits.equal(shared)
        return shared

    with encode_once(speech):
        base = logits()
        model = attach(speech, lora_config(speech.model, SETTINGS | {"target_parts": ("encoder",)}, "data/model"))
        model.eval()
        assert logits().equal(base)
        for weight_name, weight in model.named_parameters():
            if "lora_B" in weight_name:
                torch.nn.init.normal_(weight)
        adapted = logits()
        assert not adapted.equal(base)
        with model.disable_adapter():
            assert logits().equal(base)
        assert logits().equal(adapted)
        model.merge_adapter()
        logits()
        model.unmerge_adapter()
        logits()
        torch.nn.init.constant_(list(speech.encoder.parameters())[-1], 0.5)
        assert not logits().equal(adapted)


def test_few_utterances_are_remembered_where_memory_is_short(
    load: Load, encoded: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    plenty = audit_of(load("moonshine"))
    monkeypatch.setattr(module, "KEPT_BYTES", 25_000)  # two of three outputs
    speech = load("moonshine")
    counts = encoded(speech)
    assert_same(audit_of(speech).model_dump(), plenty.model_dump())
    assert sum(counts) > 2 * len(SECONDS)


def test_nothing_is_remembered_afterwards(load: Load, encoded: Count) -> None:
    speech = load("whisper")
    counts = encoded(speech)
    audio = batches(speech)[0].audio
    with encode_once(speech):
        first = speech.generate(speech.inputs(audio), SHORT)
        assert speech.generate(speech.inputs(audio[1:]), SHORT).texts == first.texts[1:]
    assert sum(counts) == len(audio)
    assert speech.generate(speech.inputs(audio), SHORT) == first
    assert sum(counts) == 2 * len(audio)
