"""The effect ladder: adapters that work, have no effect or are broken, and initialisations that change the base."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft.utils import get_peft_model_state_dict
from tiny_models import noise

from lora.asr.adapter.attach import attach
from lora.asr.adapter.configuration import lora_config
from lora.asr.adapter.files import WEIGHTS, write_adapter
from lora.asr.adapter.module_groups import MODULE_GROUPS
from lora.asr.families.speech_model import SpeechModel
from lora.asr.ladder.effect import ValidationBatch, measure_effect
from lora.asr.model_files import describe_model
from lora.asr.model_loading import load_model
from lora.records.effect import EffectFacts
from lora.records.provenance import RunRecord
from lora.records.training import ModuleChange, TrainFacts
from lora.runners.experiment import main

DECODE = {"max_new_tokens": 8}
SETTINGS: dict[str, Any] = {
    "rank": 4,
    "alpha": 8.0,
    "dropout": 0.0,
    "target_modules": "auto",
    "target_parts": MODULE_GROUPS,
    "modules_to_save": [],
    "bias": "none",
    "use_dora": False,
    "use_rslora": False,
    "init_lora_weights": "true",
}


@pytest.fixture
def fresh(moonshine_folder: Path) -> Callable[[], SpeechModel]:
    return lambda: load_model(describe_model(str(moonshine_folder)))


@pytest.fixture
def make_adapter(fresh: Callable[[], SpeechModel], tmp_path: Path) -> Callable[..., Path]:
    """An adapter with random values of this size added to its initial lora_B."""

    def make(size: float, **settings: Any) -> Path:
        speech = fresh()
        model = attach(speech, lora_config(speech.model, SETTINGS | settings, "data/model"))
        torch.manual_seed(1)
        tensors = get_peft_model_state_dict(model)
        for name, value in tensors.items():
            if "lora_B" in name and size:
                tensors[name] = value + torch.randn_like(value) * size
        folder = tmp_path / "adapter"
        write_adapter(folder, model.peft_config["default"].to_dict(), tensors, speech.files.identity.hash)
        return folder

    return make


def batches() -> list[ValidationBatch]:
    short, long = [noise(seed, 0.7) for seed in range(3)], [noise(seed, 1.4) for seed in range(3, 5)]
    return [ValidationBatch(short, ["Go on.", "Hi", "What?"]), ValidationBatch(long, ["Hello there.", "Yes"])]


def facts_of(fresh: Callable[[], SpeechModel], folder: Path) -> EffectFacts:
    return measure_effect(fresh(), "tuned", str(folder), batches(), DECODE)


def test_a_working_adapter_has_an_effect_at_every_stage(
    fresh: Callable[[], SpeechModel], make_adapter: Callable[..., Path]
) -> None:
    facts = facts_of(fresh, make_adapter(0.3))
    assert facts.status == "ok"
    assert facts.file is not None and facts.file.lora_b_zero == 0  # noqa: PT018
    assert facts.weights is not None and len(facts.weights) == 32  # noqa: PT018
    assert facts.median_relative_norm is not None and facts.median_relative_norm > 0.01  # noqa: PT018
    logits, text = facts.logits, facts.text
    assert logits is not None and text is not None  # noqa: PT018
    assert (logits.utterances, logits.off_equals_base) == (5, True)
    assert logits.kl_mean is not None and logits.kl_mean > 0  # noqa: PT018
    assert logits.argmax_flips > 0
    assert text.adapter_calls > 0
    assert (text.adapter_calls_off, text.merged_changed, text.off_changed) == (0, 0, 0)
    assert text.changed > 0
    assert (len(text.calls_by_module), text.never_called) == (32, [])
    assert (text.repeated, text.repeat_changed) == (3, 0)
    assert text.merged_changed_bf16 is not None
    assert facts.median_change == facts.median_relative_norm


def test_low_rank_norms_equal_those_of_the_product(
    fresh: Callable[[], SpeechModel], make_adapter: Callable[..., Path]
) -> None:
    from lora.asr.adapter.attach import adapted_modules
    from lora.asr.adapter.loading import load_adapter
    from lora.asr.adapter.weight_deltas import weight_deltas

    model = load_adapter(fresh(), make_adapter(0.3)).model
    layers = adapted_modules(model)
    for delta in weight_deltas(model, {}, "true", []):
        product = layers[delta.name].get_delta_weight("default").double()
        norm, largest = float(torch.linalg.matrix_norm(product)), float(torch.linalg.matrix_norm(product, ord=2))
        assert delta.delta_norm == pytest.approx(norm, rel=1e-5)
        assert delta.stable_rank == pytest.approx((norm / largest) ** 2, rel=1e-5)


def test_a_zero_adapter_changes_nothing_at_any_stage(
    fresh: Callable[[], SpeechModel], make_adapter: Callable[..., Path]
) -> None:
    facts = facts_of(fresh, make_adapter(0.0))
    assert facts.status == "ok"
    assert facts.file is not None and facts.file.lora_b == facts.file.lora_b_zero == 32  # noqa: PT018
    assert facts.median_relative_norm == 0
    assert facts.logits is not None and facts.text is not None  # noqa: PT018
    assert (facts.logits.kl_mean, facts.logits.argmax_flips, facts.logits.largest_difference) == (0, 0, 0)
    assert facts.text.changed == 0
    assert facts.text.adapter_calls > 0
    assert all(delta.stable_rank is None for delta in facts.weights or [])


@pytest.mark.parametrize(("use_dora", "init", "off_is_base"), [(True, "true", True), (False, "pissa", False)])
def test_deltas_are_relative_to_the_fresh_base(
    fresh: Callable[[], SpeechModel], make_adapter: Callable[..., Path], use_dora: bool, init: str, off_is_base: bool
) -> None:
    """Fresh DoRA and PiSSA adapters do not change the outputs, although PiSSA changes base weights."""
    folder = make_adapter(0.0, use_dora=use_dora, init_lora_weights=init)
    facts = facts_of(fresh, folder)
    assert facts.median_relative_norm == pytest.approx(0, abs=1e-5)
    assert facts.logits is not None and facts.logits.off_equals_base is off_is_base  # noqa: PT018
    assert facts.logits.largest_difference == pytest.approx(0, abs=1e-2)
    moved = facts_of(fresh, make_adapter(0.3, use_dora=use_dora, init_lora_weights=init))
    assert moved.median_relative_norm is not None and moved.median_relative_norm > 0.01  # noqa: PT018


def test_an_adapter_that_cannot_be_loaded_still_has_a_file_stage(
    fresh: Callable[[], SpeechModel], make_adapter: Callable[..., Path]
) -> None:
    from safetensors.torch import load_file, save_file

    folder = make_adapter(0.3)
    save_file({f"other.{name}": value for name, value in load_file(folder / WEIGHTS).items()}, folder / WEIGHTS)
    facts = facts_of(fresh, folder)
    assert (facts.status, facts.code) == ("impossible", "adapter.not_loaded")
    assert facts.file is not None and facts.file.tensors == 64  # noqa: PT018
    assert facts.load is not None and facts.load.tensors_loaded == 0  # noqa: PT018
    assert facts.weights is facts.logits is facts.text is None


def test_labels_longer_than_the_decoder_are_left_out_and_reported(
    make_manifest: Callable[..., Path], whisper_folder: Path, tmp_path: Path
) -> None:
    rows = make_manifest("validation", [0.6, 0.8])
    rows.write_text(rows.read_text().replace("Some words 1.", "very " * 40))
    speech = load_model(describe_model(str(whisper_folder)))
    model = attach(speech, lora_config(speech.model, SETTINGS, "model"))
    adapter, output = tmp_path / "adapter", tmp_path / "effect.json"
    write_adapter(adapter, model.peft_config["default"].to_dict(), get_peft_model_state_dict(model), "base")
    arguments = [
        "effect",
        "--run",
        "tuned",
        "--model-id",
        str(whisper_folder),
        "--adapter",
        str(adapter),
        "--dataset-path",
        str(rows),
        "--device",
        "cpu",
        "--cpu-threads",
        "1",
        "--output",
        str(output),
        "--decode",
        json.dumps(DECODE),
        "--work-dir",
        str(tmp_path / "work"),
    ]
    assert main(arguments) == 0
    facts = EffectFacts.read(output)
    assert facts.logits is not None and facts.logits.utterances == 1  # noqa: PT018
    assert any("row validation-1: left out" in line for line in RunRecord.read(f"{output}.run.json").adjustments)


def test_the_command(
    make_manifest: Callable[..., Path], make_adapter: Callable[..., Path], moonshine_folder: Path, tmp_path: Path
) -> None:
    rows = make_manifest("validation", [0.6, 0.8, 1.3, 1.5])
    adapter, output = make_adapter(0.3), tmp_path / "effect.json"

    def command(*more: str) -> EffectFacts:
        arguments = [
            "effect", "--run", "tuned", "--model-id", str(moonshine_folder), "--adapter", str(adapter),
            "--dataset-path", str(rows), "--sample", "3", "--decode", json.dumps(DECODE), "--device", "cpu",
            "--cpu-threads", "1", "--output", str(output), "--work-dir", str(tmp_path / "work"), *more,
        ]  # fmt: skip
        assert main(arguments) == 0
        return EffectFacts.read(output)

    facts = command()
    first = output.read_bytes()
    assert facts.text is not None and facts.text.utterances == 3  # noqa: PT018
    command("--work-dir", str(tmp_path / "other work"))
    assert output.read_bytes() == first
    TrainFacts(run="tuned", status="impossible", code="training.diverged", message="loss").write(
        tmp_path / "train.json"
    )
    assert command("--train-facts", str(tmp_path / "train.json")).code == "training.diverged"


def test_values_that_are_not_finite_do_not_stop_later_stages(
    fresh: Callable[[], SpeechModel], make_adapter: Callable[..., Path]
) -> None:
    from safetensors.torch import load_file, save_file

    folder = make_adapter(0.3)
    tensors = load_file(folder / WEIGHTS)
    first = min(tensors)
    save_file(tensors | {first: tensors[first] * float("nan")}, folder / WEIGHTS)
    facts = facts_of(fresh, folder)
    assert facts.status == "ok"
    assert facts.file is not None and not facts.file.finite  # noqa: PT018
    assert facts.load is not None and facts.load.tensors_loaded == 64  # noqa: PT018
    assert [delta.relative_norm is None for delta in facts.weights or []].count(True) == 1
    assert facts.logits is not None and facts.logits.not_finite == 1  # noqa: PT018
    assert facts.text is not None and facts.text.adapter_calls > 0  # noqa: PT018
    assert EffectFacts.model_validate(facts.to_json()) == facts
    beams = measure_effect(fresh(), "tuned", str(folder), batches(), DECODE | {"num_beams": 2})
    assert beams.logits is not None and beams.logits.not_finite == 1  # noqa: PT018


def test_two_equal_calls_reveal_a_random_model(
    fresh: Callable[[], SpeechModel], make_adapter: Callable[..., Path]
) -> None:
    speech = fresh()
    noisy = speech.model.get_encoder()
    noisy.layers[0].register_forward_hook(lambda _module, _inputs, output: torch.nn.functional.dropout(output, 0.5))
    facts = measure_effect(speech, "tuned", str(make_adapter(0.0)), batches(), DECODE)
    assert facts.text is not None and facts.text.repeat_changed > 0  # noqa: PT018


def test_a_model_with_the_adapter_already_merged_is_recognised(
    fresh: Callable[[], SpeechModel], make_adapter: Callable[..., Path]
) -> None:
    from lora.asr.adapter.loading import load_adapter
    from lora.asr.adapter.weight_deltas import merged_share

    loaded = load_adapter(fresh(), make_adapter(0.3))
    clean = merged_share(loaded.model)
    assert clean is None or abs(clean) < 0.3
    loaded.model.merge_adapter()
    assert merged_share(loaded.model) == pytest.approx(1 + (clean or 0.0), abs=0.05)
    assert merged_share(load_adapter(fresh(), make_adapter(1e-5)).model) is None


def test_a_random_start_counts_only_if_training_recorded_it(
    fresh: Callable[[], SpeechModel], make_adapter: Callable[..., Path]
) -> None:
    folder = make_adapter(0.0, init_lora_weights="false")
    facts = facts_of(fresh, folder)
    assert facts.median_relative_norm is not None and facts.median_relative_norm > 0  # noqa: PT018
    assert facts.median_change is None
    recorded = [ModuleChange(name=delta.name, lora_a=0.0, delta=0.0) for delta in facts.weights or []]
    assert measure_effect(fresh(), "tuned", str(folder), batches(), DECODE, recorded).median_change == 0


def test_changes_are_measured_from_the_initial_matrices(fresh: Callable[[], SpeechModel]) -> None:
    from lora.asr.adapter.attach import adapted_modules
    from lora.asr.adapter.weight_deltas import initial_matrices, module_changes

    speech = fresh()
    model = attach(speech, lora_config(speech.model, SETTINGS | {"init_lora_weights": "false"}, "data/model"))
    initial, tensors = initial_matrices(model), get_peft_model_state_dict(model)
    assert all((c.lora_a, c.delta) == (0, 0) or (c.delta or 0) < 1e-7 for c in module_changes(model, initial, tensors))
    (change, *_) = module_changes(model, initial, {name: 2 * value for name, value in tensors.items()})
    layer = adapted_modules(model)[change.name]
    delta, base = layer.get_delta_weight("default"), layer.get_base_layer().weight
    assert change.lora_a == pytest.approx(1)
    assert change.delta == pytest.approx(float((3 * delta.norm() / base.norm()).detach()), rel=1e-5)
