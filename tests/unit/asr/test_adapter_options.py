"""Adapters with every option are trained, logged, loaded as they were in memory, and measured by the effect ladder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tiny_models import Train, noise
from torch import Tensor

from lora.asr.adapter.configuration import lora_config
from lora.asr.adapter.files import CONFIG, WEIGHTS
from lora.asr.adapter.loading import load_adapter
from lora.asr.adapter.module_groups import MODULE_GROUPS
from lora.asr.adapter.problem import AdapterProblem
from lora.asr.families.speech_model import SpeechModel
from lora.asr.labels.build import Collator
from lora.asr.ladder.effect import ValidationBatch, measure_effect
from lora.asr.model_files import describe_model
from lora.asr.model_loading import load_model
from lora.asr.training import fit
from lora.records.base import UserError
from lora.records.effect import EffectFacts
from lora.records.provenance import RunRecord

ROWS = [{"audio": noise(seed, 0.7), "text": text} for seed, text in enumerate(("Go on.", "Hi", "What?"))]
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


def logits_of(speech: SpeechModel) -> Tensor:
    speech.model.eval()
    with torch.inference_mode():
        return speech.model(**Collator(speech)(ROWS)).logits.clone()


@pytest.fixture
def in_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Tensor]]:
    """Logits of the model that was trained, as it stood when it was written."""
    seen: list[Tensor] = []
    write = fit._Fitted.write

    def noted(self: fit._Fitted, *folders: Path) -> None:
        seen.append(logits_of(self._trainer._speech))
        write(self, *folders)

    monkeypatch.setattr(fit._Fitted, "write", noted)
    return seen


def ladder(folder: Path, adapter: Path) -> EffectFacts:
    batch = ValidationBatch([row["audio"] for row in ROWS], [row["text"] for row in ROWS])
    return measure_effect(load_model(describe_model(str(folder))), "run", str(adapter), [batch], {"max_new_tokens": 8})


OPTIONS: list[tuple[str, list[str]]] = [
    ("plain", []),
    ("dora", ["--use-dora"]),
    ("rslora", ["--use-rslora"]),
    ("gaussian", ["--init-lora-weights", "gaussian"]),
    ("pissa", ["--init-lora-weights", "pissa"]),
    ("pissa-fast", ["--init-lora-weights", "pissa_niter_4"]),
    ("pissa-rslora", ["--init-lora-weights", "pissa", "--use-rslora"]),
    ("pissa-dora", ["--init-lora-weights", "pissa_niter_4", "--use-dora"]),
    ("olora", ["--init-lora-weights", "olora"]),
    ("all-linear", ["--target-modules", "all-linear"]),
    ("decoder", ["--target-parts", "cross,decoder_self,mlp"]),
    ("head", ["--modules-to-save", "proj_out"]),
    ("embedding", ["--modules-to-save", "embed_tokens"]),
    ("stem", ["--modules-to-save", "conv1,layer_norm"]),
    ("biases", ["--bias", "all"]),
    ("own-biases", ["--bias", "lora_only"]),
    ("pissa-whole", ["--init-lora-weights", "pissa", "--modules-to-save", "conv1", "--bias", "lora_only"]),
]


@pytest.mark.parametrize("family", ["moonshine", "whisper"])
@pytest.mark.parametrize(("name", "flags"), OPTIONS)
def test_each_option_is_trained_saved_loaded_and_measured(
    train: Train,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    in_memory: list[Tensor],
    name: str,
    flags: list[str],
    family: str,
) -> None:
    folder = request.getfixturevalue(f"{family}_folder")
    facts = train(name, "--max-steps", "2", *flags, model=folder)
    assert (facts.status, facts.other_trainable, facts.zero_gradient_modules) == ("ok", [], [])
    adapter = tmp_path / "adapters" / name / "last"
    speech = load_model(describe_model(str(folder)))
    base = logits_of(speech)
    loaded = load_adapter(speech, adapter)
    torch.testing.assert_close(logits_of(speech), in_memory[0], rtol=1e-3, atol=2e-3)
    assert float((in_memory[0] - base).abs().max()) > 1e-2
    file = loaded.file_stage
    assert (file.undeclared, file.unpaired, file.other_ranks, file.initialisation in {"true", "gaussian"}) == (
        [],
        [],
        [],
        True,
    )
    assert loaded.load_stage.missing_keys == loaded.load_stage.unexpected_keys == []
    assert len(loaded.load_stage.other_tensors_changed) == len(facts.fully_trained)
    stages = ladder(folder, adapter)
    assert stages.status == "ok"
    assert stages.logits is not None and stages.text is not None  # noqa: PT018
    assert stages.logits.argmax_flips > 0 or (stages.logits.kl_mean or 0) > 0
    assert stages.logits.off_equals_base or "--bias" in flags
    assert stages.text.adapter_calls > 0


def test_pissa_is_written_as_plain_lora_of_twice_the_rank(train: Train, tmp_path: Path, moonshine_folder: Path) -> None:
    facts = train("pissa", "--init-lora-weights", "pissa_niter_4", "--use-rslora", model=moonshine_folder)
    config = json.loads((tmp_path / "adapters/pissa/best" / CONFIG).read_text())
    assert (config["init_lora_weights"], config["r"], config["lora_alpha"]) == (True, 4, pytest.approx(4 * 2**0.5))
    changes = {change.name: change.delta for change in facts.changes}
    stages = ladder(moonshine_folder, tmp_path / "adapters/pissa/best")
    for delta in stages.weights or []:
        assert delta.relative_norm == pytest.approx(changes[delta.name], rel=1e-3)


@pytest.mark.parametrize(
    "flags", [["--init-lora-weights", "pissa_niter_2"], ["--modules-to-save", "proj_out,conv1"], ["--bias", "all"]]
)
def test_an_interrupted_training_resumes_to_the_same_bytes(
    train: Train, tmp_path: Path, moonshine_folder: Path, monkeypatch: pytest.MonkeyPatch, flags: list[str]
) -> None:
    from lora.asr.training.trainer import SpeechTrainer

    train("uninterrupted", *flags, model=moonshine_folder)
    step = SpeechTrainer.training_step

    def interrupted(self: SpeechTrainer, *arguments: Any, **keywords: Any) -> Any:
        if self.state.global_step == 3:
            raise KeyboardInterrupt
        return step(self, *arguments, **keywords)

    with monkeypatch.context() as patched:
        patched.setattr(SpeechTrainer, "training_step", interrupted)
        with pytest.raises(AssertionError):
            train("resumed", *flags, model=moonshine_folder)
    train("resumed", *flags, model=moonshine_folder)
    for which in ("best", "last"):
        uninterrupted, resumed = (
            tmp_path / "adapters" / name / which / WEIGHTS for name in ("uninterrupted", "resumed")
        )
        assert uninterrupted.read_bytes() == resumed.read_bytes()


def test_only_the_chosen_module_groups_are_adapted_and_logged(
    train: Train, moonshine_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = train("cross", "--target-parts", "mlp,cross", "--max-steps", "1", model=moonshine_folder)
    assert facts.settings["target_parts"] == ["cross", "mlp"]
    assert facts.adapted == {
        "cross": {"k_proj": 2, "o_proj": 2, "q_proj": 2, "v_proj": 2},
        "mlp": {"fc1": 2, "fc2": 2},
    }
    assert facts.target_modules == len(facts.changes) == 12
    log = capsys.readouterr().err
    assert "train: adapts cross: k_proj 2, o_proj 2, q_proj 2, v_proj 2\ntrain: adapts mlp: fc1 2, fc2 2\n" in log


def test_fully_trained_modules_are_counted_and_logged(
    train: Train, moonshine_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = train("plain", "--max-steps", "1", model=moonshine_folder)
    facts = train("head", "--modules-to-save", "proj_out", "--max-steps", "1", model=moonshine_folder)
    assert facts.fully_trained == ["model.decoder.embed_tokens.weight", "proj_out.weight"]
    tied = 32 * len(load_model(describe_model(str(moonshine_folder))).tokenizer)
    assert (facts.trainable_parameters or 0) - (plain.trainable_parameters or 0) == tied
    assert "train: fully trains: model.decoder.embed_tokens.weight, proj_out.weight" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"modules_to_save": ["lm_head"]},
            "'lm_head' matches no module with weights; the model has conv1, .*embed_tokens",
        ),
        ({"modules_to_save": ["decoder"]}, "embed_tokens and proj_out share one weight"),
        ({"modules_to_save": ["layers"]}, "'layers' matches no module with weights"),
        ({"target_parts": ["other"]}, "'auto of other' matches no module"),
        (
            {"target_modules": "fc1", "modules_to_save": ["fc1"]},
            r"'fc1' matches no module of the model apart from modules_to_save \(fc1\), which get no adapter",
        ),
    ],
)
def test_unknown_module_names_are_reported_with_the_known_ones(
    moonshine_folder: Path, changed: dict[str, Any], message: str
) -> None:
    model = load_model(describe_model(str(moonshine_folder))).model
    with pytest.raises(AdapterProblem, match=message) as problem:
        lora_config(model, SETTINGS | changed, "model")
    assert problem.value.code == "adapter.no_target_modules"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"init_lora_weights": "pissa", "rank": 33}, "rank is 33, .* allows at most 32"),
        ({"init_lora_weights": "olora", "rank": 33, "target_modules": "all-linear"}, "rank is 33, "),
        ({"init_lora_weights": "pissa", "target_modules": "conv1"}, "needs linear layers, but .*conv1 is a Conv1d"),
    ],
)
def test_an_impossible_initialisation_is_a_user_error(
    moonshine_folder: Path, changed: dict[str, Any], message: str
) -> None:
    model = load_model(describe_model(str(moonshine_folder))).model
    with pytest.raises(UserError, match=message):
        lora_config(model, SETTINGS | changed, "model")


def test_module_groups_need_automatic_target_modules(
    train: Train, moonshine_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AssertionError):
        train("both", "--target-modules", "q_proj", "--target-parts", "cross", model=moonshine_folder)
    assert (
        "--target-parts goes with `--target-modules auto`, and --target-modules is 'q_proj'" in capsys.readouterr().err
    )
    with pytest.raises(SystemExit):
        train("unknown", "--target-parts", "head", model=moonshine_folder)
    assert "'head' is not a list of encoder, decoder_self" in capsys.readouterr().err


def test_trained_weights_stay_float32_in_a_half_precision_model(
    train: Train, tmp_path: Path, moonshine_folder: Path
) -> None:
    """Steps of 1e-6 would round to nothing in a weight of bfloat16."""
    flags = ["--dtype", "bfloat16", "--modules-to-save", "conv1", "--select", "wer", "--learning-rate", "1e-6"]
    facts = train("half", *flags, "--eval-decode", '{"max_new_tokens": 4}', model=moonshine_folder)
    assert (facts.status, facts.zero_gradient_modules, facts.fully_trained) == (
        "ok",
        [],
        ["model.encoder.conv1.weight"],
    )
    tensors = load_file(tmp_path / "adapters/half/last" / WEIGHTS)
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32}
    half = load_model(describe_model(str(moonshine_folder)), "cpu", "bfloat16").model
    moved = (tensors["base_model.model.model.encoder.conv1.weight"] - half.model.encoder.conv1.weight.float()).abs()
    assert 0 < float(moved.max()) < 1e-4


def test_initialisations_from_base_weights_train_in_float32(
    train: Train, tmp_path: Path, moonshine_folder: Path
) -> None:
    train("pissa", "--dtype", "bfloat16", "--init-lora-weights", "pissa", "--max-steps", "1", model=moonshine_folder)
    record = RunRecord.read(tmp_path / "adapters/pissa/train.run.json")
    assert record.dtype == "float32"
    assert record.fallbacks == [
        "init_lora_weights pissa changes base weights, which bfloat16 would round: using float32 for training"
    ]
