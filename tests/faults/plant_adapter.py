"""Faults of adapters: their files, their place in the model, their strength, their outcome."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from cases import fault, neighbour
from healthy_study import (
    change_audio,
    change_json,
    change_rows,
    change_transcripts,
    own_model,
    use_external_adapter,
    use_external_transcripts,
)
from safetensors.numpy import load_file, save_file
from small_study import Study

WEIGHTS = "adapter_model.safetensors"
Tensors = dict[str, np.ndarray]


def change_tensors(adapter: Path, change: Callable[[Tensors], Tensors]) -> None:
    save_file(change(load_file(adapter / WEIGHTS)), adapter / WEIGHTS)


def scaled(tensors: Tensors, factor: float) -> Tensors:
    """The adapter's effect times a factor."""
    return {name: value * np.float32(factor) if "lora_B" in name else value for name, value in tensors.items()}


@fault("adapter.no_target_modules", "target modules that the model lacks")
def no_targets(study: Study) -> None:
    study.configure({"candidates": {"lora": {"train": {"target_modules": ["query", "value"]}}}})


@neighbour("adapter.no_target_modules", "target modules by a regular expression")
def targets_by_expression(study: Study) -> None:
    study.configure({"candidates": {"lora": {"train": {"target_modules": ".*(q_proj|v_proj|fc1)"}}}})


@fault("adapter.partial_targets", "only the decoder adapted")
def decoder_only(study: Study) -> None:
    study.configure({"candidates": {"lora": {"train": {"target_modules": ".*decoder.*(q_proj|v_proj|fc1|fc2)"}}}})


@neighbour("adapter.partial_targets", "attention of encoder and decoder adapted")
def attention_only(study: Study) -> None:
    study.configure({"candidates": {"lora": {"train": {"target_modules": ["q_proj", "k_proj", "v_proj", "o_proj"]}}}})


@fault("adapter.zero_delta", "an external adapter whose lora_B are all zero")
def zeros(study: Study) -> None:
    change_tensors(use_external_adapter(study), lambda tensors: scaled(tensors, 0))


@fault("adapter.zero_delta", "an external adapter with alpha 0")
def alpha_zero(study: Study) -> None:
    change_json(use_external_adapter(study) / "adapter_config.json", {"lora_alpha": 0})


@neighbour("adapter.zero_delta", "an external adapter at half its strength")
def half_strength(study: Study) -> None:
    change_tensors(use_external_adapter(study), lambda tensors: scaled(tensors, 0.5))


@fault("adapter.negligible_delta", "an external adapter at a thousandth of its strength")
def thousandth(study: Study) -> None:
    change_tensors(use_external_adapter(study), lambda tensors: scaled(tensors, 0.001))


@neighbour("adapter.negligible_delta", "an external adapter as it was trained")
def as_trained(study: Study) -> None:
    use_external_adapter(study)


@fault("adapter.excessive_delta", "an external adapter at thirty times its strength")
def thirtyfold(study: Study) -> None:
    change_tensors(use_external_adapter(study), lambda tensors: scaled(tensors, 30))


@neighbour("adapter.excessive_delta", "an external adapter at one and a half times its strength")
def somewhat_stronger(study: Study) -> None:
    change_tensors(use_external_adapter(study), lambda tensors: scaled(tensors, 1.5))


@fault("adapter.not_loaded", "an external adapter whose tensors have other names")
def renamed(study: Study) -> None:
    change_tensors(
        use_external_adapter(study),
        lambda tensors: {name.replace("model.model", "module"): v for name, v in tensors.items()},
    )


@fault("adapter.not_loaded", "an external adapter that lacks the decoder's tensors")
def half_missing(study: Study) -> None:
    change_tensors(
        use_external_adapter(study), lambda tensors: {name: v for name, v in tensors.items() if ".decoder." not in name}
    )


@neighbour("adapter.not_loaded", "an external adapter in half precision")
def half_precision(study: Study) -> None:
    change_tensors(
        use_external_adapter(study), lambda tensors: {name: v.astype(np.float16) for name, v in tensors.items()}
    )


@fault("adapter.not_finite", "an external adapter with one value that is NaN")
def not_a_number(study: Study) -> None:
    def broken(tensors: Tensors) -> Tensors:
        name = sorted(name for name in tensors if "lora_B" in name)[3]
        tensors[name][0, 0] = np.nan
        return tensors

    change_tensors(use_external_adapter(study), broken)


@neighbour("adapter.not_finite", "an external adapter with one value of 1e-30")
def almost_zero(study: Study) -> None:
    def small(tensors: Tensors) -> Tensors:
        name = sorted(name for name in tensors if "lora_B" in name)[3]
        tensors[name][0, 0] = 1e-30
        return tensors

    change_tensors(use_external_adapter(study), small)


@fault("adapter.base_mismatch", "a base model whose weights moved after the adapter was trained")
def moved_base(study: Study) -> None:
    use_external_adapter(study)
    weights = own_model(study) / "model.safetensors"
    moved = {name: value * value.dtype.type(1.01) for name, value in load_file(weights).items()}
    save_file(moved, weights, metadata={"format": "pt"})


@neighbour("adapter.base_mismatch", "a base model in another folder")
def base_elsewhere(study: Study) -> None:
    use_external_adapter(study)
    own_model(study)


@fault("adapter.bypassed", "an external adapter on a layer whose output the model throws away")
def dead_layer(study: Study) -> None:
    weights = own_model(study) / "model.safetensors"
    tensors = load_file(weights)
    for name in [name for name in tensors if name.endswith("encoder.layers.1.mlp.fc2.weight")]:
        tensors[name] = np.zeros_like(tensors[name])
    save_file(tensors, weights, metadata={"format": "pt"})
    adapter = use_external_adapter(study)
    (adapter / "lora_provenance.json").unlink()
    change_json(adapter / "adapter_config.json", {"target_modules": r".*encoder\.layers\.1\.mlp\.fc1"})
    change_tensors(adapter, lambda tensors: {n: v for n, v in tensors.items() if ".encoder.layers.1.mlp.fc1." in n})


@neighbour("adapter.bypassed", "an external adapter on attention only")
def external_attention_adapter(study: Study) -> None:
    adapter = use_external_adapter(study)
    change_json(adapter / "adapter_config.json", {"target_modules": ["q_proj", "v_proj"]})
    change_tensors(adapter, lambda tensors: {n: v for n, v in tensors.items() if ".q_proj." in n or ".v_proj." in n})


@fault("adapter.no_text_change", "transcripts of the base model as those of the tuned one")
def texts_of_the_base(study: Study) -> None:
    use_external_transcripts(study, run="base")


@neighbour("adapter.no_text_change", "external transcripts of the tuned model, with their settings")
def texts_of_the_tuned(study: Study) -> None:
    use_external_transcripts(study)


@fault("adapter.worsens", "an external adapter that does the opposite of what it learnt")
def opposite(study: Study) -> None:
    change_tensors(use_external_adapter(study), lambda tensors: scaled(tensors, -1))


@neighbour("adapter.worsens", "an external adapter scaled to a tenth")
def faint(study: Study) -> None:
    change_tensors(use_external_adapter(study), lambda tensors: scaled(tensors, 0.1))


@fault("adapter.forgets", "tuned transcripts that lost words on general speech")
def forgetful(study: Study) -> None:
    lose_words(use_external_transcripts(study) / "heldout.jsonl")


def lose_words(path: Path, every: int = 1) -> None:
    """Leave the third word out of every n-th transcript."""
    count = iter(range(10**6))

    def shorter(row: dict[str, str]) -> dict[str, str]:
        words = row["hypothesis"].split()
        return {**row, "hypothesis": " ".join(words[:2] + words[3:])} if next(count) % every == 0 else row

    change_transcripts(path, shorter)


@neighbour("adapter.forgets", "tuned transcripts that lost one word on general speech")
def hardly_forgetful(study: Study) -> None:
    lose_words(use_external_transcripts(study) / "heldout.jsonl", every=100)


@fault("adapter.direction_mismatch", "an earlier run that lost words where the short run gains")
def other_direction(study: Study) -> None:
    lose_words(use_external_transcripts(study, run="base", name="earlier", alone=False) / "domain.jsonl")


@neighbour("adapter.direction_mismatch", "an earlier run that gains as well")
def same_direction(study: Study) -> None:
    use_external_transcripts(study, name="earlier", alone=False)


@fault("adapter.broken_hypotheses", "tuned transcripts of which every third is a row of exclamation marks")
def exclamation_marks(study: Study) -> None:
    spoil_texts(use_external_transcripts(study) / "domain.jsonl", "!" * 60, every=3)


@neighbour("adapter.broken_hypotheses", "tuned transcripts of which three are empty")
def three_empty(study: Study) -> None:
    spoil_texts(use_external_transcripts(study) / "domain.jsonl", "", every=25)


def spoil_texts(path: Path, text: str, every: int) -> None:
    count = iter(range(10**6))
    change_transcripts(path, lambda row: {**row, "hypothesis": text} if next(count) % every == 0 else row)


@fault("adapter.words_in_silence", "tuned transcripts with a phrase in rows where nobody speaks")
def phrase_in_silence(study: Study) -> None:
    silent_rows(study, "thank you")


@neighbour("adapter.words_in_silence", "tuned transcripts that are empty where nobody speaks")
def silence(study: Study) -> None:
    silent_rows(study, "")


def silent_rows(study: Study, text: str) -> None:
    """Silence every fifth domain recording and say so by an empty text; external transcripts have `text` there."""
    change_audio(study, "domain", lambda audio, rate: np.zeros_like(audio), every=5)
    change_rows(study, "domain", lambda row: {**row, "text": ""}, every=5)
    study.run(cores=1)
    spoil_texts(use_external_transcripts(study) / "domain.jsonl", text, every=5)
